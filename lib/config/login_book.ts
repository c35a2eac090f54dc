import type { Signal } from "../io/signal.ts";
import { decodeBase64, encodeBase64 } from "@std/encoding/base64";

/** Most bytes of a file of logins. */
export const MAX_AUTH_FILE = 1_048_576;

/** A login that is known. */
interface Entry {
  /** The iterations, salt and hash of PBKDF2 with HMAC-SHA-256 (RFC 8018). */
  iterations: number;
  salt: Uint8Array<ArrayBuffer>;
  hash: Uint8Array<ArrayBuffer>;
}

/** Begins a hashed password; the rest is `ITERATIONS:SALT:HASH`, the last two in base64. */
const SCHEME = "pbkdf2-sha256";

/** Iterations of new hashes. A login is checked once a process and then remembered. */
export const PASSWORD_ITERATIONS = 200_000;

/** Most iterations that are accepted: what a login may cost. */
const MAX_ITERATIONS = 10_000_000;

const HASH_LENGTH = 32;

/** Most logins that are remembered as right. */
const MAX_REMEMBERED = 1024;

/** The logins that may connect. */
export class LoginBook {
  readonly #entries: ReadonlyMap<string, Entry>;
  /** Digests of logins that were right, so that only the first connection with one pays for the hash. */
  readonly #remembered = new Set<string>();
  /** Checks of one user run one after the other: guessing in parallel gains nothing. Unknown users are one. */
  readonly #queues = new Map<string, Promise<unknown>>();

  private constructor(entries: ReadonlyMap<string, Entry>) {
    this.#entries = entries;
  }

  /**
   * Reads a login file: `USER:HASHED` or `USER:PASSWORD` a line; empty lines and lines that begin with `#` do not count.
   *
   * @returns the book, and the users whose passwords stand in the clear.
   * @throws {SyntaxError} with the number of the line.
   */
  static async parse(text: string): Promise<{ book: LoginBook; plain: string[] }> {
    const entries = new Map<string, Entry>();
    const plain: string[] = [];
    for (const [i, line] of text.replace(/^\ufeff/, "").split(/\r?\n/).entries()) {
      if (line === "" || line.startsWith("#")) continue;
      const colon = line.indexOf(":");
      const [user, secret] = [line.slice(0, Math.max(colon, 0)), line.slice(colon + 1)];
      if (user === "" || secret === "") throw new SyntaxError(`Line ${i + 1} is not USER:PASSWORD`);
      if (new TextEncoder().encode(user).length > 255 || secret.includes("\0")) {
        throw new SyntaxError(`Line ${i + 1} has a user of more than 255 bytes, or a zero byte`);
      }
      if (/\p{Cc}/u.test(line)) throw new SyntaxError(`Line ${i + 1} has control characters`);
      if (entries.has(user)) throw new SyntaxError(`Line ${i + 1} names the same user again`);
      const isHashed = secret.startsWith(`${SCHEME}:`);
      if (!isHashed) plain.push(user);
      const entry = parseEntry(isHashed ? secret : await hashPassword(secret));
      if (entry === undefined) throw new SyntaxError(`Line ${i + 1} has a hash that makes no sense`);
      entries.set(user, entry);
    }
    if (entries.size === 0) throw new SyntaxError("No login stands in it, so nobody could connect");
    return { book: new LoginBook(entries), plain };
  }

  /**
   * Whether user and password, as bytes, are right. An unknown user is checked like a known one, so that where all hashes
   * cost the same the time does not tell them apart.
   *
   * @param signal aborted when the answer is of no use any more: then nothing is computed.
   */
  async verify(user: Uint8Array, password: Uint8Array, signal?: Signal): Promise<boolean> {
    const digest = await this.#digest(user, password);
    if (this.#remembered.has(digest)) return true;
    const name = utf8(user) ?? "";
    const queue = this.#entries.has(name) ? name : "";
    const before = this.#queues.get(queue) ?? Promise.resolve();
    const checked = before.then(async () => {
      // Another connection with the same login may have been first.
      if (this.#remembered.has(digest)) return true;
      if (signal?.aborted || !await this.#check(user, password)) return false;
      if (this.#remembered.size < MAX_REMEMBERED) this.#remembered.add(digest);
      return true;
    });
    this.#queues.set(queue, checked.catch(() => {}));
    return await checked;
  }

  async #check(user: Uint8Array, password: Uint8Array): Promise<boolean> {
    const known = this.#entries.get(utf8(user) ?? "");
    const [any] = this.#entries.values();
    const entry = known ?? any;
    if (entry === undefined) return false;
    const hash = await derive(password, entry.salt, entry.iterations);
    // PBKDF2 takes a password and the same with zero bytes behind it for one.
    return areEqual(hash, entry.hash) && known !== undefined && !password.includes(0);
  }

  async #digest(user: Uint8Array, password: Uint8Array): Promise<string> {
    const bytes = Uint8Array.of(user.length, ...user, ...password);
    return encodeBase64(await crypto.subtle.digest("SHA-256", bytes));
  }
}

/** Whether a text can be the user of a line in a login file. */
export function isLoginName(user: string): boolean {
  return /^[^:#\p{Cc}][^:\p{Cc}]*$/u.test(user) && new TextEncoder().encode(user).length <= 255;
}

/** The hashed form of a password, to stand behind `USER:` in a login file. */
export async function hashPassword(password: string, iterations: number = PASSWORD_ITERATIONS): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const hash = await derive(new TextEncoder().encode(password), salt, iterations);
  return [SCHEME, iterations, encodeBase64(salt), encodeBase64(hash)].join(":");
}

/** Bytes as text; undefined where they are no UTF-8, so that no two byte strings are one user. */
function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parseEntry(text: string): Entry | undefined {
  const [, number = "", ...parts] = text.split(":");
  const iterations = /^\d{1,8}$/.test(number) ? Number(number) : 0;
  if (parts.length !== 2 || iterations < 1 || iterations > MAX_ITERATIONS) {
    return undefined;
  }
  try {
    const [salt, hash] = parts.map(decodeBase64);
    if (salt === undefined || hash?.length !== HASH_LENGTH) return undefined;
    return { iterations, salt, hash };
  } catch {
    return undefined;
  }
}

async function derive(
  password: Uint8Array,
  salt: Uint8Array<ArrayBuffer>,
  iterations: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey("raw", password.slice(), "PBKDF2", false, ["deriveBits"]);
  const bits = await crypto.subtle.deriveBits(
    { name: "PBKDF2", hash: "SHA-256", salt, iterations },
    key,
    8 * HASH_LENGTH,
  );
  return new Uint8Array(bits);
}

/** In constant time: how long it takes says nothing of where two hashes differ. */
function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}
