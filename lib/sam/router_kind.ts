import { Deadline } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { ROUTERS, type SamEndpoint, SamSocket } from "./socket.ts";

/** Milliseconds for a router to say which one it is. */
const ROUTER_TIMEOUT = 1_000;

/** Milliseconds for which that is taken for known, and what no answer is taken for. */
const KNOWN_TIME = 600_000;
const UNKNOWN_TIME = 60_000;

/**
 * Asks which router is behind a bridge, by the version of SAM that it chooses: `i2pd`, `Java I2P`. Never throws.
 *
 * @returns undefined where it does not say, or does not answer in time.
 */
export async function routerAt(endpoint: SamEndpoint, signal?: Signal): Promise<string | undefined> {
  using deadline = new Deadline(ROUTER_TIMEOUT, signal);
  const socket = await SamSocket.open(endpoint, deadline, "any").catch(() => undefined);
  socket?.close();
  return socket && ROUTERS[socket.version];
}

/** Which router is behind a bridge, asked where somebody wants to know it, and now and then again. */
export class RouterKind {
  readonly #endpoint: SamEndpoint;
  readonly #signal: Signal;
  #answer: Promise<string | undefined> | undefined;
  #known: string | undefined;
  #until = 0;

  /** Asks nothing yet; `signal` ends questions. */
  constructor(endpoint: SamEndpoint, signal: Signal) {
    this.#endpoint = endpoint;
    this.#signal = signal;
  }

  /** The router that it last was; undefined where that was never asked, or is not known. */
  get known(): string | undefined {
    return this.#known;
  }

  /** The router, or the one that it last was; undefined where that is not known. Takes a second at most, once in a while. */
  get(): Promise<string | undefined> {
    if (this.#answer !== undefined && performance.now() < this.#until) return this.#answer;
    this.#until = Infinity;
    return this.#answer = routerAt(this.#endpoint, this.#signal).then((kind) => {
      this.#known = kind ?? this.#known;
      this.#until = performance.now() + (kind === undefined ? UNKNOWN_TIME : KNOWN_TIME);
      return this.#known;
    });
  }
}
