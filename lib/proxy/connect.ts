import type { IdentityLease } from "../identity/identity_pool.ts";
import { Deadline, sleep, TimeoutError } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { refusalOf } from "../reasons/classify.ts";
import { Refusal } from "../reasons/refusal.ts";
import { SamError } from "../sam/error.ts";
import type { SamSession } from "../sam/session.ts";
import { connectStream, type StreamTarget } from "../sam/stream.ts";
import type { Handshake } from "../socks/handshake.ts";
import { acquireMapping, type Client, type ClientContext, destinationOf, groupOf } from "./context.ts";
import { checkDestination } from "./policy.ts";
import { type OpenStream, relayStream, watchClient } from "./stream.ts";

/** Milliseconds for the loss of a session to show itself, when a stream on it could not be opened. */
const LOSS_DELAY = 250;

/**
 * Milliseconds for the router to say whether a peer answers. Java I2P needs 15 s to find its lease set, and is to give the
 * peer a minute; since 2.2.0 it does not keep that, and refuses after five and a half.
 */
export const SILENT_PEER_TIMEOUT = 80_000;

/**
 * Milliseconds for a router that has come back to find the peer of a client that was held: its lookups fail at once while it
 * knows few others, or none.
 */
export const HELD_PATIENCE = 20_000;

/** Milliseconds from one attempt to the next. */
const HELD_PAUSE = 1_000;

/** What dialling needs of the context. */
type Bridge = Pick<ClientContext, "endpoint" | "warm" | "settings">;

/** Serves CONNECT: opens a stream to where the client may go, and carries it. */
export async function handleConnect(client: Client, handshake: Handshake, context: ClientContext): Promise<void> {
  using name = acquireMapping(client, handshake.request, context);
  const request = name === undefined ? handshake.request : { ...handshake.request, host: name.host };
  client.request = request;
  client.address = checkDestination(request, context.settings.policy, context.hosts);
  const place = context.admission.claim(client, context.signal);
  if (place !== undefined) await place;
  const target = { host: client.address.host, port: request.port };
  const lease = context.identities.lease(groupOf(client, target, context.settings), context.signal);
  using identity = lease instanceof Promise ? await lease : lease;
  client.identity = identity.label;
  const opened = await openStream(client, handshake, identity, target, context);
  context.counters.add("connected");
  identity.visit(target.host);
  context.audit?.visit(destinationOf(client) ?? "");
  context.audit?.note("identity", identity.address ?? "", target.host);
  await relayStream(client, handshake, opened, context);
}

/** Opens the stream; gives up when the time is over or the client leaves. */
async function openStream(
  client: Client,
  handshake: Handshake,
  identity: IdentityLease,
  target: StreamTarget,
  context: ClientContext,
): Promise<OpenStream> {
  using deadline = new Deadline(context.settings.timeouts.connect, context.signal);
  using waiting = watchClient(client, handshake, deadline, context);
  const { stream, sessionEnded } = await dial(context, identity, target, deadline);
  return { stream, sessionEnded, clientBytes: waiting.bytes, peer: target.host };
}

/**
 * Opens a stream; once more on the next session, where the first one turns out to be lost.
 *
 * @throws {SamError} if the router refuses, or cannot be reached.
 * @throws the signal's reason if it was aborted.
 */
async function dial(
  bridge: Bridge,
  identity: IdentityLease,
  target: StreamTarget,
  signal: Signal,
): Promise<Pick<OpenStream, "stream" | "sessionEnded">> {
  const isHeld = identity.isOut;
  const session = identity.current ?? await identity.session(signal);
  try {
    return await dialPatiently(session, bridge, target, isHeld, signal);
  } catch (error) {
    if (signal.aborted || !await isLost(session, error, signal)) throw error;
    return await dialPatiently(await identity.session(signal), bridge, target, true, signal);
  }
}

/** Opens a stream; for a client that was held asks again for a peer that a router finds only later, which has just come back. */
async function dialPatiently(
  session: SamSession,
  bridge: Bridge,
  target: StreamTarget,
  isHeld: boolean,
  signal: Signal,
): Promise<Pick<OpenStream, "stream" | "sessionEnded">> {
  using patience = new Deadline(HELD_PATIENCE, signal, session.ended);
  for (;;) {
    try {
      return await dialOn(session, bridge, target, signal);
    } catch (error) {
      if (!isHeld || !isUnfound(error)) throw error;
      await sleep(HELD_PAUSE, patience);
      if (patience.aborted) throw error;
    }
  }
}

/** Whether the router has found nothing of a peer, or none that answers. */
function isUnfound(error: unknown): boolean {
  return error instanceof SamError &&
    ["lease-set-not-found", "peer-unreachable"].includes(refusalOf(error).reason);
}

async function dialOn(
  { id, ended, address }: SamSession,
  { endpoint, warm, settings: { forward, bind } }: Bridge,
  target: StreamTarget,
  signal: Signal,
): Promise<Pick<OpenStream, "stream" | "sessionEnded">> {
  // i2pd 2.45.1 says OK, and ends the stream ten seconds later. Where somebody is waited for, it has a meaning there.
  if (target.host === address && forward === undefined && !bind) throw new Refusal("own-address");
  using attempt = new Deadline(SILENT_PEER_TIMEOUT, signal, ended);
  try {
    return { stream: await connectStream(endpoint, id, target, attempt, warm), sessionEnded: ended };
  } catch (error) {
    if (error instanceof TimeoutError && !signal.aborted && !ended.aborted) throw new Refusal("peer-silent");
    throw error;
  }
}

/** Whether a stream could not be opened because its session is lost: nothing was sent then, so another try is safe. */
async function isLost(session: SamSession, error: unknown, signal: Signal): Promise<boolean> {
  if (session.ended.aborted) return true;
  if (!(error instanceof SamError)) return false;
  if (error.saysSessionIsOver) {
    // The control socket may stay open for as long as nobody closes it: Java I2P 0.9.47 keeps it.
    session.close(error);
    await session.lost;
    return true;
  }
  const isSign = error.failure === "closed" || error.failure === "unreachable" ||
    error.result === "I2P_ERROR" || error.result === "TIMEOUT";
  if (!isSign) return false;
  // A router that ends closes its connections one after the other, in any order.
  using patience = new Deadline(Infinity, signal, session.ended);
  await sleep(LOSS_DELAY, patience);
  return session.ended.aborted;
}
