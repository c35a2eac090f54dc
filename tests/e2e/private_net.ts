import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address, publicPart } from "../../lib/i2p/destination.ts";
import { findI2pd } from "../support/e2e.ts";
import { type Site, startSite } from "../support/site.ts";

/** Options of {@linkcode startPrivateNet}. */
export interface PrivateNetOptions {
  /**
   * Milliseconds until everything has to be ready; the same again for a restart.
   *
   * @default {120_000}
   */
  timeout?: number;
}

/** An I2P network of one real router, all on loopback, with a site in it. */
export interface PrivateNet extends AsyncDisposable {
  /** SAM's port on 127.0.0.1. */
  readonly samPort: number;
  /** SAM's UDP port there. */
  readonly samUdpPort: number;
  /** Port on 127.0.0.1 of the router's own SOCKS proxy, to compare with. */
  readonly socksPort: number;
  /** The site behind a server tunnel that passes every byte unchanged: `<52 characters>.b32.i2p`. */
  readonly siteB32: string;
  /** The site behind an HTTP server tunnel, which tells it the caller in `X-I2P-DestB32`. */
  readonly siteHttpB32: string;
  /** Name of {@linkcode siteB32} in the router's address book. */
  readonly siteName: string;
  /** Flags of i2p-socks that sessions need in this network. */
  readonly sessionOptions: readonly string[];
  /** The site itself. */
  readonly site: Site;
  /** State directory of the router; removed by {@linkcode close}. */
  readonly dir: string;
  /**
   * Kills the router as a crash would, and starts it again with the same ports and keys. Resolves when SAM answers;
   * the site can be reached some 7 to 17 seconds later.
   */
  restartRouter(): Promise<void>;
  /** Ends the router and the site, and removes the state directory. A second call does nothing more. */
  close(): Promise<void>;
}

/** What came back from {@linkcode socksGet}. */
export interface HttpReply {
  /** The status code. */
  status: number;
  /** The header fields as they were sent, one a line. */
  head: string;
  /** The body. */
  text: string;
}

const SITE_NAME = "site.i2p";

/** A lone router has no peers to hop over, and its floodfill part reads back no lease set of a newer type. */
const SESSION_OPTIONS = [
  ...["--length", "0", "--quantity", "1"],
  ...["-o", "i2cp.leaseSetType=1", "-o", "i2cp.leaseSetEncType=0"],
];

/** As they go into each section of the router's settings that has tunnels. */
const ZERO_HOPS = `inbound.length = 0
outbound.length = 0
inbound.quantity = 1
outbound.quantity = 1`;

const DEFAULT_TIMEOUT = 120_000;

/** Milliseconds that the router has for ending by itself. A session that never became ready keeps it from that. */
const STOP_TIMEOUT = 10_000;

/** Milliseconds for one question to the router when finding out whether it is ready. */
const PROBE_TIMEOUT = 10_000;

/** Milliseconds between two such questions. */
const PROBE_INTERVAL = 250;

/** Characters of the log, from its end, that an error carries. */
const LOG_TAIL = 4000;

/**
 * Ports are taken from below the system's ephemeral range (32768 and up): there, an outgoing connection or a port 0 of
 * a parallel test could take a port of ours while the router restarts.
 */
const PORTS = { from: 20_000, to: 32_000 };

/**
 * Starts a private I2P network and waits until its site can be reached.
 *
 * The router has no peers, no reseed and an address of 127.0.0.0/8 of its own, so nothing leaves the machine and any
 * number of networks can run at once. It takes 7 to 17 seconds: i2pd looks after its tunnels only every few seconds.
 *
 * @throws {Error} if i2pd is not installed, or if the network is not ready in time; then with the end of i2pd's log.
 */
