import { OPTION_TABLE } from "../config/options.ts";
import { formatDuration } from "../config/duration.ts";
import type { Signal } from "../io/signal.ts";
import type { Log } from "../report/log.ts";
import type { Application } from "./application.ts";
import type { Configuration } from "./configuration.ts";
import type { IdentityFacts } from "../status/snapshot.ts";
import type { Terminal } from "../command/terminal.ts";

/** An application that is ready. */
interface Ready {
  /** Its label. */
  name: string;
  /** Where it serves SOCKS, HOST:PORT or unix:PATH. */
  listen: string;
  /** Where the process serves its status, if anywhere. */
  status: string | undefined;
  /** Whether clients must log in. */
  needsLogin: boolean;
}

/** How far an identity is. */
type Progress = Pick<IdentityFacts, "group" | "label" | "state" | "reason" | "ageSeconds" | "clients">;

/** What {@linkcode ReadyLines} are made of. */
interface ReadyLinesOptions {
  /** Whether there is a file, and how the log is written: the lines are alike. */
  configuration: Pick<Configuration, "file" | "log">;
  /** Prints the lines, and shows that time passes. */
  terminal: Terminal;
  /** Receives the lines instead. @default {the terminal prints them} */
  announce?: ((line: string) => void) | undefined;
  /** Receives log lines. */
  log: Log;
  /** Waited for before a line is printed. */
  beforeAnnouncing: () => Promise<void>;
  /** Whether an application is served still: a reload may have ended it, and left its session to a successor. */
  isServed: (application: Application) => boolean;
  /** Aborted when everything is to end. */
  stopping: Signal;
}

/** Tells when applications are ready, and until then that the router builds tunnels. */
export class ReadyLines {
  readonly #options: ReadyLinesOptions;
  /** Applications without a session so far. */
  #waiting = 0;

  /** Tells nothing yet. */
  constructor(options: ReadyLinesOptions) {
    this.#options = options;
  }

  /** Prints the ready line of an application when it has its session. */
  async announce(application: Application): Promise<void> {
    const { configuration: { file, log }, terminal, announce, beforeAnnouncing, isServed } = this.#options;
    this.#waiting++;
    const session = await application.open().finally(() => this.#waiting--);
    if (this.#waiting === 0) terminal.status("");
    await beforeAnnouncing();
    if (!isServed(application)) return;
    const facts = application.facts(session);
    const all = file === undefined ? facts : { ...facts, name: application.settings.name };
    const line = log.logFormat === "json"
      ? JSON.stringify({ event: "ready", ...all })
      : `ready ${Object.entries(all).map(([key, value]) => `${key}=${value}`).join(" ")}`;
    if (announce === undefined) terminal.lines([line]);
    else announce(line);
  }

  /**
   * Shows that time passes while the router builds tunnels, for applications and then for logins, on a terminal and until
   * the result is disposed of.
   *
   * @param identities those that there are, with how long each has been built or lost.
   */
  showProgress(identities: () => readonly Progress[]): Disposable {
    const { terminal } = this.#options;
    if (!terminal.isInteractive) return { [Symbol.dispose]: () => {} };
    const ticker = setInterval(() => {
      const waiting = identities().find(({ state, group, clients }) =>
        state === "building" && (group === null ? this.#waiting > 0 : clients > 0)
      );
      terminal.status(waiting === undefined ? "" : progressLine(waiting));
    }, 1000);
    return {
      [Symbol.dispose]: () => {
        clearInterval(ticker);
        terminal.status("");
      },
    };
  }

  /** Says what to do next, on a terminal. */
  suggest(ready: Ready): void {
    const { terminal, announce, configuration: { log } } = this.#options;
    if (!terminal.isInteractive || announce !== undefined || log.logFormat === "json") return;
    for (const step of nextSteps(ready)) terminal.say(step, STEP_INDENT);
  }

  /** Logs that time passes while the router builds tunnels, and when that is over. */
  async whileWaiting(opening: Promise<unknown>, identities: () => readonly Progress[]): Promise<void> {
    const { log, stopping } = this.#options;
    const since = performance.now();
    const waited = (): string => formatDuration(performance.now() - since);
    const what = (): string => whatIsAwaited(identities().find(({ state }) => state === "building"));
    const reminder = setInterval(() => log.info(`Still waiting for ${what()}: ${waited()}`), 60_000);
    try {
      await opening;
      // A signal ends the waiting as well.
      if (!stopping.aborted) log.info(`Tunnels ready after ${waited()}`);
    } finally {
      clearInterval(reminder);
    }
  }
}

/** Characters in front of what to do next. */
const STEP_INDENT = 13;

/** What a person can do next with an application that is ready, a line each. */
function nextSteps({ name, listen, status, needsLogin }: Ready): string[] {
  const login = needsLogin ? "USER:PASSWORD@" : "";
  // curl takes the path of a socket behind the host.
  const where = listen.replace(/^unix:/, "localhost");
  // Others that were started without a name have the same one.
  const isShared = name === OPTION_TABLE.name.fallback && !listen.startsWith("unix:");
  return [
    `Try it:      curl --proxy socks5h://${login}${where} http://stats.i2p/`,
    `Set up:      i2p-socks setup firefox ${
      isShared ? `--listen ${listen}` : `--name ${name}`
    } (i2p-socks setup lists other applications)`,
    status === undefined
      ? "Look at it:  i2p-socks status (start with --status 127.0.0.1:4448 for counters, reasons and a page)"
      : `Look at it:  i2p-socks status --watch, i2p-socks why, or http://${status}/`,
  ];
}

/** What an identity waits for: there is a reason only where the router does not build tunnels. */
function whatIsAwaited(identity: Pick<Progress, "reason"> | undefined): string {
  return identity?.reason === null || identity === undefined ? "tunnels" : "the router";
}

/** What a terminal shows of an identity that waits. */
export function progressLine(waiting: Progress): string {
  const { group, label, ageSeconds } = waiting;
  const what = whatIsAwaited(waiting);
  const whose = group === null ? "" : ` of ${label}`;
  const time = formatDuration(1000 * ageSeconds);
  return `Waiting for ${what}${whose}: ${time}${what === "tunnels" ? " (it can take minutes)" : ""}`;
}
