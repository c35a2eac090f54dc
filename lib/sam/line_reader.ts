/** Longest line taken from a bridge, in bytes. The longest real one, a private key with a large certificate, has about 8 KB. */
export const MAX_SAM_LINE = 16_384;

/** Bytes of the first read buffer: enough for every reply but a private key. */
export const LINE_BUFFER = 1088;

const NOTHING = new Uint8Array();

const DECODER = new TextDecoder();

/** Reads the lines of a SAM bridge and keeps what follows them. */
export class LineReader {
  readonly #conn: Pick<Deno.Conn, "read">;
  #buffer = new Uint8Array(LINE_BUFFER);
  #start = 0;
  #end = 0;

  /** Reads from a connection, which nobody else may read from. */
  constructor(conn: Pick<Deno.Conn, "read">) {
    this.#conn = conn;
  }

  /**
   * The next line without its line end. A last line that the connection's end cuts short of its LF counts too.
   *
   * @throws {LineTooLong} if there is no line end within {@linkcode MAX_SAM_LINE}.
   * @throws {Deno.errors.UnexpectedEof} if the connection ends before a line begins.
   */
  async next(): Promise<string> {
    let searched = this.#start;
    for (;;) {
      const found = searched < this.#end ? this.#buffer.indexOf(0x0a, searched) : -1;
      const lineEnd = found < this.#end ? found : -1;
      if ((lineEnd < 0 ? this.#end : lineEnd) - this.#start > MAX_SAM_LINE) throw new LineTooLong();
      if (lineEnd >= 0) return this.#take(lineEnd, lineEnd + 1);
      searched = this.#end;
      if (this.#end === this.#buffer.length) searched -= this.#makeRoom();
      const count = await this.#conn.read(this.#end === 0 ? this.#buffer : this.#buffer.subarray(this.#end));
      if (count === null) {
        if (this.#start === this.#end) throw new Deno.errors.UnexpectedEof();
        return this.#take(this.#end, this.#end);
      }
      this.#end += count;
    }
  }

  /** A copy of the bytes read behind the last line. */
  rest(): Uint8Array {
    return this.#start === this.#end ? NOTHING : this.#unread().slice();
  }

  /** What it reads into, {@linkcode LINE_BUFFER} bytes or more: who takes it must be the only one to read from now on. */
  get buffer(): Uint8Array<ArrayBuffer> {
    return this.#buffer;
  }

  #unread(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  #take(lineEnd: number, next: number): string {
    const line = DECODER.decode(this.#buffer.subarray(this.#start, lineEnd));
    this.#start = next;
    return line.replace(/\r$/, "");
  }

  /** Moves what is unread to the front of a buffer with room behind it; returns by how much it moved. */
  #makeRoom(): number {
    const unread = this.#unread();
    const moved = this.#start;
    if (unread.length > this.#buffer.length / 2) this.#buffer = new Uint8Array(this.#buffer.length * 2);
    this.#buffer.set(unread);
    this.#start = 0;
    this.#end = unread.length;
    return moved;
  }
}

/** What came is longer than a line of SAM. */
export class LineTooLong extends Error {}
