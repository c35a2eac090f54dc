import config from "../../deno.json" with { type: "json" };
import { formatDuration } from "../config/duration.ts";
import { type Endpoint, formatEndpoint, isUnix } from "../config/endpoint.ts";
import type { RawOptions } from "../config/raw_options.ts";
import type { ApplicationSettings } from "../config/settings.ts";
import { sleep } from "../io/deadline.ts";
import { REASONS } from "../reasons/reasons.ts";
import type { AuditBook } from "../report/audit_book.ts";
import { Counters } from "../report/counters.ts";
import { KeepLimit } from "../relay/keeper.ts";
import type { Log } from "../report/log.ts";
import { Repeats } from "../report/repeats.ts";
import type { IdentityFacts, Snapshot } from "../status/snapshot.ts";
import { DescriptorBudget } from "./capacity.ts";
import { listen, loadAll, type SharedServices } from "./application.ts";
import { type Configuration, readConfiguration } from "./configuration.ts";
import { IdentityRegistry } from "./identity_registry.ts";
import { STDIN } from "../command/config_file.ts";
import { defaultKeysDir } from "../command/keys_dir.ts";
import { ownIdentifiers } from "./machine.ts";
import { InstanceNote } from "../command/instances.ts";
import { giveBack, keepOnly, requireNet } from "../command/permissions.ts";
import { ROUTER_PORTS } from "../command/router_ports.ts";
import { ReadyLines } from "./ready_lines.ts";
import { Reloader } from "./reload.ts";
import { DRAIN_TIMEOUT, RunningApplications } from "./applications.ts";
import { StatusServer } from "../status/server.ts";
import type { StopSignal } from "../command/stop_signal.ts";
import { openLog, type Terminal } from "../command/terminal.ts";

/** Milliseconds between two looks at whether the note for other commands is still true. */
const NOTE_INTERVAL = 2_000;

/**
 * Milliseconds for what is left after the drain to close. What hangs in the system does not keep the program from ending,
 * such as a file that a reload reads from a pipe, or a network.
 */
const CLOSE_TIMEOUT = 700;

/** What `audit` adds to a server. */
interface Audit {
  /** Counts destinations. */
  book: AuditBook;
  /** Called when all applications are ready. */
  ready: () => void;
  /** Receives the ready line. */
  announce: (line: string) => void;
}

/** Serves SOCKS until it is to stop. @returns what was counted. */
export async function runServer(
  given: RawOptions,
  terminal: Terminal,
  stop: StopSignal,
  audit?: Audit,
): Promise<Counters> {
  const reading = readConfiguration(given);
  // When a signal comes first, nobody waits for what it comes to.
  reading.catch(() => {});
  const configuration = await Promise.race([reading, stop.promise]);
  if (configuration === undefined) return new Counters();
  const server = new Server(configuration, given, terminal, audit);
  try {
    const running = server.run(stop);
    // When a signal comes first, closing the server fails what it waits for: nobody waits for that any more.
    running.catch(() => {});
    await Promise.race([running, stop.promise]);
    await Promise.race([server.drain(), stop.secondSignal]);
  } finally {
    const patience = new AbortController();
    await Promise.race([server.close(), stop.secondSignal, sleep(CLOSE_TIMEOUT, patience.signal)]);
    patience.abort();
  }
  return server.summarize();
}

/** A process that serves, from its start to its end. */
export class Server {
  readonly #configuration: Configuration;
  readonly #audit: Audit | undefined;
  readonly #log: Log;
  readonly #repeats = new Repeats();
  /** Known from the start on. */
  #budget: DescriptorBudget | undefined;
  readonly #services: SharedServices;
  readonly #running: RunningApplications;
  readonly #readyLines: ReadyLines;
  readonly #reloader: Reloader;
  readonly #startedAt = new Date();
  readonly #since = performance.now();
  readonly #stopping = new AbortController();
  #statusServer: StatusServer | undefined;
  #statusAddress: string | undefined;
  #progress: Disposable | undefined;
  #note: InstanceNote | undefined;
  #noteTicker: ReturnType<typeof setInterval> | undefined;
  /** Gives back what is only needed until there is a session. */
  #giveBackRest: () => void = () => {};

