import type { LimitSettings } from "../config/settings.ts";
import { Refusal } from "../reasons/refusal.ts";
import type { HalfClosedStreams } from "../relay/half_closed.ts";

/**
 * Clients above the limit that are still heard, so that they can be told. Any further ones are closed at once.
 */
export const MAX_SURPLUS = 64;

/**
 * Counts an application's clients, and holds them to `--max-connections` and `--max-per-client`.
 *
 * A client is counted from accept to its end, but is checked against these limits only once it has asked for something
 * permitted: what it may not have is refused for its own reason, and takes nobody's place. Until then
 * {@linkcode MAX_SURPLUS} clients more than the limit are heard.
 */
export class Admission {
  readonly #limits: Pick<LimitSettings, "connections" | "perClient">;
  readonly #halfClosed: HalfClosedStreams;
  #clients = 0;
  /** Number of clients by their IP address. */
  readonly #perAddress = new Map<string, number>();

  /** Counts none so far; streams of `halfClosed` may give way. */
  constructor(limits: Pick<LimitSettings, "connections" | "perClient">, halfClosed: HalfClosedStreams) {
    this.#limits = limits;
    this.#halfClosed = halfClosed;
  }

  /** Counts a client until the result is disposed of; undefined if it is too many even to be told. */
  accept(clientAddress: string): Disposable | undefined {
    if (this.#clients >= this.#limits.connections + MAX_SURPLUS) return undefined;
    this.#count(clientAddress, 1);
    return { [Symbol.dispose]: () => this.#count(clientAddress, -1) };
  }

  /**
   * Makes sure that a client, which is counted already, is not one too many. If it is, a client that is most likely gone
   * gives way: one of the same address where that has too many, which makes room among all clients as well.
   *
   * @throws {Refusal} `too-many` or `too-many-per-client` if nobody does.
   */
  claim({ clientAddress }: { readonly clientAddress: string }): void {
    if ((this.#perAddress.get(clientAddress) ?? 0) > this.#limits.perClient) {
      if (!this.#halfClosed.endMostSilent(clientAddress)) throw new Refusal("too-many-per-client");
    } else if (this.#clients > this.#limits.connections) {
      if (!this.#halfClosed.endMostSilent()) throw new Refusal("too-many");
    }
  }

  #count(clientAddress: string, by: 1 | -1): void {
    this.#clients += by;
    const count = (this.#perAddress.get(clientAddress) ?? 0) + by;
    if (count === 0) this.#perAddress.delete(clientAddress);
    else this.#perAddress.set(clientAddress, count);
  }
}
