/**
 * Writes a file that is not there yet, for this user alone, and syncs it. One that cannot be written whole is removed: it
 * is of no use, may be secret, and would be in the way of the next attempt.
 *
 * @throws {Deno.errors.AlreadyExists} if there is one.
 * @throws any other error of the system.
 */
export async function writeNewFile(path: string, bytes: Uint8Array): Promise<void> {
  let isMade = false;
  try {
    using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    isMade = true;
    for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
    await file.sync();
  } catch (error) {
    if (isMade) await Deno.remove(path).catch(() => {});
    throw error;
  }
}
