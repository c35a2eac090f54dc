import { errorText } from "../io/error_text.ts";
import { encodeHex } from "@std/encoding/hex";
import {
  DEFAULT_STATUS,
  type Endpoint,
  formatEndpoint,
  formatListen,
  isUnix,
  newSocketOf,
  type UnixEndpoint,
  withPort,
} from "../config/endpoint.ts";
import { forbiddenTarget, formatForward } from "../config/forward.ts";
import type { Hosts } from "../config/hosts.ts";
import { type ApplicationSettings, ConfigError } from "../config/settings.ts";
import type { LoginBook } from "../config/login_book.ts";
import { LeakWatch } from "../proxy/leak_watch.ts";
import type { Capacity } from "../proxy/admission.ts";
import { Proxy } from "../proxy/proxy.ts";
import type { KeepLimit } from "../relay/keeper.ts";
import type { AuditBook } from "../report/audit_book.ts";
import { Counters } from "../report/counters.ts";
import { OutcomeBook } from "../report/outcome_book.ts";
import { type Log, withFields } from "../report/log.ts";
import type { ApplicationStatus } from "../status/snapshot.ts";
import { closeQuietly } from "../io/conn.ts";
import { type ClientListener, listenUnix, UnixSocketError } from "../io/unix_socket.ts";
import type { SamLogin } from "../sam/socket.ts";
import type { SamSession } from "../sam/session.ts";
import type { DescriptorBudget } from "./capacity.ts";
import { statusOf } from "./application_status.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import type { IdentityHandle, IdentityRegistry } from "./identity_registry.ts";
import { inputFileProblems, readHosts, readLoginBook, readSamLogin, readSecrets } from "../command/input_files.ts";
import { OPTION_TABLE } from "../config/options.ts";
import type { RunningApplication } from "../command/instances.ts";
import { requireKeysDir } from "../command/keys_dir.ts";
import type { Own } from "./machine.ts";
import { requireAnyPort, requireNet, requireSocket } from "../command/permissions.ts";
import { adviseOn } from "../command/sam_error.ts";

/** How many ports behind the default one are tried when it is taken and the user named none. */
const SPARE_PORTS = 20;

/** Services shared by all applications of the process. */
export interface SharedServices {
  identities: IdentityRegistry;
  /** Folder of lasting identities where an application names none; undefined if there is none. */
  keysDir: string | undefined;
  /** What the streams of all applications may keep. */
  keepLimit: KeepLimit;
  /** What names this machine and its user. */
  own: Own["identifiers"];
  log: Log;
  /** Whether destinations may be named, in the log and in what is said of outcomes. */
  destinations: boolean;
  /** What an application can have at once. */
  capacityOf: (settings: ApplicationSettings) => Capacity | undefined;
  /** Whether the log is to name the application. */
  isOneOfSeveral: boolean;
  /** Destinations, where an audit is under way. */
  audit: AuditBook | undefined;
}

/** An application whose files have been read: what can be wrong with them has been found. */
export interface LoadedApplication {
  settings: ApplicationSettings;
  login: SamLogin | undefined;
  /** Logins that may connect. */
  logins: LoginBook | undefined;
  /** Host names of the user's own. */
  hosts: Hosts;
  /** Words that the application must not send. */
  secrets: readonly string[];
  /** Equal for applications that are served alike, the contents of their files included. */
  key: string;
}

/**
 * Reads the files of an application.
 *
 * @throws {CliError} if one of them cannot be read or used.
 */
async function load(settings: ApplicationSettings, log: Log): Promise<LoadedApplication> {
  const login = await readSamLogin(settings, log);
  const { authFile, hostsFile, leaks: { secretsFile } } = settings;
  const { book, text } = await readLoginBook(authFile, log);
  const { hosts, text: hostsText } = await readHosts(hostsFile);
  const secrets = await readSecrets(secretsFile, log);
  const contents = JSON.stringify([login?.password, text, hostsText, secrets]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(contents));
  return { settings, login, logins: book, hosts, secrets, key: JSON.stringify([settings, encodeHex(digest)]) };
}

/**
 * Reads the files of all applications, and has them by their keys.
 *
 * @throws {CliError} if one cannot be used.
 * @throws {ConfigError} if several cannot.
 */
export async function loadAll(
  applications: readonly ApplicationSettings[],
  log: Log,
): Promise<Map<string, LoadedApplication>> {
  const loaded = new Map<string, LoadedApplication>();
  for (const settings of applications) {
    const one = await load(settings, log).catch(async (error) => {
      const problems = await inputFileProblems(applications);
      throw problems.length > 1 ? new ConfigError(problems) : error;
    });
    // Two applications may be alike, on ports that the system picks.
    let key = one.key;
    for (let n = 2; loaded.has(key); n++) key = `${one.key} ${n}`;
    loaded.set(key, one);
  }
  return loaded;
}

