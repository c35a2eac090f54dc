import { formatDuration } from "../config/duration.ts";
import { formatEndpoint } from "../config/endpoint.ts";
import { type ApplicationSettings, ConfigError, type GivenValues } from "../config/settings.ts";
import { Counters } from "../report/counters.ts";
import { createLog, type Log } from "../report/log.ts";
import { Application, type Surroundings } from "./application.ts";
import { type Configuration, readConfiguration } from "./configuration.ts";
import { CliError, ExitCode } from "./exit_code.ts";
import { IdentityRegistry } from "./identity_registry.ts";
import { keysDir } from "./keys_dir.ts";
import { keepOnly } from "./permissions.ts";
import { StopSignal } from "./stop_signal.ts";
import type { Terminal } from "./terminal.ts";

/** Milliseconds for connections to end by themselves after a signal; a second signal cuts it short. */
export const DRAIN_TIMEOUT = 10_000;

/** Serves SOCKS until a signal ends it. */
export async function serve(given: GivenValues, terminal: Terminal): Promise<ExitCode> {
  using stop = new StopSignal();
  const configuration = await readConfiguration(given);
  if (given.has("check-config")) {
    terminal.talk(`Valid configuration: ${configuration.applications.length} application(s)`);
    return ExitCode.ok;
  }
  const server = new Server(configuration, given, terminal);
  try {
    const running = server.run(stop);
    // When a signal comes first, closing the server fails what it waits for: nobody waits for that any more.
    running.catch(() => {});
    await Promise.race([running, stop.promise]);
    await Promise.race([server.drain(), stop.secondSignal]);
  } finally {
    await Promise.race([server.close(), stop.secondSignal]);
  }
  server.summarize();
  return stop.exitCode;
}

/** The applications of a process, from their start to their end. */
class Server {
  readonly #configuration: Configuration;
  readonly #given: GivenValues;
  readonly #terminal: Terminal;
  readonly #log: Log;
  readonly #surroundings: Surroundings;
  readonly #running = new Map<string, Application>();
  /** Applications that were taken out of the file, and end when their clients have. */
  readonly #ending = new Set<Promise<void>>();
  /** Applications without a session so far. */
  #waiting = 0;

  constructor(configuration: Configuration, given: GivenValues, terminal: Terminal) {
    const { logLevel: level, logFormat: format, logDestinations: destinations } = configuration.log;
    this.#configuration = configuration;
    this.#given = given;
    this.#terminal = terminal;
    this.#log = createLog({ level, format, destinations, write: (line) => terminal.talk(line) });
    this.#surroundings = {
      identities: new IdentityRegistry(this.#log),
      log: this.#log,
      counters: new Counters(),
    };
  }

  /** Starts everything, and goes on until the signal. */
  async run(stop: StopSignal): Promise<void> {
    const { applications, file } = this.#configuration;
    for (const settings of applications) await this.#start(settings);
    this.#giveBack();
    const sams = new Set(applications.map(({ sam }) => formatEndpoint(sam)));
    this.#log.info("Waiting for the router to build tunnels", { sam: [...sams].join(",") });
    await this.#whileWaiting(Promise.all([...this.#running.values()].map((a) => this.#announce(a))));
    if (file !== undefined) stop.onHangup(() => void this.#reload());
    await stop.promise;
  }

  /** Lets clients end, in all applications, for a while. */
  async drain(): Promise<void> {
    const applications = [...this.#running.values()];
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
    await Promise.all([...[...this.#running.values()].map((application) => application.close()), ...this.#ending]);
  }

  /** Says what was done. */
  summarize(): void {
    this.#log.info("Ended", this.#surroundings.counters.all());
  }

  async #start(settings: ApplicationSettings): Promise<Application> {
    const application = await Application.start(settings, this.#surroundings);
    this.#running.set(keyOf(settings), application);
    return application;
  }

  #giveBack(): void {
    const { applications, file } = this.#configuration;
    const folders = applications.filter((a) => a.identity !== undefined).map((a) => keysDir(a.keysDir));
    const [first] = applications;
    if (first === undefined) return;
    const left = keepOnly({ sam: first.sam, ...(file !== undefined && { reloading: { folders } }) });
    if (left.length > 0) {
      this.#log.warn(`Started with more permissions than the program's own, and cannot give back: ${left.join(", ")}`);
    }
  }

  /** Prints the ready line of an application when it has its session. */
  async #announce(application: Application): Promise<void> {
    this.#waiting++;
    const session = await application.open().finally(() => this.#waiting--);
    if (this.#waiting === 0) this.#terminal.status("");
    const facts = application.facts(session);
    const { file, log } = this.#configuration;
    const all = file === undefined ? facts : { ...facts, name: application.settings.name };
    this.#terminal.data(
      log.logFormat === "json"
        ? JSON.stringify({ event: "ready", ...all })
        : `ready ${Object.entries(all).map(([key, value]) => `${key}=${value}`).join(" ")}`,
    );
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
      this.#log.info(`Tunnels ready after ${waited()}`);
    } finally {
      clearInterval(ticker);
      clearInterval(reminder);
      this.#terminal.status("");
    }
  }

  /**
   * Reads the file again. Applications that stand in it unchanged go on undisturbed; the others end when their clients
   * have, and their successors start. A file that cannot be used changes nothing.
   */
  async #reload(): Promise<void> {
    try {
      const { applications } = await readConfiguration(this.#given);
      const wanted = new Map(applications.map((settings) => [keyOf(settings), settings]));
      const [old, added] = [this.#running, wanted].map((map, i, both) =>
        [...map.keys()].filter((key) => !both[1 - i]?.has(key))
      );
      for (const key of old ?? []) this.#end(key);
      for (const settings of (added ?? []).flatMap((key) => wanted.get(key) ?? [])) {
        this.#start(settings).then((a) => this.#announce(a)).catch((error) => this.#complain(error, settings));
      }
      this.#log.info("Configuration read again", {
        unchanged: this.#running.size,
        ended: old?.length,
        started: added?.length,
      });
    } catch (error) {
      this.#complain(error);
    }
  }

  #end(key: string): void {
    const application = this.#running.get(key);
    if (application === undefined) return;
    this.#running.delete(key);
    const ending = application.drain(DRAIN_TIMEOUT).then(() => application.close())
      .finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }

  #complain(error: unknown, settings?: ApplicationSettings): void {
    const what = settings === undefined ? "Cannot use the configuration" : `Cannot serve "${settings.name}"`;
    const problems = error instanceof ConfigError
      ? error.problems
      : [error instanceof CliError || error instanceof Error ? error.message : String(error)];
    for (const problem of problems) this.#log.error(`${what}: ${problem}`);
  }
}

/** Equal for applications that are served alike. */
function keyOf(settings: ApplicationSettings): string {
  return JSON.stringify(settings);
}
