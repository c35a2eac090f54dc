import type { ByteStream } from "../../lib/socks/handshake.ts";
import { concat } from "./bytes.ts";

/** How a {@linkcode FakeStream} behaves. */
export interface FakeStreamOptions {
  /**
   * Most bytes that one write takes.
   *
   * @default {Infinity}
   */
  writeSize?: number;
}

/**
 * A client in memory: it sends given chunks, one a read, and then closes. What is written to it is kept.
 *
 * Reads that would turn a caller's loop into an endless one are errors here: into an empty buffer, and behind the end.
 */
export class FakeStream implements ByteStream {
  readonly #chunks: Uint8Array[];
  readonly #writeSize: number;
  readonly #written: number[] = [];
  #ended = false;

  /** Empty chunks are left out: a socket never reads nothing. */
  constructor(chunks: Iterable<Uint8Array>, options: FakeStreamOptions = {}) {
    this.#chunks = [...chunks].filter((chunk) => chunk.length > 0);
    this.#writeSize = options.writeSize ?? Infinity;
  }

  /** What was written so far. */
  get written(): number[] {
    return [...this.#written];
  }

  /** What was sent and has not been read. */
  get unread(): Uint8Array {
    return concat(...this.#chunks);
  }

  /** Reads from the next chunk; what does not fit into the buffer stays for the next read. */
  read(buffer: Uint8Array): Promise<number | null> {
    if (buffer.length === 0) return Promise.reject(new Error("Cannot read into an empty buffer"));
    const chunk = this.#chunks.shift();
    if (chunk === undefined) {
      if (this.#ended) return Promise.reject(new Error("Cannot read behind the end"));
      this.#ended = true;
      return Promise.resolve(null);
    }
    const count = Math.min(chunk.length, buffer.length);
    buffer.set(chunk.subarray(0, count));
    if (count < chunk.length) this.#chunks.unshift(chunk.subarray(count));
    return Promise.resolve(count);
  }

  /** Takes the first bytes, {@linkcode FakeStreamOptions.writeSize} at most. */
  write(bytes: Uint8Array): Promise<number> {
    if (bytes.length === 0) return Promise.reject(new Error("Cannot write nothing"));
    const taken = bytes.subarray(0, this.#writeSize);
    this.#written.push(...taken);
    return Promise.resolve(taken.length);
  }
}
