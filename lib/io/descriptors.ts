import { isExhaustion } from "./conn.ts";

/** Costs nothing to open, and needs no more than the permission to read. */
const ANY_FILE = "/dev/null";

/**
 * Counts file descriptors that the process can still have, by opening files: the runtime shows a program its limit only
 * if that may do everything. Some 10 µs each.
 *
 * @param most is enough; no more are counted.
 * @returns undefined where that cannot be found out, as on Windows, which has no such limit, or without read permission.
 */
export function countFreeDescriptors(most: number): number | undefined {
  const files: Deno.FsFile[] = [];
  try {
    if (Deno.build.os === "windows" || !mayRead()) return undefined;
    while (files.length < most) files.push(Deno.openSync(ANY_FILE));
    return most;
  } catch (error) {
    return isExhaustion(error) ? files.length : undefined;
  } finally {
    for (const file of files) file.close();
  }
}

/** By query: use could make the runtime ask the user. */
function mayRead(): boolean {
  return Deno.permissions.querySync({ name: "read", path: ANY_FILE }).state === "granted";
}
