/** Calls back after a time without activity. Cheap to feed: the clock is read once a chunk, one timer runs at most. */
export class Watchdog {
  readonly #expire: () => void;
  #limit = Infinity;
  #last = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Makes a watchdog that sleeps until it gets a limit. */
  constructor(expire: () => void) {
    this.#expire = expire;
  }

  /** Sets the longest time without activity, in milliseconds, counted anew from now; a shorter limit stays. */
  limit(milliseconds: number): void {
    if (milliseconds >= this.#limit) return;
    this.#limit = milliseconds;
    this.#last = performance.now();
    this.#arm(milliseconds);
  }

  /** Reports activity. */
  active(): void {
    if (this.#timer !== undefined) this.#last = performance.now();
  }

  /** Puts it to sleep for good. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#limit = 0;
  }

  #arm(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const left = this.#last + this.#limit - performance.now();
      if (left > 0) this.#arm(left);
      else this.#expire();
    }, milliseconds);
  }
}
