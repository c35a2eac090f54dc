import type { LimitSettings } from "../config/settings.ts";
import { closeQuietly } from "../io/conn.ts";
import { sleep } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { startTimer, type Timer } from "../io/timer.ts";
import type { Reason } from "../reasons/reasons.ts";
import { Refusal } from "../reasons/refusal.ts";
import type { HalfClosedStreams } from "../relay/half_closed.ts";

/** Clients above `--max-connections`, and of one address above `--max-per-client`, that are heard so that they get a reply. */
export const MAX_SURPLUS = 64;

/** Milliseconds that a client has at least to ask for something, before it gives way to others. */
export const SILENT_GRACE = 500;

/** Milliseconds at most that a client waits for the place of a stream whose client has left. */
export const PLACE_WAIT = 2_000;

/** What an application can have at once: its limits, or less where the process has too few file descriptors. */
export interface Capacity {
  /** Clients with a place. */
  readonly connections: number;
  /** Callers of `--forward`. */
  readonly inbound: number;
  /** Clients without a place, which are heard and told. */
  readonly surplus: number;
  /** Sockets of the bridge that wait for streams. */
  readonly warm: number;
  /** Whether that is less than its limits. */
  readonly isShort: boolean;
}

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
  /** Those that have not asked for anything yet, the oldest first, and when they came. */
  readonly silent: Map<Guest, number>;
  /** Those that have their reply and nothing else to come, likewise. */
  readonly told: Set<Guest>;
  /** Looks again when the next one may give way. */
  timer?: Timer | undefined;
}

/**
 * Holds an application's clients to its {@linkcode Capacity} and to `--max-per-client`.
 *
 * A client takes a place once it has asked for something permitted; what it may not have is refused for its own reason.
 * Where there is no place, a client gives one up that has ended its side and most likely waits for nothing.
 *
 * Clients without a place are bounded too. Where there are too many, one gives way that has its reply already, or else
 * the oldest of the largest crowd that has not asked for anything; until there is one, the next client is not accepted.
 * So a crowd that never asks cannot keep others out, and who asks in time gets a reply.
 */
export class Admission {
  readonly #capacity: Pick<Capacity, "connections" | "surplus" | "isShort">;
  readonly #perClient: number;
  readonly #halfClosed: HalfClosedStreams;
  readonly #crowds = new Map<string, Crowd>();
  readonly #clients = new Set<Guest>();
  readonly #placed = new Set<Guest>();
  #left = Promise.withResolvers<void>();

  /** Counts none so far; streams of `halfClosed` may give way. */
  constructor(
    capacity: Pick<Capacity, "connections" | "surplus" | "isShort">,
    { perClient }: Pick<LimitSettings, "perClient">,
    halfClosed: HalfClosedStreams,
  ) {
    this.#capacity = capacity;
    this.#perClient = perClient;
    this.#halfClosed = halfClosed;
  }

