import type { Settings } from "../config/settings.ts";
import type { SamLogin } from "../sam/socket.ts";
import { CliError, ExitCode } from "./exit_code.ts";
import { requireRead } from "./permissions.ts";

/**
 * The login for the SAM bridge; the password is the first line of its file.
 *
 * @throws {CliError} if the file cannot be read or has no password.
 */
export async function readSamLogin({ samUser, samPasswordFile }: Settings): Promise<SamLogin | undefined> {
  if (samUser === undefined || samPasswordFile === undefined) return undefined;
  const flag = "--sam-password-file";
  requireRead(samPasswordFile, flag);
  let text: string;
  try {
    text = await Deno.readTextFile(samPasswordFile);
  } catch (error) {
    const code = error instanceof Deno.errors.PermissionDenied ? ExitCode.noPermission : ExitCode.usage;
    throw new CliError(
      code,
      `Cannot read ${flag} "${samPasswordFile}": ${error instanceof Error ? error.name : error}`,
    );
  }
  const [password = ""] = text.split(/\r?\n/, 1);
  if (password === "" || /\p{Cc}/u.test(password)) {
    throw new CliError(ExitCode.usage, `Cannot use ${flag} "${samPasswordFile}": its first line is no password`);
  }
  return { user: samUser, password };
}
