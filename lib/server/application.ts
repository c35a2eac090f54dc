import { errorText } from "../io/error_text.ts";
import { encodeHex } from "@std/encoding/hex";
import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";
import { forbiddenTarget, formatForward } from "../config/forward.ts";
import type { Hosts } from "../config/hosts.ts";
import { type ApplicationSettings, ConfigError } from "../config/settings.ts";
import type { LoginBook } from "../config/login_book.ts";
import { LeakWatch } from "../proxy/leak_watch.ts";
import { Proxy } from "../proxy/proxy.ts";
import type { AuditBook } from "../report/audit_book.ts";
import { Counters } from "../report/counters.ts";
import { type Log, withFields } from "../report/log.ts";
import type { ApplicationStatus } from "../status/snapshot.ts";
import { closeQuietly } from "../io/conn.ts";
import type { SamLogin } from "../sam/socket.ts";
import type { SamSession } from "../sam/session.ts";
import { BIND_COMMANDS } from "../proxy/bind.ts";
import { statusOf } from "./application_status.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import type { HeldIdentity, IdentityRegistry } from "./identity_registry.ts";
import { inputFileProblems, readHosts, readLoginBook, readSamLogin, readSecrets } from "../command/input_files.ts";
import { requireKeysDir } from "../command/keys_dir.ts";
import type { Own } from "./machine.ts";
import { requireAnyPort, requireNet } from "../command/permissions.ts";
import { adviseOn } from "../command/sam_error.ts";

/** How many ports behind the default one are tried when it is taken and the user named none. */
const SPARE_PORTS = 20;

/** What the applications of a process share. */
export interface Surroundings {
  /** The identities. */
  identities: IdentityRegistry;
  /** Folder of lasting identities where an application names none; undefined if there is none. */
  keysDir: string | undefined;
  /** What names this machine and its user. */
  own: Own["identifiers"];
  /** Takes the story. */
  log: Log;
  /** Whether the log is to name the application. */
  isOneOfSeveral: boolean;
  /** Takes note of destinations, where an audit is under way. */
  audit: AuditBook | undefined;
}

