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
