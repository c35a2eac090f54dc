/**
 * A client whose stream is not open yet, with one read already under way: so it is seen when the client leaves, and what
 * it sends is kept. The read cannot be taken back, so whoever relays reads through this.
 */
export class ReadAhead {
  /** The buffer of the read under way; the relay goes on with it. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly #conn: Deno.Conn;
  #first: Promise<number | null> | undefined;
  #onEnded: (how: "failed" | "ended") => void;

  /**
   * Begins to read.
   *
   * @param buffer to read into; from now on nobody else's.
   * @param onEnded called when the client fails or ends its side before anybody reads.
   */
  constructor(conn: Deno.Conn, buffer: Uint8Array<ArrayBuffer>, onEnded: (how: "failed" | "ended") => void) {
    this.#conn = conn;
    this.buffer = buffer;
    this.#onEnded = onEnded;
    this.#first = conn.read(buffer);
    this.#first.then((count) => count === null && this.#onEnded("ended"), () => this.#onEnded("failed"));
  }

  /** Reads; the first time what was read ahead, which stands in {@linkcode buffer}. */
  read(buffer: Uint8Array): Promise<number | null> {
    const first = this.#first;
    if (first === undefined) return this.#conn.read(buffer);
    this.#first = undefined;
    this.#onEnded = ignore;
    return first;
  }
}

function ignore(): void {}
