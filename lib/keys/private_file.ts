import { KeyStoreError } from "./error.ts";

/** Mode bits of group and others. */
const OTHERS = 0o077;

/**
 * Makes a folder that only its owner can enter, or checks that it is one.
 *
 * @throws {KeyStoreError} with the command that puts it right.
 */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  await checkMode(path, "0700");
}

/**
 * Makes sure that a file and its folder are open to nobody else, and that the file is not a link out of the folder.
 *
 * @throws {KeyStoreError} with the command that puts it right.
 */
export async function checkPrivate(directory: string, path: string): Promise<void> {
  await checkMode(path, "0600");
  await checkMode(directory, "0700");
}

/**
 * The mode of what others may use, as chmod takes it.
 *
 * @param bits those that tell so.
 * @returns undefined where none of them is set.
 */
export function modeForOthers(mode: number | null, bits: number): string | undefined {
  // Windows has no modes: access lists of the user's profile keep others out.
  if (mode === null || Deno.build.os === "windows" || (mode & bits) === 0) return undefined;
  return (mode & 0o777).toString(8).padStart(4, "0");
}

async function checkMode(path: string, wanted: string): Promise<void> {
  const info = await Deno.lstat(path);
  if (info.isSymlink && wanted === "0600") {
    throw new KeyStoreError("permissions", `"${path}" is a link`, "Put the key itself there, with keys import");
  }
  const { mode } = info.isSymlink ? await Deno.stat(path) : info;
  const shown = modeForOthers(mode, OTHERS);
  if (shown === undefined) return;
  throw new KeyStoreError(
    "permissions",
    `"${path}" is open to others: its mode is ${shown}`,
    `chmod ${wanted} "${path}"`,
  );
}
