import { PROJECT, proxyCommand } from "../support/command.ts";

/** What a program left that was fed through stdin. */
export interface PipedResult {
  /** Its exit code. */
  code: number;
  /** What it wrote to stdout. */
  stdout: Uint8Array<ArrayBuffer>;
  /** What it wrote to stderr. */
  stderr: string;
  /** Milliseconds that it took. */
  took: number;
}

/** How a program is fed. */
export interface PipedOptions {
  /** Environment variables, besides those of this process. */
  env?: Record<string, string>;
  /** What it reads from stdin. @default {nothing} */
  input?: Uint8Array<ArrayBuffer>;
  /** Whether stdin stays open behind it. @default {false} */
  keepOpen?: boolean;
  /** What is run in place of i2p-socks. */
  command?: { program: string; args: string[] };
  /** Milliseconds until anybody reads from its stdout. @default {0} */
  readsAfter?: number;
  /** Told when it runs. */
  started?: (child: Deno.ChildProcess) => void;
}

/** Milliseconds until a program is killed. */
const TIMEOUT = 60_000;

/** Runs i2p-socks to its end with something on stdin. */
export async function runPiped(
  args: readonly string[],
  options: PipedOptions = {},
): Promise<PipedResult> {
  const { env = {}, input = new Uint8Array(), keepOpen = false, command = proxyCommand(args), started } = options;
  const since = performance.now();
  const child = new Deno.Command(command.program, {
    args: command.args,
    cwd: PROJECT,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  started?.(child);
  const timer = setTimeout(() => child.kill("SIGKILL"), TIMEOUT);
  const writer = child.stdin.getWriter();
  // It may end before it has read everything.
  const feed = async (): Promise<void> => {
    await writer.write(input);
    if (!keepOpen) await writer.close();
  };
  const feeding = feed().catch(() => {});
  const reading = new Promise((resolve) => setTimeout(resolve, options.readsAfter ?? 0));
  const [{ code, took }, stdout, stderr] = await Promise.all([
    child.status.then((status) => ({ ...status, took: performance.now() - since })),
    reading.then(() => new Response(child.stdout).bytes()),
    new Response(child.stderr).text(),
  ]);
  clearTimeout(timer);
  await writer.abort().catch(() => {});
  await feeding;
  return { code, stdout, stderr, took };
}
