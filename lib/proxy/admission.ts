import type { LimitSettings } from "../config/settings.ts";
import { closeQuietly } from "../io/conn.ts";
import type { Reason } from "../reasons/reasons.ts";
import { Refusal } from "../reasons/refusal.ts";
import type { HalfClosedStreams } from "../relay/half_closed.ts";

/** Clients above `--max-connections`, and of one address above `--max-per-client`, that are heard so that they can be told. */
export const MAX_SURPLUS = 64;

/** What is counted of a client. */
export interface Guest {
  /** Its connection. */
  readonly conn: { close(): void };
  /** Its own IP address. */
  readonly clientAddress: string;
  /** Why it had to give way to another client before it had asked for anything. */
  evicted?: Refusal;
}

/** Clients of one IP address. */
interface Crowd {
  /** All of them. */
  size: number;
  /** Those that have a place. */
  places: number;
  /** Those that have not asked for anything yet, the oldest first. */
  readonly silent: Set<Guest>;
}

/**
 * Holds an application's clients to `--max-connections` and `--max-per-client`.
 *
 * A client takes a place once it has asked for something permitted; what it may not have is refused for its own reason.
 * Where there is no place, a client gives one up that has ended its side and most likely waits for nothing. Clients
 * without a place are bounded too, so that a crowd which never asks cannot keep others out: the oldest of the largest
 * crowd gives way.
 */
export class Admission {
  readonly #limits: Pick<LimitSettings, "connections" | "perClient">;
  readonly #halfClosed: HalfClosedStreams;
  readonly #crowds = new Map<string, Crowd>();
  readonly #placed = new Set<Guest>();
  #clients = 0;

  /** Counts none so far; streams of `halfClosed` may give way. */
  constructor(limits: Pick<LimitSettings, "connections" | "perClient">, halfClosed: HalfClosedStreams) {
    this.#limits = limits;
    this.#halfClosed = halfClosed;
  }

  /** Counts a client until {@linkcode leave}; false if it is too many even to be told, and nobody gives way. */
  accept(client: Guest): boolean {
    const isFull = this.#clients >= this.#limits.connections + MAX_SURPLUS;
    if (isFull && !this.#evictSilent(this.#mostSilent(), "too-many")) return false;
    const crowd = this.#crowds.get(client.clientAddress) ?? { size: 0, places: 0, silent: new Set() };
    if (crowd.size >= this.#limits.perClient + MAX_SURPLUS) this.#evictSilent(crowd, "too-many-per-client");
    this.#crowds.set(client.clientAddress, crowd);
    this.#clients++;
    crowd.size++;
    crowd.silent.add(client);
    return true;
  }

  /** Notes that a client has asked for something. */
  asked(client: Guest): void {
    this.#crowds.get(client.clientAddress)?.silent.delete(client);
  }

  /**
   * Gives a place to a client that has asked for something permitted. If there is none, another client gives up its own:
   * one of the same address where that has too many, which makes room among all clients as well.
   *
   * @throws {Refusal} `too-many` or `too-many-per-client` if nobody does.
   */
  claim(client: Guest): void {
    const { clientAddress } = client;
    const crowd = this.#crowds.get(clientAddress);
    if (crowd !== undefined && crowd.places >= this.#limits.perClient) {
      if (!this.#halfClosed.endMostSilent(clientAddress)) throw new Refusal("too-many-per-client");
    } else if (this.#placed.size >= this.#limits.connections) {
      if (!this.#halfClosed.endMostSilent()) throw new Refusal("too-many");
    }
    this.#placed.add(client);
    if (crowd !== undefined) crowd.places++;
  }

  /** Counts a client no more. */
  leave(client: Guest): void {
    const crowd = this.#crowds.get(client.clientAddress);
    if (crowd === undefined) return;
    this.#clients--;
    crowd.size--;
    crowd.silent.delete(client);
    if (this.#placed.delete(client)) crowd.places--;
    if (crowd.size === 0) this.#crowds.delete(client.clientAddress);
  }

  #mostSilent(): Crowd | undefined {
    let found: Crowd | undefined;
    for (const crowd of this.#crowds.values()) if (crowd.silent.size > (found?.silent.size ?? 0)) found = crowd;
    return found;
  }

  /** Ends the oldest client of a crowd that has not asked for anything, if there is one. */
  #evictSilent(crowd: Crowd | undefined, reason: Reason): boolean {
    const [client] = crowd?.silent ?? [];
    if (client === undefined) return false;
    crowd?.silent.delete(client);
    client.evicted = new Refusal(reason);
    closeQuietly(client.conn);
    return true;
  }
}
