import { PrivateKey } from "../i2p/private_key.ts";
import { errorText, isSystemError } from "../io/error_text.ts";
import { readUpTo } from "../io/read_up_to.ts";
import { KeyStoreError } from "./error.ts";
import { FileLock } from "./file_lock.ts";
import { checkPlainFile, checkPrivate, ensurePrivateDirectory } from "./private_file.ts";

/** Longest name of an identity, in characters. */
export const MAX_IDENTITY_NAME = 64;

/** Largest key file that is read, in bytes. The largest key known has about 6,000. */
export const MAX_KEY_FILE = 16_384;

const SUFFIX = ".dat";

/**
 * Lasting identities in a folder: each is a file `NAME.dat` with the private key, in the format of i2pd and Java I2P.
 *
 * Files are 0600 in a folder of 0700; looser modes, other owners, and links are refused. A key is written to a temporary file, synced
 * and renamed, so that at any moment the whole old key or the whole new one is there. Whoever uses or changes a key
 * holds its lock (`NAME.lock`, which stays even without the key: a lock on a file that is removed excludes nobody), so no
 * two processes run one identity.
 */
export class KeyStore {
  readonly #directory: string;

  /** Names a folder; it is made with the first key. */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The names of the identities, sorted. */
  async list(): Promise<string[]> {
    const names: string[] = [];
    try {
      for await (const { name, isFile } of Deno.readDir(this.#directory)) {
        const identity = name.slice(0, -SUFFIX.length);
        if (isFile && name.endsWith(SUFFIX) && isIdentityName(identity)) names.push(identity);
      }
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw this.#unreachable(error);
    }
    return names.sort();
  }

  /** When a key was written. @throws {KeyStoreError} if it is missing or open to others. */
  async writtenAt(name: string): Promise<Date | undefined> {
    const { mtime } = await Deno.lstat(await this.#existing(name));
    return mtime ?? undefined;
  }

  /** Whether a process holds the lock of an identity now. Nothing is made for the question. */
  async isInUse(name: string): Promise<boolean> {
    const path = this.#lockPath(name);
    await checkPlainFile(path);
    return await FileLock.isTaken(path);
  }

  /** Whether there is a key of that name. */
  async has(name: string): Promise<boolean> {
    try {
      await Deno.lstat(this.#path(name));
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw this.#unreachable(error);
    }
  }

  /**
   * Reads a key.
   *
   * @throws {KeyStoreError} if it is missing, open to others, a link, or no key.
   */
  async read(name: string): Promise<PrivateKey> {
    const path = await this.#existing(name);
    using file = await Deno.open(path);
    const bytes = await readUpTo(file, MAX_KEY_FILE);
    if (bytes === undefined) {
      throw new KeyStoreError("unreadable", `Cannot read identity "${name}": its file is too large to be a key`);
    }
    try {
      return new PrivateKey(bytes);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new KeyStoreError(
        "unreadable",
        `Cannot read identity "${name}": ${error.message}`,
        "The file was not changed",
      );
    }
  }

  /**
   * Takes the lock of an identity; dispose of it to release it. The identity itself need not exist.
   *
   * @throws {KeyStoreError} if another process has it.
   */
  async lock(name: string): Promise<FileLock> {
    const path = this.#lockPath(name);
    const lock = await storing(name, async () => {
      await ensurePrivateDirectory(this.#directory);
      await checkPlainFile(path);
      return await FileLock.take(path);
    });
    if (lock !== undefined) return lock;
    throw new KeyStoreError(
      "in-use",
      `Identity "${name}" is in use by another process`,
      "Stop the i2p-socks that uses it first",
    );
  }

  /**
   * Writes a new key.
   *
   * @param held the lock, where the caller has it.
   * @throws {KeyStoreError} if there is one of that name, or another process has the lock.
   */
  async create(name: string, key: PrivateKey, held?: FileLock): Promise<void> {
    using _lock = held === undefined ? await this.lock(name) : undefined;
    await this.requireNone(name);
    await this.#write(name, key);
  }

  /**
   * Makes sure that a name is free.
   *
   * @throws {KeyStoreError} if there is a key of that name.
   */
  async requireNone(name: string): Promise<void> {
    if (await this.has(name)) {
      throw new KeyStoreError(
        "exists",
        `Identity "${name}" exists already`,
        `Choose another name, or see it with: i2p-socks keys show ${name}. keys rotate replaces it, keys delete removes it`,
      );
    }
  }

  /**
   * Replaces a key. The old one is kept aside until the new one is on disk and could be read back from there.
   *
   * @throws {KeyStoreError} if there is none of that name, it is in use, or the new one cannot be written: then the old
   * one is in its place.
   */
  async replace(name: string, key: PrivateKey): Promise<void> {
    using _lock = await this.lock(name);
    const path = await this.#existing(name);
    const aside = this.#aside(name);
    await storing(name, async () => {
      await removeIfThere(aside);
      await Deno.link(path, aside);
    });
    try {
      await this.#write(name, key);
      await this.read(name);
    } catch (error) {
      // Both may be names of one file: then renaming does nothing, and the name aside goes below.
      await Deno.rename(aside, path);
      throw error;
    } finally {
      await removeIfThere(aside);
      await syncDirectory(this.#directory);
    }
  }

  /**
   * Deletes a key.
   *
   * @throws {KeyStoreError} if there is none of that name, or it is in use.
   */
  async delete(name: string): Promise<void> {
    using _lock = await this.lock(name);
    const path = await this.#existing(name);
    await storing(name, async () => {
      // What a killed process has left is this identity's key as well.
      await removeIfThere(this.#temporary(name));
      await removeIfThere(this.#aside(name));
      await Deno.remove(path);
      await syncDirectory(this.#directory);
    });
  }

  #path(name: string): string {
    if (!isIdentityName(name)) {
      throw new KeyStoreError(
        "bad-name",
        `Cannot use "${name}" as the name of an identity: letters, digits, "-" and "_" are permitted, ${MAX_IDENTITY_NAME} at most`,
      );
    }
    return `${this.#directory}/${name}${SUFFIX}`;
  }

  #lockPath(name: string): string {
    return this.#path(name).replace(/\.dat$/, ".lock");
  }

  #temporary(name: string): string {
    return `${this.#directory}/.${name}.tmp`;
  }

  /** Where the old key is while it is replaced. */
  #aside(name: string): string {
    return `${this.#directory}/.${name}.old`;
  }

  /** What to throw in place of an error of the system, when the folder cannot be looked at. */
  #unreachable(error: unknown): unknown {
    if (!isSystemError(error)) return error;
    const problem = error instanceof Deno.errors.PermissionDenied ? "permissions" : "unreadable";
    return new KeyStoreError(problem, `Cannot read the folder of identities "${this.#directory}": ${errorText(error)}`);
  }

  /** The path of a key that is there, and open to nobody else. */
  async #existing(name: string): Promise<string> {
    const path = this.#path(name);
    if (!await this.has(name)) throw new KeyStoreError("missing", `Identity "${name}" does not exist`);
    await checkPrivate(this.#directory, path);
    return path;
  }

  /** The caller holds the lock, so any temporary file of this name is left over from a process that was killed. */
  async #write(name: string, key: PrivateKey): Promise<void> {
    const path = this.#path(name);
    const temporary = this.#temporary(name);
    await removeIfThere(temporary);
    await storing(name, async () => {
      try {
        using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
        const bytes = key.expose();
        for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
        await file.sync();
        await Deno.rename(temporary, path);
      } catch (error) {
        // A part of a key is of no use, and secret.
        await removeIfThere(temporary).catch(() => {});
        throw error;
      }
      await syncDirectory(this.#directory);
    });
  }
}

/** Does what writes to the folder. @throws {KeyStoreError} in place of an error of the system, such as a full disk. */
async function storing<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const problem = error instanceof Deno.errors.PermissionDenied ? "permissions" : "unwritable";
    throw new KeyStoreError(problem, `Cannot store identity "${name}": ${errorText(error)}`, "No key was changed");
  }
}

/** Whether a text can name an identity: it becomes a file name on every system. */
export function isIdentityName(name: string): boolean {
  return /^[A-Za-z0-9_-]+$/.test(name) && name.length <= MAX_IDENTITY_NAME;
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Makes a rename last through a power failure. Windows cannot open folders and does not need this. */
async function syncDirectory(path: string): Promise<void> {
  if (Deno.build.os === "windows") return;
  using directory = await Deno.open(path);
  await directory.sync();
}
