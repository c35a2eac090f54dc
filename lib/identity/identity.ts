import type { Signal } from "../io/signal.ts";
import { formatDuration } from "../config/duration.ts";
import { b32Address } from "../i2p/destination.ts";
import type { PrivateKey } from "../i2p/private_key.ts";
import type { Log, LogFields } from "../report/log.ts";
import { Deadline, sleep, TimeoutError } from "../io/deadline.ts";
import { SamError } from "../sam/error.ts";
import { createSession, type SamSession, SESSION_TIMEOUT, type SessionRequest } from "../sam/session.ts";
import type { RouterKind } from "../sam/router_kind.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { Refusal } from "../reasons/refusal.ts";
import { AwaitedRouter, isRouterAway } from "./awaited_router.ts";
import { GONE_PROBE, isBridgeGone, isGone } from "./bridge_gone.ts";
import { Backoff, RETRY_MAX } from "./backoff.ts";
import { DatagramPort } from "./datagram_port.ts";
import { samErrorAdvice, samErrorText } from "../reasons/advice.ts";
import { refusalOf } from "../reasons/classify.ts";
import type { UdpOptions } from "./primary_support.ts";
import { isInUse, isTaken, needsTime, SESSION_RETRY } from "./session_retry.ts";
import { SiteCount } from "./site_count.ts";

/**
 * Least wait before a lasting destination is used again, in milliseconds. i2pd (seen with 2.45.1) destroys a destination
 * five seconds after its session has ended, and with it a newer session of the same destination: that one answers
 * INVALID_ID, or never becomes ready.
 */
export const REUSE_DELAY = 6_000;

/**
 * Longest wait for the next attempt while clients wait and nothing listens at the SAM port, in milliseconds: to knock
 * there costs a router nothing.
 */
export const RETRY_MAX_QUEUED = 2_000;

/**
 * Milliseconds that the first session of a lasting identity waits for the router to free its destination. Java I2P before
 * 0.9.58 has a session that was given up while it was built in use for five minutes; later ones let go within seconds.
 */
export const IN_USE_TIMEOUT = 330_000;

/** Attempts at a destination that another program has, where the router is asked in vain only: one of ours may be ending. */
const TAKEN_ATTEMPTS = 3;

/** Milliseconds of an outage after which it is logged again. */
const TELL_AGAIN = 600_000;

/** What can be said of a bridge that has neither answered nor failed so far. */
const UNKNOWN = new SamError("hello", "silent");

export interface IdentityOptions {
  endpoint: SamEndpoint;
  /** The key of a lasting identity; without it each session gets a destination to throw away. */
  key?: PrivateKey;
  /** I2CP and streaming options of the session. */
  sessionOptions: Readonly<Record<string, string>>;
  /** How datagrams go; without it there are none. */
  udp?: UdpOptions | undefined;
  /**
   * Whether its sessions carry datagrams, and no streams.
   *
   * @default {false: streams, and with `udp` datagrams too where the router has sessions for both}
   */
  datagramsOnly?: boolean;
  /**
   * Milliseconds for the router to build the tunnels of a session.
   *
   * @default {SESSION_TIMEOUT}
   */
  sessionTimeout?: number;
  log: Log;
  /**
   * Milliseconds that the first session waits for a router that is not there yet.
   *
   * @default {0}
   */
  routerPatience?: number;
  /**
   * Whether clients wait for a router that is away before the first session, as they do before later ones.
   *
   * @default {false}
   */
  queueClients?: boolean;
  /** Which router it is, asked while there is a session: what to do when it has gone is then that for this one. */
  router?: RouterKind;
  /**
   * Adds to a failure what can be found out about it.
   *
   * @default {nothing is}
   */
  diagnose?: (failure: SamError, signal: Signal) => Promise<void>;
  /** Decides what becomes of the identity when its session is lost. @default {always "rebuild"} */
  onLost?: () => "rebuild" | "end";
}

export interface IdentityStatus {
  /** Whether it has a session, the router builds tunnels for one, or a session is lost and none is being built. */
  state: "building" | "ready" | "lost";
  /** Why there is no session, where that is known; names no destination. */
  reason: string | undefined;
  /** What to do about it, a line each. */
  advice: readonly string[];
  session: SamSession | undefined;
  /** Its address; where it has no session, that of a lasting destination. */
  address: string | undefined;
  /** When it got or lost its session, or was made; on the clock of `performance.now()`. */
  since: number;
  /** Sites that its streams and datagrams went to, at most `MAX_SITES`. */
  sites: number;
}

