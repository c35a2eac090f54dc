import { OutputQueue } from "../io/output_queue.ts";
import type { Problem } from "./errors.ts";
import { ExitCode } from "./exit_code.ts";
import { type ColorChoice, createLog, type Log, type LogFormat, type LogLevel } from "../report/log.ts";
import type { Repeats } from "../report/repeats.ts";
import { printable } from "../report/printable.ts";
import { foldLine, terminalLines } from "../report/terminal_lines.ts";

/** Most characters of stderr that wait for a reader that has stalled; further lines are dropped, and counted. */
export const MAX_WAITING_OUTPUT = 262_144;

/** Characters in a line where no terminal says how many there are. */
const DEFAULT_COLUMNS = 80;

/** Lines likewise. */
const DEFAULT_ROWS = 24;

/** Milliseconds that a program which is ending waits for the readers of its output. */
const LAST_WORDS = 1_000;

/**
 * All output of the program: results to stdout, messages to stderr. Nothing else writes to either.
 *
 * Writing never waits for a reader: a pipe that nobody reads, or a terminal that is held with Ctrl+S, stops its own
 * output and not the program. Messages that find no room are counted; results are never dropped.
 *
 * On a terminal one line of stderr can be a status that changes in place.
 */
export class Terminal {
  readonly #stdout = new OutputQueue(Deno.stdout);
  readonly #stderr = new OutputQueue(Deno.stderr, {
    most: MAX_WAITING_OUTPUT,
    lost: (lines) => `${lines} ${lines === 1 ? "line" : "lines"} of the log ${lines === 1 ? "was" : "were"} lost\n`,
  });
  #status = "";
  #hasPage = false;
  /** Whether an error that ends the program is written as one JSON object. */
  hasJsonErrors = false;

  /** Whether somebody watches stderr. */
  get isInteractive(): boolean {
    return Deno.stderr.isTerminal();
  }

  /** Characters in a line of what reads stdout: those of a terminal, or 80. */
  get columns(): number {
    return columnsOf(Deno.stdout);
  }

  /** Whether data still wait for their reader: what is shown again and again can skip a turn. */
  get isBehind(): boolean {
    return this.#stdout.isBehind;
  }

  /** Why data were lost, and all that follow will be; undefined as long as none were. */
  get failure(): unknown {
    return this.#stdout.failure;
  }

  /** Writes a line of data, or several; characters that could do something to a terminal become escapes. */
  data(line: string): void {
    this.exact(printableLines(line));
  }

  /** Writes lines of data; on a terminal each is broken at spaces where it is too long. */
  lines(lines: readonly string[]): void {
    const columns = this.size?.columns;
    this.data((columns === undefined ? lines : lines.flatMap((line) => foldLine(line, columns))).join("\n"));
  }

  /** Writes a line of data as it is, where it repeats the user's own words to what will take them as they were typed. */
  exact(line: string): void {
    this.#redraw(() => this.#stdout.write(`${line}\n`));
  }

  /** Room for data, in characters; undefined where stdout is not a terminal. */
  get size(): { columns: number; rows: number } | undefined {
    if (!Deno.stdout.isTerminal()) return undefined;
    const { columns, rows } = Deno.consoleSize();
    return { columns: columns || DEFAULT_COLUMNS, rows: rows || DEFAULT_ROWS };
  }

  /** Shows lines of data in place of what stands on the screen: there must be fewer than rows. Only on a terminal. */
  page(lines: readonly string[]): void {
    const clear = this.#hasPage ? "\x1b[H" : "\x1b[H\x1b[2J";
    this.#hasPage = true;
    // Line by line: a screen that is cleared as a whole flickers, and terminals put it into their history.
    const text = lines.map((line) => `${printable(line)}\x1b[K\n`).join("");
    this.#redraw(() => this.#stdout.write(`${clear}${text}\x1b[J`));
  }

  /**
   * Writes data as it is.
   *
   * @throws {Error} if not all of it could be written.
   */
  async bytes(bytes: Uint8Array): Promise<void> {
    this.#clear();
    await this.#stdout.flush();
    // No second try where stdout does not wait for its reader: see writeOutput of connect.
    for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
  }

  /** Writes a line of talk. */
  talk(line: string): void {
    this.notice(printableLines(line));
  }

  /** Writes a line of talk; on a terminal it is broken at spaces, and what follows is indented by `hang`. */
  say(line: string, hang = 2): void {
    const lines = this.isInteractive ? foldLine(line, columnsOf(Deno.stderr), hang) : [line];
    this.talk(lines.join("\n"));
  }

  /** Writes lines of talk that are safe to print, and may have colours. */
  notice(lines: string): void {
    this.#redraw(() => this.#stderr.write(`${lines}\n`));
  }

  /** Shows a status in place of the last one; an empty one clears the line. Only on a terminal. */
  status(text: string): void {
    if (!this.isInteractive) return;
    this.#clear();
    // A status that wraps could not be cleared as one line.
    this.#status = text.slice(0, columnsOf(Deno.stderr) - 1);
    this.#stderr.write(this.#status);
  }

  /** Prints an error and what can be done about it. */
  error(message: string, hints: readonly string[] = []): void {
    this.status("");
    for (const line of message.split("\n")) this.say(`i2p-socks: error: ${line}`);
    for (const hint of hints) this.say(`i2p-socks: hint: ${hint}`);
  }

  /** Prints the error that ends the program; with {@linkcode hasJsonErrors} as a line of a JSON log. */
  fatal({ messages, hints, code, reason }: Pick<Problem, "messages" | "hints" | "code" | "reason">): void {
    if (!this.hasJsonErrors) return this.error(messages.join("\n"), hints);
    const word = reason ?? Object.entries(ExitCode).find(([, value]) => value === code)?.[0] ?? "failure";
    const facts = {
      time: new Date().toISOString(),
      level: "error",
      message: messages.join("; "),
      reason: word.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      hints,
      exitCode: code,
    };
    this.status("");
    this.talk(JSON.stringify(facts));
  }

  /**
   * Waits until everything is written: as long as the readers want, or for a second if a signal has ended the program.
   */
  async flush(isTold: boolean): Promise<void> {
    const milliseconds = isTold ? LAST_WORDS : Infinity;
    await Promise.all([this.#stdout.flush(milliseconds), this.#stderr.flush(milliseconds)]);
  }

  #redraw(print: () => void): void {
    this.#clear();
    print();
    if (this.#status !== "") this.#stderr.write(this.#status);
  }

  #clear(): void {
    if (this.#status !== "") this.#stderr.write("\r\x1b[K");
  }
}

/** How a log is written. */
interface LogStyle {
  logLevel: LogLevel;
  logFormat: LogFormat;
  logDestinations: boolean;
  /** Where text is for people, whether it has colours. `always` takes whatever reads it for a terminal. */
  color: ColorChoice;
}

/** The log on stderr: for people where that is a terminal, a line an entry elsewhere. */
export function openLog(terminal: Terminal, style: LogStyle, repeats?: Repeats): Log {
  const { logLevel: level, logFormat, logDestinations, color } = style;
  const isForPeople = logFormat === "text" && (terminal.isInteractive || color === "always");
  const colors = color === "always" || (color === "auto" && !Deno.noColor);
  return createLog({
    level,
    format: isForPeople
      ? (entry) => terminalLines(entry, { columns: columnsOf(Deno.stderr), color: colors })
      : logFormat,
    destinations: logDestinations,
    ...(repeats && { repeats }),
    write: (lines) => terminal.notice(lines),
  });
}

/** The log of a verb that has no options for one. */
export function terminalLog(terminal: Terminal, level: LogLevel = "warn"): Log {
  return openLog(terminal, { logLevel: level, logFormat: "text", logDestinations: false, color: "auto" });
}

/** Characters in a line of the terminal, or {@linkcode DEFAULT_COLUMNS} where there is none, or it does not say. */
function columnsOf(stream: typeof Deno.stderr | typeof Deno.stdout): number {
  return stream.isTerminal() ? Deno.consoleSize().columns || DEFAULT_COLUMNS : DEFAULT_COLUMNS;
}

/** Help has several lines; what they hold is made safe to print. */
function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}
