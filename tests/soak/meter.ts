/** What a process holds at one moment. */
export interface Reading {
  /** Open file descriptors; undefined where the system does not tell. */
  descriptors: number | undefined;
  /** Timers and intervals that wait. */
  timers: number;
  /** Where in the code each of them was started. */
  origins: readonly string[];
  /** Bytes of the heap and of buffers beside it that are in use; undefined where garbage cannot be collected before. */
  heap: number | undefined;
  /** Bytes of memory that the process has of the system. */
  rss: number;
}

/**
 * Bytes by which the heap may be larger at the end than at the beginning: the proxy keeps up to 4 MiB of buffers, and may
 * have come to do so only later; the rest is for code that is compiled late.
 */
export const HEAP_BOUND = 6_000_000;

/** Bytes by which all memory may be larger: the allocator keeps what was free once, so this is coarse. */
export const RSS_BOUND = 150_000_000;

/** Readings at the start that say nothing about memory: code is still being compiled, pools still fill. */
const WARM_UP = 1;

/** Measures what this process holds. Counts the timers that are started while it lives. */
export class Meter implements Disposable {
  readonly #timers = new Map<unknown, string>();
  readonly #restore: () => void;

  /** Puts itself between the process and its timers. */
  constructor() {
    const { setTimeout, setInterval, clearTimeout, clearInterval } = globalThis;
    const live = this.#timers;
    const clearing = <T>(clear: (timer?: T) => void) => (timer?: T): void => {
      live.delete(timer);
      clear(timer);
    };
    const timeout = (callback: (...values: unknown[]) => void, ...rest: [number?, ...unknown[]]): unknown => {
      const timer = setTimeout((...values: unknown[]) => {
        live.delete(timer);
        callback(...values);
      }, ...rest);
      live.set(timer, origin());
      return timer;
    };
    const interval = (...given: Parameters<typeof setInterval>): unknown => {
      const timer = setInterval(...given);
      live.set(timer, origin());
      return timer;
    };
    Object.assign(globalThis, {
      setTimeout: timeout,
      setInterval: interval,
      clearTimeout: clearing(clearTimeout),
      clearInterval: clearing(clearInterval),
    });
    this.#restore = () => void Object.assign(globalThis, { setTimeout, setInterval, clearTimeout, clearInterval });
  }

  /** Takes a reading. */
  async read(): Promise<Reading> {
    const descriptors = await countDescriptors();
    const origins = [...this.#timers.values()];
    // What has a finalizer is only free after a turn of the event loop and another collection.
    for (let i = 0; i < 3; i++) {
      collectGarbage?.();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const { heapUsed, external, rss } = Deno.memoryUsage();
    return { descriptors, timers: origins.length, origins, heap: collectGarbage && heapUsed + external, rss };
  }

  /** Gives the timers back. */
  [Symbol.dispose](): void {
    this.#restore();
  }
}

/** What is not flat in some readings that were taken at quiet moments; one sentence each. */
export function findTrends(readings: readonly Reading[]): string[] {
  const [first] = readings;
  if (first === undefined) return ["There is no reading"];
  const problems: string[] = [];
  for (const what of ["descriptors", "timers"] as const) {
    const values = readings.map((reading) => reading[what]);
    if (values.every((value) => value === first[what])) continue;
    const most = readings.reduce((a, b) => a.timers > b.timers ? a : b);
    const where = what === "timers" ? `; started at ${[...new Set(most.origins)].join(", ")}` : "";
    problems.push(`The ${what} are not flat: ${values.join(" ")}${where}`);
  }
  const warm = readings.slice(WARM_UP);
  const third = Math.ceil(warm.length / 3);
  for (const [what, bound] of [["heap", HEAP_BOUND], ["rss", RSS_BOUND]] as const) {
    const values = warm.flatMap((reading) => reading[what] ?? []);
    const growth = median(values.slice(-third)) - median(values.slice(0, third));
    if (growth > bound) problems.push(`The ${what} is not flat: ${megabytes(growth)} MB more at the end`);
  }
  return problems;
}

/** Bytes as megabytes with two digits behind the point. */
export function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2);
}

/** There with `--v8-flags=--expose-gc` only. */
const collectGarbage = (globalThis as { gc?: () => void }).gc;

/** What another program needs that is started from here; some of it is still open when it looks. */
const OF_CHILDREN = ["/dev/null", "pipe:", "anon_inode:[pidfd]"];

/** Asks another program: the runtime lets itself look into /proc with every permission only. */
async function countDescriptors(): Promise<number | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  const { stdout } = await new Deno.Command("ls", {
    args: ["-l", `/proc/${Deno.pid}/fd`],
    stdin: "null",
    stderr: "null",
  }).output();
  const targets = new TextDecoder().decode(stdout).split("\n").flatMap((line) => line.split(" -> ")[1] ?? []);
  return targets.filter((target) => !OF_CHILDREN.some((own) => target.startsWith(own))).length;
}

/** The place in the code that starts a timer: the first line of the stack that is not of this file. */
function origin(): string {
  const lines = new Error().stack?.split("\n").slice(1) ?? [];
  return lines.find((line) => !line.includes(import.meta.url))?.replace(/^.*\/(?=[^/]*\/)|\)$/g, "") ?? "?";
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
