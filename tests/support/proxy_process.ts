import { PROJECT, proxyCommand } from "./command.ts";

/** A running i2p-socks that has printed its ready line. */
export interface ProxyProcess extends AsyncDisposable {
  /** Port of its first listener on 127.0.0.1. */
  readonly port: number;
  /** The ready line, as it was printed. */
  readonly readyLine: string;
  /** The facts of the ready line by key. */
  readonly ready: Readonly<Record<string, string>>;
  /** Process id. */
  readonly pid: number;
  /** What it has written to stderr so far. */
  stderr(): string;
  /** What it has written to stdout so far. */
  stdout(): string;
  /** Sends a signal, and waits for the end: the exit code. */
  stop(signal?: Deno.Signal): Promise<number>;
}

/** Options of {@linkcode startProxyProcess}. */
export interface ProxyProcessOptions {
  /**
   * A program and its arguments in front of the command, such as strace.
   *
   * @default {[]}
   */
  wrapper?: readonly string[];
  /**
   * Milliseconds until the ready line.
   *
   * @default {120_000}
   */
  timeout?: number;
}

/**
 * Starts i2p-socks as a user would and waits for its ready line. It listens on a free port unless `args` say otherwise.
 *
 * @throws {Error} with everything it wrote, if it ends or the time is over first.
 */
export async function startProxyProcess(
  args: readonly string[],
  { wrapper = [], timeout = 120_000 }: ProxyProcessOptions = {},
): Promise<ProxyProcess> {
  const listen = args.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
  const command = proxyCommand([...listen, ...args]);
  const [program = command.program, ...words] = [...wrapper, command.program, ...command.args];
  const child = new Deno.Command(program, {
    args: words,
    cwd: PROJECT,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const isReady = Promise.withResolvers<string>();
  const stdout = new Output(child.stdout, (text) => {
    const line = text.split("\n").slice(0, -1).find((l) => l.includes("ready"));
    if (line !== undefined) isReady.resolve(line);
  });
  const stderr = new Output(child.stderr);
  const ended = Promise.all([child.status, stdout.done, stderr.done]);
  const timer = setTimeout(() => child.kill("SIGKILL"), timeout);
  const readyLine = await Promise.race([isReady.promise, ended.then(() => undefined)]);
  clearTimeout(timer);
  if (readyLine === undefined) {
    const { code } = await child.status;
    throw new Error(`Cannot start i2p-socks: exit code ${code}\n${stdout.text}${stderr.text}`);
  }
  const ready = parseReady(readyLine);
  const stop = async (signal: Deno.Signal = "SIGTERM"): Promise<number> => {
    try {
      child.kill(signal);
    } catch {
      // It has ended already.
    }
    await ended;
    return (await child.status).code;
  };
  return {
    port: Number(/:(\d+)/.exec(ready["listen"] ?? "")?.[1]),
    readyLine,
    ready,
    pid: child.pid,
    stderr: () => stderr.text,
    stdout: () => stdout.text,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop("SIGKILL");
    },
  };
}

function parseReady(line: string): Record<string, string> {
  if (line.startsWith("{")) return JSON.parse(line);
  return Object.fromEntries(line.split(" ").slice(1).map((pair) => pair.split("=") as [string, string]));
}

/** Collects what a process writes. */
class Output {
  text = "";
  readonly done: Promise<void>;

  constructor(stream: ReadableStream<Uint8Array>, changed: (text: string) => void = () => {}) {
    this.done = this.#collect(stream, changed);
  }

  async #collect(stream: ReadableStream<Uint8Array>, changed: (text: string) => void): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) {
      this.text += decoder.decode(chunk, { stream: true });
      changed(this.text);
    }
  }
}
