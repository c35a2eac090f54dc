import { type SocksClientOptions, socksConnect, type SocksConnection, writeAll } from "../clients/socks_client.ts";
import { since, within } from "./router.ts";
import { Checker, sendPattern } from "./web.ts";

/** Clients of a SOCKS proxy, the program's or a router's own. */

/** Milliseconds for a reply. */
const REPLY_TIMEOUT = 150_000;

/** Milliseconds without a byte after which a transfer is given up. */
const STALL = 60_000;

/** What a request brought. */
export interface Fetched {
  /** The body, counted and compared with the pattern. */
  body: Checker;
  /** The body as text. */
  text: string;
  /** Milliseconds to the reply of the proxy. */
  connected: number;
  /** Milliseconds to the first byte of the answer. */
  firstByte: number;
  /** Milliseconds to the last one. */
  total: number;
}

/** Connects, and expects to be let through. @throws {Error} with the code, if it is not. */
export async function open(
  proxy: number,
  host: string,
  port = 80,
  options: SocksClientOptions = {},
): Promise<SocksConnection> {
  const connection = await socksConnect(proxy, host, port, { timeout: REPLY_TIMEOUT, ...options });
  if (connection.reply.code === (options.version === 4 ? 0x5a : 0)) return connection;
  connection.conn.close();
  throw new Error(`refused with ${connection.reply.code}`);
}

/** Gets a path, or posts bytes of the pattern; ends by Content-Length, never by the end of the stream. */
export async function fetchBy(
  proxy: number,
  host: string,
  path: string,
  { post, timeout = 300_000, ...options }: SocksClientOptions & { post?: number } = {},
): Promise<Fetched> {
  const start = performance.now();
  const { conn, early } = await open(proxy, host, 80, options);
  using _conn = conn;
  const connected = since(start);
  const head = post === undefined ? `GET ${path} HTTP/1.1` : `POST ${path} HTTP/1.1\r\nContent-Length: ${post}`;
  await writeAll(conn, new TextEncoder().encode(`${head}\r\nHost: ${host}\r\n\r\n`));
  const sending = post === undefined ? Promise.resolve() : sendPattern(conn, post);
  sending.catch(() => {});
  let firstByte = 0;
  const read = async (): Promise<Fetched> => {
    const body = new Checker();
    // One character a byte, so that places in the text are those in the bytes.
    const decoder = new TextDecoder("latin1");
    let text = "";
    let length: number | undefined;
    let held = early;
    while (length === undefined || body.count < length) {
      const buffer = new Uint8Array(65_536);
      const count = held.length > 0
        ? 0
        : await within(post === undefined ? STALL : timeout, `a byte behind ${body}`, conn.read(buffer));
      if (count === null) throw new Error(`ended after ${body}`);
      let part = held.length > 0 ? held : buffer.subarray(0, count);
      held = new Uint8Array();
      firstByte ||= since(start);
      if (length === undefined) {
        text += decoder.decode(part, { stream: true });
        const end = text.indexOf("\r\n\r\n");
        if (end < 0) continue;
        length = Number(/content-length: *(\d+)/i.exec(text)?.[1] ?? 0);
        part = part.subarray(part.length - (text.length - end - 4));
        text = text.slice(end + 4);
      } else if (text.length < 10_000) text += decoder.decode(part, { stream: true });
      body.add(part);
    }
    return { body, text, connected, firstByte, total: since(start) };
  };
  return await within(timeout, `GET ${path}`, read());
}

/** What came of a stream. */
export interface End {
  /** Bytes. */
  count: number;
  /** Whether its end came as well. */
  ended: boolean;
}

/** Reads until the end, or until nothing has come for a while. */
export async function readOn(next: () => Promise<Uint8Array | null>, hangs: number): Promise<End> {
  let count = 0;
  for (;;) {
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => late.resolve(undefined), hangs);
    const reading = next();
    reading.catch(() => {});
    const part = await Promise.race([reading, late.promise]);
    clearTimeout(timer);
    if (part === undefined) return { count, ended: false };
    if (part === null) return { count, ended: true };
    count += part.length;
  }
}

/** The bytes that are there; null at the end, a reset included. */
export async function readSome(conn: Deno.TcpConn): Promise<Uint8Array | null> {
  const buffer = new Uint8Array(65_536);
  try {
    const count = await conn.read(buffer);
    return count === null ? null : buffer.subarray(0, count);
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionReset) return null;
    throw error;
  }
}
