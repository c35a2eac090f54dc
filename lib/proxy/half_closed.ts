import type { Watchdog } from "./watchdog.ts";

/** Milliseconds without a byte from the peer after which a stream is closed whose client has ended its side. */
export const HALF_CLOSED_TIMEOUT = 60_000;

/** The same, once the proxy is about to end. */
const DRAINING_TIMEOUT = 1_000;

/**
 * Streams whose client has ended its side.
 *
 * SAM has no half-close, so such a stream must stay open while an answer may come; but a client that only ended its
 * side cannot be told from one that is gone. So these streams are the first to go: after a time without a byte, and
 * earlier when others need the room.
 */
export class HalfClosedStreams {
  readonly #streams = new Set<Watchdog>();
  #timeout = HALF_CLOSED_TIMEOUT;

  /** Watches over a stream until what is returned is disposed of. */
  add(watchdog: Watchdog): Disposable {
    this.#streams.add(watchdog);
    watchdog.limit(this.#timeout);
    return { [Symbol.dispose]: () => void this.#streams.delete(watchdog) };
  }

  /** Ends the stream that has been half-closed for longest. @returns whether there was one. */
  endOldest(): boolean {
    for (const watchdog of this.#streams) {
      this.#streams.delete(watchdog);
      watchdog.limit(0);
      return true;
    }
    return false;
  }

  /** Gives these streams, and those that come, little time from now on. */
  hurry(): void {
    this.#timeout = DRAINING_TIMEOUT;
    for (const watchdog of this.#streams) watchdog.limit(this.#timeout);
  }
}
