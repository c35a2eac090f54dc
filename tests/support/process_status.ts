import { runCommand } from "./command.ts";

/** The open file descriptors of a process, each with what it is (Linux): `12 -> socket:[4711]`. */
export async function descriptors(pid: number): Promise<string[]> {
  // By another program: Deno reads /proc with all permissions only.
  const { code, stdout } = await runCommand("ls", ["-l", `/proc/${pid}/fd`]);
  if (code !== 0) throw new Error(`Cannot list file descriptors of ${pid}: exit code ${code}`);
  return [...stdout.matchAll(/ (\d+ -> .*)$/gm)].map(([, descriptor = ""]) => descriptor);
}

/** Resident memory of a process, in bytes (Linux). */
export async function residentMemory(pid: number): Promise<number> {
  const { stdout } = await runCommand("cat", [`/proc/${pid}/status`]);
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(stdout)?.[1];
  if (kibibytes === undefined) throw new Error(`Cannot read the memory of ${pid}: "${stdout}"`);
  return Number(kibibytes) * 1024;
}

/** Processor time that a process has taken, all threads, in ticks of 10 ms (Linux). */
export async function cpuTicks(pid: number): Promise<number> {
  const { stdout } = await runCommand("cat", [`/proc/${pid}/stat`]);
  // Behind the name, which may hold spaces: the twelfth and the thirteenth.
  const fields = stdout.slice(stdout.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  if (!Number.isInteger(ticks)) throw new Error(`Cannot read the processor time of ${pid}: "${stdout}"`);
  return ticks;
}
