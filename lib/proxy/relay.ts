import { closeAfterReply, closeQuietly, LINGER, writeAll } from "../io/conn.ts";
import { startTimer } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import type { Filter } from "../guard/stream_guard.ts";
import type { Counter } from "../report/counters.ts";
import type { BufferPool } from "./buffer_pool.ts";
import type { EventLoopGate } from "./event_loop_gate.ts";
import type { HalfClosedStreams } from "./half_closed.ts";
import type { SamStream } from "../sam/stream.ts";
import type { ReadAhead } from "./read_ahead.ts";
import { Watchdog } from "./watchdog.ts";

/** What relays share. */
export interface RelayResources {
  /** Lends buffers for fast transfers. */
  pool: BufferPool;
  /** Gives other work its turn. */
  gate: EventLoopGate;
  /** Watches over streams whose client has ended its side. */
  halfClosed: HalfClosedStreams;
}

/**
 * Milliseconds without a byte from the peer after which a stream is closed whose session is lost. Routers end the streams of a session
 * with it, most of them at once: what they had received before is still to be delivered.
 */
export const LOST_GRACE = 1_000;

/** How a relay is to be run. */
export interface RelayOptions {
  /** Bytes for the client before those of the stream. */
  toClient: Uint8Array;
  /** Bytes for the stream before those of the client. */
  toStream: Uint8Array;
  /** Milliseconds without a byte in either direction after which it ends; 0 is never. */
  idleTimeout: number;
  /** Ends the relay at once. */
  signal: Signal;
  /** Aborted when the session of the stream is lost. */
  sessionEnded: Signal;
  /** Look at the bytes of the client and of the peer on their way, where given. */
  filters?: { sent: Filter; received: Filter } | undefined;
  /** Grows with the bytes from the client to the peer, as they pass. */
  sentBytes?: Counter;
  /** Grows with the bytes from the peer to the client, as they pass. */
  receivedBytes?: Counter;
}

/** Why a relay ended. */
export type RelayEnd = "peer closed" | "client closed" | "idle" | "session lost" | "blocked" | "ended by the proxy";

/** What a relay did. */
export interface RelayResult {
  /** Bytes from the client to the peer. */
  sent: number;
  /** Bytes from the peer to the client. */
  received: number;
  /** What ended it. */
  end: RelayEnd;
}

/**
 * Carries bytes between a client and a SAM stream, both ways, until one of them ends. Closes both. The client's bytes are
 * read through `clientBytes`, which has begun to, into the buffer of its handshake; those of the stream into the buffer
 * of the bridge's answer. So an idle stream has no other memory than what it took to open it.
 *
 * The client's end of sending is not passed on: over SAM it would end the stream in both directions. The peer's end is
 * the end of the stream, and is passed on after the last byte.
 */
export async function relay(
  client: Deno.TcpConn,
  clientBytes: ReadAhead,
  { conn: stream, buffer }: Pick<SamStream, "conn" | "buffer">,
  resources: RelayResources,
  { toClient, toStream, idleTimeout, signal, sessionEnded, filters, sentBytes, receivedBytes }: RelayOptions,
): Promise<RelayResult> {
  let sent = 0;
  let received = 0;
  let isAnswered = false;
  let end: RelayEnd | undefined;
  let halfClosed: Disposable | undefined;
  const stop = (reason: RelayEnd): void => {
    end ??= reason;
    closeQuietly(stream);
    closeQuietly(client);
  };
  // Asked for now: it cannot be once the connection is closed.
  const clientAddress = client.remoteAddr.hostname;
  const watchdog = new Watchdog(() => stop(halfClosed === undefined ? "idle" : "client closed"));
  if (idleTimeout > 0) watchdog.limit(idleTimeout);
  let isDelivering = false;
  let stopGrace = (): void => {};
  let lastReceived = 0;
  const endLost = (): void => {
    if (isDelivering || performance.now() - lastReceived < LOST_GRACE) stopGrace = startTimer(LOST_GRACE, endLost);
    else {
      end ??= "session lost";
      closeQuietly(stream);
    }
  };
  const unfollow = onAbort(signal, () => stop("ended by the proxy"));
  const unfollowSession = onAbort(sessionEnded, () => {
    lastReceived = performance.now();
    endLost();
  });
  const forgetSession = (): void => {
    unfollowSession();
    stopGrace();
  };

  const upload = pump(clientBytes, stream, toStream, clientBytes.buffer, resources, filters?.sent, (bytes) => {
    sent += bytes;
    if (sentBytes !== undefined) sentBytes.value += bytes;
    watchdog.active();
    isAnswered = false;
  });
  const download = pump(stream, client, toClient, buffer, resources, filters?.received, (bytes) => {
    received += bytes;
    if (receivedBytes !== undefined) receivedBytes.value += bytes;
    lastReceived = performance.now();
    watchdog.active();
    isAnswered = true;
  }, (isWriting) => isDelivering = isWriting);
  try {
    const uploadEnded = upload.then((how) => {
      if (how === "source failed") stop("client closed");
      if (how === "blocked") stop("blocked");
      if (how === "source ended" && end === undefined) {
        halfClosed = resources.halfClosed.add(watchdog, () => isAnswered, clientAddress);
      }
      return how;
    });
    // A stream that the peer has closed fails the upload as well; what it still holds comes out of the download.
    if (await download === "sink failed") stop("client closed");
    end ??= sessionEnded.aborted ? "session lost" : "peer closed";
    watchdog.stop();
    forgetSession();
    halfClosed?.[Symbol.dispose]();
    closeQuietly(stream);
    await finish(client, uploadEnded);
    return { sent, received, end };
  } finally {
    watchdog.stop();
    forgetSession();
    halfClosed?.[Symbol.dispose]();
    unfollow();
    closeQuietly(stream);
    closeQuietly(client);
  }
}

