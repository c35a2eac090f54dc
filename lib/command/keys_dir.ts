import { CliError, ExitCode } from "./exit_code.ts";
import { readEnv, requireFolder } from "./permissions.ts";

/** Names of the folder below the platform's data folder. */
const FOLDER = "i2p-socks/keys";

const FLAG = "--keys-dir";

/**
 * The platform's folder of lasting identities, for users who named none.
 *
 * @returns undefined if there is none: HOME is not set.
 * @throws {CliError} if the permission to find out is missing.
 */
export function defaultKeysDir(): string | undefined {
  const below = (folder: string | undefined, ...names: string[]): string | undefined =>
    folder ? [folder, ...names, FOLDER].join("/") : undefined;
  switch (Deno.build.os) {
    case "windows":
      return below(readEnv("LOCALAPPDATA", FLAG));
    case "darwin":
      return below(readEnv("HOME", FLAG), "Library", "Application Support");
    default:
      return below(readEnv("XDG_DATA_HOME", FLAG)) ?? below(readEnv("HOME", FLAG), ".local", "share");
  }
}

/**
 * Makes sure that a folder of identities is known and may be used.
 *
 * @returns the folder, as {@linkcode plainFolder} has it.
 * @throws {CliError} if there is none, or the permission for it is missing.
 */
export function requireKeysDir(path: string | undefined): string {
  if (path === undefined) {
    throw new CliError(ExitCode.usage, "Cannot find a folder for identities: HOME is not set", [
      "Give --keys-dir DIR",
    ]);
  }
  requireFolder(path, FLAG);
  return plainFolder(path);
}

/** The path of a folder without what says nothing: slashes at its end, doubled ones, and `.` as a part. */
export function plainFolder(path: string): string {
  return path.replace(/(?<=.)\/(?:\.?\/)+/g, "/").replace(/(?<=.)\/\.?$/, "").replace(/^\.\/(?=.)/, "");
}