export class Application {
  readonly settings: ApplicationSettings;
  readonly counters: Counters;
  readonly #outcomes: OutcomeBook;
  readonly #proxy: Proxy;
  readonly #handle: IdentityHandle;
  readonly #listen: readonly string[];
  /** What the proxy looks at with each client. */
  readonly #capacity: Capacity | undefined;

  private constructor(
    settings: ApplicationSettings,
    counters: Counters,
    outcomes: OutcomeBook,
    proxy: Proxy,
    handle: IdentityHandle,
    listen: readonly string[],
    capacity: Capacity | undefined,
  ) {
    this.#capacity = capacity;
    this.settings = settings;
    this.counters = counters;
    this.#outcomes = outcomes;
    this.#proxy = proxy;
    this.#handle = handle;
    this.#listen = listen;
  }

  /**
   * Begins to listen. Clients wait until {@linkcode Application.open} has a session.
   *
   * @throws {CliError} if a port, a permission or the identity is not to be had.
   */
  static async start(loaded: LoadedApplication, services: SharedServices): Promise<Application> {
    const { settings, login, logins, hosts, secrets } = loaded;
    const { name, sam, identity, keysDir, forward, udp, leaks: { mode, scrub } } = settings;
    const { identities, isOneOfSeveral, own, audit } = services;
    const counters = new Counters();
    const outcomes = new OutcomeBook({ destinations: services.destinations });
    const log = isOneOfSeveral ? withFields(services.log, { application: name }) : services.log;
    requireNet(sam, "--sam");
    for (const { target } of forward?.rules ?? []) requireNet(target, "--forward");
    warnOfUnusedIdentity(settings, log);
    if (forward !== undefined && identity === undefined) {
      log.warn("The address of --forward changes with each start: --identity NAME keeps one");
    }
    const endpoint = { ...sam, ...(login && { login }) };
    const listeners = await openListeners(settings, log);
    let handle: IdentityHandle | undefined;
    try {
      refuseOwnPorts(settings, listeners);
      requireAnyPort();
      if (udp.enabled) requireNet({ hostname: sam.hostname, port: udp.port }, "--sam-udp");
      const folder = (): string => requireKeysDir(keysDir ?? services.keysDir);
      handle = await identities.acquire(settings, folder, endpoint, isOneOfSeveral);
      const capacity = services.capacityOf(settings);
      const proxy = await Proxy.start({
        settings,
        capacity,
        listeners,
        endpoint,
        identity: handle.identity,
        udp: identities.udpOf(settings, endpoint),
        logins,
        userName: own.userName,
        hosts,
        keepLimit: services.keepLimit,
        leaks: new LeakWatch({ mode, scrub, identifiers: { ...own, secrets }, log, counters, book: audit }),
        log,
        counters,
        outcomes,
        audit,
      });
      const listen = listeners.map(({ addr }) => formatListen(addr));
      return new Application(settings, counters, outcomes, proxy, handle, listen, capacity);
    } catch (error) {
      listeners.forEach(closeQuietly);
      await handle?.release();
      throw adviseOn(error, sam);
    }
  }

  /**
   * Waits for the first session.
   *
   * @throws {CliError} if it fails, with what to do about it.
   */
  async open(): Promise<SamSession> {
    try {
      return await this.#handle.open();
    } catch (error) {
      throw adviseOn(error, this.settings.sam);
    }
  }

  /** What the ready line says. */
  facts({ address, version }: SamSession): Record<string, string> {
    const { forward, sam } = this.settings;
    return {
      listen: this.#listen.join(","),
      b32: address,
      sam: version,
      router: formatEndpoint(sam),
      ...(forward && { forward: forward.rules.map(formatForward).join(",") }),
    };
  }

