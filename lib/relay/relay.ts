import { concat } from "../io/bytes.ts";
import { closeAfterReply, closeQuietly, LINGER, writeAll } from "../io/conn.ts";
import { startLimit, startTimer, type Timer } from "../io/timer.ts";
import { onAbort, type Signal } from "../io/signal.ts";
import type { Filter } from "../guard/stream_guard.ts";
import type { Counter } from "../report/counters.ts";
import { type BufferPool, MEDIUM_BUFFER } from "./buffer_pool.ts";
import type { FairnessGate } from "./fairness_gate.ts";
import { ANSWERED_TIMEOUT, type HalfClosedStreams } from "./half_closed.ts";
import type { ReadAhead } from "./read_ahead.ts";
import { IdleTimer } from "./idle_timer.ts";
import { Keeper, type KeepLimit } from "./keeper.ts";
import { Outflow } from "./outflow.ts";

/**
 * Milliseconds without a byte from the peer after which a stream is closed whose session is lost. Routers end the streams of a session
 * with it, most of them at once: what they had received before is still to be delivered.
 */
export const LOST_GRACE = 1_000;

/** Milliseconds for a client to take what is written to it, before its stream is read on and what comes is kept. */
export const KEEP_AFTER = 10;

/**
 * Milliseconds without a byte or an end from the peer after which a stream is told of that had to wait in the router: i2pd
 * may have lost its end.
 */
export const SILENT_AFTER = 60_000;

/** What the log says of such a stream. */
export const SILENT_STORY = "A stream that was read slowly has gone silent without an end: i2pd may have lost its rest";

export interface RelayOptions {
  pool: BufferPool;
  gate: FairnessGate;
  /** What may be kept of streams whose clients do not take it. */
  keepLimit: KeepLimit;
  /** Bytes that are kept now. */
  keptBytes: Counter;
  halfClosed: HalfClosedStreams;
  /** Bytes for the client before all others; they do not count. */
  reply: Uint8Array;
  /** Bytes of the peer that have come already. */
  toClient: Uint8Array;
  /** Bytes of the client that have come already. */
  toStream: Uint8Array;
  /** Milliseconds without a byte in either direction after which it ends; 0 is never. */
  idleTimeout: number;
  /** Ends the relay at once. */
  signal: Signal;
  /** Aborted when the session of the stream is lost. */
  sessionEnded: Signal;
  /** Look at the bytes of the client and of the peer on their way, where given. */
  filters?: { sent: Filter; received: Filter } | undefined;
  /**
   * Whether the end of the client's side ends the stream, as it must where the client is a server that has said
   * everything: a caller may wait for that.
   *
   * @default {false}
   */
  clientEndsStream?: boolean;
  /** Told once of a stream that had to wait in the router for its client, and then went silent and did not end. */
  onSilent?: () => void;
  /** Whom the stream belongs to, where there is a limit for each client. */
  clientAddress: string;
  /** Grows with the bytes from the client to the peer, as they pass. */
  sentBytes: Counter;
  /** Grows with the bytes from the peer to the client, as they pass. */
  receivedBytes: Counter;
}

type RelayEnd = "peer closed" | "client closed" | "idle" | "session lost" | "blocked" | "ended by the proxy";

export interface RelayResult {
  /** Bytes from the client to the peer. */
  sent: number;
  /** Bytes from the peer to the client. */
  received: number;
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
export function relay(
  client: Deno.Conn,
  clientBytes: ReadAhead,
  stream: { conn: Deno.TcpConn; buffer: Uint8Array<ArrayBuffer> },
  options: RelayOptions,
): Promise<RelayResult> {
  return new Relay(client, stream.conn, options).run(clientBytes, stream.buffer);
}

type PumpEnd = "source ended" | "source failed" | "sink failed" | "blocked";

/** A relay under way. Most are idle, for hours, by the thousand: an idle one must hold little memory. */
class Relay {
  readonly #client: Deno.Conn;
  readonly #stream: Deno.TcpConn;
  readonly #options: RelayOptions;
  readonly #idleTimer: IdleTimer;
  readonly #stop = (): void => this.#end("ended by the proxy");
  readonly #loseSession = (): void => {
    this.#lastReceived = performance.now();
    this.#endLost();
  };
  #sent = 0;
  #received = 0;
  #isAnswered = false;
  #reason: RelayEnd | undefined;
  #halfClosed: Disposable | undefined;
  #isDelivering = false;
  #grace: Timer | undefined;
  #silence: Timer | undefined;
  #settling: Timer | undefined;
  /** Missing where the client's end does not end the stream. */
  readonly #outflow: Outflow | undefined;
  #lastReceived = 0;

  constructor(client: Deno.Conn, stream: Deno.TcpConn, options: RelayOptions) {
    this.#client = client;
    this.#stream = stream;
    this.#options = options;
    if (options.clientEndsStream) this.#outflow = new Outflow();
    this.#idleTimer = new IdleTimer(() => this.#end(this.#halfClosed === undefined ? "idle" : "client closed"));
  }

