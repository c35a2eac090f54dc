import type { RawOptions } from "../config/raw_options.ts";
import { OPTIONS } from "../config/options.ts";
import { readUpTo } from "../io/read_up_to.ts";
import { decodeUtf8 } from "../io/utf8.ts";
import { CliError, ExitCode } from "./exit_code.ts";
import { isPermitted, readEnv, requireRead } from "./permissions.ts";

/** What `--config` says for standard input. */
export const STDIN = "-";

const FLAG = "--config";

/** Name of the configuration file below the folder of a user's or the system's configuration. */
const NAME = "i2p-socks/config.yaml";

/**
 * Where a configuration file is looked for, if `--config` names none: the user's own first, then the system's.
 *
 * @throws {CliError} if the permission to find out is missing.
 */
export function usualPlaces(): string[] {
  const below = (folder: string | undefined, ...names: string[]): string[] =>
    folder ? [[folder, ...names, NAME].join("/")] : [];
  switch (Deno.build.os) {
    case "windows":
      return below(readEnv("LOCALAPPDATA", FLAG));
    case "darwin":
      return [...below(readEnv("HOME", FLAG), "Library", "Application Support"), `/etc/${NAME}`];
    default: {
      const own = below(readEnv("XDG_CONFIG_HOME", FLAG));
      return [...(own.length > 0 ? own : below(readEnv("HOME", FLAG), ".config")), `/etc/${NAME}`];
    }
  }
}

/**
 * The options of a call, with the file at its usual place if there is one: where `--config` is missing, and the command
 * line sets nothing that a file could say of an application. Variables of the environment are laid over a file anyway.
 *
 * @throws {CliError} if a permission is missing.
 */
export async function withUsualFile(given: RawOptions): Promise<RawOptions> {
  const isChosen = OPTIONS.some(({ name, scope = "application" }) =>
    scope === "application" && given.get(name)?.some(({ source }) => source.startsWith("-"))
  );
  if (given.has("config") || isChosen) return given;
  // Whoever runs the program with fewer permissions has no usual places.
  if (["HOME", "XDG_CONFIG_HOME"].some((variable) => !isPermitted({ name: "env", variable }))) return given;
  for (const path of usualPlaces()) {
    if (await isThere(path)) return new Map([...given, ["config", [{ text: path, source: FLAG }]]]);
  }
  return given;
}

/** Whether something is there; what cannot be looked at is, and reading it says why. */
async function isThere(path: string): Promise<boolean> {
  requireRead(path, FLAG);
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory);
  }
}

/**
 * The text on standard input.
 *
 * @param most bytes that it may have.
 * @throws {CliError} if it has more, is not UTF-8, or is a terminal.
 */
export async function readStdin(most: number): Promise<string> {
  if (Deno.stdin.isTerminal()) {
    throw new CliError(ExitCode.usage, `${FLAG} - reads standard input, which is a terminal`, [
      "Send a file to it: i2p-socks --config - < FILE",
    ]);
  }
  const bytes = await readUpTo(Deno.stdin, most);
  if (bytes === undefined) throw new CliError(ExitCode.usage, `Cannot read ${FLAG} -: it has more than ${most} bytes`);
  try {
    return decodeUtf8(bytes);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CliError(ExitCode.usage, `Cannot use ${FLAG} -: ${error.message}`);
  }
}
