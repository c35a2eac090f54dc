import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { PROJECT } from "../support/command.ts";
import { findProgram } from "../support/e2e.ts";
import { type ProxyProcess, startProxyProcess } from "../support/proxy_process.ts";
import { makeScratch, type Scratch } from "../support/scratch.ts";
import { publishService, type SamBridge, startSamBridge } from "../sam_bridge/bridge.ts";
import { until } from "../support/wait.ts";

/** A proxy as users run it, for a real client, with services of a test behind a bridge double. */
export interface ClientStage extends AsyncDisposable {
  /** The bridge double. */
  readonly bridge: SamBridge;
  /** The proxy, a process of its own. */
  readonly proxy: ProxyProcess;
  /** Its port on 127.0.0.1. */
  readonly port: number;
  /** `127.0.0.1:PORT` of the proxy. */
  readonly socks: string;
  /** A folder for what the client needs. */
  readonly scratch: Scratch;
  /** Base32 addresses of the services by name. */
  readonly b32: Readonly<Record<string, string>>;
  /** Runs a client to its end, and looks where it connects or sends to. */
  run(program: string, args: readonly string[], options?: ClientOptions): Promise<ClientRun>;
}

/** How a client is run. */
export interface ClientOptions {
  /** Environment variables besides {@linkcode PATH}, LANG and HOME. */
  env?: Record<string, string>;
  /** Text for its stdin. @default {none: it is at its end} */
  stdin?: string;
  /** Milliseconds until it is ended, with exit code 124. @default {60_000} */
  timeout?: number;
}

/** What became of a client. */
export interface ClientRun {
  /** Its exit code. */
  code: number;
  /** What it wrote to stdout. */
  stdout: string;
  /** What it wrote to stderr. */
  stderr: string;
  /** Where it, or a child of it, tried to connect or send to off loopback; DNS anywhere. */
  astray: string[];
}

/** Starts everything. The services are ports on 127.0.0.1 by their I2P names; `env` is for the proxy. */
export async function startClientStage(
  services: Readonly<Record<string, number>>,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<ClientStage> {
  await using started = new AsyncDisposableStack();
  const scratch = started.use(await makeScratch());
  const bridge = started.use(await startSamBridge());
  const b32: Record<string, string> = {};
  for (const [name, port] of Object.entries(services)) {
    const service = started.use(await publishService(bridge.port, port));
    bridge.setName(name, service.destination);
    b32[name] = service.b32;
  }
  const proxy = started.use(
    await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, "--spare-identities", "0", ...args], { env }),
  );
  const everything = started.move();
  return {
    bridge,
    proxy,
    port: proxy.port,
    socks: `127.0.0.1:${proxy.port}`,
    scratch,
    b32,
    run: (program, words, options) => runClient(scratch.dir, program, words, options),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

/** How many identities of clients with a login there are besides the application's own. */
export function isolated(stage: ClientStage): number {
  return stage.bridge.sessions.filter(({ id }) => id.startsWith("i2p-socks-")).length - 1;
}

/** Refusals that have been asserted, by proxy and reason: each client needs another one. */
const refusals = new Map<string, number>();

/** Asserts that a client saw a refusal, as its words tell, and that neither it nor the proxy went anywhere else. */
export async function assertRefused(
  { proxy }: Pick<ClientStage, "proxy">,
  { code, stdout, stderr, astray }: ClientRun,
  { words, exitCode, reason = "clearnet", leak = reason === "ip" ? "dns" : reason }: {
    words: RegExp;
    exitCode: number;
    reason?: string;
    leak?: string;
  },
): Promise<void> {
  assert(words.test(stdout + stderr), `${code}: ${stdout}${stderr}`);
  assertEquals(code, exitCode, stdout + stderr);
  assertEquals(astray, []);
  const count = (): number => proxy.stderr().split(`reason=${reason}`).length - 1;
  const seen = refusals.get(`${proxy.pid} ${reason}`) ?? 0;
  await until(`another refusal for ${reason} in the log`, () => count() > seen);
  refusals.set(`${proxy.pid} ${reason}`, count());
  // One question for an address is not taken for a leak yet.
  await proxy.waitFor("stderr", leak === "dns" ? /leak=dns|asked for an IP address/ : new RegExp(`leak=${leak}\\b`));
  assertStringIncludes(proxy.stderr(), "fix=");
}

/** A name for what a test needs of the system besides programs, for {@linkcode e2eTest}: none, where it is there. */
export function unless(isThere: boolean, name: string): string[] {
  return isThere ? [] : [name];
}

/** Whether a command succeeds; at registration, where only this is possible. */
export function succeeds(program: string, ...args: string[]): boolean {
  const path = program.startsWith("/") ? program : findProgram(program);
  try {
    return path !== undefined &&
      new Deno.Command(path, { args, stdin: "null", stdout: "null", stderr: "null" }).outputSync().success;
  } catch {
    return false;
  }
}

let runs = 0;

async function runClient(
  dir: string,
  program: string,
  args: readonly string[],
  { env = {}, stdin, timeout = 60_000 }: ClientOptions = {},
): Promise<ClientRun> {
  const trace = `${dir}/trace-${runs++}`;
  // Below strace, which lets go of its children when it is killed.
  const bounded = ["timeout", "--kill-after=1", `${timeout / 1000}`];
  const child = new Deno.Command("strace", {
    args: ["-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", trace, ...bounded, program, ...args],
    cwd: PROJECT,
    clearEnv: true,
    env: { PATH: `${Deno.env.get("PATH")}:/usr/sbin:/sbin`, LANG: "C.UTF-8", HOME: dir, ...env },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writing = stdin === undefined ? undefined : write(child.stdin, stdin);
  const { code, stdout, stderr } = await child.output();
  await writing;
  const text = new TextDecoder();
  const astray = strayAddresses(await Deno.readTextFile(trace));
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr), astray };
}

async function write(stream: WritableStream<Uint8Array>, text: string): Promise<void> {
  // A client that ends early does not read it.
  await ReadableStream.from([new TextEncoder().encode(text)]).pipeTo(stream).catch(() => {});
}

/** Addresses of system calls that are not of loopback, or are of DNS. */
function strayAddresses(trace: string): string[] {
  const calls = trace.matchAll(
    /sin6?_port=htons\((\d+)\).*?(?:inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)")/g,
  );
  return [...calls].map(([, port = "", v4, v6 = ""]) => ({ host: v4 ?? v6, port }))
    .filter(({ host, port }) => port === "53" || !/^(127\.|::1$|::ffff:127\.)/.test(host))
    .map(({ host, port }) => `${host} ${port}`);
}
