import { OUTCOMES } from "../../lib/reasons/reasons.ts";
import type { Hosts } from "../../lib/config/hosts.ts";
import type { LoginBook } from "../../lib/config/login_book.ts";
import { type ApplicationSettings, readSettings } from "../../lib/config/settings.ts";
import type { PrivateKey } from "../../lib/i2p/private_key.ts";
import { Identity } from "../../lib/identity/identity.ts";
import { LeakWatch, type LeakWatchOptions } from "../../lib/proxy/leak_watch.ts";
import { PrimarySupport, type UdpOptions } from "../../lib/identity/primary_support.ts";
import { Proxy } from "../../lib/proxy/proxy.ts";
import { Counters } from "../../lib/report/counters.ts";
import { OutcomeBook } from "../../lib/report/outcome_book.ts";
import { createLog } from "../../lib/report/log.ts";
import { KeepLimit } from "../../lib/relay/keeper.ts";
import {
  type DropOptions,
  publishService,
  type SamBridge,
  type SamBridgeOptions,
  startSamBridge,
} from "../sam_bridge/bridge.ts";
import { socksConnect } from "../clients/socks_client.ts";

/** A proxy in this process, in front of a bridge double, with one service in its network. */
export interface Harness extends AsyncDisposable {
  /** The bridge double. */
  readonly bridge: SamBridge;
  /** The proxy. */
  readonly proxy: Proxy;
  /** The proxy's base identity. */
  readonly identity: Identity;
  /** The proxy's port on 127.0.0.1. */
  readonly port: number;
  /** Ports whose clients the proxy takes for clients of another address: {@linkcode HarnessOptions.addresses}. */
  readonly ports: Readonly<Record<string, number>>;
  /** Address of the service: `service.i2p`. */
  readonly name: string;
  /** Address of the service by hash. */
  readonly b32: string;
  /** Log lines so far, all levels, destinations included. */
  readonly log: readonly string[];
  /** The proxy's counters. */
  readonly counters: Counters;
  /** What did not come out well. */
  readonly outcomes: OutcomeBook;
  /** Connections to the bridge that the proxy holds besides the control sockets of its sessions, and those that wait. */
  streams(): number;
  /** The values of a key in the commands of some words that the proxy's sessions and streams have sent. */
  sent(words: "SESSION CREATE" | "STREAM CONNECT", key: string): string[];
  /** The reply code of a client that asks for the service now, and leaves. */
  ask(version?: 4 | 5): Promise<number>;
  /** Ends the proxy's sessions at the bridge, and leaves the service alone. */
  dropSessions(options?: Pick<DropOptions, "keepStreams">): void;
}

/** Some settings of an application; of a group, what is given of it. */
export type SomeSettings =
  & Partial<Omit<ApplicationSettings, "timeouts" | "limits" | "policy">>
  & { [Group in "timeouts" | "limits" | "policy"]?: Partial<ApplicationSettings[Group]> };

/** What a harness may be told. */
export interface HarnessOptions {
  /** The bridge. */
  bridge?: SamBridgeOptions;
  /** Settings of the proxy that are other than the harness's own. */
  settings?: SomeSettings;
  /** Logins that may connect. @default {everybody may} */
  logins?: LoginBook;
  /** The name of the user that runs the proxy. @default {"daniel"} */
  userName?: string;
  /** Host names of the user's own. @default {none} */
  hosts?: Hosts;
  /** The leak guard. */
  leaks?: Partial<Omit<LeakWatchOptions, "log" | "counters">>;
  /** What the service does with each connection; it is closed afterwards. @default echoes until the caller ends */
  service?: (conn: Deno.TcpConn) => Promise<void>;
  /** Whether the service gets its caller's destination as a line in front. @default {false} */
  header?: boolean;
  /** Addresses that clients seem to come from, such as 127.0.0.2; each gets a listener of its own. @default {[]} */
  addresses?: readonly string[];
  /** Whether to wait for the proxy's session. @default {true} */
  ready?: boolean;
  /** Whether bridge and proxy have UDP; what of it is to be other than the bridge's. @default {false} */
  udp?: boolean | Partial<UdpOptions>;
  /** Log lines that are kept, the last ones. @default {Infinity} */
  logLines?: number;
  /** The key of a lasting base identity. @default {none: a destination to throw away} */
  key?: PrivateKey;
  /** Milliseconds for the router to build the tunnels of a session of the base identity. @default {ten minutes} */
  sessionTimeout?: number;
}

/** What the IDs of the proxy's sessions begin with. */
const SESSION_PREFIX = "i2p-socks-";

/** Name of the service in the bridge's address book. */
const NAME = "service.i2p";

/** Sockets that the service itself holds at the bridge: control and FORWARD. */
const SERVICE_SOCKETS = 2;

