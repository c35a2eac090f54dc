import { hashPassword, isLoginName } from "../config/login_book.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { readUpTo } from "../io/read_up_to.ts";
import { decodeUtf8 } from "../io/utf8.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { MAX_PASSWORD_FILE } from "../command/input_files.ts";
import type { Terminal } from "../command/terminal.ts";

/** What keys send to a terminal in raw mode. */
const [INTERRUPT, END, BACKSPACE, LINE_FEED, RETURN, DELETE] = [3, 4, 8, 10, 13, 127];

/**
 * Makes a line for `--auth-file`: the password is asked for on a terminal, and the first line of stdin elsewhere.
 */
export async function hashLogin(
  operands: readonly string[],
  _given: RawOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const [user, ...more] = operands;
  if (user === undefined || more.length > 0 || !isLoginName(user)) {
    throw new CliError(
      ExitCode.usage,
      "One user name is needed, of at most 255 bytes, without colons, and without # in front",
      ["i2p-socks hash-login USER"],
    );
  }
  const password = Deno.stdin.isTerminal() ? askTwice(user) : await readFirstLine();
  if (!password || password.includes("\0") || new TextEncoder().encode(password).length > 255) {
    throw new CliError(ExitCode.usage, "A password has 1 to 255 bytes, none of them zero");
  }
  terminal.exact(`${user}:${await hashPassword(password)}`);
  return ExitCode.ok;
}

/**
 * Asks for a password on the terminal. The standard library's prompt for secrets writes to stdout, which is most likely
 * redirected into the login file: so this one writes to stderr, and nothing of what is typed.
 */
function askTwice(user: string): string {
  const [first, second] = [ask(`Password of ${user}: `), ask("The same again: ")];
  if (first !== second) throw new CliError(ExitCode.usage, "The two passwords are not the same");
  return first;
}

function ask(question: string): string {
  const bytes: number[] = [];
  const byte = new Uint8Array(1);
  // Before the question: what is typed on seeing it must not be echoed.
  Deno.stdin.setRaw(true);
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(question));
    for (;;) {
      const count = Deno.stdin.readSync(byte);
      const [code = END] = count === null ? [] : byte;
      if (code === INTERRUPT) throw new CliError(ExitCode.interrupted, "Interrupted");
      if (code === RETURN || code === LINE_FEED || code === END) break;
      if (code === BACKSPACE || code === DELETE) removeCharacter(bytes);
      else bytes.push(code);
    }
  } finally {
    Deno.stdin.setRaw(false);
    Deno.stderr.writeSync(new TextEncoder().encode("\n"));
  }
  return decode(Uint8Array.from(bytes));
}

/** Removes the last character: in UTF-8 the bytes behind a character's first are 10xxxxxx. */
function removeCharacter(bytes: number[]): void {
  while (((bytes.pop() ?? 0) & 0xc0) === 0x80);
}

async function readFirstLine(): Promise<string> {
  const bytes = await readUpTo(Deno.stdin, MAX_PASSWORD_FILE);
  if (bytes === undefined) {
    throw new CliError(
      ExitCode.usage,
      `Cannot read the password from stdin: it has more than ${MAX_PASSWORD_FILE} bytes`,
    );
  }
  const [line = ""] = decode(bytes).split(/\r?\n/, 1);
  return line;
}

function decode(bytes: Uint8Array): string {
  try {
    return decodeUtf8(bytes);
  } catch {
    throw new CliError(ExitCode.usage, "Cannot use the password: it is not UTF-8");
  }
}
