import { onAbort, SharedSignal, type Signal } from "./signal.ts";
import { startLimit, startTimer, type Timer } from "./timer.ts";

/**
 * A signal that is aborted after a time, with a {@linkcode TimeoutError}, or with its parents, for their reason. Dispose of
 * it to stop its clock.
 */
export class Deadline extends SharedSignal implements Disposable {
  readonly #parents: readonly (Signal | undefined)[];
  readonly #timer: Timer | undefined;
  readonly #follow = (): void => this.abort(this.#parents.find((parent) => parent?.aborted)?.reason);

  /** Starts the clock, in milliseconds; `Infinity` leaves it to the parents. */
  constructor(milliseconds: number, ...parents: readonly (Signal | undefined)[]) {
    super();
    this.#parents = parents;
    if (milliseconds !== Infinity) this.#timer = startLimit(milliseconds, () => this.abort(new TimeoutError()));
    for (const parent of parents) {
      if (parent?.aborted) this.#follow();
      else parent?.addEventListener("abort", this.#follow);
    }
  }

  /** Stops the clock. */
  [Symbol.dispose](): void {
    this.#timer?.stop();
    for (const parent of this.#parents) parent?.removeEventListener("abort", this.#follow);
  }
}

/** The reason of a {@linkcode Deadline} that has passed. */
export class TimeoutError extends Error {
  constructor() {
    super("The time limit was reached");
    this.name = "TimeoutError";
  }
}

/** Resolves after a time in milliseconds, or when the signal is aborted. */
export async function sleep(milliseconds: number, signal: Signal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = startTimer(milliseconds, resolve);
  const unfollow = onAbort(signal, resolve);
  await promise;
  timer.stop();
  unfollow();
}
