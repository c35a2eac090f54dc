import { createLog, type Log, type LogLevel } from "../report/log.ts";
import { printable } from "../report/printable.ts";

/**
 * The program's mouth: data goes to stdout, talk to stderr, and nothing else in the program writes to either.
 *
 * On a terminal one line of stderr can be a status that changes in place.
 */
export class Terminal {
  #status = "";

  /** Whether somebody watches stderr. */
  get isInteractive(): boolean {
    return Deno.stderr.isTerminal();
  }

  /** Writes a line of data, or several; characters that could do something to a terminal become escapes. */
  data(line: string): void {
    this.#redraw(() => write(Deno.stdout, `${printableLines(line)}\n`));
  }

  /** Writes a line of data as it is, where it repeats the user's own words to what will take them as they were typed. */
  exact(line: string): void {
    this.#redraw(() => write(Deno.stdout, `${line}\n`));
  }

  /** Has the data that follow take the place of what stands on the screen. Only on a terminal. */
  page(): void {
    if (Deno.stdout.isTerminal()) this.#redraw(() => write(Deno.stdout, "\x1b[H\x1b[2J"));
  }

  /**
   * Writes data as it is.
   *
   * @throws {Error} if not all of it could be written.
   */
  bytes(bytes: Uint8Array): void {
    this.#clear();
    for (let written = 0; written < bytes.length;) written += Deno.stdout.writeSync(bytes.subarray(written));
  }

  /** Writes a line of talk. */
  talk(line: string): void {
    this.#redraw(() => write(Deno.stderr, `${printableLines(line)}\n`));
  }

  /** Shows a status in place of the last one; an empty one clears the line. Only on a terminal. */
  status(text: string): void {
    if (!this.isInteractive) return;
    this.#clear();
    // A status that wraps could not be cleared as one line.
    this.#status = text.slice(0, (Deno.consoleSize().columns || 80) - 1);
    write(Deno.stderr, this.#status);
  }

  /** Prints an error and what can be done about it. */
  error(message: string, hints: readonly string[] = []): void {
    this.status("");
    for (const line of message.split("\n")) this.talk(`i2p-socks: error: ${line}`);
    for (const hint of hints) this.talk(`i2p-socks: hint: ${hint}`);
  }

  #redraw(print: () => void): void {
    this.#clear();
    print();
    if (this.#status !== "") write(Deno.stderr, this.#status);
  }

  #clear(): void {
    if (this.#status !== "") write(Deno.stderr, "\r\x1b[K");
  }
}

/** The log of a verb that has no options for one. */
export function terminalLog(terminal: Terminal, level: LogLevel = "warn"): Log {
  return createLog({ level, format: "text", destinations: false, write: (line) => terminal.talk(line) });
}

/** Help has several lines; what they hold is made safe to print. */
function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

function write(stream: { writeSync(bytes: Uint8Array): number }, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let written = 0; written < bytes.length;) written += stream.writeSync(bytes.subarray(written));
  } catch {
    // Whoever read this is gone. The proxy's clients are not, so it goes on.
  }
}