/** Calls back when a signal is aborted, now if it is; returns what ends that. */
function onAbort(signal: Signal, callback: () => void): () => void {
  signal.addEventListener("abort", callback);
  if (signal.aborted) callback();
  return () => signal.removeEventListener("abort", callback);
}

/** Ends the client's side; the upload must be over before anybody else reads from the client. */
async function finish(client: Deno.TcpConn, uploadEnded: Promise<PumpEnd>): Promise<void> {
  // A client that sends nothing now can take the last bytes from the kernel, whenever it likes.
  const timer = setTimeout(() => closeQuietly(client), LINGER);
  await client.closeWrite().catch(() => {});
  const how = await uploadEnded;
  clearTimeout(timer);
  // Anything else says that the client goes on sending.
  if (how !== "source ended" && how !== "source failed") await closeAfterReply(client, true);
}

/** How one direction ended. */
type PumpEnd = "source ended" | "source failed" | "sink failed" | "blocked";

/**
 * Carries bytes one way, those given `ahead` first. A read that fills its buffer earns a large one, a shorter one gives it
 * back: a waiting read cannot be taken back, so idle connections should wait with their small buffers.
 */
async function pump(
  source: Pick<Deno.Conn, "read">,
  sink: Deno.Conn,
  ahead: Uint8Array,
  small: Uint8Array<ArrayBuffer>,
  { pool, gate }: RelayResources,
  filter: Filter | undefined,
  count: (bytes: number) => void,
  writing: (isWriting: boolean) => void = () => {},
): Promise<PumpEnd> {
  let large: Uint8Array<ArrayBuffer> | undefined;
  try {
    if (!await write(sink, ahead)) return "sink failed";
    for (;;) {
      const buffer = large ?? small;
      const length = await read(source, buffer);
      if (length === undefined) return "source failed";
      if (length === null) return await writeHeld(sink, filter, count);
      let bytes: Uint8Array | undefined = buffer.subarray(0, length);
      if (filter !== undefined) {
        bytes = filter.pass(bytes);
        if (bytes === undefined) return "blocked";
        if (filter.isDone) filter = undefined;
      }
      writing(true);
      if (!await write(sink, bytes)) return "sink failed";
      writing(false);
      count(bytes.length);
      if (length === buffer.length) {
        large ??= pool.rent();
      } else if (large !== undefined) {
        pool.giveBack(large);
        large = undefined;
      }
      if (length < small.length) {
        // Nothing is left to read, so the next read waits for a poll anyway.
        gate.hurry();
        continue;
      }
      const turn = gate.spend(length);
      if (turn !== undefined) await turn;
    }
  } finally {
    if (large !== undefined) pool.giveBack(large);
  }
}

/** Writes what a filter has held back, where nothing more comes. */
async function writeHeld(
  sink: Deno.Conn,
  filter: Filter | undefined,
  count: (bytes: number) => void,
): Promise<PumpEnd> {
  if (filter === undefined) return "source ended";
  const held = filter.end();
  if (held === undefined) return "blocked";
  if (!await write(sink, held)) return "sink failed";
  if (held.length > 0) count(held.length);
  return "source ended";
}

/** Reads; undefined where reading fails, by a reset or because the connection was closed here. */
async function read(source: Pick<Deno.Conn, "read">, buffer: Uint8Array): Promise<number | null | undefined> {
  try {
    return await source.read(buffer);
  } catch {
    return undefined;
  }
}

/** Writes all of it; false where writing fails. */
async function write(sink: Deno.Conn, bytes: Uint8Array): Promise<boolean> {
  try {
    await writeAll(sink, bytes);
    return true;
  } catch {
    return false;
  }
}