  constructor(configuration: Configuration, given: RawOptions, terminal: Terminal, audit?: Audit) {
    const { signal: stopping } = this.#stopping;
    const log = openLog(terminal, configuration.log, this.#repeats);
    terminal.hasJsonErrors ||= configuration.log.logFormat === "json";
    this.#configuration = configuration;
    this.#audit = audit;
    this.#log = log;
    const { identifiers, missing } = ownIdentifiers();
    if (missing.length > 0 && configuration.applications.some(({ leaks }) => leaks.mode !== "off")) {
      log.warn(
        `The leak guard cannot know all that names this machine: missing permission ${missing.join(", ")}`,
      );
    }
    this.#services = {
      own: identifiers,
      identities: new IdentityRegistry(log, stopping),
      // Asked for while the environment may still be read.
      keysDir: this.#mayNeedKeys() ? defaultKeysDir() : undefined,
      keepLimit: new KeepLimit(),
      log,
      destinations: configuration.log.logDestinations,
      capacityOf: (settings) => this.#budget?.capacityOf(settings),
      isOneOfSeveral: configuration.file !== undefined,
      audit: audit?.book,
    };
    const running = new RunningApplications(this.#services);
    const readyLines = new ReadyLines({
      configuration,
      terminal,
      announce: audit?.announce,
      log,
      isServed: (application) => [...running.served.values()].includes(application),
      beforeAnnouncing: () => {
        this.#giveBackRest();
        return this.#updateNote();
      },
      stopping,
    });
    this.#running = running;
    this.#readyLines = readyLines;
    this.#reloader = new Reloader({
      configuration,
      given,
      keysDir: this.#services.keysDir,
      running,
      fit: (wanted) => this.#fit(wanted),
      announce: (application) => readyLines.announce(application),
      log,
      stopping,
    });
  }

  /** Reads the files of all applications, and starts nothing. @throws {CliError} if one cannot be used. */
  async check(): Promise<void> {
    await loadAll(this.#configuration.applications, this.#log);
  }

  /** Starts everything, and goes on until the signal. */
  async run(stop: StopSignal): Promise<void> {
    const { applications, file } = this.#configuration;
    if (file !== undefined) this.#log.info(`Configuration read from ${file === STDIN ? "standard input" : file}`);
    if (file === STDIN) stop.onHangup(() => this.#log.warn("The configuration came from standard input: it stays"));
    else if (file !== undefined) stop.onHangup(() => this.#reloader.request());
    const started = this.#startAll(applications);
    const identities = (): IdentityFacts[] => this.#snapshot().applications.flatMap((a) => a.identities);
    this.#progress = this.#readyLines.showProgress(identities);
    this.#reloader.waitFor(started);
    await started;
    this.#stopping.signal.throwIfAborted();
    const sams = new Set(applications.map(({ sam }) => formatEndpoint(sam)));
    this.#log.info("Asking the router for tunnels", { pid: Deno.pid, sam: [...sams].join(",") });
    // An application that a reload has ended in between is not missed.
    const opening = [...this.#running.served].map(([key, application]) =>
      this.#readyLines.announce(application).catch((error) => {
        if (this.#running.served.get(key) === application) throw error;
      })
    );
    await this.#readyLines.whileWaiting(Promise.all(opening), identities);
    this.#audit?.ready();
    this.#suggest();
    await stop.promise;
  }

  /** Says what to do next with the first application. */
  #suggest(): void {
    const [application] = this.#running.served.values();
    if (application === undefined || this.#stopping.signal.aborted) return;
    const { name, listen: [listen = ""] } = application.note;
    const needsLogin = application.settings.authFile !== undefined;
    this.#readyLines.suggest({ name, listen, status: this.#statusAddress, needsLogin });
  }

  /** Lets clients end, in all applications, for a while. */
  async drain(): Promise<void> {
    this.#stopping.abort();
    this.#progress?.[Symbol.dispose]();
    // Nobody is served any more that looks for this instance now.
    await this.#removeNote();
    const { connections } = this.#running;
    if (connections > 0) {
      this.#log.info(
        `Stopping: waiting up to ${formatDuration(DRAIN_TIMEOUT)} for ${connections} ` +
          `${connections === 1 ? "connection" : "connections"}. Press Ctrl+C again to quit now`,
      );
    }
    await this.#running.drain();
  }

  /** Ends everything. */
  async close(): Promise<void> {
    this.#stopping.abort();
    this.#progress?.[Symbol.dispose]();
    await this.#removeNote();
    await this.#running.close();
    // What a start or a reload has added in between.
    await this.#reloader.settled;
    await this.#running.close();
    await this.#statusServer?.close();
    this.#repeats.end();
  }

  async #removeNote(): Promise<void> {
    clearInterval(this.#noteTicker);
    await this.#note?.remove();
  }

  /** Says what was done. */
  summarize(): Counters {
    const { counters } = this.#running;
    this.#repeats.end();
    this.#log.info("Ended", counters.all());
    return counters;
  }

  /** Keeps the note for other commands up to date: a throw-away identity that is built again has another address. */
  #updateNote(): Promise<void> {
    return this.#note?.update({
      version: config.version,
      pid: Deno.pid,
      startedAt: this.#startedAt.toISOString(),
      status: this.#statusAddress ?? null,
      applications: [...this.#running.served.values()].map(({ note }) => note),
    }) ?? Promise.resolve();
  }

  async #startAll(applications: readonly ApplicationSettings[]): Promise<void> {
    const loaded = await loadAll(applications, this.#log);
    const { status } = this.#configuration;
    this.#fit(applications);
    if (status !== undefined) this.#statusServer = this.#serveStatus(status);
    for (const [key, one] of loaded) {
      this.#stopping.signal.throwIfAborted();
      await this.#running.start(key, one);
    }
    this.#note = await InstanceNote.make(this.#log);
    await this.#updateNote();
    this.#noteTicker = setInterval(() => this.#updateNote(), NOTE_INTERVAL);
    this.#giveBack();
  }

  /** Divides the file descriptors among the applications, those that are served already as well. */
  #fit(applications: readonly ApplicationSettings[]): void {
    const budget = new DescriptorBudget(
      applications,
      this.#configuration.status !== undefined,
      undefined,
      this.#running.connections,
    );
    budget.warn(applications, this.#log);
    this.#budget = budget;
    for (const application of this.#running.served.values()) application.fit(budget);
  }

  /** Listens at once, while that is still permitted: an open listener goes on when permissions are given back. */
  #serveStatus(endpoint: Endpoint): StatusServer {
    requireNet(endpoint, "--status");
    const listener = listen(endpoint, "--status");
    this.#statusAddress = formatEndpoint(listener.addr);
    this.#log.info(`Serving the status at http://${this.#statusAddress}/`);
    return new StatusServer(listener, () => this.#snapshot());
  }

  /** The current status, without applications that a reload has ended. While the process ends, none of them is ready. */
  #snapshot(): Snapshot {
    const isEnding = this.#stopping.signal.aborted;
    return {
      version: config.version,
      startedAt: this.#startedAt.toISOString(),
      uptimeSeconds: Math.round(performance.now() - this.#since) / 1000,
      applications: [...this.#running.served.values()].map(({ status }) =>
        isEnding ? { ...status, ready: false, reason: REASONS.stopping.message, advice: [] } : status
      ),
    };
  }

  #mayNeedKeys(): boolean {
    const { applications, file } = this.#configuration;
    return file !== undefined || applications.some((a) => a.identity !== undefined && a.keysDir === undefined);
  }

  #giveBack(): void {
    const { applications, file } = this.#configuration;
    const [first] = applications;
    if (first === undefined) return;
    const used = [...applications.map(({ keysDir }) => keysDir), this.#services.keysDir];
    const folders = used.filter((folder) => folder !== undefined);
    const services = applications.flatMap(({ forward }) => forward?.rules.map(({ target }) => target) ?? []);
    const sockets = applications.flatMap(({ listen }) => listen.filter(isUnix));
    const reloading = file !== undefined && { reloading: { folders } };
    const needed = [first.sam, ...services];
    // Until there is a session, the ports of routers tell why there is none.
    this.#giveBackRest = () => giveBack(ROUTER_PORTS, needed);
    const left = keepOnly({
      sam: first.sam,
      services: [...services, ...ROUTER_PORTS],
      udp: first.udp.enabled,
      sockets,
      removing: this.#note?.paths ?? [],
      ...reloading,
    });
    if (left.length > 0) {
      this.#log.warn(`Started with more permissions than the program's own, and cannot drop: ${left.join(", ")}`);
    }
  }
}
