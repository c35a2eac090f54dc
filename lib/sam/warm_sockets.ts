import { SharedSignal, type Signal } from "../io/signal.ts";
import { RESOLUTION } from "../io/timer.ts";
import { type SamEndpoint, SamSocket } from "./socket.ts";

/** Most sockets of one proxy that wait for a stream. */
export const MAX_WARM = 16;

/**
 * Milliseconds that a socket waits at most. Routers close one that has said HELLO and no more: emissary after 10 s, Java
 * I2P after 60 s, i2pd never.
 */
export const WARM_AGE = 8_000;

/** Milliseconds over which streams are counted, to know how many sockets will be wanted. */
const WINDOW = 1_000;

/** Milliseconds from a stream until others are made ready: no time at all for a router, but the stream goes first. */
const REFILL_DELAY = 5;

/**
 * Milliseconds by which that may be late. More says that the processor is what streams wait for: to open sockets ahead
 * would only make them wait longer.
 */
const REFILL_LATE = 2;

/** Milliseconds without a new socket after one could not be opened, or the others had to be given up. */
const REST = 1_000;

/** A socket that waits, and since when. */
interface Waiting {
  socket: SamSocket;
  since: number;
}

/**
 * Sockets that have said HELLO already, so that a stream costs one round trip instead of a connection and two.
 *
 * They belong to no session, and only who has streams has them: as many are kept as were taken within a second, and none
 * takes the place of one that nobody took in time. Each is being read, so that one whose router closes it, or has
 * something else to say, is dropped at that moment.
 */
export class WarmSockets {
  readonly #endpoint: SamEndpoint;
  readonly #most: number;
  readonly #stop = new SharedSignal();
  /** The oldest first. */
  readonly #waiting: Waiting[] = [];
  readonly #opening = new Set<Promise<void>>();
  #expiry: ReturnType<typeof setTimeout> | undefined;
  #refill: ReturnType<typeof setTimeout> | undefined;
  /** Streams that open a socket now, because none waited. */
  #fresh = 0;
  #refillAfter = 0;
  #windowStart = -Infinity;
  #taken = 0;
  #takenBefore = 0;

  /** Keeps sockets of a bridge, as many at most; none before the first {@linkcode take}. */
  constructor(endpoint: SamEndpoint, most: number = MAX_WARM) {
    this.#endpoint = endpoint;
    this.#most = most;
  }

  /** Sockets that wait now. */
  get size(): number {
    return this.#waiting.length;
  }

  /**
   * The socket that has waited least, if there is one, tied to the signal of its user from now on. The router may have
   * closed it at this very moment: a request that it closes without an answer is to be repeated on a fresh one.
   */
  take(signal: Signal): SamSocket | undefined {
    this.#count();
    this.#closeExpired();
    const socket = this.#waiting.pop()?.socket;
    this.#rest();
    socket?.follow(signal);
    this.#planRefill();
    return socket;
  }

  /**
   * Opens a socket for a stream, now.
   *
   * @throws what {@linkcode SamSocket.open} throws.
   */
  async open(signal: Signal): Promise<SamSocket> {
    this.#fresh++;
    try {
      return await SamSocket.open(this.#endpoint, signal);
    } catch (error) {
      if (!signal.aborted) this.clear();
      throw error;
    } finally {
      this.#fresh--;
    }
  }

  /** Closes all that wait, and opens none for a second: they have turned out dead, or others need their descriptors. */
  clear(): void {
    this.#refillAfter = performance.now() + REST;
    clearTimeout(this.#expiry);
    clearTimeout(this.#refill);
    this.#expiry = this.#refill = undefined;
    for (const { socket } of this.#waiting.splice(0)) socket.close();
  }

  /** Closes all for good. */
  async close(): Promise<void> {
    this.#stop.abort(new Error("The sockets are closed"));
    this.clear();
    await Promise.all(this.#opening);
  }

  /** Counts a stream, in this second or the one that begins. */
  #count(): void {
    const now = performance.now();
    if (now - this.#windowStart >= WINDOW) {
      const isNext = now - this.#windowStart < 2 * WINDOW;
      this.#takenBefore = isNext ? this.#taken : 0;
      this.#taken = 0;
      this.#windowStart = isNext ? this.#windowStart + WINDOW : now;
    }
    this.#taken++;
  }

  #planRefill(): void {
    if (this.#stop.aborted || performance.now() < this.#refillAfter) return;
    if (this.#refill !== undefined) return;
    const latest = performance.now() + REFILL_DELAY + REFILL_LATE;
    this.#refill = setTimeout(() => this.#refillNow(latest), REFILL_DELAY);
  }

  /** Opens what is missing; later, where streams still open their own; not before the next stream, where it is late. */
  #refillNow(latest: number): void {
    this.#refill = undefined;
    if (performance.now() > latest) return;
    if (this.#fresh > 0) return this.#planRefill();
    const wanted = Math.min(Math.max(this.#taken, this.#takenBefore), this.#most);
    while (this.#waiting.length + this.#opening.size < wanted) {
      const opening = this.#openOne().finally(() => this.#opening.delete(opening));
      this.#opening.add(opening);
    }
  }

  /** Opens a socket that is to wait. */
  async #openOne(): Promise<void> {
    try {
      const socket = await SamSocket.open(this.#endpoint, this.#stop);
      if (this.#stop.aborted) return socket.close();
      const waiting = { socket, since: performance.now() };
      this.#waiting.push(waiting);
      socket.listen(() => this.#drop(waiting));
      this.#expiry ??= setTimeout(() => this.#expire(), WARM_AGE);
    } catch {
      // Who needs a socket opens one, and learns the reason.
      this.clear();
    }
  }

  /** Closes a socket that does not wait in silence any more, unless it was taken. */
  #drop(waiting: Waiting): void {
    const index = this.#waiting.indexOf(waiting);
    if (index < 0) return;
    this.#waiting.splice(index, 1);
    this.#rest();
    waiting.socket.close();
  }

  /** Stops the clock where none waits. */
  #rest(): void {
    if (this.#waiting.length > 0) return;
    clearTimeout(this.#expiry);
    this.#expiry = undefined;
  }

  #expire(): void {
    this.#expiry = undefined;
    this.#closeExpired();
    const [oldest] = this.#waiting;
    if (oldest === undefined) return;
    const left = Math.max(0, oldest.since + WARM_AGE - performance.now());
    this.#expiry = setTimeout(() => this.#expire(), left);
  }

  #closeExpired(): void {
    // A timer may ring a little early, and one of a next to nothing would go round in circles.
    const limit = performance.now() - WARM_AGE + RESOLUTION;
    while (this.#waiting[0] !== undefined && this.#waiting[0].since <= limit) this.#waiting.shift()?.socket.close();
  }
}
