import { encodeI2pBase64 } from "../i2p/base64.ts";
import { b32Address } from "../i2p/destination.ts";
import { Deadline } from "../io/deadline.ts";
import { LruMap } from "../io/lru_map.ts";
import { lookupName } from "../sam/naming.ts";
import type { SamEndpoint } from "../sam/socket.ts";

/** Names and addresses whose destinations are remembered, of one identity. */
export const MAX_DESTINATIONS = 1024;

/** Milliseconds for which a destination is remembered. */
export const DESTINATION_AGE = 600_000;

/** Milliseconds for which it is remembered that a name leads nowhere: each datagram would ask again. */
export const UNKNOWN_AGE = 10_000;

/** Milliseconds for which it is remembered that the router did not answer: each datagram would ask again. */
export const UNANSWERED_AGE = 1_000;

export const RESOLVE_TIMEOUT = 60_000;

/** Look-ups under way at once, of one identity. */
export const MAX_LOOKUPS = 16;

/** What a datagram needs of a peer. */
export interface Peer {
  /** Its destination in I2P base64. */
  readonly destination: string;
  /** Its address. */
  readonly b32: string;
}

/** What is known of a host: a peer, or that it leads nowhere, or that the router did not say. */
export type Found = Peer | "unknown" | "unanswered";

/** What was found, and until when that holds on the clock of `performance.now()`. */
interface Entry {
  readonly found: Found;
  readonly until: number;
}

/**
 * The destinations behind names and addresses, asked of the router and remembered for a while. Each identity has its own:
 * whether a name is known already must not show one client what another one visits.
 */
export class DestinationCache {
  readonly #endpoint: SamEndpoint;
  readonly #stop = new AbortController();
  /** By host, as the router takes it. */
  readonly #entries = new LruMap<string, Entry>(MAX_DESTINATIONS);
  readonly #asking = new Map<string, Promise<Found>>();

  constructor(endpoint: SamEndpoint) {
    this.#endpoint = endpoint;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** What is remembered; undefined if nothing is. */
  get(host: string): Found | undefined {
    const entry = this.#entries.use(host);
    if (entry === undefined || entry.until > performance.now()) return entry?.found;
    this.#entries.delete(host);
    return undefined;
  }

  /** Remembers a peer by its address: one that has sent something can be answered without a question. */
  learn(peer: Peer): void {
    this.#put(peer.b32, peer, DESTINATION_AGE);
  }

  /** Whether a host that is not asked for yet would be one too many. */
  isBusy(host: string): boolean {
    return !this.#asking.has(host) && this.#asking.size >= MAX_LOOKUPS;
  }

  /** Asks the router; together with those who ask for the same. Never throws. */
  resolve(host: string): Promise<Found> {
    const asking = this.#asking.get(host) ?? this.#ask(host).finally(() => this.#asking.delete(host));
    this.#asking.set(host, asking);
    return asking;
  }

  /** Ends all questions, and resolves when they have ended. */
  async close(): Promise<void> {
    this.#stop.abort(new Error("The identity is closed"));
    await Promise.all(this.#asking.values());
  }

  async #ask(host: string): Promise<Found> {
    using deadline = new Deadline(RESOLVE_TIMEOUT, this.#stop.signal);
    try {
      const destination = await lookupName(this.#endpoint, host, deadline);
      if (destination === undefined) return this.#put(host, "unknown", UNKNOWN_AGE);
      const peer = { destination: encodeI2pBase64(destination), b32: await b32Address(destination) };
      return this.#put(host, peer, DESTINATION_AGE);
    } catch {
      // The router is away, or takes too long.
      return this.#put(host, "unanswered", UNANSWERED_AGE);
    }
  }

  #put(host: string, found: Found, age: number): Found {
    this.#entries.set(host, { found, until: performance.now() + age });
    return found;
  }
}
