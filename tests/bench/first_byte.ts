import { socksConnect, writeAll } from "../clients/socks_client.ts";

/** Milliseconds for one answer of the site. */
const ANSWER_TIMEOUT = 60_000;

/** A user and a password. */
type Login = { user: string; password: string };

/** Milliseconds from dialling to the first byte of an answer of `tests/support/site.ts`. */
export async function firstByte(port: number, host: string, login?: Login): Promise<number> {
  const since = performance.now();
  await getPage(port, host, "/", 1, login);
  return performance.now() - since;
}

/** Asks for a page, and reads so many bytes of the answer. */
export async function getPage(port: number, host: string, path: string, bytes: number, login?: Login): Promise<void> {
  const options = { timeout: ANSWER_TIMEOUT, ...(login && { login }) };
  const { conn, reply, early } = await socksConnect(port, host, 80, options);
  const timer = setTimeout(() => conn.close(), ANSWER_TIMEOUT);
  try {
    if (reply.code !== 0) throw new Error(`Port ${port} refuses with ${reply.code}`);
    await writeAll(
      conn,
      new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    const buffer = new Uint8Array(65_536);
    for (let got = early.length; got < bytes;) {
      const count = await conn.read(buffer);
      if (count === null) throw new Error(`The answer ended after ${got} of ${bytes} bytes`);
      got += count;
    }
  } finally {
    clearTimeout(timer);
    try {
      conn.close();
    } catch {
      // The timer closed it.
    }
  }
}
