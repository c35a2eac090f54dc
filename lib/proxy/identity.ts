import type { PrivateKey } from "../i2p/private_key.ts";
import type { Log } from "../report/log.ts";
import { sleep, TimeoutError } from "../io/deadline.ts";
import { SamError } from "../sam/error.ts";
import { createSession, type SamSession } from "../sam/session.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { Refusal } from "./failure.ts";

/** Longest wait before the first retry, and before any retry, in milliseconds; doubled each time in between. */
const RETRY_FIRST = 250;
const RETRY_MAX = 30_000;

/**
 * Least wait before a lasting destination is used again, in milliseconds. i2pd (seen with 2.45.1) destroys a destination
 * five seconds after its session has ended, and with it a session that has taken it up meanwhile: that one answers
 * INVALID_ID, or never becomes ready.
 */
export const REUSE_DELAY = 6_000;

/** What an {@linkcode Identity} is made of. */
export interface IdentityOptions {
  /** The SAM bridge. */
  endpoint: SamEndpoint;
  /** The key of a lasting identity; without it each session gets a destination to throw away. */
  key?: PrivateKey;
  /** I2CP and streaming options of the session. */
  sessionOptions: Readonly<Record<string, string>>;
  /** Takes the story. */
  log: Log;
  /** Told when the session is lost, and decides what is to become of the identity. @default {always "rebuild"} */
  onLost?: () => "rebuild" | "end";
}

/**
 * Who the application is in I2P: a destination, kept alive as a SAM session.
 *
 * When the session is lost, because the router went away or ended it, a new one is built, again and again until it
 * stands. Clients wait for it meanwhile.
 */
export class Identity {
  readonly #options: IdentityOptions;
  readonly #log: Log;
  readonly #stop = new AbortController();
  /** Clients that wait for a session. */
  readonly #waiting = new Set<PromiseWithResolvers<SamSession>>();
  #session: SamSession | undefined;
  /** Why the last attempt failed; undefined while the router builds tunnels. */
  #failure: SamError | undefined;
  #keeping: Promise<void> | undefined;
  /** Why there will be no session: the first one failed, or the identity was closed. */
  #end: unknown;

  /** Prepares an identity; {@linkcode open} brings it up. */
  constructor(options: IdentityOptions) {
    this.#options = options;
    this.#log = options.log;
  }

  /**
   * Creates the first session, and keeps the identity alive from then on.
   *
   * @throws {SamError} if the first session fails: what was never there cannot come back.
   */
  async open(): Promise<SamSession> {
    const first = this.#create();
    this.#keeping = first.then((session) => this.#keep(session), (error) => this.#giveUp(error));
    return await first;
  }

  /**
   * The session, as soon as there is one.
   *
   * @throws {SamError} if the first session fails.
   * @throws {Refusal} `router-down` or `not-ready` if the signal's time is over first.
   * @throws the signal's reason if it was aborted otherwise.
   */
  async session(signal: AbortSignal): Promise<SamSession> {
    if (this.#session !== undefined) return this.#session;
    if (this.#end !== undefined) throw this.#end;
    const waiter = Promise.withResolvers<SamSession>();
    const abort = (): void => waiter.reject(signal.reason instanceof TimeoutError ? this.#refusal() : signal.reason);
    this.#waiting.add(waiter);
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    try {
      return await waiter.promise;
    } finally {
      this.#waiting.delete(waiter);
      signal.removeEventListener("abort", abort);
    }
  }

  /** Ends the session and all attempts at a new one. */
  async close(): Promise<void> {
    const reason = new Refusal("stopping");
    this.#stop.abort(reason);
    this.#session?.close();
    await this.#keeping;
    this.#giveUp(reason);
  }

  #giveUp(reason: unknown): void {
    this.#end ??= reason;
    this.#waiting.forEach(({ reject }) => reject(reason));
  }

  #refusal(): Refusal {
    return this.#failure === undefined
      ? new Refusal("not-ready")
      : new Refusal("router-down", this.#failure.message, this.#failure);
  }

  async #create(): Promise<SamSession> {
    const { signal } = this.#stop;
    const { endpoint, key, sessionOptions: options } = this.#options;
    const greeted = (): void => void (this.#failure = undefined);
    const session = await createSession(endpoint, { ...(key && { key }), options }, signal, greeted);
    this.#session = session;
    this.#waiting.forEach(({ resolve }) => resolve(session));
    return session;
  }

  async #keep(first: SamSession): Promise<void> {
    let limit = RETRY_FIRST;
    for (let session: SamSession | undefined = first; session !== undefined;) {
      const since = performance.now();
      const reason = await session.lost;
      this.#session = undefined;
      if (this.#stop.signal.aborted) return;
      if (this.#options.onLost?.() === "end") return this.#giveUp(reason);
      this.#failure = reason;
      this.#log.warn(`Session lost: ${reason.fullMessage}. Building a new one`);
      // A session that dies young is no success: without this, a router that ends each one at once would be pestered.
      if (performance.now() - since > RETRY_MAX) limit = RETRY_FIRST;
      await sleep(this.#options.key === undefined ? 0 : REUSE_DELAY, this.#stop.signal);
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
