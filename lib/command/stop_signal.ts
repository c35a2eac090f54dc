import { ExitCode } from "./exit_code.ts";

/** Windows knows no SIGTERM. */
const SIGNALS: readonly Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];

/** Listens for the signals that ask the program to end. Dispose it to leave them to the system again. */
export class StopSignal implements Disposable {
  static #hasReceived = false;
  readonly #first = Promise.withResolvers<void>();
  readonly #second = Promise.withResolvers<void>();
  readonly #handlers = SIGNALS.map((signal) => ({ signal, handler: (): void => this.#received(signal) }));
  #exitCode: ExitCode | undefined;
  #hangup: (() => void) | undefined;

  /** Begins to listen. */
  constructor() {
    for (const { signal, handler } of this.#handlers) Deno.addSignalListener(signal, handler);
  }

  /** Whether a signal has asked this process to end. */
  static get hasReceived(): boolean {
    return StopSignal.#hasReceived;
  }

  /** Resolves with the first signal. */
  get promise(): Promise<void> {
    return this.#first.promise;
  }

  /** Resolves with the second signal. */
  get secondSignal(): Promise<void> {
    return this.#second.promise;
  }

  /** How to end after the first signal. */
  get exitCode(): ExitCode {
    return this.#exitCode ?? ExitCode.ok;
  }

  /** Does what a first signal does, for an end that nobody has sent. */
  request(): void {
    this.#exitCode ??= ExitCode.ok;
    this.#first.resolve();
  }

  /** Calls back at each SIGHUP, which otherwise ends the program. */
  onHangup(handler: () => void): void {
    if (Deno.build.os === "windows") return;
    this.#hangup = handler;
    Deno.addSignalListener("SIGHUP", handler);
  }

  /** Stops listening. */
  [Symbol.dispose](): void {
    if (this.#hangup !== undefined) Deno.removeSignalListener("SIGHUP", this.#hangup);
    for (const { signal, handler } of this.#handlers) Deno.removeSignalListener(signal, handler);
  }

  #received(signal: Deno.Signal): void {
    if (this.#exitCode !== undefined) this.#second.resolve();
    StopSignal.#hasReceived = true;
    this.#exitCode ??= signal === "SIGINT" ? ExitCode.interrupted : ExitCode.terminated;
    this.#first.resolve();
  }
}

/**
 * Has a file that may not grow any more (`ulimit -f`) fail what is written to it, in place of ending the program: the log
 * may be such a file.
 */
export function outliveFileLimits(): void {
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGXFSZ", () => {});
}
