import { assert } from "@std/assert";
import { FakeStream } from "../support/fake_stream.ts";

/** A TCP connection in memory, as far as the SAM client uses one. */
export class FakeConn {
  readonly #stream: FakeStream;
  #isEnded = false;
  /** Whether it was closed: then it can neither be read nor written. */
  isClosed = false;

  /** The other side sends these bytes, one piece a read, and ends. */
  constructor(chunks: Uint8Array[]) {
    this.#stream = new FakeStream(chunks);
  }

  /** What was sent by the other side and has not been read. */
  get unread(): Uint8Array {
    return this.#stream.unread;
  }

  /** The lines that were written, without their ends. */
  get sent(): string[] {
    const text = new TextDecoder().decode(Uint8Array.from(this.#stream.written));
    assert(text === "" || text.endsWith("\n"), "a command has no end");
    // The name of a session is random.
    return text.replace(/ID=i2p-socks-[\da-f-]{36} /, "ID=? ").split("\n").slice(0, -1);
  }

  /** Reads from the next piece. */
  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.isClosed) throw new Deno.errors.BadResource();
    // Unlike the stream, a connection that has ended says so each time.
    const count = this.#isEnded ? null : await this.#stream.read(buffer);
    this.#isEnded = count === null;
    return count;
  }

  /** Takes all bytes. */
  async write(bytes: Uint8Array): Promise<number> {
    if (this.isClosed) throw new Deno.errors.BadResource();
    return await this.#stream.write(bytes);
  }

  /** Nothing here waits. */
  setNoDelay(): void {}

  /** Nothing here breaks. */
  setKeepAlive(): void {}

  /** Closes it. */
  close(): void {
    this.isClosed = true;
  }
}
