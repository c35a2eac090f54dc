import { NO_RUNTIME_DIR, PROJECT, proxyCommand } from "./command.ts";

/** A child process of i2p-socks, whether it serves or not. */
export interface ProxyChild extends AsyncDisposable {
  /** Process id. */
  readonly pid: number;
  /** What it has written to stderr so far. */
  stderr(): string;
  /** What it has written to stdout so far. */
  stdout(): string;
  /**
   * Waits until what it has written matches.
   *
   * @throws {Error} with everything it wrote, if it ends or `timeout` milliseconds are over first.
   */
  waitFor(stream: "stdout" | "stderr", pattern: RegExp, timeout?: number): Promise<void>;
  /** Types text, where stdin is a pipe. */
  type(text: string): Promise<void>;
  /** Sends a signal, and does not wait; nothing happens if it has ended. */
  signal(signal: Deno.Signal): void;
  /** Waits for the end; killed after a minute. */
  ended(): Promise<Deno.CommandStatus>;
  /** Sends a signal, and waits for the end: the exit code. */
  stop(signal?: Deno.Signal): Promise<number>;
}

/** A running i2p-socks that has printed its ready line. */
export interface ProxyProcess extends ProxyChild {
  /** Port of its first listener. */
  readonly port: number;
  /** The ready line, as it was printed. */
  readonly readyLine: string;
  /** The facts of the ready line by key. */
  readonly ready: Readonly<Record<string, string>>;
}

/** Options of {@linkcode spawnProxy}. */
export interface SpawnProxyOptions {
  /** Environment variables, besides those of this process. */
  env?: Record<string, string>;
  /** The folder that it runs in. @default {the project's} */
  cwd?: string;
  /**
   * Where its stdin comes from; `piped` is for {@linkcode ProxyChild.type}.
   *
   * @default {"null"}
   */
  stdin?: "null" | "piped";
}

/** Options of {@linkcode startProxyProcess}. */
export interface ProxyProcessOptions extends SpawnProxyOptions {
  /**
   * A program and its arguments in front of the command, such as strace.
   *
   * @default {[]}
   */
  wrapper?: readonly string[];
  /**
   * Whether it is told to listen on a free port, where `args` have no listener.
   *
   * @default {true}
   */
  freePort?: boolean;
  /**
   * Milliseconds until the ready line.
   *
   * @default {120_000}
   */
  timeout?: number;
}

/** Milliseconds for an end after {@linkcode ProxyChild.ended} was called: longer than a drain takes. */
const END_TIMEOUT = 60_000;

/** Starts i2p-socks, or a program around it, and waits for nothing: {@linkcode proxyCommand} makes the command. */
export function spawnProxy(
  { program, args }: { program: string; args: readonly string[] },
  { env = {}, cwd = PROJECT, stdin = "null" }: SpawnProxyOptions = {},
): ProxyChild {
  const child = new Deno.Command(program, {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", XDG_RUNTIME_DIR: NO_RUNTIME_DIR, ...env },
    stdin,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = { stdout: new Output(child.stdout), stderr: new Output(child.stderr) };
  const input = stdin === "piped" ? child.stdin.getWriter() : undefined;
  const allEnded = Promise.all([child.status, output.stdout.done, output.stderr.done]);
  const signal = (name: Deno.Signal): void => {
    try {
      child.kill(name);
    } catch {
      // It has ended already.
    }
  };
  const ended = async (): Promise<Deno.CommandStatus> => {
    const timer = setTimeout(() => signal("SIGKILL"), END_TIMEOUT);
    const [status] = await allEnded;
    clearTimeout(timer);
    await input?.close().catch(() => {});
    return status;
  };
  const stop = async (name: Deno.Signal = "SIGTERM"): Promise<number> => {
    signal(name);
    return (await ended()).code;
  };
  const waitFor = async (stream: "stdout" | "stderr", pattern: RegExp, timeout = 60_000): Promise<void> => {
    const late = Promise.withResolvers<"late">();
    const timer = setTimeout(() => late.resolve("late"), timeout);
    const outcome = await Promise.race([
      output[stream].match(pattern),
      allEnded.then(([status]) => status),
      late.promise,
    ]);
    clearTimeout(timer);
    if (outcome === undefined || pattern.test(output[stream].text)) return;
    const what = outcome === "late" ? `nothing within ${timeout} ms` : `exit code ${outcome.code}`;
    throw new Error(`Waited for ${pattern} on ${stream}: ${what}\n${output.stdout.text}${output.stderr.text}`);
  };
  return {
    pid: child.pid,
    stderr: () => output.stderr.text,
    stdout: () => output.stdout.text,
    waitFor,
    type: async (text) => await input?.write(new TextEncoder().encode(text)),
    signal,
    ended,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop("SIGKILL");
    },
  };
}

/**
 * Starts i2p-socks as a user would and waits for its ready line. It listens on a free port unless `args` say otherwise.
 *
 * @throws {Error} with everything it wrote, if it ends or the time is over first.
 */
export async function startProxyProcess(
  args: readonly string[],
  { wrapper = [], freePort = true, timeout = 120_000, ...options }: ProxyProcessOptions = {},
): Promise<ProxyProcess> {
  const listen = freePort && !args.includes("--listen") ? ["--listen", "127.0.0.1:0"] : [];
  const command = proxyCommand([...listen, ...args]);
  const [program = command.program, ...words] = [...wrapper, command.program, ...command.args];
  const child = spawnProxy({ program, args: words }, options);
  try {
    await child.waitFor("stdout", /ready.*\n/, timeout);
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw new Error(`Cannot start i2p-socks: ${error instanceof Error ? error.message : error}`);
  }
  const readyLine = child.stdout().split("\n").find((line) => line.includes("ready")) ?? "";
  const ready = parseReady(readyLine);
  return { ...child, port: Number(/:(\d+)(?:,|$)/.exec(ready["listen"] ?? "")?.[1]), readyLine, ready };
}

function parseReady(line: string): Record<string, string> {
  if (line.startsWith("{")) return JSON.parse(line);
  // A value may hold the sign itself, as a rule of --forward does.
  const pairs = line.split(" ").slice(1).map((pair) => /^([^=]*)=?(.*)$/.exec(pair) ?? []);
  return Object.fromEntries(pairs.map(([, key = "", value = ""]) => [key, value]));
}

/** Collects what a process writes. */
class Output {
  text = "";
  readonly done: Promise<void>;
  #changed = Promise.withResolvers<void>();

  constructor(stream: ReadableStream<Uint8Array>) {
    this.done = this.#collect(stream);
  }

  /** Resolves when the text matches; never, if the stream ends before. */
  async match(pattern: RegExp): Promise<undefined> {
    while (!pattern.test(this.text)) await this.#changed.promise;
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.text += decoder.decode(chunk, { stream: true });
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    }
  }
}
