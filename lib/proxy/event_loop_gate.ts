import { closeQuietly } from "../io/conn.ts";

/** Bytes that all relays together may move before everything else gets a turn. */
export const GATE_BUDGET = 1_048_576;

/**
 * Keeps busy relays from starving the rest of the process.
 *
 * While a socket has data ready, the runtime answers reads and writes at once and never polls for other events: timers,
 * signals, new clients and slow streams would wait for as long as a transfer lasts. So the relays share a budget of
 * bytes, and when it is spent they all wait for one byte that travels through a loopback connection of the process to
 * itself. The runtime can only learn of that byte by polling, and so it learns of everything else as well.
 */
export class EventLoopGate {
  readonly #near: Deno.TcpConn;
  readonly #far: Deno.TcpConn;
  readonly #byte = new Uint8Array(1);
  #left = GATE_BUDGET;
  #turn: Promise<void> | undefined;

  private constructor(near: Deno.TcpConn, far: Deno.TcpConn) {
    this.#near = near;
    this.#far = far;
  }

  /**
   * Makes the connection. Needs the permission to listen on and connect to 127.0.0.1 at any port, but only now.
   */
  static async open(): Promise<EventLoopGate> {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const near = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    near.setNoDelay(true);
    // Any local process can connect to the port while it is open.
    for (;;) {
      const far = await listener.accept();
      if (far.remoteAddr.port !== near.localAddr.port) far.close();
      else return new EventLoopGate(near, far);
    }
  }

  /**
   * Takes from the budget.
   *
   * @returns what to wait for before going on, or undefined while there is budget left.
   */
  spend(bytes: number): Promise<void> | undefined {
    this.#left -= bytes;
    return this.#left > 0 ? undefined : this.turn();
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
      // The gate was closed: whoever waits is about to end, too.
    }
    this.#left = GATE_BUDGET;
    this.#turn = undefined;
  }
}