/** Starts everything. */
export async function startHarness(options: HarnessOptions = {}): Promise<Harness> {
  await using started = new AsyncDisposableStack();
  const backend = started.use(new Service(options.service ?? echo));
  const bridge = started.use(await startSamBridge({ udp: Boolean(options.udp), ...options.bridge }));
  const service = started.use(await publishService(bridge.port, backend.port, { header: options.header ?? false }));
  bridge.setName(NAME, service.destination);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const others = (options.addresses ?? []).map((address) => [address, listenAs(address)] as const);
  const log: string[] = [];
  const counters = new Counters();
  const outcomes = new OutcomeBook({ destinations: true });
  const endpoint = { hostname: "127.0.0.1", port: bridge.port };
  const logger = createLog({
    level: "debug",
    format: "text",
    destinations: true,
    write: (line) => {
      if (log.push(line) > (options.logLines ?? Infinity)) log.shift();
    },
  });
  const { key, sessionTimeout } = options;
  const udp = options.udp && {
    port: bridge.udpPort,
    style: "DATAGRAM" as const,
    primary: new PrimarySupport(logger),
    ...(options.udp !== true && options.udp),
  };
  const identity = new Identity({
    endpoint,
    sessionOptions: {},
    log: logger,
    ...(key && { key }),
    ...(udp && { udp }),
    ...(sessionTimeout !== undefined && { sessionTimeout }),
  });
  started.defer(() => identity.close());
  const proxy = started.use(
    await Proxy.start({
      settings: settingsOf(options.settings ?? {}),
      listeners: [listener, ...others.map(([, other]) => other)],
      endpoint,
      identity,
      udp: udp || undefined,
      logins: options.logins,
      userName: options.userName ?? "daniel",
      hosts: options.hosts ?? new Map(),
      keepLimit: new KeepLimit(),
      leaks: new LeakWatch({
        mode: "warn",
        scrub: [],
        identifiers: { addresses: [], secrets: [] },
        ...options.leaks,
        log: logger,
        counters,
      }),
      log: logger,
      counters,
      outcomes,
      audit: undefined,
    }),
  );
  if (options.ready ?? true) await identity.open();
  const everything = started.move();
  return {
    bridge,
    proxy,
    identity,
    port: listener.addr.port,
    ports: Object.fromEntries(others.map(([address, { addr }]) => [address, addr.port])),
    name: NAME,
    b32: service.b32,
    log,
    counters,
    outcomes,
    streams: () => {
      const sessions = bridge.sessions.filter(({ id }) => id.startsWith(SESSION_PREFIX));
      return bridge.openSockets - bridge.idleSockets - SERVICE_SOCKETS - sessions.length;
    },
    sent: (words, key) =>
      bridge.lines.filter((line) => line.startsWith(words) && line.includes(` ID=${SESSION_PREFIX}`))
        .flatMap((line) => new RegExp(` ${key}=(\\S+)`).exec(line)?.[1] ?? []),
    ask: async (version = 5) => {
      const { reply, conn } = await socksConnect(listener.addr.port, NAME, 80, { version, timeout: 30_000 });
      conn.close();
      return reply.code;
    },
    dropSessions: (drop) => bridge.dropSessions({ ...drop, prefix: SESSION_PREFIX }),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

/** The harness's own settings, with others on top. */
function settingsOf({ timeouts, limits, policy, ...others }: SomeSettings): ApplicationSettings {
  const defaults = readSettings(new Map());
  return {
    ...defaults,
    isolation: [],
    sessionOptions: {},
    ...others,
    timeouts: { handshake: 5_000, connect: 5_000, idle: 0, identityIdle: 0, wait: 0, ...timeouts },
    limits: { connections: 100, perClient: 100, identities: 8, spareIdentities: 0, ...limits },
    policy: { ...defaults.policy, ...policy },
  };
}

/** A listener on 127.0.0.1 whose clients are said to come from another address: `Deno.connect` cannot choose one. */
function listenAs(hostname: string): Deno.TcpListener {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accept = listener.accept.bind(listener);
  listener.accept = async () => {
    const conn = await accept();
    return Object.defineProperty(conn, "remoteAddr", { value: { ...conn.remoteAddr, hostname } });
  };
  return listener;
}

/** Sends everything back. */
export async function echo(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    for (let sent = 0; sent < count;) sent += await conn.write(buffer.subarray(sent, count));
  }
}

/** A TCP server on loopback that runs a handler for each connection. */
class Service implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #running = new Set<Promise<void>>();
  readonly #conns = new Set<Deno.TcpConn>();
  readonly #accepting: Promise<void>;

  constructor(handle: (conn: Deno.TcpConn) => Promise<void>) {
    this.#accepting = this.#accept(handle);
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) close(conn);
    await this.#accepting;
    await Promise.all(this.#running);
  }

  async #accept(handle: (conn: Deno.TcpConn) => Promise<void>): Promise<void> {
    for await (const conn of this.#listener) {
      conn.setNoDelay(true);
      this.#conns.add(conn);
      // A connection that is cut in the middle is no failure of the service.
      const running = handle(conn).catch(() => {}).finally(() => {
        close(conn);
        this.#conns.delete(conn);
        this.#running.delete(running);
      });
      this.#running.add(running);
    }
  }
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}

/** What begins the message about a client that got no stream. */
export const NO_STREAM: RegExp = new RegExp(` (${Object.values(OUTCOMES).join("|")}): `);

/** The last line of a log about a client that got no stream; empty if there is none. */
export function lastOutcome(log: readonly string[]): string {
  return log.findLast((line) => NO_STREAM.test(line)) ?? "";
}
