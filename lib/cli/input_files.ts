import { type Hosts, MAX_HOSTS_FILE, parseHosts } from "../config/hosts.ts";
import { LoginBook } from "../config/login_book.ts";
import type { ApplicationSettings } from "../config/settings.ts";
import { parseSecrets } from "../guard/secrets.ts";
import type { Log } from "../report/log.ts";
import type { SamLogin } from "../sam/socket.ts";
import { CliError, ExitCode } from "./exit_code.ts";
import { requireRead } from "./permissions.ts";

/**
 * The login for the SAM bridge; the password is the first line of its file.
 *
 * @throws {CliError} if the file cannot be read or has no password.
 */
export async function readSamLogin(
  { samUser, samPasswordFile }: Pick<ApplicationSettings, "samUser" | "samPasswordFile">,
): Promise<SamLogin | undefined> {
  if (samUser === undefined || samPasswordFile === undefined) return undefined;
  return { user: samUser, password: await readPassword(samPasswordFile, "--sam-password-file") };
}

/**
 * A password: the first line of its file.
 *
 * @throws {CliError} if the file cannot be read or has none.
 */
export async function readPassword(file: string, flag: string): Promise<string> {
  const [password = ""] = (await readFile(file, flag)).split(/\r?\n/, 1);
  if (password === "" || /\p{Cc}/u.test(password)) {
    throw new CliError(ExitCode.usage, `Cannot use ${flag} "${file}": its first line is no password`);
  }
  return password;
}

/**
 * The logins that may connect, and the text of their file; undefined where everybody may.
 *
 * @throws {CliError} if the file cannot be read or is malformed.
 */
export async function readLoginBook(
  authFile: string | undefined,
  log: Log,
): Promise<{ book: LoginBook | undefined; text: string | undefined }> {
  if (authFile === undefined) return { book: undefined, text: undefined };
  const flag = "--auth-file";
  const text = await readFile(authFile, flag);
  const { book, plain } = await parsed(flag, authFile, () => LoginBook.parse(text));
  if (plain.length > 0) {
    log.warn(
      `Passwords in the clear in ${flag}: ${plain.length}. i2p-socks hash-login USER makes a line to replace one`,
    );
  }
  return { book, text };
}

/**
 * Host names of the user's own, and the text of their file.
 *
 * @throws {CliError} if the file cannot be read or is malformed.
 */
export async function readHosts(file: string | undefined): Promise<{ hosts: Hosts; text: string | undefined }> {
  if (file === undefined) return { hosts: new Map(), text: undefined };
  const text = await readFile(file, "--hosts", MAX_HOSTS_FILE);
  return { hosts: await parsed("--hosts", file, () => parseHosts(text)), text };
}

/**
 * Words that an application must not send.
 *
 * @throws {CliError} if the file cannot be read or is malformed.
 */
export async function readSecrets(file: string | undefined): Promise<readonly string[]> {
  if (file === undefined) return [];
  const text = await readFile(file, "--secrets-file");
  return await parsed("--secrets-file", file, () => parseSecrets(text));
}

async function parsed<T>(flag: string, file: string, parse: () => T | Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CliError(ExitCode.usage, `Cannot use ${flag} "${file}": ${error.message}`);
  }
}

/**
 * The text of a file that an option names.
 *
 * @param most bytes that it may have.
 * @throws {CliError} if it cannot be read, or has more.
 */
export async function readFile(path: string, flag: string, most: number = Infinity): Promise<string> {
  requireRead(path, flag);
  try {
    return await readUpTo(path, most);
  } catch (error) {
    const code = error instanceof Deno.errors.PermissionDenied ? ExitCode.noPermission : ExitCode.usage;
    throw new CliError(code, `Cannot read ${flag} "${path}": ${reasonOf(error)}`);
  }
}

/** Reads no more than it must to see that there is too much: what is named may be a device without an end. */
async function readUpTo(path: string, most: number): Promise<string> {
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  for await (const chunk of (await Deno.open(path)).readable) {
    size += chunk.length;
    if (size > most) throw new RangeError(`it has more than ${most} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** What a file error says to people. */
function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  return error instanceof Error ? error.message : String(error);
}
