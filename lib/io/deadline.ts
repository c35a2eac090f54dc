import { SharedSignal, type Signal } from "./signal.ts";

/** Milliseconds by which a timer must be late to say that the process was stopped meanwhile. */
const STOPPED = 1_000;

/** Milliseconds at most that a timer which was late on that account waits once more. */
const LONGEST_GRACE = 5_000;

/**
 * Calls back once, after a time in milliseconds; `Infinity` is never.
 *
 * Time in which the process was stopped (by SIGSTOP, a debugger, or a laptop's sleep where the system's steady clock goes
 * on) does not count in full: what has arrived meanwhile is still unread, and is looked at before the time is declared
 * over. Jumps of the wall clock do not matter, for it is never asked.
 *
 * @returns what stops the timer.
 */
export function startTimer(milliseconds: number, callback: () => void): () => void {
  if (milliseconds === Infinity) return () => {};
  let due = performance.now() + milliseconds;
  const ring = (): void => {
    const late = performance.now() - due;
    if (late < STOPPED) return callback();
    const grace = Math.min(late, milliseconds, LONGEST_GRACE);
    due = performance.now() + grace;
    timer = setTimeout(ring, grace);
  };
  let timer = setTimeout(ring, milliseconds);
  return () => clearTimeout(timer);
}

/** An abort signal that fires after a time, or together with others. Dispose of it to stop its clock. */
export class Deadline implements Disposable {
  readonly #signal = new SharedSignal();
  readonly #stopTimer: () => void;
  readonly #unfollow: (() => void)[];

  /** Starts the clock: `milliseconds` from now, or when one of `parents` is aborted; `Infinity` leaves it to them. */
  constructor(milliseconds: number, ...parents: readonly (Signal | undefined)[]) {
    this.#stopTimer = startTimer(milliseconds, () => this.#signal.abort(new TimeoutError()));
    this.#unfollow = parents.map((parent) => {
      const follow = (): void => this.#signal.abort(parent?.reason);
      parent?.addEventListener("abort", follow);
      if (parent?.aborted) follow();
      return () => parent?.removeEventListener("abort", follow);
    });
  }

  /** Aborted when the time is over, with a {@linkcode TimeoutError}, or with the reason of a parent. */
  get signal(): Signal {
    return this.#signal;
  }

  /** Fires now, with a reason. */
  abort(reason: Error): void {
    this.#signal.abort(reason);
  }

  /** Stops the clock. */
  [Symbol.dispose](): void {
    this.#stopTimer();
    for (const unfollow of this.#unfollow) unfollow();
  }
}

/** The time that was given is over. */
export class TimeoutError extends Error {
  /** Makes the error. */
  constructor() {
    super("The time limit was reached");
    this.name = "TimeoutError";
  }
}

/** Resolves after the time, in milliseconds, or when the signal is aborted. */
export async function sleep(milliseconds: number, signal: Signal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const wake = (): void => resolve();
  signal.addEventListener("abort", wake);
  if (signal.aborted) wake();
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", wake);
}
