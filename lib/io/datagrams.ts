/** Bytes that a datagram of IP can have at most, with room to spare. */
const DATAGRAM_BUFFER = 65_536;

/**
 * Bytes of datagrams that were received and wait for those before them to be taken, at a socket. When there are as many, none
 * is received until half of them are taken, and the system drops what its own buffer does not hold: some 200 small ones, for
 * the runtime cannot ask for a larger one.
 */
export const MAX_QUEUED = 2_097_152;

/**
 * Bytes that each of them counts for at least, so that few enough wait however small they are: what the runtime keeps for one
 * is more than that.
 */
export const LEAST_QUEUED = 128;

/** Turns of the microtask queue in which a read has ended whose datagram was there already. */
const SETTLING = 4;

/** Datagrams that are taken in a turn of the event loop: the answers to them come to another socket, which is read next. */
const TURN = 64;

/** Milliseconds of rest after a read that failed: some systems report here that an earlier datagram found nobody. */
const REST = 5;

/** Receives each datagram, in a buffer that it may keep. */
type TakeDatagram = (bytes: Uint8Array<ArrayBuffer>, from: Deno.NetAddr) => void | Promise<void>;

/**
 * A socket for datagrams that are taken one after the other, in the order in which they came.
 *
 * Receiving goes before taking: what takes a datagram sends it on, and during that time a burst would overflow the buffer of the
 * system.
 */
export class DatagramSocket {
  readonly #conn: Deno.DatagramConn;
  readonly #take: TakeDatagram;
  readonly #running: Promise<unknown>;
  readonly #queue: [bytes: Uint8Array<ArrayBuffer>, from: Deno.NetAddr][] = [];
  /** The next of the queue. */
  #next = 0;
  #queued = 0;
  #isOpen = true;
  /** Whether there is nothing to receive, or no room for it. */
  #isQuiet = false;
  /** Resolves when there may be something to take, or room. */
  #changed = Promise.withResolvers<void>();

  /** Binds a free port of a loopback address. */
  constructor(hostname: string, take: TakeDatagram) {
    this.#conn = Deno.listenDatagram({ transport: "udp", hostname, port: 0 });
    this.#take = take;
    this.#running = Promise.all([this.#receiveAll(), this.#takeAll()]);
  }

  get port(): number {
    return (this.#conn.addr as Deno.NetAddr).port;
  }

  /** Sends a datagram; false if the system did not take it. */
  async send(bytes: Uint8Array, to: { hostname: string; port: number }): Promise<boolean> {
    try {
      return await this.#conn.send(bytes, { transport: "udp", ...to }) === bytes.length;
    } catch {
      return false;
    }
  }

  /** Closes it, and resolves when no datagram is being taken any more. */
  async close(): Promise<void> {
    if (this.#isOpen) this.#conn.close();
    this.#isOpen = false;
    this.#change();
    await this.#running;
  }

  async #receiveAll(): Promise<void> {
    const buffer = new Uint8Array(DATAGRAM_BUFFER);
    while (this.#isOpen) {
      try {
        const [bytes, from] = await this.#receive(buffer);
        this.#queue.push([bytes.slice() as Uint8Array<ArrayBuffer>, from as Deno.NetAddr]);
        this.#queued += weightOf(bytes);
      } catch {
        if (this.#isOpen) await new Promise((resolve) => setTimeout(resolve, REST));
      }
      if (this.#queued < MAX_QUEUED) continue;
      this.#isQuiet = true;
      this.#change();
      while (this.#isOpen && this.#queued >= MAX_QUEUED / 2) await this.#untilChange();
      this.#isQuiet = false;
    }
  }

  /** Receives a datagram, and lets those before it be taken unless it is there already. */
  async #receive(buffer: Uint8Array<ArrayBuffer>): Promise<[Uint8Array, Deno.Addr]> {
    let hasEnded = false;
    const end = (): void => void (hasEnded = true);
    const receiving = this.#conn.receive(buffer);
    receiving.then(end, end);
    for (let i = 0; i < SETTLING && !hasEnded; i++) await undefined;
    if (!hasEnded) this.#change();
    this.#isQuiet = !hasEnded;
    try {
      return await receiving;
    } finally {
      this.#isQuiet = false;
    }
  }

  async #takeAll(): Promise<void> {
    let taken = 0;
    while (this.#isOpen) {
      const first = this.#queue[this.#next];
      if (first === undefined || !this.#isQuiet) {
        await this.#untilChange();
        taken = 0;
        continue;
      }
      this.#next++;
      const before = this.#queued;
      this.#queued -= weightOf(first[0]);
      if (before >= MAX_QUEUED / 2 && this.#queued < MAX_QUEUED / 2) this.#change();
      this.#forget();
      await this.#take(...first);
      if (++taken % TURN === 0) await turn();
    }
  }

  /** Forgets those that were taken: at the end of the queue, and when they are half of it, for it may never be empty. */
  #forget(): void {
    const isEnd = this.#next === this.#queue.length;
    if (!isEnd && (this.#next < TURN || 2 * this.#next < this.#queue.length)) return;
    if (isEnd) this.#queue.length = 0;
    else this.#queue.splice(0, this.#next);
    this.#next = 0;
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #untilChange(): Promise<void> {
    return this.#changed.promise;
  }
}

/** What a datagram that waits counts for, in bytes. */
function weightOf({ length }: Uint8Array): number {
  return Math.max(length, LEAST_QUEUED);
}

/** Lets the runtime look for what has arrived: while one operation after the other ends at once, it does not. */
async function turn(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
}
