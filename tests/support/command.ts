import config from "../../deno.json" with { type: "json" };

/** What a finished program left. */
export interface CommandResult {
  /** Its exit code. */
  code: number;
  /** What it wrote to stdout. */
  stdout: string;
  /** What it wrote to stderr. */
  stderr: string;
}

/** The root of the project, where deno.json is. */
export const PROJECT: string = new URL("../../", import.meta.url).pathname;

/** A runtime folder in which nothing can be: a test's instances are not those of the machine, nor of another test. */
export const NO_RUNTIME_DIR: string = `${PROJECT}LICENSE`;

/** What the tasks and the executable set in V8, which decides on memory. */
export const V8_FLAGS: readonly string[] = config.tasks.compile.command.match(/--v8-flags=\S+/) ?? [];

/** Runs a program to its end, killed after `timeout` milliseconds. */
export async function runCommand(
  program: string,
  args: readonly string[],
  { timeout = 120_000, env = {} }: { timeout?: number; env?: Record<string, string> } = {},
): Promise<CommandResult> {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd: PROJECT,
    env: { NO_COLOR: "1", XDG_RUNTIME_DIR: NO_RUNTIME_DIR, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), timeout);
  try {
    const { code, stdout, stderr } = await child.output();
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  } finally {
    clearTimeout(timer);
  }
}

/**
 * How to start i2p-socks with its own permission set: from the sources, or the executable that `I2P_SOCKS_EXECUTABLE`
 * names, so that the same tests run against both.
 */
export function proxyCommand(args: readonly string[]): { program: string; args: string[] } {
  const executable = Deno.env.get("I2P_SOCKS_EXECUTABLE");
  if (executable !== undefined) return { program: executable, args: [...args] };
  return { program: Deno.execPath(), args: ["run", "-P", "--no-prompt", "--quiet", ...V8_FLAGS, "main.ts", ...args] };
}

/** Writes a program `i2p-socks` into a folder, which works wherever it is called: its path. */
export async function installProxy(folder: string): Promise<string> {
  const { program, args } = proxyCommand([]);
  const words = args.map((word) => word === "main.ts" ? `${PROJECT}main.ts` : word);
  const [verb = "", ...rest] = words;
  const command = verb === "run" ? [program, verb, "--config", `${PROJECT}deno.json`, ...rest] : [program, ...words];
  const path = `${folder}/i2p-socks`;
  const script = `#!/bin/sh\nexec ${command.map((word) => `'${word}'`).join(" ")} "$@"\n`;
  await Deno.writeTextFile(path, script, { mode: 0o755 });
  return path;
}

/** Runs i2p-socks to its end. */
export async function runProxy(args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
  const command = proxyCommand(args);
  return await runCommand(command.program, command.args, { env: { DENO_NO_UPDATE_CHECK: "1", ...env } });
}
