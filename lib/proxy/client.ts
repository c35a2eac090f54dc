import { formatEndpoint } from "../config/endpoint.ts";
import { type Address, parseAddress } from "../i2p/address.ts";
import type { Counters } from "../report/counters.ts";
import type { Log } from "../report/log.ts";
import { connectStream, type SamStream } from "../sam/stream.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { type Handshake, readHandshake } from "../socks/handshake.ts";
import { encodeHttpAnswer } from "../socks/http.ts";
import { encodeReply4 } from "../socks/socks4.ts";
import { encodeReply5 } from "../socks/socks5.ts";
import { Reply4, Reply5, SocksError, type SocksRequest } from "../socks/wire.ts";
import { ANSWERS, Refusal, refusalOf, REPLY4_FAILURE } from "./failure.ts";
import type { Identity } from "./identity.ts";
import { closeAfterReply, closeQuietly, Deadline, writeAll } from "./net.ts";
import { checkTarget } from "./policy.ts";
import { relay, type RelayResources } from "./relay.ts";

/** Time limits of a client, in milliseconds. */
export interface ClientTimeouts {
  /** From accepting a client to its complete request. */
  handshake: number;
  /** From the request to the open stream, waiting for a session included. */
  connect: number;
  /** Without a byte either way; 0 is never. */
  idle: number;
}

/** What a client needs of the proxy around it. */
export interface ClientContext extends RelayResources {
  /** The SAM bridge. */
  endpoint: SamEndpoint;
  /** Whose destination is used. */
  identity: Identity;
  /** Time limits. */
  timeouts: ClientTimeouts;
  /** Takes a line for each client that does not get its stream, and at debug level for each that does. */
  log: Log;
  /** Takes the counts. */
  counters: Counters;
  /** Ends the client at once. */
  signal: AbortSignal;
  /** Whether the client is one too many: it is told so. */
  surplus: boolean;
}

/** What is known of a client so far. */
interface Client {
  conn: Deno.TcpConn;
  request?: SocksRequest;
  address?: Address;
}

/**
 * Serves one client from its first byte to its last. Never throws, and closes the connection in any case.
 *
 * Whatever fails on the way to an open stream is an error that is caught here, and only here, to become a SOCKS reply,
 * a log line and a count.
 */
export async function serveClient(conn: Deno.TcpConn, context: ClientContext): Promise<void> {
  const client: Client = { conn };
  try {
    const { early } = await receiveRequest(client, context);
    const stream = await openStream(client, context);
    context.counters.add("connected");
    await carry(client, stream, early, context);
  } catch (error) {
    await refuse(client, context, error);
  } finally {
    closeQuietly(conn);
  }
}

async function receiveRequest(client: Client, { timeouts, signal }: ClientContext): Promise<Handshake> {
  using deadline = new Deadline(timeouts.handshake, signal);
  deadline.signal.addEventListener("abort", () => closeQuietly(client.conn));
  try {
    client.conn.setNoDelay(true);
    const handshake = await readHandshake(client.conn);
    client.request = handshake.request;
    return handshake;
  } catch (error) {
    if (signal.aborted) throw new Refusal("stopping");
    if (deadline.signal.aborted) throw new Refusal("handshake-timeout");
    throw error instanceof SocksError ? error : new Refusal("client-closed", undefined, error);
  }
}

async function openStream(client: Client, context: ClientContext): Promise<SamStream> {
  const { request } = client;
  if (request === undefined) throw new TypeError("Cannot open a stream before the request");
  const address = parseAddress(request.host);
  client.address = address;
  checkTarget(address);
  if (context.surplus) throw new Refusal("too-many");
  using deadline = new Deadline(context.timeouts.connect, context.signal);
  try {
    const session = await context.identity.session(deadline.signal);
    return await connectStream(
      context.endpoint,
      session.id,
      { host: address.host, port: request.port },
      deadline.signal,
    );
  } catch (error) {
    throw context.signal.aborted ? new Refusal("stopping") : error;
  }
}

/** Says that the stream is open, hands over what either side sent ahead, and carries the rest. */
async function carry(client: Client, stream: SamStream, early: Uint8Array, context: ClientContext): Promise<void> {
  const result = await relay(client.conn, stream.conn, context, {
    toClient: concat(encodeSuccess(client), stream.early),
    toStream: early,
    idleTimeout: context.timeouts.idle,
    signal: context.signal,
  });
  const [sent, received] = [result.sent + early.length, result.received + stream.early.length];
  context.counters.add("bytes-sent", sent);
  context.counters.add("bytes-received", received);
  context.log.debug(`Stream ended: ${result.end}`, { sent, received, destination: destinationOf(client) });
}

async function refuse(client: Client, context: ClientContext, error: unknown): Promise<void> {
  const refusal = refusalOf(error, client.address?.kind === "b32" || client.address?.kind === "b33");
  const { reason, message } = refusal;
  context.counters.add(`refused-${reason}`);
  const { hint } = ANSWERS[reason];
  const level = reason === "internal" ? "error" : reason === "client-closed" ? "debug" : "info";
  context.log[level](`Refused a client: ${message}`, { reason, hint, destination: destinationOf(client) });
  const bytes = replyBytes(client, refusal);
  if (bytes === undefined) return;
  try {
    await writeAll(client.conn, bytes);
    await closeAfterReply(client.conn);
  } catch {
    // The client is gone: nobody is left to tell.
  }
}

/** What to write to a client that is refused: depends on how far it came. */
function replyBytes(client: Client, { reason, cause }: Refusal): Uint8Array | undefined {
  if (reason === "http") return encodeHttpAnswer(formatEndpoint(client.conn.localAddr));
  const version = client.request?.version ?? (cause instanceof SocksError ? cause.version : undefined);
  if (version === 5) return encodeReply5(ANSWERS[reason].reply5);
  if (version === 4) return encodeReply4(REPLY4_FAILURE);
  return undefined;
}

function encodeSuccess({ request }: Client): Uint8Array {
  return request?.version === 4 ? encodeReply4(Reply4.granted) : encodeReply5(Reply5.succeeded);
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(first.length + second.length);
  bytes.set(first);
  bytes.set(second, first.length);
  return bytes;
}

function destinationOf({ request }: Client): string | undefined {
  return request && `${request.host}:${request.port}`;
}
