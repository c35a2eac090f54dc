import { sleep } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { Refusal } from "../reasons/refusal.ts";
import type { Watchdog } from "./watchdog.ts";

/**
 * Milliseconds without a byte from the peer after which a stream is closed whose client has ended its side. Longer than
 * i2pd tries to reach a silent peer.
 */
export const HALF_CLOSED_TIMEOUT = 180_000;

/** The same, where the peer had answered before the client ended its side: most such clients are gone. */
export const ANSWERED_TIMEOUT = 60_000;

/** The same, once the proxy is about to end. */
const DRAINING_TIMEOUT = 1_000;

/** Milliseconds of silence after which such a stream may give way to a new client: with an answer seen, and without. */
const SILENT_AFTER_ANSWER = 1_000;
const SILENT_BEFORE_ANSWER = 30_000;

/** Milliseconds for a stream that was ended to let go of its identity. */
const SETTLING = 20;

/** What is known of such a stream. */
interface HalfClosed {
  /** Whether the peer has sent anything since the client last did. */
  isAnswered: () => boolean;
  /** IP address of the client. */
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
  readonly #streams = new Map<Watchdog, HalfClosed>();
  #draining = false;

  /**
   * Watches over a stream until what is returned is disposed of.
   *
   * @param isAnswered whether the peer has sent anything since the client last did.
   * @param clientAddress IP address of the client.
   */
  add(watchdog: Watchdog, isAnswered: () => boolean, clientAddress: string): Disposable {
    this.#streams.set(watchdog, { isAnswered, clientAddress });
    watchdog.limit(this.#draining ? DRAINING_TIMEOUT : isAnswered() ? ANSWERED_TIMEOUT : HALF_CLOSED_TIMEOUT);
    return { [Symbol.dispose]: () => void this.#streams.delete(watchdog) };
  }

  /**
   * Ends the stream that has been silent for longest, if it has been silent for long enough.
   *
   * @param from IP address of the clients whose streams are looked at; all of them where undefined.
   * @returns whether there was one.
   */
  endMostSilent(from?: string): boolean {
    let found: Watchdog | undefined;
    for (const [watchdog, { isAnswered, clientAddress }] of this.#streams) {
      if (from !== undefined && from !== clientAddress) continue;
      if (watchdog.silence < (isAnswered() ? SILENT_AFTER_ANSWER : SILENT_BEFORE_ANSWER)) continue;
      if (found === undefined || watchdog.silence > found.silence) found = watchdog;
    }
    if (found === undefined) return false;
    this.#streams.delete(found);
    found.limit(0);
    return true;
  }

  /**
   * Takes the identity of an isolation group. Where all are in use, streams whose clients are most likely gone give way first,
   * for it may be they that use one.
   *
   * @throws {Refusal} `too-many-identities` if no more of them can.
   */
  async makeRoom<T>(take: () => T, signal: Signal): Promise<T> {
    for (;;) {
      try {
        return take();
      } catch (error) {
        const isFull = error instanceof Refusal && error.reason === "too-many-identities";
        if (!isFull || !this.endMostSilent()) throw error;
        await sleep(SETTLING, signal);
      }
    }
  }

  /** Gives these streams, and those that come, little time from now on. */
  hurry(): void {
    this.#draining = true;
    for (const watchdog of this.#streams.keys()) watchdog.limit(DRAINING_TIMEOUT);
  }
}
