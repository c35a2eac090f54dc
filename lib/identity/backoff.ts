/** Longest wait before the first retry, in milliseconds; doubled with each further one. */
export const RETRY_FIRST = 250;

/** Longest wait before any retry, in milliseconds. */
export const RETRY_MAX = 30_000;

/**
 * Waits between attempts: a random share of a limit that doubles ("full jitter"), so that many proxies do not rush to a
 * router that comes back.
 */
export class Backoff {
  readonly #random: () => number;
  #limit = RETRY_FIRST;

  /** Begins with {@linkcode RETRY_FIRST}; `random` gives numbers from 0 up to 1. */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** The next wait, in milliseconds. */
  next(): number {
    const wait = this.#random() * this.#limit;
    this.#limit = Math.min(2 * this.#limit, RETRY_MAX);
    return wait;
  }

  /** Starts over with {@linkcode RETRY_FIRST}. */
  reset(): void {
    this.#limit = RETRY_FIRST;
  }
}
