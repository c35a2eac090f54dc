import config from "../../deno.json" with { type: "json" };
import { formatDuration } from "../config/duration.ts";
import { formatEndpoint } from "../config/endpoint.ts";
import type { ApplicationSettings, GivenValues } from "../config/settings.ts";
import type { AuditBook } from "../report/audit_book.ts";
import { Counters } from "../report/counters.ts";
import { createLog, type Log } from "../report/log.ts";
import type { Snapshot } from "../report/status.ts";
import { refuseOperands } from "./arguments.ts";
import { Application, listen, prepare, type Prepared, type Surroundings } from "./application.ts";
import { type Configuration, readConfiguration } from "./configuration.ts";
import { ExitCode } from "./exit_code.ts";
import { problemsOf } from "./problem.ts";
import { ANSWERS } from "../proxy/answers.ts";
import { IdentityRegistry } from "./identity_registry.ts";
import { defaultKeysDir } from "./keys_dir.ts";
import { ownIdentifiers } from "./own_identifiers.ts";
import { keepOnly, requireNet } from "./permissions.ts";
import { StatusServer } from "./status_server.ts";
import { StopSignal } from "./stop_signal.ts";
import type { Terminal } from "./terminal.ts";

/** Milliseconds for connections to end by themselves after a signal; a second signal cuts it short. */
export const DRAIN_TIMEOUT = 10_000;

/** What an audit wants of a server. */
export interface Audit {
  /** Takes note of destinations. */
  book: AuditBook;
  /** Told when all applications are ready. */
  ready: () => void;
  /** Takes the ready line. */
  announce: (line: string) => void;
}

/** Serves SOCKS until a signal ends it. */
export async function serve(operands: readonly string[], given: GivenValues, terminal: Terminal): Promise<ExitCode> {
  refuseOperands("serve", operands);
  if (given.has("check-config")) {
    const configuration = await readConfiguration(given);
    await new Server(configuration, given, terminal).prepareAll(configuration.applications);
    terminal.talk(`Valid configuration: ${configuration.applications.length} application(s)`);
    return ExitCode.ok;
  }
  using stop = new StopSignal();
  await runServer(given, terminal, stop);
  return stop.exitCode;
}

/** Serves SOCKS until it is to stop, and returns what was counted. */
export async function runServer(
  given: GivenValues,
  terminal: Terminal,
  stop: StopSignal,
  audit?: Audit,
): Promise<Counters> {
  const server = new Server(await readConfiguration(given), given, terminal, audit);
  try {
    const running = server.run(stop);
    // When a signal comes first, closing the server fails what it waits for: nobody waits for that any more.
    running.catch(() => {});
    await Promise.race([running, stop.promise]);
    await Promise.race([server.drain(), stop.secondSignal]);
  } finally {
    await Promise.race([server.close(), stop.secondSignal]);
  }
  return server.summarize();
}

/** The applications of a process, from their start to their end. */
class Server {
  readonly #configuration: Configuration;
  readonly #given: GivenValues;
  readonly #terminal: Terminal;
  readonly #audit: Audit | undefined;
  readonly #log: Log;
  readonly #surroundings: Surroundings;
  readonly #running = new Map<string, Application>();
  /** Applications that are not in the file any more, and end when their clients have. */
  readonly #retired = new Map<Application, Promise<void>>();
  readonly #stopping = new AbortController();
  /** Starting and reloading, one after the other. */
  #changes: Promise<void> = Promise.resolve();
  #reloadIsDue = false;
  #statusServer: StatusServer | undefined;
  readonly #startedAt = new Date();
  readonly #since = performance.now();
  /** What each application has counted; those that have ended are in {@linkcode #past}. */
  readonly #books = new Set<Counters>();
  #past = new Counters();
  /** Applications without a session so far. */
  #waiting = 0;

