import { writeAll } from "../clients/socks_client.ts";
import { concat } from "../support/bytes.ts";
import { Random } from "../support/random.ts";

/** What a client asks of the soak's service. */
export interface Order {
  /** Where the pattern of the bytes begins. */
  seed: number;
  /** Bytes that the client sends. */
  up: number;
  /** Bytes that the service sends; undefined: it sends back what comes. */
  down: number | undefined;
}

/** How a client carries out an order. */
export interface Transfer {
  /** The order. */
  order: Order;
  /** Bytes of {@linkcode orderBytes} that were sent already. */
  sent: number;
  /** Bytes that came already. */
  early: Uint8Array;
  /** Whether the client ends its side behind its last byte. */
  endsSide: boolean;
  /** Milliseconds to wait before each read. */
  pause: number;
}

/** Bytes of an encoded order: `seed | up | down`, four each. */
const ORDER_LENGTH = 12;

/** Stands for "send back what comes". */
const ECHO = 0xffff_ffff;

/** What the service says behind its last byte: whether all that came was right. */
const VERDICT = { right: 0x59, wrong: 0x4e };

/** A prime, so that no buffer's length is a multiple of it, and a lost or doubled buffer is seen. */
const PERIOD = 65_521;

const BYTES = new Random(1).bytes(PERIOD);
const PATTERN = concat(BYTES, BYTES);

/** An order as the service reads it, and the bytes behind it. */
export function* orderBytes({ seed, up, down }: Order): Generator<Uint8Array> {
  const header = new DataView(new ArrayBuffer(ORDER_LENGTH));
  [seed, up, down ?? ECHO].forEach((value, i) => header.setUint32(4 * i, value));
  yield new Uint8Array(header.buffer);
  yield* patternBytes(seed, up);
}

/** The service: fulfils one order. A caller that leaves early is left alone. */
export async function fulfil(conn: Deno.TcpConn): Promise<void> {
  const { order, rest } = await readOrder(conn);
  const check = new PatternCheck(order.seed, order.up);
  const receive = async (): Promise<boolean> => {
    const buffer = new Uint8Array(PERIOD);
    for (let bytes = rest;; bytes = await read(conn, buffer)) {
      if (!check.take(bytes)) return false;
      if (order.down === undefined) await writeAll(conn, bytes);
      if (check.left === 0) return true;
    }
  };
  const [isRight] = await Promise.all([receive(), sendAll(conn, patternBytes(order.seed + 1, order.down ?? 0))]);
  await writeAll(conn, Uint8Array.of(isRight ? VERDICT.right : VERDICT.wrong));
}

/** How a transfer ended. */
export interface TransferEnd {
  /** Whether everything arrived, both ways, and then the end; else the end came before. */
  isIntact: boolean;
  /** Milliseconds without a byte before the end. */
  silence: number;
}

/**
 * The client's side: sends and receives at once, and compares every byte.
 *
 * @throws {Error} if a byte is wrong, or there is one too many.
 */
export async function carryOut(conn: Deno.TcpConn, transfer: Transfer): Promise<TransferEnd> {
  let last = performance.now();
  let silence = 0;
  const active = (): void => void (last = performance.now());
  const send = async (): Promise<void> => {
    try {
      for (const chunk of skip(orderBytes(transfer.order), transfer.sent)) {
        await writeAll(conn, chunk);
        active();
      }
      if (transfer.endsSide) await conn.closeWrite();
    } catch {
      // Cut: the receiving side finds out as well, and decides.
    }
  };
  const receive = async (): Promise<boolean> => {
    const isIntact = await receiveAll(conn, transfer, active);
    silence = performance.now() - last;
    return isIntact;
  };
  const [isIntact] = await Promise.all([receive(), send()]);
  return { isIntact, silence };
}

/** Whether everything came, and then the end. */
async function receiveAll(
  conn: Deno.TcpConn,
  { order: { seed, up, down }, early, pause }: Transfer,
  active: () => void,
): Promise<boolean> {
  const check = down === undefined ? new PatternCheck(seed, up) : new PatternCheck(seed + 1, down);
  const buffer = new Uint8Array(PERIOD);
  let verdict: number | undefined;
  for (let bytes: Uint8Array | undefined = early; bytes !== undefined; bytes = await readOrEnd(conn, buffer)) {
    active();
    const [expected, rest] = [bytes.subarray(0, check.left), bytes.subarray(check.left)];
    if (!check.take(expected)) throw new Error(`A wrong byte, ${check.left} before the last`);
    if (rest.length > (verdict === undefined ? 1 : 0)) throw new Error("A byte behind the last");
    verdict ??= rest[0];
    if (pause > 0 && check.left > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  if (verdict === VERDICT.wrong) throw new Error("The service got a wrong byte");
  return verdict === VERDICT.right;
}

/** Compares what comes with what must come. */
class PatternCheck {
  #at: number;
  #left: number;

  constructor(seed: number, length: number) {
    this.#at = seed % PERIOD;
    this.#left = length;
  }

  /** Bytes still to come. */
  get left(): number {
    return this.#left;
  }

  /** Whether the next bytes are right, and not too many. */
  take(bytes: Uint8Array): boolean {
    if (bytes.length > this.#left) return false;
    for (let i = 0; i < bytes.length; i++) {
      if (bytes[i] !== PATTERN[this.#at]) return false;
      this.#at = (this.#at + 1) % PERIOD;
    }
    this.#left -= bytes.length;
    return true;
  }
}

function* patternBytes(seed: number, length: number): Generator<Uint8Array> {
  const at = seed % PERIOD;
  for (let left = length; left > 0; left -= PERIOD) {
    yield PATTERN.subarray(at, at + Math.min(left, PERIOD));
  }
}

/** Chunks without their first bytes. */
function* skip(chunks: Iterable<Uint8Array>, count: number): Generator<Uint8Array> {
  let left = count;
  for (const chunk of chunks) {
    yield chunk.subarray(Math.min(left, chunk.length));
    left = Math.max(0, left - chunk.length);
  }
}

async function sendAll(conn: Deno.TcpConn, chunks: Iterable<Uint8Array>): Promise<void> {
  for (const chunk of chunks) await writeAll(conn, chunk);
}

async function readOrder(conn: Deno.TcpConn): Promise<{ order: Order; rest: Uint8Array }> {
  let bytes = new Uint8Array();
  while (bytes.length < ORDER_LENGTH) bytes = concat(bytes, await read(conn, new Uint8Array(PERIOD)));
  const view = new DataView(bytes.buffer);
  const down = view.getUint32(8);
  const order = { seed: view.getUint32(0), up: view.getUint32(4), down: down === ECHO ? undefined : down };
  return { order, rest: bytes.subarray(ORDER_LENGTH) };
}

/** Reads some bytes; throws at the end. */
async function read(conn: Deno.TcpConn, buffer: Uint8Array): Promise<Uint8Array> {
  const count = await conn.read(buffer);
  if (count === null) throw new Deno.errors.UnexpectedEof();
  return buffer.subarray(0, count);
}

/** Reads some bytes; undefined at the end. A reset is one as well. */
async function readOrEnd(conn: Deno.TcpConn, buffer: Uint8Array): Promise<Uint8Array | undefined> {
  try {
    return await read(conn, buffer);
  } catch {
    return undefined;
  }
}
