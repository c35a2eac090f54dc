import { Counters } from "../report/counters.ts";
import { Application, type LoadedApplication, type SharedServices } from "./application.ts";
import { logProblems } from "../command/errors.ts";

/** Milliseconds for connections to end by themselves after a signal; a second signal cuts it short. */
export const DRAIN_TIMEOUT = 10_000;

/** The applications of a process that are served, and those that end, with what all of them have counted. */
export class RunningApplications {
  readonly #services: SharedServices;
  /** Those that are served, by the key of what they were loaded from. */
  readonly #served = new Map<string, Application>();
  /** Applications that are not in the file any more, and end when their clients have. */
  readonly #retired = new Map<Application, Promise<void>>();
  /** What each application has counted; those that have ended are in {@linkcode #past}. */
  readonly #books = new Set<Counters>();
  #past = new Counters();

  /** Begins with none. */
  constructor(services: SharedServices) {
    this.#services = services;
  }

  /** Those that are served, by their keys, in the order of their start. */
  get served(): ReadonlyMap<string, Application> {
    return this.#served;
  }

  /** What was counted so far, by those that have ended as well. */
  get counters(): Counters {
    return Counters.sum([this.#past, ...this.#books]);
  }

  /** Starts to serve one. @throws {CliError} if a port, a permission or the identity is not to be had. */
  async start(key: string, loaded: LoadedApplication): Promise<Application> {
    const application = await Application.start(loaded, this.#services);
    this.#served.set(key, application);
    this.#books.add(application.counters);
    return application;
  }

  /** Ends one when its clients have ended; resolves as soon as its ports are free. */
  async retire(key: string, application: Application): Promise<void> {
    this.#served.delete(key);
    const ending = application.drain(DRAIN_TIMEOUT).then(() => application.close())
      .catch((error) => logProblems(this.#services.log, `Cannot end "${application.settings.name}"`, error))
      .finally(() => {
        this.#retired.delete(application);
        this.#books.delete(application.counters);
        this.#past = Counters.sum([this.#past, application.counters]);
      });
    this.#retired.set(application, ending);
    await application.retire();
  }

  /** Lets clients end, in all of them, for {@linkcode DRAIN_TIMEOUT} at most. */
  async drain(): Promise<void> {
    await Promise.all(this.#all().map((application) => application.drain(DRAIN_TIMEOUT)));
  }

  /** Clients and callers of all of them that are connected now. */
  get connections(): number {
    return this.#all().reduce((sum, { connections }) => sum + connections, 0);
  }

  /** Ends all of them at once. */
  async close(): Promise<void> {
    const applications = [...this.#served.values()];
    this.#served.clear();
    await Promise.all([...applications.map((application) => application.close()), ...this.#retired.values()]);
  }

  #all(): Application[] {
    return [...this.#served.values(), ...this.#retired.keys()];
  }
}
