/** A client's socket as the `intercept` hook of the bridge sees it. */
export interface SamSocket {
  readonly conn: Deno.TcpConn;
  /** The version that HELLO settled, `"3.1"` say; empty before. */
  readonly version: string;
  /** Whether this side has not closed. */
  readonly open: boolean;
  /** Makes of what the bridge says what it writes instead, one after the other. */
  spoken: ((text: string) => AsyncIterable<string>) | undefined;
  /** Writes all of a text, line feeds included; after a close nothing happens. */
  write(text: string): Promise<void>;
  /** Closes at once, in both directions. */
  close(): void;
}

/** Bytes of one read. The throughput of relayed streams hangs on it. */
const BUFFER_LENGTH = 64 * 1024;

/**
 * How long (ms) a socket that was ended is still read. Closing with unread bytes makes the kernel send a reset, which
 * may throw away what the other side has yet to read.
 */
const LINGER = 500;

/**
 * A TCP socket whose next chunk can be looked at and put back. Trouble of the socket is not an error here: a reset reads
 * as the end, as SAM cannot tell them apart either, and a failed write closes.
 */
export class Wire implements SamSocket {
  readonly conn: Deno.TcpConn;
  version = "";
  /** Whether HELLO was answered, and nothing was asked since. */
  isIdle = false;
  spoken: ((text: string) => AsyncIterable<string>) | undefined;
  /** Resolves when this side has closed. */
  readonly closed: Promise<void>;
  readonly #onClose: () => void;
  readonly #buffer = new Uint8Array(BUFFER_LENGTH);
  #next: Promise<Uint8Array | null> | undefined;
  #open = true;

  constructor(conn: Deno.TcpConn) {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.conn = conn;
    this.closed = promise;
    this.#onClose = resolve;
    try {
      conn.setNoDelay(true);
    } catch {
      // Already reset by the other side; the first read will tell.
    }
  }

  /** Whether this side has not closed. */
  get open(): boolean {
    return this.#open;
  }

  /** The next chunk, left in place; `null` at the end. One pending read serves all who wait. */
  peek(): Promise<Uint8Array | null> {
    return this.#next ??= this.#receive();
  }

  /** Takes at most `limit` bytes of the next chunk, `null` at the end. Valid until the next read. */
  async read(limit: number = BUFFER_LENGTH): Promise<Uint8Array | null> {
    const chunk = await this.peek();
    this.#next = undefined;
    if (chunk === null || chunk.length <= limit) return chunk;
    this.unread(chunk.subarray(limit));
    return chunk.subarray(0, limit);
  }

  /** Puts bytes back, to be the next chunk. Only right after a read. */
  unread(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#next = Promise.resolve(bytes);
  }

  async write(data: string | Uint8Array): Promise<void> {
    if (typeof data !== "string") return await this.#send(data);
    const encoder = new TextEncoder();
    if (this.spoken === undefined) return await this.#send(encoder.encode(data));
    for await (const part of this.spoken(data)) await this.#send(encoder.encode(part));
  }

  async #send(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length && this.#open;) sent += await this.writeSome(bytes.subarray(sent));
  }

  /** Writes as much as goes into the socket now; nothing where that is closed. */
  async writeSome(bytes: Uint8Array): Promise<number> {
    try {
      return this.#open ? await this.conn.write(bytes) : 0;
    } catch {
      this.close();
      return 0;
    }
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.conn.close();
    this.#onClose();
  }

  /** Reads to the end, for nothing. */
  async drain(): Promise<void> {
    while (await this.read() !== null);
  }

  /** Says the end, lets the other side read everything, then closes. `drained` ends when all is read. */
  async finish(drained: Promise<unknown> = this.drain()): Promise<void> {
    const timer = setTimeout(() => this.close(), LINGER);
    if (this.#open) await this.conn.closeWrite().catch(() => this.close());
    await drained;
    clearTimeout(timer);
    this.close();
  }

  async #receive(): Promise<Uint8Array | null> {
    if (!this.#open) return null;
    try {
      const length = await this.conn.read(this.#buffer);
      return length === null ? null : this.#buffer.subarray(0, length);
    } catch {
      return null;
    }
  }
}

/** Bytes of i2pd's buffer from a stream to a SAM client. */
const STREAM_BUFFER = 16_384;

/** Milliseconds in which a client takes nothing of what waits for it, after which it counts as one that does not read. */
const NO_PROGRESS = 500;

/**
 * Joins two sockets until one of them ends. I2P streams have no half-close at a router: the end of one direction ends
 * the other, and what the other side still sends is lost. What was read before the end is delivered, but where `losesEnds`
 * not to a client that does not read: of that it gets one buffer more, and never the end.
 */
export async function relay(one: Wire, two: Wire, losesEnds = false): Promise<void> {
  const carry = losesEnds ? pumpAhead : pump;
  const pumps = [carry(one, two), carry(two, one)];
  const [over, other] = await Promise.race([
    pumps[0]?.then(() => [one, two] as const),
    pumps[1]?.then(() => [two, one] as const),
  ]) ?? [one, two];
  over.close();
  await other.finish(Promise.all(pumps));
}

async function pump(from: Wire, to: Wire): Promise<void> {
  for (let chunk = await from.read(); chunk !== null; chunk = await from.read()) await to.write(chunk);
}

/** Takes all that comes, whether it can be passed on or not. */
async function pumpAhead(from: Wire, to: Wire): Promise<void> {
  const queue: Uint8Array[] = [];
  let queued = 0;
  let hasEnded = false;
  const wake = { up: () => {} };
  const passOn = async (): Promise<void> => {
    for (;;) {
      const part = queue[0];
      if (part === undefined) {
        if (hasEnded) return;
        await new Promise<void>((resolve) => wake.up = resolve);
        continue;
      }
      const sent = await to.writeSome(part.subarray(0, STREAM_BUFFER));
      if (sent === 0) return;
      queued -= sent;
      if (sent === part.length) queue.shift();
      else queue[0] = part.subarray(sent);
    }
  };
  const passing = passOn();
  for (let chunk = await from.read(); chunk !== null; chunk = await from.read()) {
    queue.push(chunk.slice());
    queued += chunk.length;
    wake.up();
  }
  hasEnded = true;
  wake.up();
  for (let before = -1; queued > STREAM_BUFFER && before !== queued;) {
    before = queued;
    await atMost(NO_PROGRESS, passing);
  }
  if (queued > STREAM_BUFFER) {
    queue.splice(1);
    queue[0] = queue[0]?.subarray(0, STREAM_BUFFER) ?? new Uint8Array();
    await passing;
    await to.drain();
  }
  await passing;
}

/** The first of some promises, or `undefined` after so many milliseconds. Leaves no timer behind. */
export async function atMost<T>(ms: number, ...promises: Promise<T>[]): Promise<T | undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  const first = await Promise.race([promise, ...promises]);
  clearTimeout(timer);
  return first;
}