  /** Resolves as soon as one more client can be counted, or when the signal is aborted. */
  async room(signal: Signal): Promise<void> {
    const { connections, surplus } = this.#capacity;
    while (this.#clients.size >= connections + surplus && !signal.aborted && !this.giveWay()) {
      await Promise.race([this.#left.promise, sleep(SILENT_GRACE / 10, signal)]);
    }
  }

  /**
   * Ends a client that has its reply already, or else one that has not asked for anything: the oldest of the largest
   * crowd, if it has had its time.
   *
   * @returns whether there was one.
   */
  giveWay(): boolean {
    const crowds = [...this.#crowds.values()];
    for (const { told: [client] } of crowds) {
      if (client === undefined) continue;
      this.#end(client);
      return true;
    }
    return this.#endSilent(largest(crowds), "too-many");
  }

  /** Counts a client until {@linkcode leave}. */
  accept(client: Guest): void {
    const crowd = this.#crowds.get(client.clientAddress) ??
      { size: 0, places: 0, silent: new Map(), told: new Set() };
    this.#crowds.set(client.clientAddress, crowd);
    this.#clients.add(client);
    crowd.size++;
    crowd.silent.set(client, performance.now());
    this.#trim(crowd);
  }

  /** Notes that a client has asked for something. */
  asked(client: Guest): void {
    this.#crowds.get(client.clientAddress)?.silent.delete(client);
  }

  /** Notes that a client has its reply, and nothing else will come: it needs no place any more. */
  told(client: Guest): void {
    const crowd = this.#crowds.get(client.clientAddress);
    if (crowd === undefined || !this.#clients.has(client)) return;
    crowd.silent.delete(client);
    crowd.told.add(client);
    if (this.#placed.delete(client)) crowd.places--;
  }

  /**
   * Gives a place to a client that has asked for something permitted. If there is none, another client gives up its own:
   * one of the same address where that has too many, which makes room among all clients as well. For one that will soon
   * be silent for long enough, this waits.
   *
   * @throws {Refusal} `too-many`, `too-many-per-client` or `out-of-descriptors` if nobody does.
   * @throws the signal's reason if it was aborted.
   */
  async claim(client: Guest, signal: Signal): Promise<void> {
    const end = performance.now() + PLACE_WAIT;
    for (;;) {
      const reason = this.#lack(client);
      if (reason === undefined) break;
      const from = reason === "too-many-per-client" ? client.clientAddress : undefined;
      if (this.#halfClosed.endMostSilent(from)) break;
      const wait = this.#halfClosed.untilSilent(from);
      if (wait === undefined || performance.now() + wait > end) throw new Refusal(reason);
      await sleep(wait, signal);
      signal.throwIfAborted();
    }
    const crowd = this.#crowds.get(client.clientAddress);
    if (crowd === undefined || !this.#clients.has(client)) return;
    this.#placed.add(client);
    crowd.places++;
  }

  /** Counts a client no more. */
  leave(client: Guest): void {
    const crowd = this.#crowds.get(client.clientAddress);
    if (crowd === undefined || !this.#clients.delete(client)) return;
    crowd.size--;
    crowd.silent.delete(client);
    crowd.told.delete(client);
    if (this.#placed.delete(client)) crowd.places--;
    if (crowd.size === 0) {
      crowd.timer?.stop();
      this.#crowds.delete(client.clientAddress);
    }
    this.#left.resolve();
    this.#left = Promise.withResolvers();
  }

  /** Why there is no place for a client; undefined if there is one. */
  #lack({ clientAddress }: Guest): Reason | undefined {
    if ((this.#crowds.get(clientAddress)?.places ?? 0) >= this.#perClient) return "too-many-per-client";
    if (this.#placed.size < this.#capacity.connections) return undefined;
    return this.#capacity.isShort ? "out-of-descriptors" : "too-many";
  }

  /** Ends clients of an address that has too many, as far as some may give way; the others when they may. */
  #trim(crowd: Crowd): void {
    crowd.timer?.stop();
    crowd.timer = undefined;
    let surplus = crowd.size - this.#perClient - MAX_SURPLUS - crowd.told.size;
    while (surplus > 0 && this.#endSilent(crowd, "too-many-per-client")) surplus--;
    if (surplus > 0 && crowd.silent.size > 0) crowd.timer = startTimer(SILENT_GRACE / 10, () => this.#trim(crowd));
  }

  /** Ends the oldest client of a crowd that has not asked for anything, if there is one and it has had its time. */
  #endSilent(crowd: Crowd | undefined, reason: Reason): boolean {
    const [oldest] = crowd?.silent ?? [];
    if (crowd === undefined || oldest === undefined) return false;
    const [client, since] = oldest;
    if (performance.now() - since < SILENT_GRACE) return false;
    client.evicted = new Refusal(reason);
    this.#end(client);
    return true;
  }

  #end(client: Guest): void {
    this.leave(client);
    closeQuietly(client.conn);
  }
}

function largest(crowds: readonly Crowd[]): Crowd | undefined {
  let found: Crowd | undefined;
  for (const crowd of crowds) if (crowd.silent.size > (found?.silent.size ?? 0)) found = crowd;
  return found;
}