/**
 * Who the application is in I2P: a destination, kept alive as a SAM session.
 *
 * When the session is lost, because the router went away or ended it, a new one is built, again and again until it
 * stands. Clients wait for it.
 */
export class Identity {
  readonly #options: IdentityOptions;
  readonly #log: Log;
  readonly #sites = new SiteCount();
  readonly #stop = new AbortController();
  /** Clients that wait for a session. */
  readonly #waiting = new Set<PromiseWithResolvers<SamSession>>();
  #session: SamSession | undefined;
  /** Address of the key, where there is one. */
  #lastingAddress: string | undefined;
  #datagrams: DatagramPort | undefined;
  /** Why there is no session; undefined while the router builds tunnels. */
  #failure: SamError | undefined;
  #since: number = performance.now();
  #hadSession = false;
  #isAccepting = false;
  /** Cuts a wait between attempts short, for a client that has come. */
  #expedite: () => void = () => {};
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
   * @throws {SamError} if the first session fails: what was never there cannot come back. A lasting destination that the
   * router still has in use is waited for, for {@linkcode IN_USE_TIMEOUT}.
   */
  async open(): Promise<SamSession> {
    const first = this.#createFirst();
    this.#keeping = first.then((session) => this.#keep(session)).catch((error) => this.#giveUp(error));
    return await first;
  }

