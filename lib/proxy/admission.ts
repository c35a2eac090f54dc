import type { LimitSettings } from "../config/settings.ts";
import { closeQuietly } from "../io/conn.ts";
import { sleep } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { startTimer, type Timer } from "../io/timer.ts";
import type { Reason } from "../reasons/reasons.ts";
import { Refusal } from "../reasons/refusal.ts";
import type { HalfClosedStreams } from "../relay/half_closed.ts";

/** Clients above `--max-connections`, and of one address above `--max-per-client`, that are heard so that they get a reply. */
export const MAX_SURPLUS = 128;

/** Milliseconds that a client has at least to say something, before it gives way to others. */
export const SILENT_GRACE = 1_000;

/** Milliseconds that a client has at least to ask for something, once it has begun to. */
export const BEGUN_GRACE = 5_000;

/** Milliseconds between two looks whether such a client has had its time, while others wait for that. */
const NEXT_LOOK = 50;

/** Milliseconds at most that a client waits for the place of a stream whose client has left. */
export const PLACE_WAIT = 2_000;

/**
 * What an application can have at once: its limits, or less where the process has too few file descriptors. It changes
 * with a reload.
 */
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
  /** Those that have said nothing yet, the oldest first, and when they came. */
  readonly silent: Map<Guest, number>;
  /** Those that have said something and not asked for anything yet, likewise, and since when. */
  readonly begun: Map<Guest, number>;
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
 * the oldest of the largest crowd that has said nothing, or has not asked for anything; until there is one, the next
 * client is not accepted. So a crowd that never asks cannot keep others out, and who asks in time gets a reply.
 */
export class Admission {
  readonly #capacity: Pick<Capacity, "connections" | "surplus" | "isShort">;
  readonly #perClient: number;
  readonly #halfClosed: HalfClosedStreams;
  readonly #crowds = new Map<string, Crowd>();
  readonly #clients = new Set<Guest>();
  readonly #placed = new Set<Guest>();
  /** For those who wait until a client leaves. */
  #left: PromiseWithResolvers<void> | undefined;

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

  /** Resolves as soon as one more client can be counted, or when the signal is aborted; undefined if one can be now. */
  room(signal: Signal): Promise<void> | undefined {
    return this.#isFull ? this.#awaitRoom(signal) : undefined;
  }

  get #isFull(): boolean {
    return this.#clients.size >= this.#capacity.connections + this.#capacity.surplus;
  }

  async #awaitRoom(signal: Signal): Promise<void> {
    while (this.#isFull && !signal.aborted && !this.giveWay()) {
      this.#left ??= Promise.withResolvers();
      await Promise.race([this.#left.promise, sleep(NEXT_LOOK, signal)]);
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
      { size: 0, places: 0, silent: new Map(), begun: new Map(), told: new Set() };
    this.#crowds.set(client.clientAddress, crowd);
    this.#clients.add(client);
    crowd.size++;
    crowd.silent.set(client, performance.now());
    this.#trim(crowd);
  }

  /** Notes that a client has said something. */
  begun(client: Guest): void {
    const crowd = this.#crowds.get(client.clientAddress);
    if (crowd?.silent.delete(client)) crowd.begun.set(client, performance.now());
  }

  /** Notes that a client has asked for something. */
  asked(client: Guest): void {
    const crowd = this.#crowds.get(client.clientAddress);
    crowd?.silent.delete(client);
    crowd?.begun.delete(client);
  }

  /** Notes that a client has its reply, and nothing else will come: it needs no place any more. */
  told(client: Guest): void {
    const crowd = this.#crowds.get(client.clientAddress);
    if (crowd === undefined || !this.#clients.has(client)) return;
    this.asked(client);
    crowd.told.add(client);
    if (this.#placed.delete(client)) crowd.places--;
  }

  /**
   * Gives a place to a client that has asked for something permitted. If there is none, another client gives up its own:
   * one of the same address where that has too many, which makes room among all clients as well. For one that will soon
   * be silent for long enough, this waits; undefined where it does not have to.
   *
   * @throws {Refusal} `too-many`, `too-many-per-client` or `out-of-descriptors` if nobody does.
   * @throws the signal's reason if it was aborted.
   */
  claim(client: Guest, signal: Signal): Promise<void> | undefined {
    const reason = this.#lack(client);
    return reason === undefined ? this.#place(client) : this.#awaitPlace(client, signal);
  }

  async #awaitPlace(client: Guest, signal: Signal): Promise<void> {
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
    this.#place(client);
  }

  #place(client: Guest): undefined {
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
    this.asked(client);
    crowd.told.delete(client);
    if (this.#placed.delete(client)) crowd.places--;
    if (crowd.size === 0) {
      crowd.timer?.stop();
      this.#crowds.delete(client.clientAddress);
    }
    this.#left?.resolve();
    this.#left = undefined;
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
    if (surplus > 0 && unheard(crowd) > 0) crowd.timer = startTimer(NEXT_LOOK, () => this.#trim(crowd));
  }

  /** Ends the oldest client of a crowd that has said nothing or not asked, if there is one and it has had its time. */
  #endSilent(crowd: Crowd | undefined, reason: Reason): boolean {
    if (crowd === undefined) return false;
    for (const [clients, grace] of [[crowd.silent, SILENT_GRACE], [crowd.begun, BEGUN_GRACE]] as const) {
      const [oldest] = clients;
      if (oldest === undefined || performance.now() - oldest[1] < grace) continue;
      oldest[0].evicted = new Refusal(reason);
      this.#end(oldest[0]);
      return true;
    }
    return false;
  }

  #end(client: Guest): void {
    this.leave(client);
    closeQuietly(client.conn);
  }
}

function largest(crowds: readonly Crowd[]): Crowd | undefined {
  let found: Crowd | undefined;
  for (const crowd of crowds) if (unheard(crowd) > (found === undefined ? 0 : unheard(found))) found = crowd;
  return found;
}

/** Clients that have not asked for anything. */
function unheard({ silent, begun }: Crowd): number {
  return silent.size + begun.size;
}