export async function startPrivateNet(options: PrivateNetOptions = {}): Promise<PrivateNet> {
  const program = findI2pd();
  if (program === undefined) throw new Error("Cannot start private network: i2pd is not installed");
  const timeout = options.timeout ?? DEFAULT_TIMEOUT;

  await using started = new AsyncDisposableStack();
  const dir = await Deno.makeTempDir({ prefix: "i2p-socks-net-" });
  started.defer(() => Deno.remove(dir, { recursive: true }));
  const site = started.use(await startSite());
  const ports = await choosePorts();
  const router = started.use(new Router(program, dir));
  const addresses = await router.explaining(() => bringUp(router, ports, site, Date.now() + timeout));

  const everything = started.move();
  const close = (): Promise<void> => everything.disposeAsync();
  const restartRouter = async (): Promise<void> => {
    await router.stop("SIGKILL");
    await router.explaining(() => startAndGreet(router, ports, Date.now() + timeout));
  };
  return {
    samPort: ports.sam,
    samUdpPort: ports.sam - 1,
    socksPort: ports.socks,
    ...addresses,
    siteName: SITE_NAME,
    sessionOptions: SESSION_OPTIONS,
    site,
    dir,
    restartRouter,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * Gets a page through a SOCKS5 proxy on 127.0.0.1 that resolves names itself. For answers with a Content-Length only.
 *
 * @throws {Error} if the proxy refuses, the connection ends early, or it takes longer than 10 seconds.
 */
export function socksGet(proxyPort: number, host: string, path: string): Promise<HttpReply> {
  return talk(proxyPort, async (conn) => {
    const inbox = new Inbox(conn);
    await connectBySocks(conn, inbox, host);
    await send(conn, `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    const head = await inbox.takeUntil("\r\n\r\n");
    const length = /^content-length: *(\d+)\r$/im.exec(head)?.[1];
    if (length === undefined) throw new Error(`Cannot read reply of "${host}": no Content-Length in "${head}"`);
    const text = new TextDecoder().decode(await inbox.take(Number(length)));
    return { status: Number(head.split(" ")[1]), head, text };
  });
}

interface Ports {
  /** SAM; it has the UDP port below as well. */
  sam: number;
  socks: number;
  /** The router's own, for other routers. */
  ntcp2: number;
}

interface Keys {
  /** Destinations of the two server tunnels. */
  site: Uint8Array<ArrayBuffer>;
  siteHttp: Uint8Array<ArrayBuffer>;
}

/** One i2pd with its state directory; started and stopped any number of times. */
class Router implements AsyncDisposable {
  readonly dir: string;
  #program: string;
  #child: Deno.ChildProcess | undefined;
  #ended: Deno.CommandStatus | undefined;
  #complaints: Promise<string> = Promise.resolve("");

  constructor(program: string, dir: string) {
    this.#program = program;
    this.dir = dir;
  }

  start(): void {
    const child = new Deno.Command(this.#program, {
      args: [`--conf=${this.dir}/i2pd.conf`, `--datadir=${this.dir}`],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    this.#ended = undefined;
    this.#complaints = child.stderr.text();
    child.status.then((status) => this.#ended = status);
  }

  /** Says so if it has ended by itself: whatever failed then is not to be looked for elsewhere. */
  tellCrash(): void {
    const { signal, code } = this.#ended ?? {};
    if (this.#ended !== undefined) console.error(`i2pd has ended by itself: ${signal ?? `exit code ${code}`}`);
  }

  async stop(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    kill(child, signal);
    const timer = setTimeout(() => kill(child, "SIGKILL"), STOP_TIMEOUT);
    await child.status;
    clearTimeout(timer);
    await this.#complaints;
    this.#child = this.#ended = undefined;
  }

  /** Tries until an attempt succeeds, and gives what it returned. */
  async waitFor<T>(what: string, deadline: number, attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      if (this.#ended !== undefined) throw new Error(`Cannot wait for ${what}: i2pd ended with ${this.#ended.code}`);
      try {
        return await attempt();
      } catch (cause) {
        if (Date.now() >= deadline) throw new Error(`Cannot wait for ${what} any longer: ${cause}`, { cause });
      }
      await new Promise((resolve) => setTimeout(resolve, PROBE_INTERVAL));
    }
  }

  /** Runs a step. If it fails, ends the router, and adds to the error what the router had to say. */
  async explaining<T>(step: () => Promise<T>): Promise<T> {
    try {
      return await step();
    } catch (cause) {
      await this.stop("SIGKILL");
      const said = await this.#complaints + await this.#logTail();
      const reason = cause instanceof Error ? cause.message : cause;
      throw new Error(`Cannot start private network: ${reason}\nEnd of i2pd's log:\n${said || "(empty)"}`, { cause });
    }
  }

  async #logTail(): Promise<string> {
    const log = await Deno.readTextFile(`${this.dir}/i2pd.log`).catch(() => "");
    // What i2pd says of each attempt to reach the site would fill it all.
    return log.replace(/^.* - SOCKS: .*\n/gm, "").slice(-LOG_TAIL);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.tellCrash();
    // Its state is thrown away, and a session under way would keep it from an end of its own for ten seconds.
    return this.stop("SIGKILL");
  }
}

/** Two starts: the first makes the keys, since the address book of the second has to have them from the beginning. */
async function bringUp(
  router: Router,
  ports: Ports,
  site: Site,
  deadline: number,
): Promise<Pick<PrivateNet, "siteB32" | "siteHttpB32">> {
  await configure(router.dir, ports, site.port);
  router.start();
  const keys = await router.waitFor("keys", deadline, () => readKeys(router.dir));
  await router.stop();

  await Deno.writeTextFile(`${router.dir}/hosts.txt`, `${SITE_NAME}=${encodeI2pBase64(keys.site)}\n`);
  await startAndGreet(router, ports, deadline);
  const [siteB32, siteHttpB32] = [await b32Address(keys.site), await b32Address(keys.siteHttp)];
  for (const host of [siteB32, siteHttpB32, SITE_NAME]) {
    await router.waitFor(host, deadline, () => expectToken(ports.socks, host, site.token));
  }
  return { siteB32, siteHttpB32 };
}

async function startAndGreet(router: Router, ports: Ports, deadline: number): Promise<void> {
  router.start();
  await router.waitFor("SAM", deadline, () => expectHello(ports.sam));
}

async function configure(dir: string, ports: Ports, sitePort: number): Promise<void> {
  await Deno.writeTextFile(`${dir}/i2pd.conf`, routerConfig(dir, ports));
  await Deno.writeTextFile(
    `${dir}/tunnels.conf`,
    tunnelConfig("site", "server", sitePort) + tunnelConfig("site-http", "http", sitePort),
  );
  // An empty list: with none at all the router looks for one to download.
  await Deno.writeTextFile(`${dir}/subscriptions.txt`, "# none\n");
}

function routerConfig(dir: string, ports: Ports): string {
  const address = `127.0.${randomBelow(254) + 1}.${randomBelow(254) + 1}`;
  return `tunconf = ${dir}/tunnels.conf
log = file
logfile = ${dir}/i2pd.log
loglevel = warn
netid = ${100 + randomBelow(100)}
floodfill = true
bandwidth = X
host = ${address}
address4 = ${address}
port = ${ports.ntcp2}
ipv4 = true
ipv6 = false
nat = false
reservedrange = false

[ntcp2]
published = true
[ssu2]
enabled = false
[upnp]
enabled = false
[nettime]
enabled = false
[reseed]
urls =
yggurls =
threshold = 0
[addressbook]
defaulturl =
subscriptions =
[persist]
profiles = false
[http]
enabled = false
[httpproxy]
enabled = false
[exploratory]
${ZERO_HOPS}
[socksproxy]
enabled = true
address = 127.0.0.1
port = ${ports.socks}
keys = socks.dat
${ZERO_HOPS}
[sam]
enabled = true
address = 127.0.0.1
port = ${ports.sam}
`;
}

function tunnelConfig(name: string, type: string, port: number): string {
  return `[${name}]
type = ${type}
host = 127.0.0.1
port = ${port}
keys = ${name}.dat
i2cp.leaseSetType = 1
i2cp.leaseSetEncType = 0
${ZERO_HOPS}
`;
}

async function readKeys(dir: string): Promise<Keys> {
  return {
    site: publicPart(await Deno.readFile(`${dir}/site.dat`)),
    siteHttp: publicPart(await Deno.readFile(`${dir}/site-http.dat`)),
  };
}

async function expectToken(socksPort: number, host: string, token: string): Promise<void> {
  const { head, text } = await socksGet(socksPort, host, "/");
  if (!text.includes(token)) throw new Error(`Cannot find token "${token}" in reply of "${host}": "${head}${text}"`);
}

function expectHello(samPort: number): Promise<void> {
  return talk(samPort, async (conn) => {
    await send(conn, "HELLO VERSION MIN=3.0 MAX=3.3\n");
    const reply = await new Inbox(conn).takeUntil("\n");
    if (!reply.startsWith("HELLO REPLY RESULT=OK ")) throw new Error(`Cannot greet SAM: it answers "${reply}"`);
  });
}

async function connectBySocks(conn: Deno.Conn, inbox: Inbox, host: string): Promise<void> {
  await send(conn, "\x05\x01\x00");
  const method = (await inbox.take(2))[1];
  if (method !== 0) throw new Error(`Cannot use SOCKS proxy: it wants method ${method}`);
  await send(conn, `\x05\x01\x00\x03${String.fromCharCode(host.length)}${host}\x00\x50`);
  const [, code, , type] = await inbox.take(4);
  if (code !== 0) throw new Error(`Cannot reach "${host}": SOCKS reply code ${code}`);
  const addressLength = type === 1 ? 4 : type === 4 ? 16 : (await inbox.take(1))[0] ?? 0;
  await inbox.take(addressLength + 2);
}

/** Connects to a port of this machine, for no longer than {@linkcode PROBE_TIMEOUT}. */
async function talk<T>(port: number, conversation: (conn: Deno.Conn) => Promise<T>): Promise<T> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`Cannot talk to port ${port}: no end after ${PROBE_TIMEOUT} ms`)),
    PROBE_TIMEOUT,
  );
  try {
    return await Promise.race([conversation(conn), late.promise]);
  } finally {
    clearTimeout(timer);
    conn.close();
  }
}

