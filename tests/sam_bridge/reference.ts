import { writeAll } from "../clients/socks_client.ts";
import { encode } from "../support/bytes.ts";

/** The options of a session in a private network: see its sessionOptions, which are those of i2p-socks. */
const OPTIONS = "inbound.length=0 outbound.length=0 inbound.quantity=1 outbound.quantity=1 " +
  "i2cp.leaseSetType=1 i2cp.leaseSetEncType=0";

/** A SAM client that has fetched a page. */
export interface SamReference extends Disposable {
  /** When it had it, in milliseconds as of `performance.now()`. */
  readonly fetched: number;
}

/**
 * Does what a SAM client can do at the earliest: asks for a session, and fetches the front page of a site as soon as the
 * router says that the session stands. Nothing of lib/ takes part, so it tells the router's time from that of i2p-socks.
 *
 * The session stays until it is disposed of, best after the router's end: the end of a session may be the end of i2pd
 * 2.45.1.
 *
 * @throws {Error} if the router refuses or closes, or after `timeout` milliseconds.
 */
export async function fetchBySam(samPort: number, host: string, timeout: number): Promise<SamReference> {
  const conns: Deno.TcpConn[] = [];
  const close = (): void => conns.forEach(closeQuietly);
  const timer = setTimeout(close, timeout);
  try {
    const id = `reference-${crypto.randomUUID()}`;
    const control = await greeted(samPort, conns);
    await ask(control, `SESSION CREATE STYLE=STREAM ID=${id} DESTINATION=TRANSIENT SIGNATURE_TYPE=7 ${OPTIONS}`);
    const stream = await greeted(samPort, conns);
    await ask(stream, `STREAM CONNECT ID=${id} DESTINATION=${host}`);
    await writeAll(stream, encode(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
    await hear(stream, (text) => text.includes("</html>"));
    return { fetched: performance.now(), [Symbol.dispose]: close };
  } catch (error) {
    close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function greeted(port: number, conns: Deno.TcpConn[]): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conns.push(conn);
  await ask(conn, "HELLO VERSION MIN=3.1 MAX=3.1");
  return conn;
}

async function ask(conn: Deno.TcpConn, command: string): Promise<void> {
  await writeAll(conn, encode(`${command}\n`));
  const reply = await hear(conn, (text) => text.endsWith("\n"));
  if (!/ RESULT=OK\b/.test(reply)) throw new Error(`Cannot go on: SAM answers "${reply}" to "${command}"`);
}

async function hear(conn: Deno.TcpConn, isAll: (text: string) => boolean): Promise<string> {
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!isAll(text)) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error(`Cannot hear the end: closed after "${text}"`);
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return text;
}

function closeQuietly(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // The timer closed it.
  }
}
