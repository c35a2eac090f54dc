/** Milliseconds between two looks at the clock. */
const INTERVAL = 20;

/** A moment, and how far the event loop had lagged behind by then, in all; both in milliseconds. */
export interface Moment {
  at: number;
  lag: number;
}

/** Adds up by how much the event loop is late: on a busy machine, limits of time are reached that ought not to be. */
export class Lag implements Disposable {
  #total = 0;
  #last = performance.now();
  readonly #timer = setInterval(() => {
    const now = performance.now();
    this.#total += Math.max(0, now - this.#last - INTERVAL);
    this.#last = now;
  }, INTERVAL);

  /** Now. */
  moment(): Moment {
    return { at: performance.now(), lag: this.#total };
  }

  /** What has passed since a moment. */
  since({ at, lag }: Moment): { elapsed: number; lagged: number } {
    return { elapsed: performance.now() - at, lagged: this.#total - lag };
  }

  /** Stops. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
