import { closeQuietly, writeAll } from "../io/conn.ts";
import { sleep } from "../io/deadline.ts";
import { startTimer, type Timer } from "../io/timer.ts";
import { readWhenReady } from "../io/when_ready.ts";
import { onAbort, SharedSignal, type Signal } from "../io/signal.ts";
import { ANSWERED_TIMEOUT, HALF_CLOSED_TIMEOUT } from "../relay/half_closed.ts";
import { LOST_GRACE } from "../relay/relay.ts";

/** Bytes of a read, either way. */
const BUFFER = 65_536;

/** Milliseconds for the end of a session to show itself behind the end of its stream. */
const LOSS_DELAY = 25;

/** How a {@linkcode pipe} ended. */
export type PipeEnd =
  | "peer closed"
  | "reset"
  | "silent"
  | "output closed"
  | "output does not wait"
  | "session lost"
  | "stopped";

/** What a {@linkcode pipe} carries bytes to and from. */
export interface PipeStream {
  /** The stream. */
  conn: Deno.TcpConn;
  /** Bytes of the peer that have come already. */
  early: Uint8Array;
  /** Whether the other end has half-close. A SAM bridge would end the stream. */
  hasHalfClose: boolean;
  /** Aborted when the session of the stream is lost; undefined where somebody else has it. */
  sessionEnded?: Signal;
}

/**
 * Carries bytes between a stream and stdin and stdout, until the peer ends it or `signal` is aborted. Closes the stream.
 *
 * The end of stdin does not end it, since the answer is still to come. Over SAM it cannot be passed on, so the peer may
 * never come to an end: there the stream is given up after a time without a byte, as the proxy does.
 */
export async function pipe(stream: PipeStream, signal: Signal): Promise<PipeEnd> {
  const { conn, sessionEnded = new SharedSignal() } = stream;
  const relay = new Relay(stream);
  const unfollow = [onAbort(signal, () => relay.stop("stopped")), onAbort(sessionEnded, () => relay.endLost())];
  try {
    // Not waited for: a read from stdin cannot be taken back, and nobody needs it once the peer has ended.
    void relay.upload();
    const end = await relay.download();
    if (end !== "peer closed" && end !== "reset") return end;
    await sleep(LOSS_DELAY, sessionEnded);
    return sessionEnded.aborted ? "session lost" : end;
  } finally {
    for (const stop of unfollow) stop();
    relay.stop("stopped");
    closeQuietly(conn);
  }
}

/** Both directions of a pipe. */
class Relay {
  readonly #stream: PipeStream;
  #end: PipeEnd | undefined;
  /** Milliseconds to wait for the peer's next byte. */
  #patience = Infinity;
  /** What it means when that is over. */
  #late: PipeEnd = "silent";
  #isAnswered = false;
  #isReading = false;
  #timer: Timer | undefined;

  constructor(stream: PipeStream) {
    this.#stream = stream;
  }

  stop(end: PipeEnd): void {
    this.#end ??= end;
    this.#timer?.stop();
    closeQuietly(this.#stream.conn);
  }

  /** Reads on while bytes come: routers deliver what they had before the session was lost. */
  endLost(): void {
    this.#limit("session lost", LOST_GRACE);
  }

  async upload(): Promise<void> {
    const { conn, hasHalfClose } = this.#stream;
    const buffer = new Uint8Array(BUFFER);
    try {
      for (let count = await readInput(buffer); count !== null; count = await readInput(buffer)) {
        await writeAll(conn, buffer.subarray(0, count));
        this.#isAnswered = false;
      }
      if (hasHalfClose) await conn.closeWrite();
      else this.#limit("silent", this.#isAnswered ? ANSWERED_TIMEOUT : HALF_CLOSED_TIMEOUT);
    } catch {
      // The stream has ended, and the download knows how.
    }
  }

  async download(): Promise<PipeEnd> {
    const { conn, early } = this.#stream;
    const buffer = new Uint8Array(BUFFER);
    for (let bytes: Uint8Array | PipeEnd = early;; bytes = await this.#read(conn, buffer)) {
      if (typeof bytes === "string") return this.#end ?? bytes;
      if (bytes.length > 0) this.#isAnswered = true;
      const failure = await writeOutput(bytes);
      if (failure !== undefined) return this.#end ?? failure;
    }
  }

  async #read(conn: Deno.TcpConn, buffer: Uint8Array): Promise<Uint8Array | PipeEnd> {
    this.#isReading = true;
    this.#arm();
    try {
      const count = await conn.read(buffer);
      return count === null ? "peer closed" : buffer.subarray(0, count);
    } catch {
      return "reset";
    } finally {
      this.#isReading = false;
      this.#timer?.stop();
    }
  }

  #limit(end: PipeEnd, milliseconds: number): void {
    if (milliseconds >= this.#patience) return;
    this.#patience = milliseconds;
    this.#late = end;
    this.#arm();
  }

  /** Only while reading: a slow stdout does not mean that the peer is silent. */
  #arm(): void {
    this.#timer?.stop();
    if (this.#isReading) this.#timer = startTimer(this.#patience, () => this.stop(this.#late));
  }
}

async function readInput(buffer: Uint8Array): Promise<number | null> {
  try {
    return await readWhenReady(Deno.stdin, buffer);
  } catch {
    // Closed, or a folder: nothing to send.
    return null;
  }
}

/** Writes all of it to stdout; says why that cannot be. */
async function writeOutput(bytes: Uint8Array): Promise<PipeEnd | undefined> {
  try {
    for (let written = 0; written < bytes.length;) written += await Deno.stdout.write(bytes.subarray(written));
    return undefined;
  } catch (error) {
    // Deno 2.9.6 may have written a part, and does not say how much: to try again could send bytes twice.
    return error instanceof Deno.errors.WouldBlock ? "output does not wait" : "output closed";
  }
}
