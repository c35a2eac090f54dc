import { errorText } from "../io/error_text.ts";
import { type Hosts, MAX_HOSTS_FILE, parseHosts } from "../config/hosts.ts";
import { LoginBook, MAX_AUTH_FILE } from "../config/login_book.ts";
import type { ApplicationSettings } from "../config/settings.ts";
import { MAX_SECRETS_FILE, parseSecrets } from "../guard/secrets.ts";
import { readUpTo } from "../io/read_up_to.ts";
import { decodeUtf8 } from "../io/utf8.ts";
import { modeForOthers } from "../keys/private_file.ts";
import { createLog, type Log, Once } from "../report/log.ts";
import type { SamLogin } from "../sam/socket.ts";
import { CliError, ExitCode } from "./exit_code.ts";
import { requireRead } from "./permissions.ts";

/** Most bytes of a file whose first line is a password. */
export const MAX_PASSWORD_FILE = 16_384;

/** Mode bits of group and others. */
const READ_OR_WRITE = 0o066;

/**
 * The login for the SAM bridge; the password is the first line of its file.
 *
 * @throws {CliError} if the file cannot be read or has no password.
 */
export async function readSamLogin(
  { samUser, samPasswordFile }: Pick<ApplicationSettings, "samUser" | "samPasswordFile">,
  log: Log,
): Promise<SamLogin | undefined> {
  if (samUser === undefined || samPasswordFile === undefined) return undefined;
  return { user: samUser, password: await readPassword(samPasswordFile, "--sam-password-file", log) };
}

/**
 * A password: the first line of its file.
 *
 * @throws {CliError} if the file cannot be read or has none.
 */
export async function readPassword(file: string, flag: string, log: Log): Promise<string> {
  const [password = ""] = (await readPrivateFile(file, flag, MAX_PASSWORD_FILE, log)).split(/\r?\n/, 1);
  if (password === "" || /\p{Cc}/u.test(password)) {
    throw new CliError(ExitCode.usage, `Cannot use ${flag} "${file}": its first line is not a password`);
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
  const text = await readPrivateFile(authFile, flag, MAX_AUTH_FILE, log);
  const { book, plain } = await parsed(flag, authFile, () => LoginBook.parse(text));
  if (plain.length > 0) {
    log.warn(
      `Passwords in the clear in ${flag}: ${plain.length}. i2p-socks hash-login USER makes a line to replace one`,
    );
  }
  return { book, text };
}

/**
 * Host names of the user's own, and the text of their file. Lists of names that are handed around have comments in any
 * encoding, which concern nobody; names and addresses are ASCII, so that nothing else can be meant by another byte.
 *
 * @throws {CliError} if the file cannot be read or is malformed.
 */
export async function readHosts(file: string | undefined): Promise<{ hosts: Hosts; text: string | undefined }> {
  if (file === undefined) return { hosts: new Map(), text: undefined };
  const text = new TextDecoder().decode(await readBytes(file, "--hosts", MAX_HOSTS_FILE));
  return { hosts: await parsed("--hosts", file, () => parseHosts(text)), text };
}

/**
 * Words that an application must not send.
 *
 * @throws {CliError} if the file cannot be read or is malformed.
 */
export async function readSecrets(file: string | undefined, log: Log): Promise<readonly string[]> {
  if (file === undefined) return [];
  const text = await readPrivateFile(file, "--secrets-file", MAX_SECRETS_FILE, log);
  return await parsed("--secrets-file", file, () => parseSecrets(text));
}

/** Finds out what is wrong with the files that settings name, all of it; each problem is a sentence. */
export async function inputFileProblems(applications: readonly ApplicationSettings[]): Promise<string[]> {
  const log = createLog({ level: "error", format: "text", destinations: false, write: () => {} });
  const results = await Promise.allSettled(applications.flatMap((settings): Promise<unknown>[] => [
    readSamLogin(settings, log),
    readLoginBook(settings.authFile, log),
    readHosts(settings.hostsFile),
    readSecrets(settings.leaks.secretsFile, log),
  ]));
  const problems = results.flatMap((result) => {
    if (result.status === "fulfilled") return [];
    if (!(result.reason instanceof CliError)) throw result.reason;
    return [result.reason.message];
  });
  return [...new Set(problems)];
}

/** What is made of a file. Of one in which a line makes no sense, the error says which. */
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
 * @throws {CliError} if it cannot be read, has more, or is no UTF-8.
 */
export async function readFile(path: string, flag: string, most: number): Promise<string> {
  const bytes = await readBytes(path, flag, most);
  return await parsed(flag, path, () => decodeUtf8(bytes));
}

/** The same of a file that is nobody else's business: where others can read it, the log says so. */
async function readPrivateFile(path: string, flag: string, most: number, log: Log): Promise<string> {
  const warn = (info: Deno.FileInfo): void => warnOfMode(path, flag, info, log);
  const bytes = await readBytes(path, flag, most, warn);
  return await parsed(flag, path, () => decodeUtf8(bytes));
}

async function readBytes(
  path: string,
  flag: string,
  most: number,
  look: (info: Deno.FileInfo) => void = () => {},
): Promise<Uint8Array> {
  requireRead(path, flag);
  try {
    await refuseNamedPipe(path);
    using file = await Deno.open(path);
    look(await file.stat());
    const bytes = await readUpTo(file, most);
    if (bytes === undefined) throw new RangeError(`it has more than ${most} bytes`);
    return bytes;
  } catch (error) {
    const code = error instanceof Deno.errors.PermissionDenied ? ExitCode.noPermission : ExitCode.usage;
    throw new CliError(code, `Cannot read ${flag} "${path}": ${reasonOf(error)}`);
  }
}

/**
 * Refuses a named pipe: opening one waits until somebody writes to it, in an executable with everything else. Pipes that
 * are open already, as a shell names them for `<(...)`, can be read.
 */
async function refuseNamedPipe(path: string): Promise<void> {
  if (/^\/(dev|proc)\//.test(path) || !(await Deno.stat(path)).isFifo) return;
  throw new RangeError("it is a named pipe, which may never be written to");
}

/** Files that were warned of, by the log that says so: a file is read again with every reload. */
const warned = new WeakMap<Log, Once>();

/**
 * Says once that others can read a file, or write to it. As ssh does with its keys, only of files that are the user's to
 * change: not of those that root gives out, nor below /run, where service managers and containers lay secrets down with
 * modes of their own.
 */
function warnOfMode(path: string, flag: string, { isFile, uid, mode: bits }: Deno.FileInfo, log: Log): void {
  const mode = modeForOthers(bits, READ_OR_WRITE);
  if (!isFile || uid === 0 || /^\/(var\/)?run\//.test(path) || mode === undefined) return;
  const paths = warned.get(log) ?? new Once();
  warned.set(log, paths);
  if (!paths.isNew(path)) return;
  log.warn(`${flag} "${path}" is open to others: its mode is ${mode}`, { fix: `chmod 0600 "${path}"` });
}

/** What a file error says to people. */
function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  return errorText(error);
}
