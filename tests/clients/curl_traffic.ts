import { runCommand } from "../support/command.ts";

/** One run of curl. */
export interface CurlRun {
  /** When it began, in milliseconds as of `performance.now()`. */
  began: number;
  /** When the first byte of the answer came; meaningless without success. */
  answered: number;
  /** Exit code of curl: 0 is success, 28 that its time was over, 97 that the proxy refused. */
  code: number;
  /** What became of it: `ok`, `SOCKS reply 3`, or curl's exit code in words. */
  outcome: string;
}

/** Milliseconds between two runs of a loop. */
const PAUSE = 50;

/** Exit codes of curl for a connection that closes without an answer, within it, or by a reset. */
const CLOSED: readonly number[] = [52, 18, 56];

/** Runs curl once, with no settings of the user's. */
export async function runCurl(args: readonly string[]): Promise<CurlRun> {
  const began = performance.now();
  const { code, stdout, stderr } = await runCommand("curl", [
    ...["--disable", "--silent", "--show-error", "--fail", "--output", "/dev/null"],
    ...["--write-out", "%{time_starttransfer}", ...args],
  ]);
  return { began, answered: began + Number(stdout) * 1000, code, outcome: describe(code, stderr) };
}

/** A loop of curl, one after the other without end. */
export class CurlLoop implements AsyncDisposable {
  /** What it fetches, for people. */
  readonly name: string;
  /** All runs so far. */
  readonly runs: CurlRun[] = [];
  readonly #args: readonly string[];
  readonly #watchers = new Set<(run: CurlRun) => void>();
  readonly #running: Promise<void>;
  #stopped = false;

  /** Begins. */
  constructor(name: string, args: readonly string[]) {
    this.name = name;
    this.#args = args;
    this.#running = this.#run();
  }

  /** The first successful run that begins from now on. @throws {Error} after so many milliseconds. */
  async nextSuccess(timeout: number): Promise<CurlRun> {
    const { promise, resolve, reject } = Promise.withResolvers<CurlRun>();
    const since = performance.now();
    const watch = (run: CurlRun): void => {
      if (run.code === 0 && run.began >= since) resolve(run);
    };
    const late = setTimeout(
      () => reject(new Error(`No success of "${this.name}" within ${timeout} ms: ${this.summary()}`)),
      timeout,
    );
    this.#watchers.add(watch);
    try {
      return await promise;
    } finally {
      clearTimeout(late);
      this.#watchers.delete(watch);
    }
  }

  /** How often each outcome was seen. */
  summary(): string {
    const counts = new Map<string, number>();
    for (const { outcome } of this.runs) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(", ");
  }

  /** Ends with the run under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  /** {@linkcode CurlLoop.stop} */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const run = await runCurl(this.#args);
      this.runs.push(run);
      this.#watchers.forEach((watch) => watch(run));
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

function describe(code: number, stderr: string): string {
  if (code === 0) return "ok";
  const reply = code === 97 ? /^curl: \(97\) .*\((\d+)\)/.exec(stderr)?.[1] : undefined;
  if (reply !== undefined) return `SOCKS reply ${reply}`;
  return CLOSED.includes(code) ? "closed" : `curl ${code}: ${stderr.trim()}`;
}
