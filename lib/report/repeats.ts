import { LruMap } from "../io/lru_map.ts";
import { startTimer, type Timer } from "../io/timer.ts";

/** Milliseconds after a line of the log in which its repeats are only counted. */
export const REPEATS_TIME = 10_000;

/** Different lines of the log whose repeats are counted at once; above that the oldest count is told early. */
export const MAX_REPEATED = 256;

/** A line that was written, and what has happened since. */
interface Repeated {
  /** Repeats that were not written. */
  count: number;
  readonly timer: Timer;
  readonly tell: (count: number) => void;
}

/**
 * Folds repeats: a line is written once, and what repeats it within {@linkcode REPEATS_TIME} is counted and told in one
 * line at the end of that time. A flood of one message costs two lines in each such time.
 */
export class Repeats {
  readonly #lines = new LruMap<string, Repeated>(MAX_REPEATED, (line) => finish(line));
  #hasEnded = false;

  /**
   * Takes note of a line, and says whether it is to be written.
   *
   * @param key what repeats have in common.
   * @param tell is called with the number of repeats that were not written, if there were any.
   */
  isNew(key: string, tell: (count: number) => void): boolean {
    if (this.#hasEnded) return true;
    const line = this.#lines.get(key);
    if (line !== undefined) {
      line.count++;
      return false;
    }
    const timer = startTimer(REPEATS_TIME, () => {
      const line = this.#lines.get(key);
      this.#lines.delete(key);
      if (line !== undefined) finish(line);
    });
    this.#lines.set(key, { count: 0, timer, tell });
    return true;
  }

  /** Tells all that was counted, and counts nothing from now on. */
  end(): void {
    this.#hasEnded = true;
    this.#lines.forEach(finish);
    this.#lines.clear();
  }
}

function finish({ count, timer, tell }: Repeated): void {
  timer.stop();
  if (count > 0) tell(count);
}
