import type { CallerRules } from "../config/forward.ts";
import type { Hosts } from "../config/hosts.ts";
import { parseAddress } from "../i2p/address.ts";
import type { IsolationFlag } from "../config/choices.ts";
import type { AuditBook } from "../report/audit_book.ts";
import type { Counters } from "../report/counters.ts";
import type { Log } from "../report/log.ts";
import { Deadline } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { closeOnAbort, closeQuietly, isOfRuntime } from "../io/conn.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import type { StreamTarget } from "../sam/stream.ts";
import type { WarmSockets } from "../sam/warm_sockets.ts";
import { UDP_ASSOCIATE } from "../socks/datagram.ts";
import { type Handshake, readHandshake } from "../socks/handshake.ts";
import { RESOLVE_COMMANDS } from "../socks/resolve.ts";
import { encodeReply4 } from "../socks/socks4.ts";
import { encodeReply5 } from "../socks/socks5.ts";
import { BIND, Reply4, Reply5, SocksError, type SocksRequest } from "../socks/wire.ts";
import { Refusal } from "../reasons/refusal.ts";
import { awaitCaller, expectedCaller } from "./bind.ts";
import type { IdentityLease } from "../identity/identity_groups.ts";
import type { IdentityPool } from "../identity/identity_pool.ts";
import { isolationGroup } from "../identity/isolation.ts";
import type { LeakWatch } from "./leak_watch.ts";
import type { LoginGuard } from "./login_guard.ts";
import type { NameMap } from "./name_map.ts";
import { checkTarget, type DestinationRules } from "./policy.ts";
import { holdName, resolve } from "./resolve.ts";
import { dial, type DialledStream } from "./dial.ts";
import { destinationOf, refuse, type RefusedClient, tell } from "./refuse.ts";
import { ReadAhead } from "../relay/read_ahead.ts";
import { type AssociateContext, serveAssociate } from "./associate.ts";
import { relay, type RelayOptions, type RelayResources, type RelayResult } from "../relay/relay.ts";

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
export interface ClientContext extends RelayResources, Pick<AssociateContext, "datagrams"> {
  /** The SAM bridge. */
  endpoint: SamEndpoint;
  /** Sockets of the bridge that wait for a stream. */
  warm: WarmSockets;
  /** Whose destination is used. */
  identities: IdentityPool;
  /** Commands that are served besides CONNECT. */
  commands: ReadonlySet<number>;
  /** What tells clients apart. */
  isolation: ReadonlySet<IsolationFlag>;
  /** Who may connect; everybody where undefined. */
  logins: LoginGuard | undefined;
  /** Where clients may go. */
  rules: DestinationRules;
  /** Host names of the user's own, asked before the router. */
  hosts: Hosts;
  /** Addresses that stand for names; where undefined, nobody may ask for one. */
  names: NameMap | undefined;
  /** Watches what the application gives away. */
  leaks: LeakWatch;
  /** Time limits. */
  timeouts: ClientTimeouts;
  /** Takes a line for each client that does not get its stream, and at debug level for each that does. */
  log: Log;
  /** Takes the counts. */
  counters: Counters;
  /** Number of streams that are open. */
  streams: { open: number };
  /** Takes note of destinations, where an audit is under way. */
  audit?: AuditBook | undefined;
  /** Ends the client at once; its reason is a {@linkcode Refusal}. */
  signal: Signal;
  /** Makes sure that a client of this IP address is not one too many; throws a {@linkcode Refusal} if it is. */
  claimPlace: (address: string) => void;
  /** Whether SOCKS5 replies use the extended codes of Tor's proposal 304. */
  extendedErrors: boolean;
  /** Who may call those that wait for a caller. */
  callers?: CallerRules | undefined;
  /** Whether others wait for callers on the base identity: then no client can. */
  isForwarding?: boolean | undefined;
}

/** What is known of a client so far. */
interface Client extends RefusedClient {
  /** A number that no other client has. */
  serial: number;
}

/**
 * Serves one client from its first byte to its last. Never throws, and closes the connection in any case.
 *
 * Whatever fails on the way to an open stream is an error that is caught here, and only here, to become a SOCKS reply,
 * a log line and a count.
 */
