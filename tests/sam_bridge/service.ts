import { b32Address, publicPart } from "../../lib/i2p/destination.ts";
import { decodeI2pBase64, encodeI2pBase64 } from "../../lib/i2p/base64.ts";

/** How to publish a service. */
export interface PublishServiceOptions {
  /**
   * Whether the caller's destination line stays in front of the data.
   *
   * @default false
   */
  header?: boolean;
  /**
   * Pairs for `SESSION CREATE`, besides the style, the ID and the keys.
   *
   * @default "i2cp.leaseSetEncType=4", as a server tunnel of i2pd has
   */
  sessionOptions?: string;
}

/** A service that has an I2P destination. */
export interface PublishedService extends AsyncDisposable {
  /** `<52 characters>.b32.i2p`. */
  readonly b32: string;
  /** The public part in I2P base64. */
  readonly destination: string;
  /** Takes the destination off the network, with its streams; resolves when the router has done so. */
  close(): Promise<void>;
}

/** Longest reply (bytes) that is waited for; a private key is about a thousand. */
const REPLY_LIMIT = 8192;

/** How long (ms) a router may take to notice that its client has left. */
const HANG_UP_TIMEOUT = 1000;

/**
 * Publishes a loopback TCP service as an I2P destination, with `SESSION CREATE` and `STREAM FORWARD`. Works with a bridge
 * of {@linkcode startSamBridge} as with a real router, where it takes as long as its tunnels.
 *
 * Both sockets speak 3.1, the one version that both routers negotiate alike and that has no PING.
 *
 * @throws {Error} if the router refuses, with the line it said.
 */
export async function publishService(
  samPort: number,
  servicePort: number,
  { header = false, sessionOptions = "i2cp.leaseSetEncType=4" }: PublishServiceOptions = {},
): Promise<PublishedService> {
  const id = `service-${crypto.randomUUID()}`;
  const conns: Deno.TcpConn[] = [];
  const close = async (): Promise<void> => void await Promise.all(conns.splice(0).map(hangUp));
  try {
    const control = await greeted(samPort, conns);
    const created = await ask(
      control,
      `SESSION CREATE STYLE=STREAM ID=${id} DESTINATION=TRANSIENT SIGNATURE_TYPE=7 ${sessionOptions}`.trimEnd(),
    );
    const blob = / DESTINATION=(\S+)/.exec(created)?.[1] ?? "";
    const destination = publicPart(decodeI2pBase64(blob));
    const forward = await greeted(samPort, conns);
    await ask(forward, `STREAM FORWARD ID=${id} PORT=${servicePort} SILENT=${!header}`);
    return {
      b32: await b32Address(destination),
      destination: encodeI2pBase64(destination),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function greeted(port: number, conns: Deno.TcpConn[]): Promise<Deno.TcpConn> {
  const conn = await Deno.connect({ hostname: "127.0.0.1", port });
  conns.push(conn);
  await ask(conn, "HELLO VERSION MIN=3.1 MAX=3.1");
  return conn;
}

/** Closes, but first lets the router notice: it closes its side when the session is gone. */
async function hangUp(conn: Deno.TcpConn): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), HANG_UP_TIMEOUT);
  try {
    await conn.closeWrite();
    while (await Promise.race([conn.read(new Uint8Array(REPLY_LIMIT)), late]) !== null);
  } catch {
    // Reset: gone as well.
  }
  clearTimeout(timer);
  conn.close();
}

/** Sends a command and returns its reply, which must be OK. */
async function ask(conn: Deno.TcpConn, command: string): Promise<string> {
  const bytes = new TextEncoder().encode(`${command}\n`);
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
  const buffer = new Uint8Array(REPLY_LIMIT);
  let reply = "";
  while (!reply.endsWith("\n")) {
    const length = reply.length < REPLY_LIMIT ? await conn.read(buffer) : null;
    if (length === null) break;
    reply += new TextDecoder().decode(buffer.subarray(0, length));
  }
  if (!/ RESULT=OK\b/.test(reply)) {
    throw new Error(`Cannot publish a service: the router answered "${reply.trim()}" to "${command}"`);
  }
  return reply;
}