/** An application whose files have been read: what can be wrong with them has been found. */
export interface Prepared {
  /** How it is to be served. */
  settings: ApplicationSettings;
  /** Login for the SAM bridge. */
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
async function prepare(settings: ApplicationSettings, log: Log): Promise<Prepared> {
  const login = await readSamLogin(settings, log);
  const { book, text } = await readLoginBook(settings.authFile, log);
  const { hosts, text: hostsText } = await readHosts(settings.hostsFile);
  const secrets = await readSecrets(settings.leaks.secretsFile, log);
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
export async function prepareAll(
  applications: readonly ApplicationSettings[],
  log: Log,
): Promise<Map<string, Prepared>> {
  const prepared = new Map<string, Prepared>();
  for (const settings of applications) {
    const one = await prepare(settings, log).catch(async (error) => {
      const problems = await inputFileProblems(applications);
      throw problems.length > 1 ? new ConfigError(problems) : error;
    });
    // Two applications may be alike, on ports that the system picks.
    let key = one.key;
    for (let n = 2; prepared.has(key); n++) key = `${one.key} ${n}`;
    prepared.set(key, one);
  }
  return prepared;
}

/** An application that is being served. */
export class Application {
  /** How it is served. */
  readonly settings: ApplicationSettings;
  /** What was counted. */
  readonly counters: Counters;
  readonly #proxy: Proxy;
  readonly #held: HeldIdentity;
  readonly #listen: readonly string[];

  private constructor(
    settings: ApplicationSettings,
    counters: Counters,
    proxy: Proxy,
    held: HeldIdentity,
    listen: readonly string[],
  ) {
    this.settings = settings;
    this.counters = counters;
    this.#proxy = proxy;
    this.#held = held;
    this.#listen = listen;
  }

  /**
   * Begins to listen. Clients wait until {@linkcode Application.open} has a session.
   *
   * @throws {CliError} if a port, a permission or the identity is not to be had.
   */
  static async start(prepared: Prepared, surroundings: Surroundings): Promise<Application> {
    const { settings, login, logins, hosts, secrets } = prepared;
    const { identities, isOneOfSeveral } = surroundings;
    const counters = new Counters();
    const log = isOneOfSeveral ? withFields(surroundings.log, { application: settings.name }) : surroundings.log;
    requireNet(settings.sam, "--sam");
    for (const { target } of settings.forward?.rules ?? []) requireNet(target, "--forward");
    warnOfUnusedIdentity(settings, log);
    if (settings.forward !== undefined && settings.identity === undefined) {
      log.warn("The address of --forward changes with each start: --identity NAME keeps one");
    }
    const endpoint = { ...settings.sam, ...(login && { login }) };
    const udp = identities.udpOf(settings, endpoint);
    const listeners = openListeners(settings, log);
    let held: HeldIdentity | undefined;
    try {
      refuseOwnPorts(settings, listeners);
      requireAnyPort();
      if (settings.udp.enabled) requireNet({ ...settings.sam, port: settings.udp.port }, "--sam-udp");
      held = await identities.acquire(
        settings,
        () => requireKeysDir(settings.keysDir ?? surroundings.keysDir),
        endpoint,
        isOneOfSeveral,
      );
      const proxy = await Proxy.start({
        listeners,
        endpoint,
        identity: held.identity,
        isolation: new Set(settings.isolation),
        sessionOptions: settings.sessionOptions,
        maxIdentities: settings.limits.identities,
        identityIdle: settings.timeouts.identityIdle,
        logins,
        rules: settings.policy,
        hosts,
        leaks: new LeakWatch({
          mode: settings.leaks.mode,
          scrub: settings.leaks.scrub,
          identifiers: { ...surroundings.own, secrets },
          log,
          counters,
        }),
        timeouts: settings.timeouts,
        maxConnections: settings.limits.connections,
        maxPerClient: settings.limits.perClient,
        extendedErrors: settings.switches["extended-errors"],
        udp,
        mapNames: settings.mapNames,
        log,
        counters,
        audit: surroundings.audit,
        commands: settings.bind ? BIND_COMMANDS : undefined,
        forward: settings.forward,
        callers: settings.policy.callers,
      });
      const listen = listeners.map(({ addr }) => formatEndpoint(addr));
      return new Application(settings, counters, proxy, held, listen);
    } catch (error) {
      listeners.forEach(closeQuietly);
      await held?.release();
      throw adviseOn(error, settings.sam);
    }
  }

  /**
   * Waits for the first session.
   *
   * @throws {CliError} if it fails, with what to do about it.
   */
  async open(): Promise<SamSession> {
    try {
      return await this.#held.open();
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

  /** How it fares. */
  get status(): ApplicationStatus {
    return statusOf(this.settings, this.#listen, this.#proxy, this.counters);
  }

  /** Clients that are connected now, and callers that are served. */
  get connections(): number {
    return this.#proxy.connections + (this.#proxy.callers ?? 0);
  }

  /** Accepts no more clients, and lets a successor have the identity. When it resolves, the ports are free again. */
  async retire(): Promise<void> {
    this.#held.retire();
    await this.#proxy.stopListening();
  }

  /** Accepts no more clients, and waits until all have ended or the time, in milliseconds, is over. */
  async drain(milliseconds: number): Promise<void> {
    await this.#proxy.drain(milliseconds);
  }

  /** Ends everything at once. */
  async close(): Promise<void> {
    await this.#proxy.close();
    await this.#held.release();
  }
}

function warnOfUnusedIdentity({ identity, isolation, authFile }: ApplicationSettings, log: Log): void {
  if (identity !== undefined && authFile !== undefined && isolation.includes("auth")) {
    log.warn(
      `With --auth-file and --isolate auth every login has a throw-away identity: --identity ${identity} serves none`,
    );
  }
  const flag = isolation.find((f) => f === "destination" || f === "port" || f === "stream");
  if (identity !== undefined && flag !== undefined) {
    log.warn(`With --isolate ${flag} every client has a throw-away identity: --identity ${identity} serves none`);
  }
}

/** A port that the system or this program has picked may be one of the user's services, which is down. */
function refuseOwnPorts({ forward }: ApplicationSettings, listeners: readonly Deno.TcpListener[]): void {
  const own = listeners.map(({ addr }) =>
    [
      { hostname: addr.hostname === "::1" ? "::1" : "127.0.0.1", port: addr.port },
      "where SOCKS is served",
    ] as const
  );
  const problem = forbiddenTarget(forward?.rules ?? [], own);
  if (problem !== undefined) throw new CliError(ExitCode.usage, problem);
}

function openListeners(settings: ApplicationSettings, log: Log): Deno.TcpListener[] {
  const listeners: Deno.TcpListener[] = [];
  try {
    for (const endpoint of settings.listen) {
      requireNet(endpoint, "--listen");
      listeners.push(settings.listenGiven ? listen(endpoint) : listenNear(endpoint, log));
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
      `Another ${flag} HOST:PORT, or port 0 for any free one`,
    ]);
  }
}

/** The port itself, or the next free one. */
function listenNear(endpoint: Endpoint, log: Log): Deno.TcpListener {
  for (let port = endpoint.port; port < endpoint.port + SPARE_PORTS; port++) {
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
