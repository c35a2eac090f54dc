import type { RawOptions } from "../config/raw_options.ts";
import type { Signal } from "../io/signal.ts";
import type { Log } from "../report/log.ts";
import type { ApplicationSettings } from "../config/settings.ts";
import { type Application, loadAll, type LoadedApplication } from "./application.ts";
import { type Configuration, readConfiguration } from "./configuration.ts";
import { logProblems } from "../command/errors.ts";
import type { RunningApplications } from "./applications.ts";

/** What a {@linkcode Reloader} is made of. */
interface ReloaderOptions {
  /** The configuration that the process was started with. */
  configuration: Configuration;
  /** What the command line says, which names the file. */
  given: RawOptions;
  /** Folder of identities where an application names none: the environment cannot be asked any more. */
  keysDir: string | undefined;
  /** The applications. */
  running: RunningApplications;
  /** Divides what there is among these applications. */
  fit: (applications: readonly ApplicationSettings[]) => void;
  /** Prints the ready line of an application when it has its session. */
  announce: (application: Application) => Promise<void>;
  /** Receives log lines. */
  log: Log;
  /** Aborted when everything is to end. */
  stopping: Signal;
}

/** Reads the configuration again when it is asked to, one reload after the other. */
export class Reloader {
  readonly #options: ReloaderOptions;
  /** Starting and reloading, one after the other. */
  #changes: Promise<void> = Promise.resolve();
  #isDue = false;

  /** Reloads nothing yet. */
  constructor(options: ReloaderOptions) {
    this.#options = options;
  }

  /** Has reloads wait for the start, however that ends. */
  waitFor(start: Promise<void>): void {
    this.#changes = start.catch(() => {});
  }

  /** Reloads once what is under way is done, however often it is asked for until then. */
  request(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#changes = this.#changes.then(() => {
      this.#isDue = false;
      return this.#reload();
    });
  }

  /** Resolves when the start and all reloads asked for so far are done. */
  get settled(): Promise<void> {
    return this.#changes;
  }

  /**
   * Reads the file again. Applications that stand in it unchanged, the contents of their files included, go on
   * undisturbed; the others take no new clients, end when theirs have or when their time is over, and their
   * successors start. A configuration that cannot be read or used changes nothing; a port that is taken is found out when
   * its application starts.
   */
  async #reload(): Promise<void> {
    const { configuration, given, keysDir, running, fit, log, stopping } = this.#options;
    if (stopping.aborted) return;
    try {
      const { applications, log: newLog, status } = await readConfiguration(given, () => keysDir);
      const wanted = await loadAll(applications, log);
      if (JSON.stringify(newLog) !== JSON.stringify(configuration.log)) {
        log.warn("The settings of the log change with the next start only");
      }
      if (JSON.stringify(status) !== JSON.stringify(configuration.status)) {
        log.warn("The address of the status changes with the next start only");
      }
      const old = [...running.served].filter(([key]) => !wanted.has(key));
      await Promise.all(old.map(([key, application]) => running.retire(key, application)));
      const added = [...wanted].filter(([key]) => !running.served.has(key));
      const unchanged = running.served.size;
      if (old.length + added.length > 0) fit(applications);
      const started = await Promise.all(added.map(([key, loaded]) => this.#add(key, loaded)));
      const failed = started.filter((isStarted) => !isStarted).length;
      log.info("Configuration read again", {
        unchanged,
        ended: old.length,
        started: added.length - failed,
        failed,
      });
    } catch (error) {
      logProblems(log, "Cannot use the new configuration, the old one stays", error);
    }
  }

  /** Starts an application of a reload, and says whether it could. Where it could not, the next reload tries again. */
  async #add(key: string, loaded: LoadedApplication): Promise<boolean> {
    const { running, announce, log, stopping } = this.#options;
    const what = `Cannot serve "${loaded.settings.name}"`;
    try {
      const application = await running.start(key, loaded);
      announce(application).catch(async (error) => {
        if (running.served.get(key) !== application) return;
        logProblems(log, what, error);
        await running.retire(key, application);
      });
      return true;
    } catch (error) {
      if (!stopping.aborted) logProblems(log, what, error);
      return false;
    }
  }
}
