import type { Counters } from "../report/counters.ts";
import type { Log } from "../report/log.ts";
import { REASONS } from "./reasons.ts";

/** Why a datagram went no further. */
export type DropReason =
  | "clearnet"
  | "ip"
  | "address-unmapped"
  | "malformed-address"
  | "rule"
  | "fragment"
  | "foreign"
  | "malformed"
  | "too-large"
  | "name-unknown"
  | "name-unanswered"
  | "too-many-lookups"
  | "not-ready"
  | "not-sent"
  | "unclaimed"
  | "not-sam";

/** What a reason means: a sentence for the log, and what to do about it. */
export interface Drop {
  /** The sentence. */
  message: string;
  /** The advice; `null` where there is none. */
  hint: string | null;
}

/** The message of every reason. A datagram has no reply: the counters and one line in the log are all there is. */
export const DROPS: Readonly<Record<DropReason, Drop>> = {
  "clearnet": {
    message: REASONS.clearnet.message,
    hint: "Look for them in its settings; with --log-destinations the log has the first one",
  },
  "ip": REASONS.ip,
  "address-unmapped": REASONS["address-unmapped"],
  "malformed-address": REASONS["malformed-address"],
  "rule": REASONS.rule,
  "fragment": { message: "A fragment (FRAG is not 0), and these are not put together", hint: null },
  "foreign": {
    message: "Not from the client of the association: another address, or another port than it named or used first",
    hint: "A client that sends from several ports needs an association for each",
  },
  "malformed": {
    message: "It does not begin with a header of SOCKS5 (RFC 1928, section 7)",
    hint: "The application sent its bytes to the relay as if that were the peer",
  },
  "too-large": {
    message: "Larger than a datagram of I2P can be",
    hint: "31744 bytes are the limit, and those above 11 KB are often lost",
  },
  "name-unknown": {
    message: "The router does not know the destination",
    hint: "Subscribe the router's address book to more lists, or use the base32 address",
  },
  "name-unanswered": {
    message: "The router did not say in time where the destination is, or went away meanwhile",
    hint: null,
  },
  "too-many-lookups": { message: "Too many datagrams wait for the router to look up where they go", hint: null },
  "not-ready": { message: "The session for datagrams was lost, and the next one is not ready", hint: null },
  "not-sent": { message: "The system did not take it", hint: null },
  "unclaimed": {
    message: "From a peer to which no client has sent anything, or the client is not known yet",
    hint: null,
  },
  "not-sam": {
    message: "What came to the port for the bridge's datagrams is none of the bridge",
    hint: "Is --sam-udp the UDP port of the bridge? If so, another program of this machine sends there",
  },
};

/** Counts datagrams that go no further, and explains each reason once. */
export class DropBook {
  readonly #log: Log;
  readonly #counters: Counters;
  readonly #explained = new Set<DropReason>();

  /** Makes a book; `counters` gets `udp-dropped-REASON`. */
  constructor(log: Log, counters: Counters) {
    this.#log = log;
    this.#counters = counters;
  }

  /** Takes note of one. */
  add(reason: DropReason, destination?: string): void {
    this.#counters.add(`udp-dropped-${reason}`);
    const { message, hint } = DROPS[reason];
    const isNew = !this.#explained.has(reason);
    this.#explained.add(reason);
    this.#log[isNew ? "info" : "debug"](`Dropped a datagram: ${message}`, {
      reason,
      hint: isNew ? hint ?? undefined : undefined,
      destination,
    });
  }
}