export async function serveClient(conn: Deno.TcpConn, serial: number, context: ClientContext): Promise<void> {
  const client: Client = { conn, serial };
  try {
    const handshake = await receiveRequest(client, context);
    if (handshake.request.command === UDP_ASSOCIATE) return await serveAssociate(client, handshake.request, context);
    if (handshake.request.command === BIND) return await serveBind(client, handshake, context);
    const { names } = context;
    if (names !== undefined && RESOLVE_COMMANDS.has(handshake.request.command)) {
      return await answerResolve(client, handshake.request, names, context);
    }
    using name = names && holdName(handshake.request, { ...context, names, clientAddress: addressOf(client) });
    if (name !== undefined) client.request = { ...handshake.request, host: name.host };
    const target = judge(client, client.request ?? handshake.request, context);
    using identity = await chooseIdentity(client, handshake.request, target, context);
    const opened = await openStream(client, handshake, identity, target, context);
    context.counters.add("connected");
    context.audit?.visit(destinationOf(client) ?? "");
    context.streams.open++;
    try {
      tellEnd(client, opened, await startRelay(client, opened, handshake.early, target, context), context);
    } finally {
      context.streams.open--;
      closeQuietly(opened.stream.conn);
    }
  } catch (error) {
    await refuse(client, context, error);
  } finally {
    closeQuietly(conn);
  }
}

/** Answers a client that asks for an address or a name instead of a stream. */
async function answerResolve(
  client: Client,
  request: SocksRequest,
  names: NameMap,
  context: ClientContext,
): Promise<void> {
  context.claimPlace(addressOf(client));
  const { bytes, host } = resolve(request, { ...context, names, clientAddress: addressOf(client) });
  context.counters.add("resolved");
  context.log.debug("Answered a request for an address", { destination: host });
  await tell(client, bytes);
}

/** Serves a client that waits for a caller. */
async function serveBind(client: Client, handshake: Handshake, context: ClientContext): Promise<void> {
  const { conn, serial } = client;
  const { names } = context;
  using name = names && holdName(handshake.request, { ...context, names, clientAddress: addressOf(client) });
  const request = name === undefined ? handshake.request : { ...handshake.request, host: name.host };
  client.request = request;
  const expected = expectedCaller(request, context);
  if (expected !== undefined) client.address = expected;
  context.claimPlace(conn.remoteAddr.hostname);
  const target = { host: expected?.host ?? "", port: request.port };
  const { login } = request;
  const clientAddress = conn.remoteAddr.hostname;
  if (
    context.isForwarding && isolationGroup(context.isolation, { login, ...target, clientAddress, serial }) === undefined
  ) {
    throw new Refusal(
      "command",
      "BIND would take callers of --forward: a login gives the client an identity of its own",
    );
  }
  using identity = await chooseIdentity(client, request, target, context);
  const { stream, clientBytes, sessionEnded, reply } = await awaitCaller(conn, handshake, identity, expected, context);
  context.streams.open++;
  try {
    const opened = { stream, clientBytes, sessionEnded };
    const peer = { host: stream.caller, port: request.port };
    const end = await startRelay(client, opened, handshake.early, peer, context, { reply, clientEndsStream: true });
    tellEnd(client, opened, end, context);
  } finally {
    context.streams.open--;
    closeQuietly(stream.conn);
  }
}

async function receiveRequest(client: Client, context: ClientContext): Promise<Handshake> {
  const { timeouts, signal, logins, isolation, commands, audit } = context;
  using deadline = new Deadline(timeouts.handshake, signal);
  closeOnAbort(client.conn, deadline.signal);
  try {
    client.conn.setNoDelay(true);
    const handshake = await readHandshake(
      client.conn,
      logins !== undefined
        ? { login: "required", verify: (login) => logins.verify(login, deadline.signal), commands }
        : { login: isolation.has("auth") ? "preferred" : "accepted", commands },
    );
    client.request = handshake.request;
    audit?.request();
    return handshake;
  } catch (error) {
    // Where a reply is due the client has asked for something, which does not exist or is not served.
    if (error instanceof SocksError && error.version !== undefined) audit?.request();
    if (signal.aborted) throw signal.reason;
    if (deadline.signal.aborted) throw new Refusal("handshake-timeout");
    throw isOfRuntime(error) ? new Refusal("client-closed", undefined, error) : error;
  }
}

