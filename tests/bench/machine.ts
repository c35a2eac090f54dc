import { runCommand } from "../support/command.ts";

/** Where the numbers come from. */
export interface Machine {
  /** Model of the processor. */
  processor: string;
  /** Cores that this process may use. */
  cores: number;
  /** GiB of memory. */
  memory: number;
  /** Name and version of the system's kernel. */
  kernel: string;
  /** Version of the runtime. */
  deno: string;
  /** The day, as YYYY-MM-DD. */
  date: string;
}

/** Asks the system (Linux). */
export async function describeMachine(): Promise<Machine> {
  const cpu = await output("cat", "/proc/cpuinfo");
  const memory = await output("cat", "/proc/meminfo");
  return {
    processor: /^model name\s*: (.+)$/m.exec(cpu)?.[1] ?? "unknown processor",
    cores: navigator.hardwareConcurrency,
    memory: Math.round(Number(/^MemTotal:\s+(\d+) kB$/m.exec(memory)?.[1] ?? 0) / 2 ** 20),
    kernel: (await output("uname", "-sr")).trim(),
    deno: Deno.version.deno,
    date: new Date().toISOString().slice(0, 10),
  };
}

/** In one line. */
export function machineLine({ processor, cores, memory, kernel, deno, date }: Machine): string {
  return `${processor}, ${cores} cores, ${memory} GiB, ${kernel}, Deno ${deno}, ${date}`;
}

async function output(program: string, ...args: string[]): Promise<string> {
  return (await runCommand(program, args, { timeout: 10_000 })).stdout;
}