  constructor(configuration: Configuration, given: GivenValues, terminal: Terminal, audit?: Audit) {
    const { logLevel: level, logFormat: format, logDestinations: destinations } = configuration.log;
    this.#configuration = configuration;
    this.#given = given;
    this.#terminal = terminal;
    this.#audit = audit;
    this.#log = createLog({ level, format, destinations, write: (line) => terminal.talk(line) });
    const { identifiers, missing } = ownIdentifiers();
    if (missing.length > 0 && configuration.applications.some(({ leaks }) => leaks !== "off")) {
      this.#log.warn(
        `The leak guard cannot know all that names this machine: missing permission ${missing.join(", ")}`,
      );
    }
    this.#surroundings = {
      own: identifiers,
      identities: new IdentityRegistry(this.#log, this.#stopping.signal),
      // Asked for while the environment may still be read.
      keysDir: this.#mayNeedKeys() ? defaultKeysDir() : undefined,
      log: this.#log,
      isOneOfSeveral: configuration.file !== undefined,
      audit: audit?.book,
    };
  }

  /** Reads the files of all applications. @throws {CliError} if one cannot be used. */
  async prepareAll(applications: readonly ApplicationSettings[]): Promise<Map<string, Prepared>> {
    const prepared = new Map<string, Prepared>();
    for (const settings of applications) {
      const one = await prepare(settings, this.#log);
      // Two applications may be alike, on ports that the system picks.
      let key = one.key;
      for (let n = 2; prepared.has(key); n++) key = `${one.key} ${n}`;
      prepared.set(key, one);
    }
    return prepared;
  }

  /** Starts everything, and goes on until the signal. */
  async run(stop: StopSignal): Promise<void> {
    const { applications, file } = this.#configuration;
    if (file !== undefined) stop.onHangup(() => this.#requestReload());
    const started = this.#startAll(applications);
    this.#changes = started.catch(() => {});
    await started;
    this.#stopping.signal.throwIfAborted();
    const sams = new Set(applications.map(({ sam }) => formatEndpoint(sam)));
    this.#log.info("Asking the router for tunnels", { pid: Deno.pid, sam: [...sams].join(",") });
    // An application that a reload has ended meanwhile is missed by nobody.
    const opening = [...this.#running].map(([key, application]) =>
      this.#announce(application).catch((error) => {
        if (this.#running.get(key) === application) throw error;
      })
    );
    await this.#whileWaiting(Promise.all(opening));
    this.#audit?.ready();
    await stop.promise;
  }

  /** Lets clients end, in all applications, for a while. */
  async drain(): Promise<void> {
    this.#stopping.abort();
    const applications = [...this.#running.values(), ...this.#retired.keys()];
    const connections = applications.reduce((sum, a) => sum + a.connections, 0);
    if (connections > 0) {
      this.#log.info(
        `Waiting up to ${formatDuration(DRAIN_TIMEOUT)} for ${connections} connections; signal again to end now`,
      );
    }
    await Promise.all(applications.map((application) => application.drain(DRAIN_TIMEOUT)));
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#closeAll();
    // What a start or a reload under way has added meanwhile.
    await this.#changes;
    await this.#closeAll();
    await this.#statusServer?.close();
  }

  /** Says what was done. */
  summarize(): Counters {
    const counters = Counters.sum([this.#past, ...this.#books]);
    this.#log.info("Ended", counters.all());
    return counters;
  }

  async #startAll(applications: readonly ApplicationSettings[]): Promise<void> {
    const prepared = await this.prepareAll(applications);
    this.#serveStatus();
    for (const [key, one] of prepared) {
      this.#stopping.signal.throwIfAborted();
      await this.#start(key, one);
    }
    this.#giveBack();
  }

  async #start(key: string, prepared: Prepared): Promise<Application> {
    const application = await Application.start(prepared, this.#surroundings);
    this.#running.set(key, application);
    this.#books.add(application.counters);
    return application;
  }

  /** Listens while that is still permitted: an open listener goes on when permissions are given back. */
  #serveStatus(): void {
    const { status } = this.#configuration;
    if (status === undefined) return;
    requireNet(status, "--status");
    const listener = listen(status, "--status");
    this.#statusServer = new StatusServer(listener, () => this.#snapshot());
    this.#log.info(`Serving the status at http://${formatEndpoint(listener.addr)}/`);
  }

  /** How everything fares now; applications that a reload has ended are no part of it. */
  #snapshot(): Snapshot {
    const isEnding = this.#stopping.signal.aborted;
    const applications = [...this.#running.values()].map(({ status }) =>
      isEnding ? { ...status, ready: false, reason: ANSWERS.stopping.story } : status
    );
    return {
      version: config.version,
      startedAt: this.#startedAt.toISOString(),
      uptimeSeconds: Math.round(performance.now() - this.#since) / 1000,
      applications,
    };
  }

  async #closeAll(): Promise<void> {
    const applications = [...this.#running.values()];
    this.#running.clear();
    await Promise.all([...applications.map((application) => application.close()), ...this.#retired.values()]);
  }

  #mayNeedKeys(): boolean {
    const { applications, file } = this.#configuration;
    return file !== undefined || applications.some((a) => a.identity !== undefined && a.keysDir === undefined);
  }

  #giveBack(): void {
    const { applications, file } = this.#configuration;
    const [first] = applications;
    if (first === undefined) return;
    const used = [...applications.map(({ keysDir }) => keysDir), this.#surroundings.keysDir];
    const folders = used.filter((folder) => folder !== undefined);
    const services = applications.flatMap(({ forward }) => forward?.rules.map(({ target }) => target) ?? []);
    const reloading = file !== undefined && { reloading: { folders } };
    const left = keepOnly({ sam: first.sam, services, udp: first.udp, ...reloading });
    if (left.length > 0) {
      this.#log.warn(`Started with more permissions than the program's own, and cannot give back: ${left.join(", ")}`);
    }
  }

  /** Prints the ready line of an application when it has its session. */
  async #announce(application: Application): Promise<void> {
    this.#waiting++;
    const session = await application.open().finally(() => this.#waiting--);
    if (this.#waiting === 0) this.#terminal.status("");
    // A reload may have ended it, and left its session to a successor.
    if (![...this.#running.values()].includes(application)) return;
    const facts = application.facts(session);
    const { file, log } = this.#configuration;
    const all = file === undefined ? facts : { ...facts, name: application.settings.name };
    const line = log.logFormat === "json"
      ? JSON.stringify({ event: "ready", ...all })
      : `ready ${Object.entries(all).map(([key, value]) => `${key}=${value}`).join(" ")}`;
    if (this.#audit === undefined) this.#terminal.data(line);
    else this.#audit.announce(line);
  }

  /** Shows that time passes while the router builds tunnels. */
  async #whileWaiting(opening: Promise<unknown>): Promise<void> {
    const since = performance.now();
    const waited = (): string => formatDuration(performance.now() - since);
    const ticker = setInterval(() => {
      if (this.#waiting > 0) this.#terminal.status(`Waiting for tunnels: ${waited()} (it can take minutes)`);
    }, 1000);
    const reminder = setInterval(() => this.#log.info(`Still waiting for tunnels: ${waited()}`), 60_000);
    try {
      await opening;
      // A signal ends the waiting as well.
      if (!this.#stopping.signal.aborted) this.#log.info(`Tunnels ready after ${waited()}`);
    } finally {
      clearInterval(ticker);
      clearInterval(reminder);
      this.#terminal.status("");
    }
  }

  /** Reloads once what is under way is done, however often it is asked for meanwhile. */
  #requestReload(): void {
    if (this.#reloadIsDue) return;
    this.#reloadIsDue = true;
    this.#changes = this.#changes.then(() => {
      this.#reloadIsDue = false;
      return this.#reload();
    });
  }

  /**
   * Reads the file again. Applications that stand in it unchanged, the contents of their files included, go on
   * undisturbed; the others take no new clients, end when theirs have or after {@linkcode DRAIN_TIMEOUT}, and their
   * successors start. A configuration that cannot be read or used changes nothing; a port that is taken is found out when
   * its application starts.
   */
  async #reload(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    try {
      const { applications, log, status } = await readConfiguration(this.#given);
      const wanted = await this.prepareAll(applications);
      if (JSON.stringify(log) !== JSON.stringify(this.#configuration.log)) {
        this.#log.warn("The settings of the log change with the next start only");
      }
      if (JSON.stringify(status) !== JSON.stringify(this.#configuration.status)) {
        this.#log.warn("The address of the status changes with the next start only");
      }
      const old = [...this.#running].filter(([key]) => !wanted.has(key));
      await Promise.all(old.map(([key, application]) => this.#retire(key, application)));
      const added = [...wanted].filter(([key]) => !this.#running.has(key));
      const unchanged = this.#running.size;
      const started = await Promise.all(added.map(([key, prepared]) => this.#add(key, prepared)));
      const failed = started.filter((isStarted) => !isStarted).length;
      this.#log.info("Configuration read again", {
        unchanged,
        ended: old.length,
        started: added.length - failed,
        failed,
      });
    } catch (error) {
      this.#complain("Cannot use the new configuration, the old one stays", error);
    }
  }

  /** Starts an application of a reload, and says whether it could. Where it could not, the next reload tries again. */
  async #add(key: string, prepared: Prepared): Promise<boolean> {
    const what = `Cannot serve "${prepared.settings.name}"`;
    try {
      const application = await this.#start(key, prepared);
      this.#announce(application).catch(async (error) => {
        if (this.#running.get(key) !== application) return;
        this.#complain(what, error);
        await this.#retire(key, application);
      });
      return true;
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#complain(what, error);
      return false;
    }
  }

  /** Ends an application when its clients have ended; resolves as soon as its ports are free. */
  async #retire(key: string, application: Application): Promise<void> {
    this.#running.delete(key);
    const ending = application.drain(DRAIN_TIMEOUT).then(() => application.close())
      .catch((error) => this.#complain(`Cannot end "${application.settings.name}"`, error))
      .finally(() => {
        this.#retired.delete(application);
        this.#books.delete(application.counters);
        this.#past = Counters.sum([this.#past, application.counters]);
      });
    this.#retired.set(application, ending);
    await application.retire();
  }

  #complain(what: string, error: unknown): void {
    const { messages, hints } = problemsOf(error);
    for (const message of messages) this.#log.error(`${what}: ${message}`, { hint: hints.join("; ") || undefined });
  }
}
