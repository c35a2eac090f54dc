/** An abort signal that fires after a time, or together with another one. Dispose of it to stop its clock. */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #parent: AbortSignal | undefined;
  readonly #follow = (): void => this.#controller.abort(this.#parent?.reason);

  /** Starts the clock: `milliseconds` from now, or when `parent` is aborted. */
  constructor(milliseconds: number, parent?: AbortSignal) {
    this.#parent = parent;
    this.#timer = setTimeout(() => this.#controller.abort(new TimeoutError()), milliseconds);
    parent?.addEventListener("abort", this.#follow);
    if (parent?.aborted) this.#follow();
  }

  /** Aborted when the time is over, with a {@linkcode TimeoutError}, or with the reason of the parent. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Fires now, with a reason. */
  abort(reason: Error): void {
    this.#controller.abort(reason);
  }

  /** Stops the clock. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#parent?.removeEventListener("abort", this.#follow);
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
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const wake = (): void => resolve();
  signal.addEventListener("abort", wake);
  if (signal.aborted) wake();
  await promise;
  clearTimeout(timer);
  signal.removeEventListener("abort", wake);
}
