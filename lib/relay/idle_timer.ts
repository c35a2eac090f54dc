import { RESOLUTION, startTimer, type Timer } from "../io/timer.ts";

/** Calls back after a time without activity. One timer runs at most, and only with a limit. */
export class IdleTimer {
  readonly #expire: () => void;
  #limit = Infinity;
  #last = performance.now();
  #timer: Timer | undefined;

  /** Makes a timer that does not run until it gets a limit. */
  constructor(expire: () => void) {
    this.#expire = expire;
  }

  /** Milliseconds since the last activity. */
  get silence(): number {
    return performance.now() - this.#last;
  }

  /** Sets the longest time without activity, in milliseconds; a shorter limit stays. */
  limit(milliseconds: number): void {
    if (milliseconds >= this.#limit) return;
    this.#limit = milliseconds;
    this.#arm(milliseconds);
  }

  /** Reports activity. */
  active(): void {
    this.#last = performance.now();
  }

  /** Stops the timer permanently. */
  stop(): void {
    this.#timer?.stop();
    this.#limit = 0;
  }

  #arm(milliseconds: number): void {
    this.#timer?.stop();
    this.#timer = startTimer(milliseconds, () => {
      const left = this.#limit - this.silence;
      // A timer may ring a little early, and one of a next to nothing would go round in circles.
      if (left > RESOLUTION) this.#arm(left);
      else this.#expire();
    });
  }
}
