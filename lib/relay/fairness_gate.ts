import { closeQuietly } from "../io/conn.ts";

/** Bytes that all relays together may move before everything else gets a turn. */
export const GATE_BUDGET = 1_048_576;

/**
 * The same while some stream carries little at a time, as a terminal or a chat does: it waits for two turns with every
 * message and its answer. Not always, for the turns cost a fifth of the speed of fast transfers.
 */
export const INTERACTIVE_BUDGET = 262_144;

/** Milliseconds without a small message until no stream counts as interactive any more. */
const INTERACTIVE_FOR = 100;

/** A relay that waits for its next chunk. */
interface Waiting {
  resolve: () => void;
  /** Bytes of its last chunk: it will move about as many. */
  bytes: number;
}

/**
 * Keeps busy relays from starving the rest of the process.
 *
 * While a socket has data ready, the runtime answers reads and writes at once and never polls for other events: timers,
 * signals, new clients and slow streams would wait for as long as a transfer lasts. So the relays share a budget of
 * bytes, and when it is spent they all wait for one byte that travels through a loopback connection of the process to
 * itself. The runtime can only learn of that byte by polling, and so it learns of everything else as well. Then they go on
 * in the order in which they came, as many of them as the next budget has bytes for: so a turn lasts as long as a budget
 * does, and not as long as all of them together.
 */
export class FairnessGate {
  readonly #near: Deno.TcpConn;
  readonly #far: Deno.TcpConn;
  readonly #byte = new Uint8Array(1);
  #left = GATE_BUDGET;
  #turn: Promise<void> | undefined;
  #interactiveUntil = -Infinity;
  /** The longest waiting one first. */
  readonly #waiting: Waiting[] = [];

  private constructor(near: Deno.TcpConn, far: Deno.TcpConn) {
    this.#near = near;
    this.#far = far;
  }

  /**
   * Makes the connection. Needs the permission to listen on and connect to 127.0.0.1 at any port, but only now.
   */
  static async open(): Promise<FairnessGate> {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const near = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    near.setNoDelay(true);
    // Any local process can connect to the port while it is open.
    for (;;) {
      const far = await listener.accept();
      if (far.remoteAddr.port !== near.localAddr.port) far.close();
      else return new FairnessGate(near, far);
    }
  }

  /**
   * Takes from the budget.
   *
   * @returns what to wait for before going on, or undefined while there is budget left.
   */
  spend(bytes: number): Promise<void> | undefined {
    this.#left -= bytes;
    if (this.#left > 0) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push({ resolve, bytes });
    if (this.#waiting.length === 1) void this.#releaseWaiting();
    return promise;
  }

  /** Says that a stream has carried a small message: others of that kind may wait for their turn. */
  markInteractive(): void {
    this.#interactiveUntil = performance.now() + INTERACTIVE_FOR;
  }

  /** Resolves when the runtime has polled for other events, and those that were waiting had their turn. */
  turn(): Promise<void> {
    return this.#turn ??= this.#takeTurn();
  }

  /** Closes the connection. Relays that wait go on. */
  close(): void {
    closeQuietly(this.#near);
    closeQuietly(this.#far);
  }

  async #takeTurn(): Promise<void> {
    try {
      await Promise.all([this.#far.read(this.#byte), this.#near.write(this.#byte)]);
    } catch {
      // The gate was closed: those who wait are about to end, too.
    }
    this.#turn = undefined;
  }

  /** Lets those go on who wait, a budget's worth in each turn. */
  async #releaseWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.turn();
      const budget = performance.now() < this.#interactiveUntil ? INTERACTIVE_BUDGET : GATE_BUDGET;
      let last = 0;
      for (let bytes = 0; last < this.#waiting.length && bytes < budget; last++) {
        bytes += this.#waiting[last]?.bytes ?? 0;
      }
      // New relays must not overtake those that wait.
      this.#left = last < this.#waiting.length ? 0 : budget;
      for (const { resolve } of this.#waiting.splice(0, last)) resolve();
    }
  }
}
