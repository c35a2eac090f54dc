import { PROJECT, runCommand } from "../support/command.ts";

/** A process of the benchmark that goes on until it is stopped. */
export interface Child extends AsyncDisposable {
  /** Process id. */
  readonly pid: number;
  /** Whether it has not ended. */
  isAlive(): boolean;
  /**
   * The next line of its stdout.
   *
   * @throws {Error} if it ends or `timeout` milliseconds are over first.
   */
  readLine(timeout: number): Promise<string>;
  /** Writes to its stdin. */
  write(text: string): Promise<void>;
  /** Ends it and what it has started, by their ids. A second call does nothing more. */
  stop(): Promise<void>;
}

/** One line of `/proc/PID/stat`. */
export interface Stat {
  /** Process id. */
  pid: number;
  /** That of its parent. */
  parent: number;
  /** Processor time of itself and of the children it has waited for, in ticks. */
  ticks: number;
  /** When it was started: with the id, the name of a process for good. */
  started: string;
}

/** Ticks a second that Linux counts processor time in, whatever its own are. */
const TICKS = 100;

/** Milliseconds for an end by itself. */
const STOP_TIMEOUT = 3_000;

/** Starts a program whose stderr nobody reads. */
export function startChild(program: string, args: readonly string[], env: Record<string, string> = {}): Child {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd: PROJECT,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  let isAlive = true;
  const ended = child.status.then(() => void (isAlive = false));
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const stdin = child.stdin.getWriter();
  stdin.closed.catch(() => {});
  let held = "";
  const readLine = async (timeout: number): Promise<string> => {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`${program} said nothing for ${timeout} ms`)), timeout);
    try {
      while (!held.includes("\n")) {
        const { value, done } = await Promise.race([lines.read(), late.promise]);
        if (done) throw new Error(`${program} has ended`);
        held += value;
      }
    } finally {
      clearTimeout(timer);
    }
    const end = held.indexOf("\n");
    const line = held.slice(0, end);
    held = held.slice(end + 1);
    return line;
  };
  const stop = async (): Promise<void> => {
    if (isAlive) {
      const family = (await readFamily(child.pid)).slice(1);
      kill(child.pid, "SIGTERM");
      const timer = setTimeout(() => isAlive && kill(child.pid, "SIGKILL"), STOP_TIMEOUT);
      await ended;
      clearTimeout(timer);
      await endOrphans(family);
    }
    await Promise.all([lines.cancel().catch(() => {}), stdin.close().catch(() => {})]);
  };
  return {
    pid: child.pid,
    isAlive: () => isAlive,
    readLine,
    write: (text) => stdin.write(new TextEncoder().encode(text)),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Processor time of a process and all that it has started, in seconds (Linux). */
export async function processorSeconds(pid: number): Promise<number> {
  return (await readFamily(pid)).reduce((sum, { ticks }) => sum + ticks, 0) / TICKS;
}

/** Processor time of all threads of a process, in microseconds (Linux); its children are not counted. */
export async function processorMicroseconds(pid: number): Promise<number> {
  const command = `cat /proc/${pid}/task/*/schedstat 2>/dev/null`;
  const { stdout } = await runCommand("sh", ["-c", command], { timeout: 10_000 });
  return stdout.split("\n").reduce((sum, line) => sum + Number(line.split(" ", 1)[0] ?? 0), 0) / 1_000;
}

/** Ends all that this process has started, whoever knows of it. */
export async function endDescendants(): Promise<void> {
  const family = (await readFamily(Deno.pid)).slice(1);
  for (const { pid } of family) kill(pid, "SIGTERM");
  await new Promise((resolve) => setTimeout(resolve, STOP_TIMEOUT));
  await endOrphans(family, "SIGKILL");
}

/** A process and its descendants among the lines of `/proc/PID/stat`, the process itself first. */
export function familyOf(pid: number, stats: string): Stat[] {
  const all = stats.split("\n").flatMap((line) => parseStat(line) ?? []);
  const family = all.filter((stat) => stat.pid === pid);
  for (let i = 0; i < family.length; i++) family.push(...all.filter(({ parent }) => parent === family[i]?.pid));
  return family;
}

function parseStat(line: string): Stat | undefined {
  // The name in brackets may hold anything, brackets and spaces too.
  const [, pid, rest = ""] = /^(\d+) \(.*\) (.*)$/.exec(line) ?? [];
  if (pid === undefined) return undefined;
  const fields = rest.split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  return { pid: Number(pid), parent: Number(fields[1]), ticks, started: fields[19] ?? "" };
}

async function readFamily(pid: number): Promise<Stat[]> {
  return familyOf(pid, await readStats());
}

/** By another program: Deno reads /proc with all permissions only. Some processes end while they are listed. */
async function readStats(): Promise<string> {
  return (await runCommand("sh", ["-c", "cat /proc/[0-9]*/stat 2>/dev/null"], { timeout: 10_000 })).stdout;
}

/** Ends those of a family that outlived its head, if they are still the same processes. */
async function endOrphans(family: readonly Stat[], signal: Deno.Signal = "SIGTERM"): Promise<void> {
  if (family.length === 0) return;
  const stats = await readStats();
  for (const { pid, started } of family) {
    if (familyOf(pid, stats)[0]?.started === started) kill(pid, signal);
  }
}

function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}
