import { promptSecret } from "@std/cli/prompt-secret";
import { hashPassword } from "../config/login_book.ts";
import { CliError, ExitCode } from "./exit_code.ts";
import type { Terminal } from "./terminal.ts";

/**
 * Makes a line for `--auth-file`: the password is asked for on a terminal, and the first line of stdin elsewhere.
 */
export async function hashLogin(operands: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const [user, ...more] = operands;
  if (user === undefined || more.length > 0 || !/^[^:\p{Cc}]{1,255}$/u.test(user)) {
    throw new CliError(ExitCode.usage, "One user name is needed, without colons", ["i2p-socks hash-login USER"]);
  }
  const password = Deno.stdin.isTerminal()
    ? promptSecret(`Password of ${user}: `)
    : (await new Response(Deno.stdin.readable).text()).split(/\r?\n/, 1)[0];
  if (!password || new TextEncoder().encode(password).length > 255) {
    throw new CliError(ExitCode.usage, "A password has 1 to 255 bytes");
  }
  terminal.data(`${user}:${await hashPassword(password)}`);
  return ExitCode.ok;
}
