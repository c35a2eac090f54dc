import { KeyStoreError } from "./error.ts";

/**
 * The user that this process runs as: asked for once, while the permission is still there. Undefined where there is
 * none, or on Windows, which has no such number.
 */
const OWN_UID: number | undefined = Deno.permissions.querySync({ name: "sys", kind: "uid" }).state === "granted"
  ? Deno.uid() ?? undefined
  : undefined;

/** Mode bits of group and others. */
const OTHERS = 0o077;

/**
 * Makes a folder that only this user can enter, or checks that it is one.
 *
 * @throws {KeyStoreError} with the command that puts it right.
 */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  await Deno.mkdir(path, { recursive: true, mode: 0o700 });
  await checkAccess(path, "folder");
}

/**
 * Makes sure that a file and its folder belong to this user and are open to nobody else, and that the file is neither a
 * link out of the folder nor a pipe, which would be waited for.
 *
 * @throws {KeyStoreError} with the command that puts it right.
 */
export async function checkPrivate(directory: string, path: string): Promise<void> {
  await checkAccess(path, "file");
  await checkAccess(directory, "folder");
}

/**
 * Makes sure that a file, where there is one, is neither a link nor a pipe, a folder or a device.
 *
 * @throws {KeyStoreError} with the command that puts it right.
 */
export async function checkPlainFile(path: string): Promise<void> {
  const info = await Deno.lstat(path).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (info === undefined || info.isFile) return;
  throw new KeyStoreError("unreadable", `"${path}" is not a file`, `rm -r "${path}", if nothing needs it`);
}

/**
 * The mode of what others may use, as chmod takes it.
 *
 * @param bits the bits that count as open to others.
 * @returns undefined where none of them is set.
 */
export function modeForOthers(mode: number | null, bits: number): string | undefined {
  // Windows has no modes: access lists of the user's profile keep others out.
  if (mode === null || Deno.build.os === "windows" || (mode & bits) === 0) return undefined;
  return (mode & 0o777).toString(8).padStart(4, "0");
}

/** The mode that each should have, as chmod takes it. */
const WANTED = { file: "0600", folder: "0700" } as const;

async function checkAccess(path: string, kind: keyof typeof WANTED): Promise<void> {
  const info = await Deno.lstat(path);
  if (info.isSymlink && kind === "file") {
    throw new KeyStoreError("permissions", `"${path}" is a link`, "Put the key itself there, with keys import");
  }
  if (!info.isFile && kind === "file") {
    throw new KeyStoreError("unreadable", `"${path}" is not a file`, "Put the key itself there, with keys import");
  }
  const { mode, uid } = info.isSymlink ? await Deno.stat(path) : info;
  if (uid !== null && OWN_UID !== undefined && uid !== OWN_UID) {
    throw new KeyStoreError(
      "permissions",
      `"${path}" belongs to another user (uid ${uid})`,
      `chown ${OWN_UID} "${path}", if its content can be trusted`,
    );
  }
  const shown = modeForOthers(mode, OTHERS);
  if (shown === undefined) return;
  throw new KeyStoreError(
    "permissions",
    `"${path}" is open to others: its mode is ${shown}`,
    `chmod ${WANTED[kind]} "${path}"`,
  );
}
