import { closeQuietly } from "../io/conn.ts";
import { onAbort, type Signal } from "../io/signal.ts";
import { startTimer, type Timer } from "../io/timer.ts";
import { acceptStream, type IncomingStream } from "../sam/accept.ts";
import type { Log } from "../report/log.ts";
import type { SamSession } from "../sam/session.ts";
import type { SamEndpoint } from "../sam/socket.ts";

/** Milliseconds that a caller is held whom nobody waits for: as long as i2pd holds one. */
export const HELD_CALLER = 10_000;

/** Waits that nobody takes part in, by their session. */
const parked = new WeakMap<SamSession, Set<PendingAccept>>();

/** Sessions of which {@linkcode logLeftovers} has told. */
const told = new WeakSet<SamSession>();

/**
 * Says once of a session what waits for callers leave behind where it carries datagrams too: Java I2P (seen with 0.9.47 and
 * 2.8.0) keeps a thread and a socket of each wait on such a session, and neither SESSION REMOVE nor QUIT frees them.
 */
export function logLeftovers(session: SamSession, log: Log): void {
  if (session.datagramId === undefined || told.has(session)) return;
  told.add(session);
  log.info(
    "The router may keep a thread and a socket of each wait for callers until it ends, for this session has UDP",
    {
      hint: "A second application with --udp and none of --forward and --bind leaves nothing behind",
    },
  );
}

/**
 * A wait for a caller, which belongs to its session: it outlives who began it, for the next one to go on with.
 *
 * Java I2P does not look at the socket of a wait (seen with 0.9.47 and 2.8.0). If that were closed when its client gives
 * up, the next caller would be told that he is connected, and hear the end.
 */
export class PendingAccept {
  readonly #session: SamSession;
  readonly #stream: Promise<IncomingStream>;
  #isWaiting = false;
  #onWaiting: (() => void) | undefined;
  #hold: Timer | undefined;

  private constructor(endpoint: SamEndpoint, session: SamSession) {
    this.#session = session;
    const onWaiting = (): void => {
      this.#isWaiting = true;
      this.#onWaiting?.();
    };
    this.#stream = acceptStream(endpoint, session.id, session.ended, { onWaiting });
    this.#stream.catch(() => this.#unpark());
  }

  /** A wait that was left behind, or a new one. */
  static of(endpoint: SamEndpoint, session: SamSession): PendingAccept {
    for (const left of parked.get(session) ?? []) {
      left.#unpark();
      return left;
    }
    return new PendingAccept(endpoint, session);
  }

  /**
   * The stream of the caller; when the signal is aborted the wait goes on without this client.
   *
   * @param onWaiting is told when the router waits for a caller.
   * @throws what {@linkcode acceptStream} does.
   * @throws the signal's reason if it was aborted.
   */
  async take(signal: Signal, onWaiting: () => void): Promise<IncomingStream> {
    this.#onWaiting = onWaiting;
    if (this.#isWaiting) onWaiting();
    const left = Promise.withResolvers<never>();
    const unfollow = onAbort(signal, () => left.reject(signal.reason));
    try {
      return await Promise.race([this.#stream, left.promise]);
    } catch (error) {
      if (signal.aborted) this.#park();
      throw error;
    } finally {
      this.#onWaiting = undefined;
      unfollow();
    }
  }

  #park(): void {
    if (this.#session.ended.aborted) return;
    const waits = parked.get(this.#session) ?? new Set();
    parked.set(this.#session, waits.add(this));
    this.#stream.then(({ conn }) => {
      if (!waits.has(this)) return;
      this.#hold = startTimer(HELD_CALLER, () => {
        this.#unpark();
        closeQuietly(conn);
      });
    }, () => this.#unpark());
  }

  #unpark(): void {
    this.#hold?.stop();
    parked.get(this.#session)?.delete(this);
  }
}
