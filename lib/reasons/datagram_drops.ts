import type { Counters } from "../report/counters.ts";
import { type Log, Once } from "../report/log.ts";
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
interface Drop {
  /** The sentence. */
  message: string;
  /** The advice; `null` where there is none. */
  hint: string | null;
}

/** The message of every reason. A datagram has no reply: the counters and one line in the log are all there is. */
export const DROPS: Readonly<Record<DropReason, Drop>> = {
  "clearnet": {
    message: REASONS.clearnet.message,
    hint: "Look for these hosts in its settings; with --log-destinations the log names the first one",
  },
  "ip": REASONS.ip,
  "address-unmapped": REASONS["address-unmapped"],
  "malformed-address": REASONS["malformed-address"],
  "rule": REASONS.rule,
  "fragment": { message: "A fragment (FRAG is not 0); fragments are not reassembled", hint: null },
  "foreign": {
    message: "Not from the client of the association: another address, or another port than it named or used first",
    hint: "A client that sends from several ports needs one association for each",
  },
  "malformed": {
    message: "No SOCKS5 UDP header (RFC 1928, section 7)",
    hint: "The application sent its data to the relay as if the relay were the site",
  },
  "too-large": {
    message: "Larger than an I2P datagram can be",
    hint: "The limit is 31744 bytes, and datagrams above 11 KB are often lost",
  },
  "name-unknown": {
    message: "The router does not know this destination",
    hint: "Subscribe the router's address book to more lists, or use the base32 address",
  },
  "name-unanswered": {
    message: "The router did not resolve the destination in time, or the router went away",
    hint: null,
  },
  "too-many-lookups": { message: "Too many datagrams are waiting for a look-up by the router", hint: null },
  "not-ready": { message: "The datagram session was lost, and the next one is not ready", hint: null },
  "not-sent": { message: "The system could not send it", hint: null },
  "unclaimed": {
    message: "From a site that no client has sent anything to, or the client is not known yet",
    hint: null,
  },
  "not-sam": {
    message: "A datagram that did not come from the SAM bridge arrived at the port for its datagrams",
    hint: "Is --sam-udp the UDP port of the bridge? If so, another program on this machine sends to it",
  },
};

/** Counts datagrams that go no further, and explains each reason once. */
export class DropBook {
  readonly #log: Log;
  readonly #counters: Counters;
  readonly #explained = new Once();

  /** Makes a book; `counters` gets `udp-dropped-REASON`. */
  constructor(log: Log, counters: Counters) {
    this.#log = log;
    this.#counters = counters;
  }

  /** Takes note of one. */
  add(reason: DropReason, destination?: string): void {
    this.#counters.add(`udp-dropped-${reason}`);
    const { message, hint } = DROPS[reason];
    const isNew = this.#explained.isNew(reason);
    this.#log[isNew ? "info" : "debug"](`Dropped a datagram: ${message}`, {
      reason,
      hint: isNew ? hint ?? undefined : undefined,
      destination,
    });
  }
}
