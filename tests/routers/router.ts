/** What the suite knows of a router, and what every kind of router does alike. */

/** Where a router that runs can be reached, all on 127.0.0.1. */
export interface Ways {
  /** Port of the SAM bridge. */
  readonly sam: number;
  /** Port of its datagrams. */
  readonly samUdp: number;
  /** Port of a second bridge that asks for a login, where the router has such. */
  readonly samLogin?: number;
  /** Port of the router's own SOCKS proxy. */
  readonly socks?: number;
  /** The site behind a server tunnel of the router: `<52 characters>.b32.i2p`. */
  readonly site: string;
  /** A destination that is there, but whose service is down. */
  readonly down?: string;
  /** Name of {@linkcode site} in the router's address book. */
  readonly name?: string;
}

/** One router of one version. */
export interface Router extends AsyncDisposable {
  /** Such as `i2pd 2.45.1`. */
  readonly label: string;
  /** Hops of each tunnel. */
  readonly hops: number;
  /** Flags of i2p-socks that sessions need in this network. */
  readonly flags: readonly string[];
  /** The same for SESSION CREATE. */
  readonly options: readonly string[];
  /** Whether the SAM bridge has sessions of several kinds on one destination. */
  readonly hasPrimary: boolean;
  /** Whether it gives two sessions one destination, and tells neither. */
  readonly sharesDestinations: boolean;
  /** Where it can be reached; the same after a restart. */
  readonly ways: Ways;
  /** Lines of the router's log that look like errors of its SAM bridge, from the start on. */
  complaints(): Promise<string[]>;
  /** How the router ended by itself, such as `SIGSEGV`; undefined while it runs. */
  crashed(): string | undefined;
  /** Ends it as a crash would. */
  kill(): Promise<void>;
  /** Starts it again, and resolves when its SAM bridge answers. */
  start(): Promise<void>;
}

/** Milliseconds until a router has to answer HELLO. */
export const SAM_TIMEOUT = 120_000;

/** Milliseconds until the router's own proxy has to reach the site. */
export const SITE_TIMEOUT = 120_000;

/** How a router's process is run. */
export interface DaemonOptions extends Pick<Deno.CommandOptions, "env" | "cwd"> {
  /** Whether it is started again where it ends by itself. @default {false} */
  revives?: boolean;
}

/** A router's process, started and ended any number of times. */
export class Daemon implements AsyncDisposable {
  readonly #program: string;
  readonly #args: readonly string[];
  readonly #options: DaemonOptions;
  readonly #log: string;
  #child: Deno.ChildProcess | undefined;
  #ended: Deno.CommandStatus | undefined;
  #output: Promise<void> = Promise.resolve();

  /** `log` is where stdout and stderr go. */
  constructor(
    program: string,
    args: readonly string[],
    log: string,
    options: DaemonOptions = {},
  ) {
    this.#program = program;
    this.#args = args;
    this.#log = log;
    this.#options = options;
  }

  start(): void {
    const { revives = false, ...options } = this.#options;
    const child = new Deno.Command(this.#program, {
      args: [...this.#args],
      ...options,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    this.#ended = undefined;
    this.#output = Promise.all([child.stdout, child.stderr].map(async (stream) => {
      for await (const bytes of stream) await Deno.writeFile(this.#log, bytes, { append: true });
    })).then(() => {});
    child.status.then((status) => {
      if (this.#child !== child) return;
      this.#ended = status;
      if (!revives) return;
      console.error(`${this.#program} ended by itself (${this.crashed()}), and is started again`);
      this.start();
    });
  }

  /** How it ended by itself. */
  crashed(): string | undefined {
    return this.#ended && (this.#ended.signal ?? `exit code ${this.#ended.code}`);
  }

  async kill(signal: Deno.Signal = "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#child = undefined;
    this.#ended = undefined;
    try {
      child.kill(signal);
    } catch {
      // It has ended already.
    }
    await child.status;
    await this.#output;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

/** Tries until an attempt succeeds, and gives what it returned. */
export async function eventually<T>(what: string, timeout: number, attempt: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    try {
      return await attempt();
    } catch (cause) {
      if (Date.now() >= deadline) {
        throw new Error(`No ${what} within ${seconds(timeout)}: ${message(cause)}`, { cause });
      }
    }
    await sleep(250);
  }
}

/** Free ports of 127.0.0.1, below those that the system gives away; the UDP port below each is free as well. */
export async function freePorts(count: number): Promise<number[]> {
  const { stdout } = await new Deno.Command("cat", { args: ["/proc/net/udp"], stderr: "null" }).output();
  const lines = new TextDecoder().decode(stdout).matchAll(/^ *\d+: [0-9A-F]{8}:([0-9A-F]{4}) /gm);
  const udp = new Set([...lines].map(([, port]) => parseInt(port ?? "", 16)));
  const chosen = new Set<number>();
  for (let attempt = 0; attempt < 1000 && chosen.size < count; attempt++) {
    const port = 20_000 + Math.floor(Math.random() * 6000) * 2;
    if (!chosen.has(port) && !udp.has(port - 1) && isFree(port)) chosen.add(port);
  }
  if (chosen.size < count) throw new Error(`Cannot find ${count} free ports`);
  return [...chosen];
}

/** A port out of those of {@linkcode freePorts}. */
export function port(ports: readonly number[], index: number): number {
  const found = ports[index];
  if (found === undefined) throw new RangeError(`No port ${index}`);
  return found;
}

export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** What went wrong, in one line. */
export function message(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).trim().replace(/\s*\n\s*/g, " / ");
}

/** `1.2 s`. */
export function seconds(milliseconds: number): string {
  const value = milliseconds / 1000;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} s`;
}

/** Milliseconds since a moment of `performance.now()`. */
export function since(start: number): number {
  return performance.now() - start;
}

/** The value, or an error once the time is over; what was under way goes on unseen. */
export async function within<T>(milliseconds: number, what: string, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`${what}: nothing within ${seconds(milliseconds)}`)),
    milliseconds,
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}