  async run(clientBytes: ReadAhead, streamBuffer: Uint8Array<ArrayBuffer>): Promise<RelayResult> {
    const { clientAddress, reply, toClient, toStream, idleTimeout, signal, sessionEnded } = this.#options;
    this.#countSent(toStream.length);
    this.#countReceived(toClient.length);
    if (idleTimeout > 0) this.#idleTimer.limit(idleTimeout);
    onAbort(signal, this.#stop);
    onAbort(sessionEnded, this.#loseSession);
    let failure: { error: unknown } | undefined;
    const upload = this.#upload(clientBytes, toStream).then((how) => {
      if (how === "source failed") this.#end("client closed");
      if (how === "blocked") this.#end("blocked");
      if (how === "source ended" && this.#reason === undefined && this.#outflow !== undefined) {
        this.#reason = "client closed";
        this.#settling = startTimer(this.#outflow.settleTime, () => this.#endStream());
      } else if (how === "source ended" && this.#reason === undefined) {
        this.#halfClosed = this.#options.halfClosed.add(this.#idleTimer, () => this.#isAnswered, clientAddress);
      }
      return how;
    }, (error): PumpEnd => {
      // Nobody waits for the upload before the download has ended, and that might be never.
      failure = { error };
      this.#end("ended by the proxy");
      return "source failed";
    });
    try {
      // A stream that the peer has closed fails the upload as well; what it still holds comes out of the download.
      if (
        await this.#download(streamBuffer, toClient.length === 0 ? reply : concat([reply, toClient])) === "sink failed"
      ) this.#end("client closed");
      this.#reason ??= sessionEnded.aborted ? "session lost" : "peer closed";
      this.#cleanUp();
      closeQuietly(this.#stream);
      await finish(this.#client, upload);
      if (failure !== undefined) throw failure.error;
      return { sent: this.#sent, received: this.#received, end: this.#reason };
    } finally {
      this.#reason ??= "ended by the proxy";
      this.#cleanUp();
      signal.removeEventListener("abort", this.#stop);
      closeQuietly(this.#stream);
      closeQuietly(this.#client);
    }
  }

  #upload(clientBytes: ReadAhead, ahead: Uint8Array): Promise<PumpEnd> {
    const { sent } = this.#options.filters ?? {};
    return pump(clientBytes, this.#stream, ahead, clientBytes.buffer, this.#options, sent, (bytes) => {
      if (bytes === WRITING) return;
      this.#countSent(bytes);
      this.#idleTimer.active();
      this.#isAnswered = false;
    });
  }

  #download(buffer: Uint8Array<ArrayBuffer>, ahead: Uint8Array): Promise<PumpEnd> {
    const { received } = this.#options.filters ?? {};
    const onMoved = (bytes: number): void => {
      this.#isDelivering = bytes === WRITING;
      if (bytes === WRITING) return;
      this.#countReceived(bytes);
      this.#lastReceived = performance.now();
      this.#idleTimer.active();
      this.#isAnswered = true;
    };
    return pump(this.#stream, this.#client, ahead, buffer, this.#options, received, onMoved, () => this.#keep(buffer));
  }

  /** Makes what keeps the bytes of the stream; few streams ever need it. */
  #keep({ length }: Uint8Array): Keeper {
    const { gate, keepLimit: limit, keptBytes: gauge } = this.#options;
    const onFull = (): void => {
      if (this.#silence === undefined) this.#watchSilence();
    };
    return new Keeper(this.#stream, length, { gate, limit, gauge, onFull });
  }

  #countSent(bytes: number): void {
    this.#sent += bytes;
    this.#outflow?.add(bytes);
    this.#options.sentBytes.value += bytes;
  }

  #countReceived(bytes: number): void {
    this.#received += bytes;
    this.#options.receivedBytes.value += bytes;
  }

  /** Has the router end the stream, behind what it has. One that does not end it is not waited for long. */
  #endStream(): void {
    this.#stream.closeWrite().catch(() => {});
    this.#idleTimer.active();
    this.#idleTimer.limit(ANSWERED_TIMEOUT);
  }

  /** Ends both sides at once. The first reason counts. */
  #end(reason: RelayEnd): void {
    this.#reason ??= reason;
    closeQuietly(this.#stream);
    closeQuietly(this.#client);
  }

  /** Ends the stream of a lost session when nothing more of it comes. */
  #endLost(): void {
    if (this.#isDelivering || performance.now() - this.#lastReceived < LOST_GRACE) {
      this.#grace = startTimer(LOST_GRACE, () => this.#endLost());
    } else {
      this.#reason ??= "session lost";
      closeQuietly(this.#stream);
    }
  }

  /** Tells of the stream when nothing more of it comes, although its client takes what does. */
  #watchSilence(): void {
    if (this.#isDelivering || performance.now() - this.#lastReceived < SILENT_AFTER) {
      this.#silence = startTimer(SILENT_AFTER, () => this.#watchSilence());
    } else {
      this.#options.onSilent?.();
    }
  }

  /** Stops everything that watches over the stream. */
  #cleanUp(): void {
    this.#idleTimer.stop();
    this.#silence?.stop();
    this.#settling?.stop();
    this.#options.sessionEnded.removeEventListener("abort", this.#loseSession);
    this.#grace?.stop();
    this.#halfClosed?.[Symbol.dispose]();
  }
}

/** Ends the client's side; the upload must be over before anybody else reads from the client. */
async function finish(client: Deno.Conn, uploadEnded: Promise<PumpEnd>): Promise<void> {
  // A client that sends nothing now can take the last bytes from the kernel, whenever it likes.
  const timer = startLimit(LINGER, () => closeQuietly(client));
  await client.closeWrite().catch(() => {});
  const how = await uploadEnded;
  timer.stop();
  // Anything else says that the client goes on sending.
  if (how !== "source ended" && how !== "source failed") await closeAfterReply(client, true);
}

/** What a pump reports in place of a number of bytes: that it is about to write some. */
const WRITING = -1;

/**
 * Carries bytes one way, those given `ahead` first. A read that fills its buffer earns a large one, a shorter one gives it
 * back: a waiting read cannot be taken back, so idle connections should wait with their small buffers.
 *
 * @param onMoved called with {@linkcode WRITING} before a write, and with the number of bytes after it.
 * @param keep makes what the source is read on with while the sink does not take what is written; without it that waits.
 */
async function pump(
  source: Pick<Deno.Conn, "read">,
  sink: Deno.Conn,
  ahead: Uint8Array,
  small: Uint8Array<ArrayBuffer>,
  { pool, gate }: Pick<RelayOptions, "pool" | "gate">,
  filter: Filter | undefined,
  onMoved: (bytes: number) => void,
  keep?: () => Keeper,
): Promise<PumpEnd> {
  let keeper: Keeper | undefined;
  let large: Uint8Array<ArrayBuffer> | undefined;
  try {
    if (ahead.length > 0 && !await write(sink, ahead)) return "sink failed";
    for (;;) {
      const buffer = large ?? small;
      let length: number | null;
      try {
        length = await (keeper ?? source).read(buffer);
      } catch {
        // Reset by the other side, or closed here. The filter decides about what it has.
        filter?.end();
        return "source failed";
      }
      if (length === null) return filter === undefined ? "source ended" : await writeBuffered(sink, filter, onMoved);
      let bytes: Uint8Array | undefined = buffer.subarray(0, length);
      if (filter !== undefined) {
        bytes = filter.pass(bytes);
        if (bytes === undefined) return "blocked";
        if (filter.isDone) filter = undefined;
      }
      onMoved(WRITING);
      const slow = keep && startLimit(KEEP_AFTER, () => (keeper ??= keep()).readOn());
      try {
        const sent = await sink.write(bytes);
        if (sent < bytes.length) await writeAll(sink, bytes.subarray(sent));
      } catch {
        return "sink failed";
      } finally {
        slow?.stop();
        keeper?.pause();
      }
      if (keeper?.isSpent) keeper = undefined;
      onMoved(bytes.length);
      const isFull = length === buffer.length;
      // Behind a small message nothing is left to read, so the next read waits for a poll anyway.
      if (length < small.length) gate.markInteractive();
      // Charge for a large buffer before renting it, so that when thousands of streams wake at once only a few hold one.
      const cost = isFull && large === undefined ? MEDIUM_BUFFER : length;
      const turn = length < small.length ? undefined : gate.spend(cost);
      // Return the buffer while waiting: the next relay reuses it while it is still in the processor's cache.
      if (large !== undefined && (!isFull || turn !== undefined)) {
        pool.giveBack(large);
        large = undefined;
      }
      if (turn !== undefined) await turn;
      if (isFull) large ??= pool.rent();
    }
  } finally {
    if (large !== undefined) pool.giveBack(large);
    keeper?.close();
  }
}

/** Writes what a filter still buffers when nothing more comes. */
async function writeBuffered(
  sink: Deno.Conn,
  filter: Filter,
  onMoved: (bytes: number) => void,
): Promise<PumpEnd> {
  const buffered = filter.end();
  if (buffered === undefined) return "blocked";
  if (buffered.length === 0) return "source ended";
  if (!await write(sink, buffered)) return "sink failed";
  onMoved(buffered.length);
  return "source ended";
}

/** Writes all of it; false where writing fails. */
async function write(sink: Deno.Conn, bytes: Uint8Array): Promise<boolean> {
  try {
    const sent = await sink.write(bytes);
    if (sent < bytes.length) await writeAll(sink, bytes.subarray(sent));
    return true;
  } catch {
    return false;
  }
}
