import {
  encodeGreeting,
  encodeLogin,
  encodeRequest4,
  encodeRequest5,
  parseReply4,
  parseReply5,
  type ServerReply,
} from "./socks_wire.ts";
import { concat } from "../support/bytes.ts";

/** How a client speaks to the proxy. */
export interface SocksClientOptions {
  /**
   * 4 is 4a for host names.
   *
   * @default {5}
   */
  version?: 4 | 5;
  /** User and password of SOCKS5; the user alone is the user id of SOCKS4. */
  login?: { user: string; password: string };
  /** Payload sent behind the request without waiting for the reply. */
  early?: Uint8Array;
  /**
   * Milliseconds for the reply.
   *
   * @default {30_000}
   */
  timeout?: number;
}

/** What the proxy said, and the connection. */
export interface SocksConnection {
  /** The reply. */
  reply: ServerReply;
  /** Open in any case; the caller closes it. */
  conn: Deno.TcpConn;
  /** Bytes that came behind the reply. */
  early: Uint8Array;
}

/**
 * Asks a proxy on 127.0.0.1 to connect, as a plain client would.
 *
 * @throws {Error} if the proxy closes instead of replying, or the time is over.
 */
export async function socksConnect(
  proxyPort: number,
  host: string,
  port: number,
  { version = 5, login, early = new Uint8Array(), timeout = 30_000 }: SocksClientOptions = {},
): Promise<SocksConnection> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: proxyPort });
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    conn.close();
  }, timeout);
  try {
    const reader = new Reader(conn);
    // The reply and the end of the time may come in one turn of the event loop.
    const result = (reply: ServerReply): SocksConnection => {
      if (isOver) throw new Error(`The proxy took longer than ${timeout} ms`);
      return { reply, conn, early: reader.rest };
    };
    if (version === 4) {
      await writeAll(conn, concat(encodeRequest4({ host, port, userId: login?.user ?? "" }), early));
      return result(await reader.take(parseReply4));
    }
    await writeAll(conn, encodeGreeting([login === undefined ? 0 : 2]));
    await reader.take(twoBytes);
    if (login !== undefined) {
      await writeAll(conn, encodeLogin(login.user, login.password));
      await reader.take(twoBytes);
    }
    await writeAll(conn, concat(encodeRequest5({ host, port }), early));
    return result(await reader.take(parseReply5));
  } catch (error) {
    try {
      conn.close();
    } catch {
      // The timer closed it.
    }
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** A GET through a proxy: the body. */
export async function socksGet(proxyPort: number, url: string, options: SocksClientOptions = {}): Promise<string> {
  const { hostname, port, pathname } = new URL(url);
  const { reply, conn, early } = await socksConnect(proxyPort, hostname, Number(port || 80), options);
  using _conn = conn;
  if (reply.code !== (options.version === 4 ? 0x5a : 0)) throw new Error(`The proxy refused: ${reply.code}`);
  const request = `GET ${pathname} HTTP/1.1\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`;
  await writeAll(conn, new TextEncoder().encode(request));
  const answer = new TextDecoder().decode(concat(early, await readToEnd(conn)));
  return answer.slice(answer.indexOf("\r\n\r\n") + 4);
}

/** Everything up to the other side's end. */
export async function readToEnd(conn: Deno.Conn): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for (;;) {
    const buffer = new Uint8Array(65_536);
    const count = await conn.read(buffer);
    if (count === null) return concat(...chunks);
    chunks.push(buffer.subarray(0, count));
  }
}

/** Writes all of it. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}

function twoBytes(bytes: Uint8Array): { value: Uint8Array; length: number } | undefined {
  return bytes.length < 2 ? undefined : { value: bytes.slice(0, 2), length: 2 };
}

class Reader {
  readonly #conn: Deno.Conn;
  rest: Uint8Array = new Uint8Array();

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
  }

  async take<T>(parse: (bytes: Uint8Array) => { value: T; length: number } | undefined): Promise<T> {
    for (;;) {
      const parsed = parse(this.rest);
      if (parsed !== undefined) {
        this.rest = this.rest.subarray(parsed.length);
        return parsed.value;
      }
      const buffer = new Uint8Array(4096);
      const count = await this.#conn.read(buffer);
      if (count === null) throw new Error(`The proxy closed after ${this.rest.length} bytes of a reply`);
      this.rest = concat(this.rest, buffer.subarray(0, count));
    }
  }
}
