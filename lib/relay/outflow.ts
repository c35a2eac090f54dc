/** Bytes of i2pd's buffer from a stream to a SAM client: as many may wait in a router when the end comes. */
const ONE_BUFFER = 16_384;

/** Milliseconds from the last byte to the end of a stream, where no more than that is under way. */
export const SETTLE_SHORT = 100;

/** The same, where more is. */
export const SETTLE_LONG = 1_000;

/** Bytes a second that a fast network takes; where it is slower, its own round trips keep the end away from the last bytes. */
export const SETTLE_RATE = 4_000_000;

/** Bytes at most that are counted as under way: what the kernel's buffers hold between two programs. */
export const MAX_UNDER_WAY = 10_000_000;

/**
 * Knows how long the end of a stream must stay behind its last byte.
 *
 * The caller's i2pd loses the rest of a stream whose end arrives while more than one buffer of it waits there (2.45.1 and
 * 2.58): where a megabyte is ended at once, 2.58 often does, ended a second later it did not.
 */
export class Outflow {
  #underWay = 0;
  #last = performance.now();

  /** Counts bytes that were given to the router. */
  add(bytes: number): void {
    const now = performance.now();
    const delivered = (now - this.#last) / 1_000 * SETTLE_RATE;
    this.#underWay = Math.min(Math.max(0, this.#underWay - delivered) + bytes, MAX_UNDER_WAY);
    this.#last = now;
  }

  /** Milliseconds from now until the stream may end. */
  get settleTime(): number {
    if (this.#underWay === 0) return 0;
    const least = this.#underWay <= ONE_BUFFER ? SETTLE_SHORT : SETTLE_LONG;
    const time = least + this.#underWay / SETTLE_RATE * 1_000;
    return Math.max(0, time - (performance.now() - this.#last));
  }
}
