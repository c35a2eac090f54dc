import type { Address } from "../i2p/address.ts";
import { b32Address } from "../i2p/destination.ts";
import { ipBytes } from "../i2p/ip_address.ts";
import type { IdentityLease } from "../identity/identity_pool.ts";
import { closeQuietly, writeAll } from "../io/conn.ts";
import { Deadline, sleep } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { unknownReason } from "../reasons/classify.ts";
import { Refusal } from "../reasons/refusal.ts";
import type { IncomingStream } from "../sam/accept.ts";
import { SamError } from "../sam/error.ts";
import { lookupName } from "../sam/naming.ts";
import type { SamSession } from "../sam/session.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import type { Handshake } from "../socks/handshake.ts";
import { encodeBound4 } from "../socks/socks4.ts";
import { encodeBound5 } from "../socks/socks5.ts";
import type { SocksRequest } from "../socks/wire.ts";
import { acquireMapping, type Client, type ClientContext, groupOf } from "./context.ts";
import { logLeftovers, PendingAccept } from "./pending_accept.ts";
import { checkDestination, mayCall } from "./policy.ts";
import { type OpenStream, relayStream, watchClient } from "./stream.ts";

/** Addresses that stand for "anybody" in a BIND. */
const ANYBODY: readonly string[] = ["", "0.0.0.0", "0:0:0:0:0:0:0:0"];

/** Milliseconds until the router is asked again, where it has closed a socket that waited. */
const RETRY = 100;

/**
 * Serves BIND (RFC 1928 §4): waits for a caller on the client's own identity, and carries its stream. The client names
 * whom it waits for, which must be somebody that it could connect to, or nobody.
 */
export async function handleBind(client: Client, handshake: Handshake, context: ClientContext): Promise<void> {
  const { settings, hosts, admission, identities, signal } = context;
  using name = acquireMapping(client, handshake.request, context);
  const request = name === undefined ? handshake.request : { ...handshake.request, host: name.host };
  client.request = request;
  const expected = ANYBODY.includes(request.host) ? undefined : checkDestination(request, settings.policy, hosts);
  if (expected !== undefined) client.address = expected;
  await admission.claim(client, context.signal);
  const group = groupOf(client, { host: expected?.host ?? "", port: request.port }, settings);
  if (group === undefined && settings.forward !== undefined) {
    throw new Refusal(
      "command",
      "BIND would take callers of --forward: a login gives the client an identity of its own",
    );
  }
  using identity = await identities.lease(group, signal);
  client.identity = identity.label;
  await relayStream(client, handshake, await awaitCaller(client, handshake, identity, expected, context), context);
}

/**
 * Waits for a caller. Writes the first reply, with the address that can be called, as soon as the router waits.
 *
 * @throws {Refusal} `client-closed` if the client leaves, or what the session throws.
 * @throws {SamError} if the router refuses.
 * @throws {TimeoutError} if nobody has called in time.
 */
async function awaitCaller(
  client: Client,
  handshake: Handshake,
  identity: IdentityLease,
  expected: Address | undefined,
  context: ClientContext,
): Promise<OpenStream> {
  const { endpoint, settings, signal, ending, counters, gauges, log } = context;
  const { request } = handshake;
  using deadline = new Deadline(settings.timeouts.connect, signal, ending);
  using waiting = watchClient(client, handshake, deadline, context, true);
  const session = await identity.session(deadline);
  using claim = identity.claimAccept();
  if (claim === undefined) {
    throw new Refusal("command", "Another client waits on this identity: a login gives the client one of its own");
  }
  logLeftovers(session, log);
  gauges.waiting++;
  try {
    const wanted = expected && await hashOf(expected, endpoint, deadline);
    let replied: Promise<void> | undefined;
    const onWaiting = (): void => {
      if (replied !== undefined) return;
      counters.add("bind-waiting");
      // A client that cannot be written to is gone, which the read ahead finds out.
      replied = writeAll(client.conn, boundReply(request, session.address)).catch(() => {});
    };
    const stream = await acceptCaller(session, wanted, onWaiting, deadline, context);
    await replied;
    // A client that named its caller by an IP address gets that address again: it may know no names.
    const reply = boundReply(request, stream.caller, expected && ipBytes(request.host));
    return {
      stream,
      sessionEnded: session.ended,
      clientBytes: waiting.bytes,
      peer: stream.caller,
      reply,
      clientEndsStream: true,
    };
  } finally {
    gauges.waiting--;
  }
}

/** Accepts streams until one is of a caller that may call. Others are closed, and the wait goes on. */
async function acceptCaller(
  session: SamSession,
  wanted: string | undefined,
  onWaiting: () => void,
  signal: Signal,
  { endpoint, settings, counters }: ClientContext,
): Promise<IncomingStream> {
  using attempt = new Deadline(Infinity, signal, session.ended);
  let hasWaited = false;
  for (;;) {
    let stream: IncomingStream;
    try {
      stream = await PendingAccept.of(endpoint, session).take(attempt, () => {
        hasWaited = true;
        onWaiting();
      });
    } catch (error) {
      if (error instanceof SamError && error.saysSessionIsOver) session.close(error);
      // The time is over, or the client has left: that counts more than how far another attempt has come.
      if (hasWaited) signal.throwIfAborted();
      // i2pd closes some of those that wait on a destination when a caller comes to another.
      if (attempt.aborted || !hasWaited || !(error instanceof SamError) || error.failure !== "closed") {
        throw error;
      }
      await sleep(RETRY, attempt);
      attempt.throwIfAborted();
      continue;
    }
    const { caller } = stream;
    if ((wanted === undefined || wanted === caller) && mayCall(caller, settings.policy.callers)) {
      counters.add("bind-connected");
      return stream;
    }
    counters.add("bind-denied");
    closeQuietly(stream.conn);
  }
}

/** The hash that the caller will show; a name is looked up once. */
async function hashOf({ kind, host }: Address, endpoint: SamEndpoint, signal: Signal): Promise<string> {
  if (kind === "b32") return host;
  const destination = await lookupName(endpoint, host, signal);
  if (destination === undefined) throw new Refusal(unknownReason(kind));
  return await b32Address(destination);
}

function boundReply({ version, port }: SocksRequest, address: string, ip?: Uint8Array): Uint8Array {
  return version === 4 ? encodeBound4(port, ip) : encodeBound5(ip ?? address, port);
}
