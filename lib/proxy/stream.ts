import { closeQuietly } from "../io/conn.ts";
import type { Deadline } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { ENDED_WITHOUT_DATA, NO_ANSWERS } from "../reasons/reasons.ts";
import { Refusal } from "../reasons/refusal.ts";
import { ReadAhead } from "../relay/read_ahead.ts";
import { relay, type RelayResult, SILENT_STORY } from "../relay/relay.ts";
import type { SamStream } from "../sam/stream.ts";
import type { Handshake } from "../socks/handshake.ts";
import { encodeReply4 } from "../socks/socks4.ts";
import { encodeReply5 } from "../socks/socks5.ts";
import { CONNECT, Reply4, Reply5 } from "../socks/wire.ts";
import { type Client, type ClientContext, destinationOf, noteOutcome } from "./context.ts";

/** An open stream and what belongs to it. */
export interface OpenStream {
  stream: SamStream;
  /** Aborted when the session of the stream is lost. */
  sessionEnded: Signal;
  /** Through which the client is read. */
  clientBytes: ReadAhead;
  peer: string;
  /** Says to the client that the stream is open. @default {success} */
  reply?: Uint8Array;
  /** Whether the end of the client's side ends the stream. @default {false} */
  clientEndsStream?: boolean;
}

/** The replies of an open stream, by version. */
const SUCCESS: Readonly<Record<4 | 5, Uint8Array>> = {
  4: encodeReply4(Reply4.granted),
  5: encodeReply5(Reply5.succeeded),
};

/** A client that waits for its stream, and is watched. Dispose of it when the wait is over. */
export interface WaitingClient extends Disposable {
  /** Its payload, as far as it has sent any. */
  readonly bytes: ReadAhead;
}

/**
 * Begins to read the payload of a client that waits for its stream. One that resets ends the wait at once. One that ends
 * its side in order may want to read only, and waits on, but gives its place to others; where `needsClient`, it ends the
 * wait as well.
 */
export function watchClient(
  { conn, clientAddress }: Client,
  { buffer }: Handshake,
  waiting: Deadline,
  { halfClosed }: Pick<ClientContext, "halfClosed">,
  needsClient = false,
): WaitingClient {
  const giveUp = (): void => waiting.abort(new Refusal("client-closed"));
  let ended: Disposable | undefined;
  let isOver = false;
  const bytes = new ReadAhead(conn, buffer, (how) => {
    if (how === "failed" || needsClient) giveUp();
    else if (!isOver) ended = halfClosed.addWaiting(giveUp, clientAddress);
  });
  return {
    bytes,
    [Symbol.dispose]: () => {
      isOver = true;
      bytes.unwatch();
      ended?.[Symbol.dispose]();
    },
  };
}

/** Says that the stream is open, carries what either side sends until one of them ends, and logs the end. */
export async function relayStream(
  client: Client,
  handshake: Handshake,
  opened: OpenStream,
  context: ClientContext,
): Promise<void> {
  context.gauges.streams++;
  const since = performance.now();
  try {
    const result = await startRelay(client, handshake, opened, context);
    if (handshake.request.command === CONNECT) watchSilence(client, opened, result, performance.now() - since, context);
    logEnd(client, opened, result, context);
  } finally {
    context.gauges.streams--;
    closeQuietly(opened.stream.conn);
  }
}

/** Carries the stream, and what either side has sent ahead. */
function startRelay(
  client: Client,
  { request, early }: Handshake,
  { stream, sessionEnded, clientBytes, peer, reply, clientEndsStream = false }: OpenStream,
  context: ClientContext,
): Promise<RelayResult> {
  const guard = context.leaks.guard(peer, destinationOf(client));
  const allowed = guard === undefined ? early : guard.sent.pass(early);
  if (allowed === undefined) throw new Refusal("leak");
  guard?.received.pass(stream.early);
  return relay(client.conn, clientBytes, stream, {
    clientAddress: client.clientAddress,
    pool: context.pool,
    keepLimit: context.keepLimit,
    keptBytes: context.gauges.kept,
    gate: context.gate,
    halfClosed: context.halfClosed,
    reply: reply ?? SUCCESS[request.version],
    toClient: stream.early,
    toStream: allowed,
    idleTimeout: context.settings.timeouts.idle,
    signal: context.signal,
    sessionEnded,
    filters: guard,
    clientEndsStream,
    onSilent: () => context.log.info(SILENT_STORY, { destination: destinationOf(client) }),
    sentBytes: context.counters.counter("bytes-sent"),
    receivedBytes: context.silence.received(sessionEnded),
  });
}

/** One who waits for a caller has other reasons to hear nothing. */
function watchSilence(
  client: Client,
  { sessionEnded }: OpenStream,
  result: RelayResult,
  lasted: number,
  context: ClientContext,
): void {
  if (!context.silence.ended(sessionEnded, client.identity ?? "this session", result, lasted)) return;
  noteOutcome(client, context, NO_ANSWERS);
}

function logEnd(
  client: Client,
  { sessionEnded }: OpenStream,
  { end, ...bytes }: RelayResult,
  context: ClientContext,
): void {
  const { log, counters } = context;
  const destination = destinationOf(client);
  log.debug(`Stream ended: ${end}`, { ...bytes, destination });
  if (bytes.received > 0 || end !== "peer closed" || sessionEnded.aborted) return;
  counters.add("ended-without-data");
  const { reason, message, hint } = ENDED_WITHOUT_DATA;
  noteOutcome(client, context, { reason, message });
  log.info(`Ended: ${message}`, { reason, hint, destination });
}
