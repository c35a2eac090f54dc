import { proxyCommand } from "../support/command.ts";
import { type ProxyChild, type ProxyProcess, spawnProxy, startProxyProcess } from "../support/proxy_process.ts";
import { open } from "./client.ts";
import { eventually, type Router } from "./router.ts";
import { addressOf, SamSession } from "./sam.ts";
import type { Web } from "./web.ts";

/** What one behaviour turned out to be on one router. */
export interface Seen {
  /** Whether it is as promised; undefined where the router has nothing of the kind. */
  ok: boolean | undefined;
  /** What was seen, in short words. */
  words: string;
  /** Numbers to compare, such as times in milliseconds. */
  figures?: Record<string, number>;
}

/** Something that the program promises with every router. */
export interface Behaviour {
  /** How `--only` calls it. */
  readonly name: string;
  /** What has to be so. */
  readonly promise: string;
  /** Looks at one router. What it throws counts as broken. */
  run(stage: Stage): Promise<Seen>;
}

/** How long and how often behaviours look. */
export interface Patience {
  /** Milliseconds of silence in a stream. */
  silence: number;
  /** Runs of what goes wrong only at times. */
  repeat: number;
}

/** So that the log has the router's own words. */
const SERVE_FLAGS = ["--log-destinations", "--log-level", "debug"];

/** Milliseconds until a new session has to be found. */
const CALL_TIMEOUT = 90_000;

/** Milliseconds until a program has to be ready. */
const READY_TIMEOUT = 400_000;

/** One router, and who uses it. */
export class Stage implements AsyncDisposable {
  readonly router: Router;
  readonly web: Web;
  /** For files. */
  readonly dir: string;
  readonly patience: Patience;
  readonly #programs = new Map<string, Promise<ProxyProcess>>();
  readonly #stack = new AsyncDisposableStack();
  readonly #sessions = new Map<string, SamSession>();

  constructor(router: Router, web: Web, dir: string, patience: Patience) {
    this.router = router;
    this.web = web;
    this.dir = dir;
    this.patience = patience;
  }

  /** Flags of every verb that builds a session with this router. */
  get flags(): string[] {
    return ["--sam", `127.0.0.1:${this.router.ways.sam}`, ...this.router.flags];
  }

  /**
   * A running program with these options, shared by all that ask for the same. None is ended before the others: a router
   * may not stand the end of a session that had streams.
   */
  program(...args: string[]): Promise<ProxyProcess> {
    const key = args.join(" ");
    const known = this.#programs.get(key);
    if (known !== undefined) return known;
    const starting = this.start(args).then((program) => this.#stack.use(program));
    this.#programs.set(key, starting);
    starting.catch(() => this.#programs.delete(key));
    return starting;
  }

  /** A program of one's own. */
  start(args: readonly string[]): Promise<ProxyProcess> {
    return startProxyProcess(this.#serve(args), { timeout: READY_TIMEOUT });
  }

  /** A program that may not become ready. */
  spawn(args: readonly string[]): ProxyChild {
    return spawnProxy(proxyCommand([...this.#serve(args), "--listen", "127.0.0.1:0"]));
  }

  #serve(args: readonly string[]): string[] {
    return [...this.flags, ...SERVE_FLAGS, "--keys-dir", `${this.dir}/keys`, ...args];
  }

  /** Runs the program to its end. */
  async run(
    args: readonly string[],
    timeout: number = READY_TIMEOUT,
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const command = proxyCommand(args);
    const child = new Deno.Command(command.program, {
      args: command.args,
      cwd: new URL("../../", import.meta.url).pathname,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const timer = setTimeout(() => child.kill("SIGKILL"), timeout);
    const { code, stdout, stderr } = await child.output();
    clearTimeout(timer);
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  }

  /** The port of the program that everybody shares. */
  async port(): Promise<number> {
    return (await this.program()).port;
  }

  /** A plain SAM session, of another destination than the program's. */
  peer(): Promise<SamSession> {
    return this.#session("peer");
  }

  /** Another one. */
  otherPeer(): Promise<SamSession> {
    return this.#session("other");
  }

  /** A session that lasts, made again where the router has ended it. */
  async #session(name: string): Promise<SamSession> {
    const known = this.#sessions.get(name);
    if (known !== undefined && !known.isOver) return known;
    const { ways, options } = this.router;
    const session = this.#stack.use(await SamSession.create(ways.sam, options));
    this.#sessions.set(name, session);
    return session;
  }

  /** The address that a program has by now: a throw-away one is another after the router was gone. */
  async addressOf(program: ProxyProcess): Promise<string> {
    return await addressOf((await this.call(program.port)).caller);
  }

  /** Calls a plain session through a proxy: the two ends of the stream, and the caller's destination. */
  async call(proxy: number, login?: string): Promise<{ caller: string }> {
    const peer = await this.peer();
    const { socket, caller } = await peer.accept();
    using _socket = socket;
    const options = login === undefined ? {} : { login: { user: login, password: "x" } };
    const b32 = await peer.b32;
    // A lease set may take a moment to be found.
    const { conn } = await eventually("stream to a new session", CALL_TIMEOUT, () => open(proxy, b32, 80, options));
    using _conn = conn;
    await conn.write(new TextEncoder().encode("x"));
    return { caller: await caller };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