  /**
   * The session, as soon as there is one.
   *
   * @throws {SamError} if the first session fails.
   * @throws {Refusal} with the reason why there is none, if the signal's time is over first.
   * @throws the signal's reason if it was aborted otherwise.
   */
  async session(signal: Signal): Promise<SamSession> {
    if (this.#session !== undefined) return this.#session;
    if (this.#end !== undefined) throw this.#end;
    const waiter = Promise.withResolvers<SamSession>();
    const abort = (): void => waiter.reject(signal.reason instanceof TimeoutError ? this.#refusal() : signal.reason);
    this.#waiting.add(waiter);
    this.#expedite();
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    try {
      return await waiter.promise;
    } finally {
      this.#waiting.delete(waiter);
      signal.removeEventListener("abort", abort);
    }
  }

  /** Whether a session was lost, and there is none yet in its place. */
  get isOut(): boolean {
    return this.#hadSession && this.#session === undefined;
  }

  /** The session, if there is one now. */
  get current(): SamSession | undefined {
    return this.#session;
  }

  get status(): IdentityStatus {
    const [session, failure] = [this.#session, this.#failure];
    // Before the first session there is nothing to lose: report "building", not "lost".
    const without = this.#hadSession && failure !== undefined ? "lost" : "building";
    return {
      state: session === undefined ? without : "ready",
      reason: session === undefined && failure !== undefined ? this.#textOf(failure) : undefined,
      advice: session === undefined && failure !== undefined && failure !== UNKNOWN ? this.#adviceOn(failure) : [],
      session,
      address: session?.address ?? this.#lastingAddress,
      since: this.#since,
      sites: this.#sites.size,
    };
  }

  /** Takes note of a site that has seen it. */
  visit(host: string): void {
    this.#sites.add(host);
  }

  /** What knows the router of its sessions; undefined where it was given none. */
  get router(): RouterKind | undefined {
    return this.#options.router;
  }

  /** Through what its datagrams pass; undefined before its first session, and where its sessions carry none. */
  get datagrams(): DatagramPort | undefined {
    return this.#datagrams;
  }

  /**
   * Claims the wait for callers until the result is disposed of; undefined while another client has it, which may be one
   * of another application with the same identity. Where several waited, i2pd 2.45.1 brought two callers into one
   * socket, and let others wait for ever.
   */
  claimAccept(): Disposable | undefined {
    if (this.#isAccepting) return undefined;
    this.#isAccepting = true;
    return { [Symbol.dispose]: () => void (this.#isAccepting = false) };
  }

  /** Ends the session and all attempts at a new one. */
  async close(): Promise<void> {
    const reason = new Refusal("stopping");
    this.#stop.abort(reason);
    this.#session?.close();
    await this.#keeping;
    await this.#datagrams?.close();
    this.#giveUp(reason);
  }

  #textOf(failure: SamError): string {
    return failure === UNKNOWN ? failure.message : samErrorText(failure, this.#options.endpoint);
  }

  #adviceOn(failure: SamError): string[] {
    return samErrorAdvice(failure, this.#options.endpoint, this.#options.router?.known);
  }

  #giveUp(reason: unknown): void {
    this.#end ??= reason;
    this.#waiting.forEach(({ reject }) => reject(reason));
  }

  #refusal(): Refusal {
    return this.#failure === undefined ? new Refusal("not-ready") : refusalOf(this.#failure);
  }

  async #createFirst(): Promise<SamSession> {
    const { signal } = this.#stop;
    const { key, queueClients, routerPatience = 0, sessionTimeout = SESSION_TIMEOUT } = this.#options;
    if (key !== undefined) this.#lastingAddress = await b32Address(key.destination);
    using inUse = new Deadline(IN_USE_TIMEOUT, signal);
    using patience = new Deadline(sessionTimeout, signal);
    const backoff = new Backoff();
    const awaited = new AwaitedRouter(this.#options.endpoint, routerPatience, this.#log);
    let lastWait: string | undefined;
    const logWait = (text: string, fields: LogFields): void => {
      this.#log[text === lastWait ? "debug" : "info"](text, fields);
      lastWait = text;
    };
    for (;;) {
      try {
        return await this.#create();
      } catch (error) {
        if (error instanceof SamError) {
          await this.#options.diagnose?.(error, signal);
          signal.throwIfAborted();
        }
        if (awaited.isWorthWaiting(error)) {
          this.#failure = error;
          await this.#wait(awaited.next());
          signal.throwIfAborted();
          continue;
        }
        if (queueClients && this.#waiting.size > 0 && isRouterAway(error)) {
          this.#failure = error;
          await this.#wait(backoff.next());
          continue;
        }
        if (!patience.aborted && needsTime(error)) {
          logWait(`${refusalOf(error).message}: asking again`, { routerSaid: error.text });
        } else if (key !== undefined && !inUse.aborted && isInUse(error)) {
          logWait("The router still has this identity in use: waiting until it forgets the last session", {
            hint: `Java I2P before 0.9.58 may need five minutes for that; given up after ${
              formatDuration(IN_USE_TIMEOUT)
            }`,
          });
        } else {
          throw error;
        }
        this.#failure = error;
        await sleep(SESSION_RETRY, signal);
      }
    }
  }

  async #create(): Promise<SamSession> {
    const { signal } = this.#stop;
    const { endpoint, key, sessionOptions: options, sessionTimeout: timeout } = this.#options;
    this.#failure ??= UNKNOWN;
    const onGreeted = (): void => void (this.#failure = undefined);
    const request = { options, ...(key && { key }), ...(timeout !== undefined && { timeout }) };
    const session = await this.#createOf(endpoint, request, signal, onGreeted);
    // With another destination, it is somebody else to the sites.
    if (key === undefined) this.#sites.clear();
    this.#session = session;
    this.#hadSession = true;
    void this.#options.router?.get();
    this.#since = performance.now();
    this.#waiting.forEach(({ resolve }) => resolve(session));
    return session;
  }

  /** Creates a session of streams, of datagrams or of both, with a port for its datagrams. */
  async #createOf(
    endpoint: SamEndpoint,
    request: SessionRequest,
    signal: Signal,
    onGreeted: () => void,
  ): Promise<SamSession> {
    const { udp, datagramsOnly = false, log } = this.#options;
    if (udp === undefined) return await createSession(endpoint, request, signal, onGreeted);
    if (datagramsOnly || !udp.primary.isRefused) {
      this.#datagrams ??= new DatagramPort({ endpoint, udp, session: () => this.#session, sites: this.#sites, log });
    }
    const withDatagrams = { ...request, datagrams: this.#datagrams?.target };
    const session =
      await (datagramsOnly
        ? createSession(endpoint, withDatagrams, signal, onGreeted)
        : udp.primary.create(endpoint, withDatagrams, signal, onGreeted));
    if (session.datagramId !== undefined) return session;
    const unused = this.#datagrams;
    this.#datagrams = undefined;
    await unused?.close();
    return session;
  }

  async #keep(first: SamSession): Promise<void> {
    const backoff = new Backoff();
    for (let session: SamSession | undefined = first; session !== undefined;) {
      const since = performance.now();
      const reason = await session.lost;
      this.#session = undefined;
      this.#since = performance.now();
      if (this.#stop.signal.aborted) return;
      if (this.#options.onLost?.() === "end") return this.#giveUp(reason);
      this.#failure = reason;
      const stood = performance.now() - since;
      this.#log.warn(`Session lost after ${formatDuration(stood)}: ${reason.message}. Building a new one`, {
        routerSaid: reason.text,
      });
      // A session that dies young is not a success: without this, a router that ends each one at once would be pestered.
      if (stood > RETRY_MAX) backoff.reset();
      session = await this.#rebuild(backoff);
    }
  }

  /** Creates a session, however long it takes; undefined where the identity is closed first. */
  async #rebuild(backoff: Backoff): Promise<SamSession | undefined> {
    const since = performance.now();
    let taken = 0;
    let told = { reason: this.#failure?.message, at: since };
    // A router that comes back does not answer for sessions that died young before.
    if (await this.#hasRouterGone()) backoff.reset();
    for (let attempt = 1;; attempt++) {
      await this.#wait(backoff.next());
      if (this.#stop.signal.aborted) return undefined;
      try {
        const session = await this.#create();
        const address = this.#options.key === undefined ? ", with a new I2P address" : "";
        this.#log.info(`Session ready again after ${formatDuration(performance.now() - since)}${address}`, { attempt });
        return session;
      } catch (error) {
        if (this.#stop.signal.aborted) return undefined;
        if (!(error instanceof SamError)) throw error;
        this.#failure = error;
        if (isGone(error)) await this.#options.diagnose?.(error, this.#stop.signal);
        if (this.#stop.signal.aborted) return undefined;
        if (isTaken(error) && !await this.#hasRouterGone() && (error.keyMayBeTaken || ++taken === TAKEN_ATTEMPTS)) {
          this.#log.error(`No new session, and none is tried any more: ${refusalOf(error).message}`, {
            hint: "Stop what uses the key, then restart i2p-socks",
            routerSaid: error.text,
          });
          this.#giveUp(error);
          return undefined;
        }
        // An outage is warned of once, again when its cause changes, and now and then.
        const now = performance.now();
        const isNews = error.message !== told.reason || now - told.at > TELL_AGAIN;
        if (isNews) told = { reason: error.message, at: now };
        const lasts = formatDuration(now - since);
        const says = this.#textOf(error);
        this.#log[isNews ? "warn" : "debug"](
          isGone(error)
            ? `Router unreachable${now - since < 1_000 ? "" : ` for ${lasts}`}: ${says}. Retrying; clients wait`
            : `No new session${now - since < 1_000 ? "" : ` for ${lasts}`}: ${says}`,
          {
            attempt,
            routerSaid: error.text,
            hint: isNews ? this.#adviceOn(error) : undefined,
          },
        );
        // The router may have taken the destination up, and now forgets it late, as it does after a session.
        if (error.phase === "session" && error.failure !== "refused") await this.#hasRouterGone();
      }
    }
  }

  /**
   * Whether the router itself has gone. One that has not is given time to forget the last session of a lasting
   * destination; one that has, has nothing to forget.
   */
  async #hasRouterGone(): Promise<boolean> {
    using patience = new Deadline(this.#options.key === undefined ? 0 : REUSE_DELAY, this.#stop.signal);
    for (;;) {
      if (await isBridgeGone(this.#options.endpoint, this.#stop.signal)) return true;
      await sleep(GONE_PROBE, patience);
      if (patience.aborted) return false;
    }
  }

  /** Waits between two attempts; less while clients wait, if asking costs the router nothing. */
  async #wait(milliseconds: number): Promise<void> {
    const { signal } = this.#stop;
    const least = Math.min(milliseconds, RETRY_MAX_QUEUED);
    await sleep(least, signal);
    using rest = new Deadline(Infinity, signal);
    this.#expedite = () => {
      if (this.#failure !== undefined && isGone(this.#failure)) rest.abort(new Error("A client waits"));
    };
    if (this.#waiting.size > 0) this.#expedite();
    await sleep(milliseconds - least, rest);
    this.#expedite = () => {};
  }
}
