import { KeyStore } from "../keys/key_store.ts";
import { CliError, ExitCode } from "./exit_code.ts";
import { readEnv, requireFolder } from "./permissions.ts";

/** Names of the folder below the platform's data folder. */
const FOLDER = "i2p-socks/keys";

/**
 * The folder of lasting identities: the one given, or the platform's.
 *
 * @throws {CliError} if there is none, or the permission for it is missing.
 */
export function keysDir(given: string | undefined): string {
  const flag = "--keys-dir";
  const path = given ?? readEnv("I2P_SOCKS_KEYS_DIR", flag) ?? platformFolder(flag);
  if (path === undefined) {
    throw new CliError(ExitCode.usage, "Cannot tell where to keep identities: HOME is not set", [
      "Give --keys-dir DIR",
    ]);
  }
  requireFolder(path, flag);
  return path;
}

/** The store of lasting identities in {@linkcode keysDir}. */
export function openKeyStore(given: string | undefined): KeyStore {
  return new KeyStore(keysDir(given));
}

function platformFolder(flag: string): string | undefined {
  const below = (folder: string | undefined, ...names: string[]): string | undefined =>
    folder ? [folder, ...names, FOLDER].join("/") : undefined;
  switch (Deno.build.os) {
    case "windows":
      return below(readEnv("LOCALAPPDATA", flag));
    case "darwin":
      return below(readEnv("HOME", flag), "Library", "Application Support");
    default:
      return below(readEnv("XDG_DATA_HOME", flag)) ?? below(readEnv("HOME", flag), ".local", "share");
  }
}
