import { startTimer, type Timer } from "../io/timer.ts";

/** Milliseconds between two looks whether a client has reset that has sent more than is read ahead. */
const LOOK_INTERVAL = 500;

const NOTHING = new Uint8Array();

/** How a client ended while nobody read from it: with a reset, or by ending its side in order. */
export type ClientEnd = "failed" | "ended";

/**
 * A client whose stream is not open yet, with a read always under way: so it is seen when the client leaves, also behind
 * what it has sent, which is kept. A read cannot be cancelled, so the relay reads through this. A client that has
 * filled the buffer is not read from any more; whether it has reset, writing no bytes to it shows.
 */
export class ReadAhead {
  /** What is read into; the relay goes on with it. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly #conn: Deno.Conn;
  readonly #onEnded: (how: ClientEnd) => void;
  /** Bytes at the beginning of the buffer that nobody has taken. */
  #kept = 0;
  /** The read under way, into the buffer from {@linkcode ReadAhead.#offset} on. */
  #reading: Promise<number | null> | undefined;
  #offset = 0;
  #isTaken = false;
  #nextLook: Timer | undefined;

  /**
   * Begins to read.
   *
   * @param buffer to read into; from now on nobody else's.
   * @param onEnded called when the client ends before anybody reads.
   */
  constructor(conn: Deno.Conn, buffer: Uint8Array<ArrayBuffer>, onEnded: (how: ClientEnd) => void) {
    this.#conn = conn;
    this.buffer = buffer;
    this.#onEnded = onEnded;
    this.#readMore();
  }

  /** Looks no more whether a client has reset that has filled the buffer. */
  unwatch(): void {
    this.#nextLook?.stop();
    this.#nextLook = undefined;
  }

  /** Reads; first what was read ahead, which then stands at the beginning of {@linkcode buffer}. */
  read(buffer: Uint8Array): Promise<number | null> {
    this.#isTaken = true;
    if (this.#nextLook !== undefined) this.unwatch();
    const kept = this.#kept;
    const reading = this.#reading;
    if (kept > 0) {
      this.#kept = 0;
      return Promise.resolve(kept);
    }
    if (reading === undefined) return this.#conn.read(buffer);
    this.#reading = undefined;
    return buffer === this.buffer && this.#offset === 0 ? reading : this.#handOver(reading, buffer);
  }

  async #handOver(reading: Promise<number | null>, buffer: Uint8Array): Promise<number | null> {
    const count = await reading;
    if (count === null) return count;
    buffer.set(this.buffer.subarray(this.#offset, this.#offset + count));
    return count;
  }

  #readMore(): void {
    this.#offset = this.#kept;
    this.#reading = this.#conn.read(this.buffer.subarray(this.#offset));
    this.#reading.then((count) => {
      if (this.#isTaken) return;
      if (count === null) return this.#onEnded("ended");
      this.#kept += count;
      this.#reading = undefined;
      if (this.#kept < this.buffer.length) this.#readMore();
      else this.#lookAgain();
    }, () => this.#isTaken || this.#onEnded("failed"));
  }

  #lookAgain(): void {
    this.#nextLook = startTimer(LOOK_INTERVAL, () => {
      if (this.#isTaken) return;
      this.#conn.write(NOTHING).then(
        () => this.#nextLook !== undefined && this.#lookAgain(),
        () => this.#isTaken || this.#onEnded("failed"),
      );
    });
  }
}
