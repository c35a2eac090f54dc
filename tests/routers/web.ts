import { writeAll } from "../clients/socks_client.ts";

/**
 * The site behind a router's server tunnel: as little HTTP as the behaviours need, on bare sockets, so that it ends
 * streams exactly as it is asked to.
 *
 * - `GET /N` N bytes of the pattern, with Content-Length; the connection stays
 * - `GET /close/N` the same without a length, ended by the end of the stream
 * - `POST /sum` how many bytes came, and whether they are the pattern
 * - `ECHO` (a line) gives everything back
 */
export interface Web extends AsyncDisposable {
  /** Port on 127.0.0.1. */
  readonly port: number;
}

/** Bytes after which the pattern repeats: a prime, so that the loss of any round number of bytes shifts it. */
const PERIOD = 65_521;

const BLOCK = Uint8Array.from({ length: PERIOD * 4 }, (_, i) => ((i % PERIOD) * 31 + ((i % PERIOD) >> 7)) & 0xff);

/** Says what the page `/` is. */
export const GREETING = "the site of the suite";

/** Serves the site. */
export function startWeb(): Web {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns = new Set<Deno.TcpConn>();
  const serving = (async (): Promise<void> => {
    try {
      for await (const conn of listener) {
        conns.add(conn);
        serve(conn).catch(() => {}).finally(() => {
          conns.delete(conn);
          close(conn);
        });
      }
    } catch {
      // The listener was closed.
    }
  })();
  return {
    port: listener.addr.port,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      for (const conn of conns) close(conn);
      await serving;
    },
  };
}

/** Compares bytes with the pattern as they come. */
export class Checker {
  /** Bytes so far. */
  count = 0;
  /** Whether all of them were the pattern. */
  isWhole = true;

  add(bytes: Uint8Array): void {
    const start = this.count % PERIOD;
    if (bytes.length + start > BLOCK.length) throw new RangeError("Cannot compare that much at once");
    for (let i = 0; i < bytes.length && this.isWhole; i++) this.isWhole = bytes[i] === BLOCK[start + i];
    this.count += bytes.length;
  }

  /** `20000000 bytes, right`. */
  toString(): string {
    return `${this.count} bytes, ${this.isWhole ? "right" : "wrong"}`;
  }
}

/** Sends bytes of the pattern, from its beginning on. */
export async function sendPattern(conn: { write(bytes: Uint8Array): Promise<number> }, length: number): Promise<void> {
  for (let sent = 0; sent < length;) {
    const start = sent % PERIOD;
    sent += await conn.write(BLOCK.subarray(start, Math.min(start + length - sent, BLOCK.length)));
  }
}

async function serve(conn: Deno.TcpConn): Promise<void> {
  const reader = new LineReader(conn);
  for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
    const [verb, target = "", size = ""] = line.split(/[ /]+/);
    if (verb === "ECHO") return await echo(conn, reader);
    let length = 0;
    for (let field = await reader.line(); field; field = await reader.line()) {
      const value = /^content-length: *(\d+)/i.exec(field)?.[1];
      if (value !== undefined) length = Number(value);
    }
    if (verb === "POST") {
      const checker = new Checker();
      while (checker.count < length) {
        const part = await reader.next(length - checker.count);
        if (part === null) return;
        checker.add(part);
      }
      await answer(conn, `${checker}`);
    } else if (target === "close") {
      await say(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
      await sendPattern(conn, Number(size));
      await conn.closeWrite();
      while (await reader.next() !== null);
      return;
    } else if (/^\d+$/.test(target)) {
      await say(conn, `HTTP/1.1 200 OK\r\nContent-Length: ${target}\r\n\r\n`);
      await sendPattern(conn, Number(target));
    } else {
      await answer(conn, GREETING);
    }
  }
}

async function echo(conn: Deno.TcpConn, reader: LineReader): Promise<void> {
  for (let part = await reader.next(); part !== null; part = await reader.next()) await writeAll(conn, part);
}

async function answer(conn: Deno.TcpConn, text: string): Promise<void> {
  await say(conn, `HTTP/1.1 200 OK\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
}

async function say(conn: Deno.TcpConn, text: string): Promise<void> {
  await writeAll(conn, new TextEncoder().encode(text));
}

/** Lines, and the bytes behind them. */
class LineReader {
  readonly #conn: Deno.TcpConn;
  #held: Uint8Array = new Uint8Array();

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /** The next line without its end; undefined at the end of the stream. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#held.indexOf(10);
      if (end >= 0) {
        const line = new TextDecoder().decode(this.#held.subarray(0, end));
        this.#held = this.#held.subarray(end + 1);
        return line.replace(/\r$/, "");
      }
      const part = await this.#read();
      if (part === null) return undefined;
      const joined = new Uint8Array(this.#held.length + part.length);
      joined.set(this.#held);
      joined.set(part, this.#held.length);
      this.#held = joined;
    }
  }

  /** The bytes that are there, `most` of them; null at the end of the stream. */
  async next(most = Infinity): Promise<Uint8Array | null> {
    const bytes = this.#held.length > 0 ? this.#held : await this.#read();
    if (bytes === null) return null;
    this.#held = bytes.subarray(Math.min(most, bytes.length));
    return bytes.subarray(0, Math.min(most, bytes.length));
  }

  async #read(): Promise<Uint8Array | null> {
    const buffer = new Uint8Array(65_536);
    const count = await this.#conn.read(buffer);
    return count === null ? null : buffer.subarray(0, count);
  }
}

function close(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}
