import type { Log } from "../report/log.ts";
import { TimeoutError } from "../sam/deadline.ts";
import { SamError } from "../sam/error.ts";
import { createSession, type SamSession } from "../sam/session.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { Refusal } from "./failure.ts";

/** Longest wait before the first retry, and before any retry, in milliseconds; doubled each time in between. */
const RETRY_FIRST = 250;
const RETRY_MAX = 30_000;

/**
 * Who the application is in I2P: a destination, kept alive as a SAM session.
 *
 * When the session is lost, because the router went away or ended it, a new one is built, again and again until it
 * stands. Clients wait for it meanwhile.
 */
export class Identity {
  readonly #endpoint: SamEndpoint;
  readonly #options: Readonly<Record<string, string>>;
  readonly #log: Log;
  readonly #stop = new AbortController();
  /** Clients that wait for a session. */
  readonly #waiting = new Set<(session: SamSession) => void>();
  #session: SamSession | undefined;
  /** Why the last attempt failed; undefined while the router builds tunnels. */
  #failure: SamError | undefined;
  #keeping: Promise<void> | undefined;

  /** Prepares an identity; {@linkcode open} brings it up. */
  constructor(endpoint: SamEndpoint, options: Readonly<Record<string, string>>, log: Log) {
    this.#endpoint = endpoint;
    this.#options = options;
    this.#log = log;
  }

  /**
   * Creates the first session, and keeps the identity alive from then on.
   *
   * @throws {SamError} if the first session fails: what was never there cannot come back.
   */
  async open(): Promise<SamSession> {
    const first = this.#create();
    this.#keeping = first.then((session) => this.#keep(session), () => {});
    return await first;
  }

  /**
   * The session, as soon as there is one.
   *
   * @throws {Refusal} `router-down` or `not-ready` if the signal's time is over first.
   * @throws the signal's reason if it was aborted otherwise.
   */
  async session(signal: AbortSignal): Promise<SamSession> {
    if (this.#session !== undefined) return this.#session;
    const { promise, resolve, reject } = Promise.withResolvers<SamSession>();
    const abort = (): void => reject(signal.reason instanceof TimeoutError ? this.#refusal() : signal.reason);
    this.#waiting.add(resolve);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    try {
      return await promise;
    } finally {
      this.#waiting.delete(resolve);
      signal.removeEventListener("abort", abort);
    }
  }

  /** Ends the session and all attempts at a new one. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#session?.close();
    await this.#keeping;
  }

  #refusal(): Refusal {
    return this.#failure === undefined
      ? new Refusal("not-ready")
      : new Refusal("router-down", this.#failure.message, this.#failure);
  }

  async #create(): Promise<SamSession> {
    const { signal } = this.#stop;
    const session = await createSession(this.#endpoint, this.#options, signal, () => this.#failure = undefined);
    this.#session = session;
    this.#waiting.forEach((resolve) => resolve(session));
    return session;
  }

  async #keep(first: SamSession): Promise<void> {
    let limit = RETRY_FIRST;
    for (let session: SamSession | undefined = first; session !== undefined;) {
      const since = performance.now();
      const reason = await session.lost;
      this.#session = undefined;
      if (this.#stop.signal.aborted) return;
      this.#failure = reason;
      this.#log.warn(`Session lost: ${reason.fullMessage}. Building a new one`);
      // A session that dies young is no success: without this, a router that ends each one at once would be pestered.
      if (performance.now() - since > RETRY_MAX) limit = RETRY_FIRST;
      for (session = undefined; session === undefined; limit = Math.min(2 * limit, RETRY_MAX)) {
        // A random share of the limit ("full jitter"), so that many proxies do not rush to a router that comes back.
        await sleep(Math.random() * limit, this.#stop.signal);
        if (this.#stop.signal.aborted) return;
        session = await this.#tryAgain();
      }
    }
  }

  async #tryAgain(): Promise<SamSession | undefined> {
    const before = this.#failure?.message;
    try {
      const session = await this.#create();
      this.#log.info("Session ready again");
      return session;
    } catch (error) {
      if (this.#stop.signal.aborted) return undefined;
      if (!(error instanceof SamError)) throw error;
      this.#failure = error;
      // An outage is told once, and again when its cause changes.
      this.#log[error.message === before ? "debug" : "warn"](`No new session yet: ${error.fullMessage}`);
      return undefined;
    }
  }
}

/** Resolves after the time, or when the signal is aborted. */
async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const wake = (): void => resolve();
  signal.addEventListener("abort", wake);
  if (signal.aborted) wake();
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", wake);
}
