import { writeAll } from "./socks_client.ts";
import { encodeGreeting, encodeLogin, encodeRequest5, parseReply5, type ServerReply } from "./socks_wire.ts";
import { concat } from "../support/bytes.ts";

const UDP_ASSOCIATE = 3;

/** Milliseconds for a reply, and for a datagram that is expected. */
const TIMEOUT = 30_000;

/** How a client asks for an association. */
export interface AssociateOptions {
  /** User and password. */
  login?: { user: string; password: string };
  /** The address that it says it will send from. @default {"0.0.0.0"} */
  host?: string;
  /** The port that it says it will send from; `"own"` is the one that it has. @default {0} */
  port?: number | "own";
  /** The address of the proxy. @default {"127.0.0.1"} */
  proxy?: string;
  /** Milliseconds for the reply. @default {30_000} */
  timeout?: number;
}

/** A datagram that came through the relay. */
export interface Received {
  host: string;
  port: number;
  /** As ASCII. */
  text: string;
}

/** A client with an association, or without, where it was refused. */
export interface UdpClient extends Disposable {
  /** What the proxy said. */
  readonly reply: ServerReply;
  /** The TCP connection. */
  readonly conn: Deno.TcpConn;
  /** Its own UDP port. */
  readonly port: number;
  /** Sends a datagram to a peer; any bytes where they are given. */
  send(host: string, port: number, payload: string | Uint8Array, fragment?: number): Promise<void>;
  /** Sends bytes to the relay as they are. */
  sendRaw(bytes: Uint8Array): Promise<void>;
  /** The next datagram; undefined if none comes in time. */
  receive(milliseconds?: number): Promise<Received | undefined>;
  /** The bytes of the next datagram; undefined if none comes in time. */
  receiveRaw(milliseconds?: number): Promise<Uint8Array | undefined>;
}

/** The bytes of a datagram to the relay (RFC 1928 §7). */
export function encodeUdp(host: string, port: number, payload: string | Uint8Array, fragment = 0): Uint8Array {
  const address = encodeRequest5({ host, port }).subarray(3);
  const data = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  return concat(Uint8Array.of(0, 0, fragment), address, data);
}

/**
 * Asks a proxy on loopback for an association, as a plain client would.
 *
 * @throws {Error} if the proxy closes instead of replying, or takes too long.
 */
export async function associate(proxyPort: number, options: AssociateOptions = {}): Promise<UdpClient> {
  const { login, host = "0.0.0.0", port = 0, proxy = "127.0.0.1", timeout = TIMEOUT } = options;
  const socket = Deno.listenDatagram({ transport: "udp", hostname: proxy, port: 0 });
  const own = (socket.addr as Deno.NetAddr).port;
  const conn = await Deno.connect({ hostname: proxy, port: proxyPort });
  const timer = setTimeout(() => conn.close(), timeout);
  let reply: ServerReply;
  try {
    await writeAll(conn, encodeGreeting([login === undefined ? 0 : 2]));
    await readBytes(conn, 2);
    if (login !== undefined) {
      await writeAll(conn, encodeLogin(login.user, login.password));
      await readBytes(conn, 2);
    }
    await writeAll(conn, encodeRequest5({ host, port: port === "own" ? own : port, command: UDP_ASSOCIATE }));
    const head = await readBytes(conn, 4);
    reply = parseReply5(concat(head, await readBytes(conn, head[3] === 4 ? 18 : 6)))?.value ?? fail();
  } catch (error) {
    socket.close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  const relay: Deno.NetAddr = { transport: "udp", hostname: proxy, port: reply.port };
  const buffer = new Uint8Array(65_536);
  let pending: Promise<[Uint8Array, Deno.Addr]> | undefined;
  const receiveRaw = async (milliseconds = TIMEOUT): Promise<Uint8Array | undefined> => {
    // A read that waits cannot be taken back: the next call goes on with it.
    pending ??= socket.receive(buffer);
    pending.catch(() => {});
    const late = Promise.withResolvers<undefined>();
    const lateTimer = setTimeout(() => late.resolve(undefined), milliseconds);
    const received = await Promise.race([pending, late.promise]);
    clearTimeout(lateTimer);
    if (received !== undefined) pending = undefined;
    return received?.[0].slice();
  };
  return {
    reply,
    conn,
    port: own,
    send: async (to, toPort, payload, fragment) => {
      await socket.send(encodeUdp(to, toPort, payload, fragment), relay);
    },
    sendRaw: async (bytes) => void await socket.send(bytes, relay),
    receive: async (milliseconds) => {
      const bytes = await receiveRaw(milliseconds);
      return bytes && decode(bytes);
    },
    receiveRaw,
    [Symbol.dispose]: () => {
      socket.close();
      try {
        conn.close();
      } catch {
        // The test closed it.
      }
    },
  };
}

function decode(bytes: Uint8Array): Received {
  const [, , fragment, type, length = 0] = bytes;
  if (fragment !== 0 || type !== 3) throw new Error(`Not a datagram from a name: ${bytes.subarray(0, 10)}`);
  const ascii = (part: Uint8Array): string => new TextDecoder().decode(part);
  const [high = 0, low = 0] = bytes.subarray(5 + length);
  return { host: ascii(bytes.subarray(5, 5 + length)), port: high << 8 | low, text: ascii(bytes.subarray(7 + length)) };
}

async function readBytes(conn: Deno.Conn, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  for (let filled = 0; filled < count;) {
    filled += await conn.read(bytes.subarray(filled)) ?? fail();
  }
  return bytes;
}

function fail(): never {
  throw new Error("The proxy closed instead of replying");
}
