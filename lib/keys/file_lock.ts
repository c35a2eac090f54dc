import { isSystemError } from "../io/error_text.ts";

/** Milliseconds after which a lock that is not granted counts as held by another, where the runtime cannot just try. */
const GRANT_TIMEOUT = 200;

/** What stands in the file while its holder uses what it locks. */
const IN_USE = "in use";

/** Deno 2.6 has no `tryLock`. */
type MaybeTryLock = { tryLock?: (exclusive?: boolean) => Promise<boolean> };

/** An exclusive lock on a file, held until it is disposed of or the process ends, however it ends. */
export class FileLock implements Disposable {
  readonly #file: Deno.FsFile;
  #open = true;
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  /** Takes a lock, making its file; undefined if another holder has it. */
  static async take(path: string): Promise<FileLock | undefined> {
    const file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
    return await tryLock(file) ? new FileLock(file) : undefined;
  }

  /** Whether another holder has a lock; no file is made for the question. */
  static async isTaken(path: string): Promise<boolean> {
    const file = await openForQuestion(path);
    if (file === undefined) return false;
    const isFree = await tryLock(file);
    if (isFree) file.close();
    return !isFree;
  }

  /** Writes the time into the file: the next holder can tell when it was held last. */
  async stamp(): Promise<void> {
    await this.#write(String(Date.now()));
  }

  /** Writes that it is in use, until {@linkcode stamp}: the next holder can tell that this one did not end by itself. */
  async markInUse(): Promise<void> {
    await this.#write(IN_USE);
  }

  /** What {@linkcode stamp} wrote, in milliseconds of the epoch; `in use` where its last holder was killed instead. */
  async lastUse(): Promise<number | typeof IN_USE> {
    const buffer = new Uint8Array(20);
    await this.#file.seek(0, Deno.SeekMode.Start);
    const count = await this.#file.read(buffer);
    const text = new TextDecoder().decode(buffer.subarray(0, count ?? 0));
    if (text === IN_USE) return IN_USE;
    return /^\d{1,15}$/.test(text) ? Number(text) : 0;
  }

  /** Lets go. A second call does nothing. */
  [Symbol.dispose](): void {
    if (this.#open) this.#file.close();
    this.#open = false;
  }

  /** Writes one text behind the other: who ends at once stamps while it is still being marked. */
  #write(text: string): Promise<void> {
    return this.#writing = this.#writing.catch(() => {}).then(() => this.#replace(text));
  }

  async #replace(text: string): Promise<void> {
    await this.#file.truncate();
    await this.#file.seek(0, Deno.SeekMode.Start);
    await this.#file.write(new TextEncoder().encode(text));
  }
}

/** Opens the file of a lock as it is; undefined where there is none. */
async function openForQuestion(path: string): Promise<Deno.FsFile | undefined> {
  try {
    return await Deno.open(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    // A file system that nobody can write to; some, such as NFS, want to write for an exclusive lock.
    if (isSystemError(error) && error.code === "EROFS") return await Deno.open(path);
    throw error;
  }
}

/** Closes the file where the lock is not granted. */
async function tryLock(file: Deno.FsFile): Promise<boolean> {
  const { tryLock } = file as MaybeTryLock;
  if (tryLock !== undefined) {
    let granted = false;
    try {
      granted = await tryLock.call(file, true);
    } finally {
      if (!granted) file.close();
    }
    return granted;
  }
  let gaveUp = false;
  const locking = file.lock(true).then(() => {
    if (gaveUp) file.close();
    return !gaveUp;
  });
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), GRANT_TIMEOUT);
  const granted = await Promise.race([locking, promise]);
  clearTimeout(timer);
  gaveUp = !granted;
  return granted;
}
