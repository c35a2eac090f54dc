import { connectStream, type SamStream } from "../../lib/sam/stream.ts";
import { createSession, type SamSession } from "../../lib/sam/session.ts";
import { readToEnd, writeAll } from "./socks_client.ts";

/** Somebody in I2P who calls others. */
export interface Caller extends AsyncDisposable {
  /** Its base32 address. */
  readonly b32: string;
  /** Opens a stream to somebody. */
  call(host: string, port?: number): Promise<SamStream>;
  /** Calls, says something, and takes the answer up to the end. */
  ask(host: string, text: string, port?: number): Promise<string>;
}

/** Gives somebody a destination at a bridge. */
export async function startCaller(samPort: number): Promise<Caller> {
  const endpoint = { hostname: "127.0.0.1", port: samPort };
  const stop = new AbortController();
  const session: SamSession = await createSession(endpoint, { options: {} }, stop.signal);
  const conns: Deno.TcpConn[] = [];
  const call = async (host: string, port = 0): Promise<SamStream> => {
    const stream = await connectStream(endpoint, session.id, { host, port }, stop.signal);
    conns.push(stream.conn);
    return stream;
  };
  return {
    b32: session.address,
    call,
    ask: async (host, text, port) => {
      const { conn, early } = await call(host, port);
      // Whoever is turned away may be so before anything is said.
      await writeAll(conn, new TextEncoder().encode(text)).catch(() => {});
      const rest = await readToEnd(conn).catch(() => new Uint8Array());
      return new TextDecoder().decode(early) + new TextDecoder().decode(rest);
    },
    [Symbol.asyncDispose]: async () => {
      session.close();
      await session.lost;
      for (const conn of conns) {
        try {
          conn.close();
        } catch {
          // Closed already.
        }
      }
    },
  };
}
