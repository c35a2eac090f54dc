import { LoginBook } from "../config/login_book.ts";
import type { ApplicationSettings } from "../config/settings.ts";
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
  const flag = "--sam-password-file";
  const [password = ""] = (await readFile(samPasswordFile, flag)).split(/\r?\n/, 1);
  if (password === "" || /\p{Cc}/u.test(password)) {
    throw new CliError(ExitCode.usage, `Cannot use ${flag} "${samPasswordFile}": its first line is no password`);
  }
  return { user: samUser, password };
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
  try {
    const text = await readFile(authFile, flag);
    const { book, plain } = await LoginBook.parse(text);
    if (plain.length > 0) {
      log.warn(
        `Passwords in the clear in ${flag}: ${plain.length}. i2p-socks hash-login USER makes a line to replace one`,
      );
    }
    return { book, text };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CliError(ExitCode.usage, `Cannot use ${flag} "${authFile}": ${error.message}`);
  }
}

/**
 * The text of a file that an option names.
 *
 * @throws {CliError} if it cannot be read.
 */
export async function readFile(path: string, flag: string): Promise<string> {
  requireRead(path, flag);
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    const code = error instanceof Deno.errors.PermissionDenied ? ExitCode.noPermission : ExitCode.usage;
    throw new CliError(code, `Cannot read ${flag} "${path}": ${reasonOf(error)}`);
  }
}

/** What a file error says to people. */
export function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.PermissionDenied) return "permission denied";
  return error instanceof Error ? error.message : String(error);
}
