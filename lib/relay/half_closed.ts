import type { IdleTimer } from "./idle_timer.ts";

/**
 * Milliseconds without a byte from the peer after which a stream is closed whose client has ended its side. Longer than
 * i2pd tries to reach a silent peer.
 */
export const HALF_CLOSED_TIMEOUT = 180_000;

/** The same, where the peer had answered before the client ended its side: most such clients are gone. */
export const ANSWERED_TIMEOUT = 60_000;

/** The same, once the proxy is about to end. */
export const DRAINING_TIMEOUT = 1_000;

/** Milliseconds of silence after which such a stream may give way to a new client, once the peer has answered. */
export const SILENT_AFTER_ANSWER = 1_000;

/** The same, where the peer has not answered. */
export const SILENT_BEFORE_ANSWER = 30_000;

/** What is known of such a stream. */
interface HalfClosed {
  /** Whether the peer has sent anything since the client last did. */
  isAnswered: () => boolean;
  clientAddress: string;
}

/**
 * Streams whose client has ended its side.
 *
 * SAM has no half-close, so such a stream must stay open while an answer may come; but a client that only ended its
 * side cannot be told from one that is gone. So these streams are the first to go: after a time without a byte, and
 * earlier when others need their place.
 */
export class HalfClosedStreams {
  readonly #streams = new Map<IdleTimer, HalfClosed>();
  /** Clients that have ended their side before their stream is open, the oldest first: what gives each up. */
  readonly #waiting = new Map<() => void, string>();
  #draining = false;

  /**
   * Watches over a stream until what is returned is disposed of.
   *
   * @param isAnswered whether the peer has sent anything since the client last did.
   * @param clientAddress IP address of the client.
   */
  add(idleTimer: IdleTimer, isAnswered: () => boolean, clientAddress: string): Disposable {
    this.#streams.set(idleTimer, { isAnswered, clientAddress });
    idleTimer.limit(this.#draining ? DRAINING_TIMEOUT : isAnswered() ? ANSWERED_TIMEOUT : HALF_CLOSED_TIMEOUT);
    return { [Symbol.dispose]: () => void this.#streams.delete(idleTimer) };
  }

  /**
   * Watches over a client that has ended its side while it waits for its stream, until what is returned is disposed of.
   * It may want to read only, but most such clients are gone: it is the first to give way.
   */
  addWaiting(giveUp: () => void, clientAddress: string): Disposable {
    this.#waiting.set(giveUp, clientAddress);
    if (this.#draining) giveUp();
    return { [Symbol.dispose]: () => void this.#waiting.delete(giveUp) };
  }

  /**
   * Ends the client that has waited for longest, or else the stream that has been silent for longest, if it has been
   * silent for long enough.
   *
   * @param from IP address of the clients that are looked at; all of them where undefined.
   * @returns whether there was one.
   */
  endMostSilent(from?: string): boolean {
    for (const [giveUp, clientAddress] of this.#waiting) {
      if (from !== undefined && from !== clientAddress) continue;
      this.#waiting.delete(giveUp);
      giveUp();
      return true;
    }
    let found: IdleTimer | undefined;
    for (const [idleTimer, { isAnswered, clientAddress }] of this.#streams) {
      if (from !== undefined && from !== clientAddress) continue;
      if (idleTimer.silence < (isAnswered() ? SILENT_AFTER_ANSWER : SILENT_BEFORE_ANSWER)) continue;
      if (found === undefined || idleTimer.silence > found.silence) found = idleTimer;
    }
    if (found === undefined) return false;
    this.#streams.delete(found);
    found.limit(0);
    return true;
  }

  /** Milliseconds until {@linkcode endMostSilent} has a stream to end that was answered; undefined if there is none. */
  untilSilent(from?: string): number | undefined {
    let least: number | undefined;
    for (const [idleTimer, { isAnswered, clientAddress }] of this.#streams) {
      if ((from !== undefined && from !== clientAddress) || !isAnswered()) continue;
      least = Math.min(least ?? Infinity, Math.max(0, SILENT_AFTER_ANSWER - idleTimer.silence));
    }
    return least;
  }

  /** Gives these streams, and those that come, little time from now on. */
  expediteClose(): void {
    this.#draining = true;
    for (const giveUp of [...this.#waiting.keys()]) giveUp();
    for (const idleTimer of this.#streams.keys()) idleTimer.limit(DRAINING_TIMEOUT);
  }
}