/** Sends a text whose characters are bytes (ASCII and below). One segment: i2pd reads no less than a whole HELLO. */
async function send(conn: Deno.Conn, text: string): Promise<void> {
  await conn.write(new TextEncoder().encode(text));
}

/** Bytes as they come from a connection, to be taken in parts. */
class Inbox {
  #conn: Deno.Conn;
  #held: Uint8Array = new Uint8Array(0);

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  async take(length: number): Promise<Uint8Array> {
    while (this.#held.length < length) await this.#receive();
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }

  /** Takes text up to and with its end mark. */
  async takeUntil(mark: string): Promise<string> {
    for (;;) {
      // Latin-1: one character a byte, so that the position in the text is the one in the bytes.
      const at = new TextDecoder("latin1").decode(this.#held).indexOf(mark);
      if (at >= 0) return new TextDecoder().decode(await this.take(at + mark.length));
      await this.#receive();
    }
  }

  async #receive(): Promise<void> {
    const part = new Uint8Array(65536);
    const length = await this.#conn.read(part);
    if (length === null) throw new Error(`Cannot read on: the connection ended after ${this.#held.length} bytes`);
    const joined = new Uint8Array(this.#held.length + length);
    joined.set(this.#held);
    joined.set(part.subarray(0, length), this.#held.length);
    this.#held = joined;
  }
}

async function choosePorts(): Promise<Ports> {
  const udp = await udpPortsInUse();
  const chosen = new Set<number>();
  for (let attempt = 0; attempt < 100 && chosen.size < 3; attempt++) {
    const port = PORTS.from + randomBelow(PORTS.to - PORTS.from);
    if (isFree(port) && !udp.has(port - 1)) chosen.add(port);
  }
  const [sam, socks, ntcp2] = chosen;
  if (sam === undefined || socks === undefined || ntcp2 === undefined) {
    throw new Error(`Cannot find three free ports from ${PORTS.from} to ${PORTS.to}`);
  }
  return { sam, socks, ntcp2 };
}

function isFree(port: number): boolean {
  try {
    Deno.listen({ hostname: "127.0.0.1", port }).close();
    return true;
  } catch {
    return false;
  }
}

/** By another program, since Deno has no stable UDP sockets to try with, and reads `/proc` with all permissions only. */
async function udpPortsInUse(): Promise<Set<number>> {
  const { stdout } = await new Deno.Command("cat", { args: ["/proc/net/udp"], stdin: "null", stderr: "null" }).output();
  const localAddresses = new TextDecoder().decode(stdout).matchAll(/^ *\d+: [0-9A-F]{8}:([0-9A-F]{4}) /gm);
  return new Set([...localAddresses].map(([, port]) => parseInt(port ?? "", 16)));
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It has ended already.
  }
}

function randomBelow(limit: number): number {
  return Math.floor(Math.random() * limit);
}