/** Where the client may go, if it may. */
function judge(
  client: Client,
  { host, port }: SocksRequest,
  { rules, hosts, claimPlace }: ClientContext,
): StreamTarget {
  const address = parseAddress(host);
  client.address = address;
  checkTarget(address, port, rules);
  claimPlace(client.conn.remoteAddr.hostname);
  const known = hosts.get(address.host);
  if (known !== undefined) client.address = parseAddress(known);
  return { host: known ?? address.host, port };
}

/** The identity of the client's isolation group. */
async function chooseIdentity(
  { conn, serial }: Client,
  { login }: SocksRequest,
  { host, port }: StreamTarget,
  { isolation, identities, halfClosed, signal }: ClientContext,
): Promise<IdentityLease> {
  const clientAddress = conn.remoteAddr.hostname;
  const group = isolationGroup(isolation, { login, host, port, clientAddress, serial });
  return await halfClosed.makeRoom(() => identities.lease(group, isolation.has("stream")), signal);
}

/** An open stream and what belongs to it. */
interface OpenStream extends DialledStream {
  /** Through which the client is read. */
  clientBytes: ReadAhead;
}

/** Opens the stream, and gives up when the client leaves meanwhile. */
async function openStream(
  { conn }: Client,
  { early, buffer }: Handshake,
  identity: IdentityLease,
  target: StreamTarget,
  context: ClientContext,
): Promise<OpenStream> {
  using deadline = new Deadline(context.timeouts.connect, context.signal);
  const clientBytes = new ReadAhead(conn, buffer, (how) => {
    // A client that ended its side behind its payload may wait for the answer; without any, nobody waits.
    if (how === "failed" || early.length === 0) deadline.abort(new Refusal("client-closed"));
  });
  return { ...await dial(context, identity, target, deadline.signal), clientBytes };
}

/** Says that the stream is open, and carries what either side sends, and sent ahead. */
function startRelay(
  client: Client,
  { clientBytes, stream, sessionEnded }: OpenStream,
  early: Uint8Array,
  { host }: StreamTarget,
  context: ClientContext,
  more: Partial<Pick<RelayOptions, "reply" | "clientEndsStream">> = {},
): Promise<RelayResult> {
  const guard = context.leaks.guard(host, destinationOf(client));
  const allowed = guard === undefined ? early : guard.sent.pass(early);
  if (allowed === undefined) throw new Refusal("leak");
  guard?.received.pass(stream.early);
  return relay(client.conn, clientBytes, stream, context, {
    reply: SUCCESS[client.request?.version ?? 5],
    toClient: stream.early,
    toStream: allowed,
    idleTimeout: context.timeouts.idle,
    signal: context.signal,
    sessionEnded,
    filters: guard,
    sentBytes: context.counters.counter("bytes-sent"),
    receivedBytes: context.counters.counter("bytes-received"),
    ...more,
  });
}

/** Tells how a stream ended. */
function tellEnd(
  client: Client,
  { sessionEnded }: OpenStream,
  { end, ...bytes }: RelayResult,
  { log, counters }: ClientContext,
): void {
  const destination = destinationOf(client);
  log.debug(`Stream ended: ${end}`, { ...bytes, destination });
  if (bytes.received > 0 || end !== "peer closed" || sessionEnded.aborted) return;
  counters.add("ended-without-data");
  log.info("A stream ended without a byte from the peer: with i2pd, that is how a peer looks which is gone", {
    destination,
  });
}

/** The replies of an open stream, by version. */
const SUCCESS: Readonly<Record<4 | 5, Uint8Array>> = {
  4: encodeReply4(Reply4.granted),
  5: encodeReply5(Reply5.succeeded),
};

/** The client's own IP address. */
function addressOf({ conn }: Client): string {
  return conn.remoteAddr.hostname;
}