  /** What other commands need to find it. */
  get note(): RunningApplication {
    const { name, sam } = this.settings;
    const { state, address } = this.#handle.identity.status;
    return {
      name,
      listen: [...this.#listen],
      sam: formatEndpoint(sam),
      ready: state === "ready",
      b32: address ?? null,
    };
  }

  get status(): ApplicationStatus {
    return statusOf(this.settings, this.#listen, this.#proxy, this.counters, this.#outcomes);
  }

  /** Holds its clients to what there is for it now. Callers of `--forward` keep their limit. */
  fit(budget: Pick<DescriptorBudget, "capacityOf">): void {
    if (this.#capacity !== undefined) Object.assign(this.#capacity, budget.capacityOf(this.settings));
  }

  /** Clients that are connected now, and callers that are served. */
  get connections(): number {
    return this.#proxy.connections + (this.#proxy.callers ?? 0);
  }

  /** Accepts no more clients, and lets a successor have the identity. When it resolves, the ports are free again. */
  async retire(): Promise<void> {
    this.#handle.retire();
    await this.#proxy.stopListening();
  }

  /** Accepts no more clients, and waits until all have ended or the time, in milliseconds, is over. */
  async drain(milliseconds: number): Promise<void> {
    await this.#proxy.drain(milliseconds);
  }

  /** Ends everything at once. */
  async close(): Promise<void> {
    await this.#proxy.close();
    await this.#handle.release();
  }
}

function warnOfUnusedIdentity({ identity, isolation, authFile }: ApplicationSettings, log: Log): void {
  if (identity !== undefined && authFile !== undefined && isolation.includes("auth")) {
    log.warn(
      `With --auth-file and --isolate auth every login has a temporary identity: nothing uses --identity ${identity}`,
    );
  }
  const flag = isolation.find((f) => f === "destination" || f === "port" || f === "stream");
  if (identity !== undefined && flag !== undefined) {
    log.warn(`With --isolate ${flag} every client has a temporary identity: nothing uses --identity ${identity}`);
  }
}

/** A port that the system or this program has picked may be one of the user's services, which is down. */
function refuseOwnPorts({ forward }: ApplicationSettings, listeners: readonly ClientListener[]): void {
  const own = listeners.flatMap(({ addr }) => {
    if (addr.transport === "unix") return [];
    const hostname = addr.hostname === "::1" ? "::1" : "127.0.0.1";
    return [[{ hostname, port: addr.port }, "where SOCKS is served"] as const];
  });
  const problem = forbiddenTarget(forward?.rules ?? [], own);
  if (problem !== undefined) throw new CliError(ExitCode.usage, problem);
}

async function openListeners(
  { listen: endpoints, listenGiven, listenMode }: ApplicationSettings,
  log: Log,
): Promise<ClientListener[]> {
  const listeners: ClientListener[] = [];
  try {
    for (const endpoint of endpoints) {
      if (isUnix(endpoint)) {
        listeners.push(await listenAt(endpoint, listenMode));
        continue;
      }
      requireNet(endpoint, "--listen");
      listeners.push(listenGiven ? listen(endpoint) : listenNear(endpoint, log));
    }
    return listeners;
  } catch (error) {
    listeners.forEach(closeQuietly);
    throw error;
  }
}

/**
 * Listens, and on no other port than this.
 *
 * @param flag where the address was given.
 * @throws {CliError} if that cannot be.
 */
export function listen(endpoint: Endpoint, flag = "--listen"): Deno.TcpListener {
  try {
    return Deno.listen(endpoint);
  } catch (error) {
    const reason = error instanceof Deno.errors.AddrInUse ? "the port is taken" : errorText(error);
    throw new CliError(ExitCode.cannotListen, `Cannot listen on ${formatEndpoint(endpoint)}: ${reason}`, [
      `Another ${flag} HOST:PORT (${flag.slice(2)} in a file), or port 0 for any free one`,
      ...(error instanceof Deno.errors.AddrInUse ? [whoHas(endpoint.port)] : []),
    ]);
  }
}

/** Where to look for what has a port. */
function whoHas(port: number): string {
  return withPort(OPTION_TABLE.listen.fallback).some((endpoint) => endpoint.port === port)
    ? "i2pd's own SOCKS proxy has this port by default"
    : "i2p-socks status lists those of yours that run";
}

/** Listens on a socket in the file system. @throws {CliError} if that cannot be. */
async function listenAt(endpoint: UnixEndpoint, mode: number): Promise<ClientListener> {
  requireSocket(endpoint, "--listen");
  try {
    return await listenUnix({ path: endpoint.path, newPath: newSocketOf(endpoint), mode });
  } catch (error) {
    const reason = error instanceof UnixSocketError ? error.message : errorText(error);
    throw new CliError(ExitCode.cannotListen, `Cannot listen on ${formatListen(endpoint)}: ${reason}`, [
      "Another --listen unix:PATH, in a folder that is there and yours; RuntimeDirectory=i2p-socks in a unit of systemd " +
      "makes /run/i2p-socks",
    ]);
  }
}

/** The port itself, or the next free one: not where `status` asks, which would find SOCKS there. */
function listenNear(endpoint: Endpoint, log: Log): Deno.TcpListener {
  for (let port = endpoint.port; port < endpoint.port + SPARE_PORTS; port++) {
    if (port === DEFAULT_STATUS.port) continue;
    try {
      requireNet({ ...endpoint, port }, "--listen");
      const listener = Deno.listen({ ...endpoint, port });
      if (port !== endpoint.port) log.warn(`Port ${endpoint.port} is taken, serving on ${port} instead`);
      return listener;
    } catch (error) {
      if (error instanceof CliError) throw error;
      if (!(error instanceof Deno.errors.AddrInUse)) break;
    }
  }
  return listen(endpoint);
}
