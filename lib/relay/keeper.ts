import type { Counter } from "../report/counters.ts";
import type { FairnessGate } from "./fairness_gate.ts";

/** Bytes that one stream may keep for a client that does not take them. */
export const MAX_KEPT_BY_STREAM = 16_777_216;

/** Bytes that all streams of a process may keep together. */
export const MAX_KEPT = 67_108_864;

/** Bytes of a block, in which bytes are kept. */
export const KEEP_BLOCK = 65_536;

/** What the streams of a process may keep, and how much of it they have taken. Blocks count in full. */
export class KeepLimit {
  #taken = 0;

  /** Bytes that are taken. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * Takes a block for a stream that has `own` bytes already; false where it may have no more. No stream may have more than
   * is left to all others, so that those which come later find something too.
   */
  take(own: number): boolean {
    if (own >= Math.min(MAX_KEPT_BY_STREAM, MAX_KEPT - this.#taken)) return false;
    this.#taken += KEEP_BLOCK;
    return true;
  }

  /** Gives blocks back. */
  giveBack(bytes: number): void {
    this.#taken -= bytes;
  }
}

/** Bytes that wait to be taken. */
interface Block {
  /** Of {@linkcode KEEP_BLOCK} bytes, or of a few. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** The first byte that nobody has taken. */
  start: number;
  /** Where the next byte is put. */
  end: number;
}

/**
 * Reads a stream on while its client does not take what has come, and keeps that in its order.
 *
 * i2pd (2.45.1 and 2.58) loses the end of a stream if its peer closes while more than one buffer of it waits in the
 * router: so nothing is left to wait there, as far as {@linkcode MAX_KEPT_BY_STREAM} and {@linkcode MAX_KEPT} allow.
 */
export class Keeper {
  readonly #conn: Pick<Deno.Conn, "read">;
  readonly #gate: FairnessGate;
  readonly #limit: KeepLimit;
  readonly #gauge: Counter;
  /** Told of the first time that a stream may keep no more. */
  readonly #onFull: () => void;
  readonly #blocks: Block[] = [];
  /** The one that is read into now. */
  #target: Block | undefined;
  /** What is read into where nothing is known to come: an idle stream must hold little memory. */
  #spare: Uint8Array<ArrayBuffer> | undefined;
  readonly #spareSize: number;
  /** Whether the last read has filled what it was given. */
  #isFlowing = false;
  #isWanted = false;
  /** Reading, where it is under way: resolves when a read has ended that nobody wants another one behind. */
  #reading: Promise<void> | undefined;
  #kept = 0;
  /** Bytes of the blocks. */
  #taken = 0;
  #end: { error: unknown } | "ended" | undefined;

  /** Reads nothing yet; `spareSize` are the bytes of the smallest read. */
  constructor(
    conn: Pick<Deno.Conn, "read">,
    spareSize: number,
    { gate, limit, gauge, onFull }: { gate: FairnessGate; limit: KeepLimit; gauge: Counter; onFull: () => void },
  ) {
    this.#conn = conn;
    this.#spareSize = spareSize;
    this.#gate = gate;
    this.#limit = limit;
    this.#gauge = gauge;
    this.#onFull = onFull;
  }

  /** Whether it has nothing, and asks for nothing: the connection can be read without it. */
  get isSpent(): boolean {
    return this.#kept === 0 && this.#reading === undefined && this.#end === undefined;
  }

  /** Reads as the connection does; first what was kept. */
  async read(buffer: Uint8Array): Promise<number | null> {
    // What was asked for cannot be taken back.
    while (this.#kept === 0 && this.#reading !== undefined) await this.#reading;
    if (this.#kept > 0) return this.#take(buffer);
    if (this.#end === undefined) return await this.#conn.read(buffer);
    if (this.#end === "ended") return null;
    throw this.#end.error;
  }

  /** Reads on until {@linkcode pause}, the end of the stream, or a limit. */
  readOn(): void {
    this.#isWanted = true;
    if (this.#end === undefined) this.#reading ??= this.#readWhileWanted();
  }

  /** Asks for nothing more. */
  pause(): void {
    this.#isWanted = false;
  }

  /** Forgets what nobody has taken. */
  close(): void {
    this.#isWanted = false;
    this.#end ??= "ended";
    for (const { start, end } of this.#blocks.splice(0)) this.#count(start - end);
    this.#release(this.#taken);
  }

  async #readWhileWanted(): Promise<void> {
    // `read` waits for this, which must have left its mark first.
    await undefined;
    while (this.#isWanted && this.#end === undefined) {
      const room = this.#room();
      if (room === undefined) {
        this.#onFull();
        break;
      }
      let count: number | null;
      try {
        count = await this.#conn.read(room);
      } catch (error) {
        this.#end ??= { error };
        break;
      }
      if (this.#end !== undefined) break;
      if (count === null) {
        this.#end = "ended";
        break;
      }
      this.#isFlowing = count === room.length;
      this.#store(room.subarray(0, count));
      // A stream that always has something ready would keep everything else from its turn.
      const turn = this.#isFlowing ? this.#gate.spend(count) : undefined;
      if (turn !== undefined && this.#isWanted) await turn;
    }
    this.#reading = undefined;
  }

  /** What to read into: a block, or where nothing is known to come the spare buffer; undefined at the limit. */
  #room(): Uint8Array<ArrayBuffer> | undefined {
    if (!this.#isFlowing) return this.#spare ??= new Uint8Array(this.#spareSize);
    this.#target = this.#blocks.at(-1);
    if (this.#target === undefined || this.#target.end === this.#target.buffer.length) this.#target = this.#newBlock();
    return this.#target?.buffer.subarray(this.#target.end);
  }

  #newBlock(): Block | undefined {
    if (!this.#limit.take(this.#taken)) return undefined;
    this.#taken += KEEP_BLOCK;
    const block = { buffer: new Uint8Array(KEEP_BLOCK), start: 0, end: 0 };
    this.#blocks.push(block);
    return block;
  }

  /** Keeps what was read; of the spare buffer behind what the last block has, or in as much memory as it has bytes. */
  #store(bytes: Uint8Array<ArrayBuffer>): void {
    const last = this.#target ?? this.#blocks.at(-1);
    if (this.#target !== undefined) {
      this.#target.end += bytes.length;
    } else if (last !== undefined && last.end + bytes.length <= last.buffer.length) {
      last.buffer.set(bytes, last.end);
      last.end += bytes.length;
    } else {
      this.#blocks.push({ buffer: bytes.slice(), start: 0, end: bytes.length });
    }
    this.#target = undefined;
    this.#count(bytes.length);
  }

  #take(buffer: Uint8Array): number {
    let taken = 0;
    for (let block = this.#blocks[0]; block !== undefined && taken < buffer.length; block = this.#blocks[0]) {
      const bytes = block.buffer.subarray(block.start, Math.min(block.end, block.start + buffer.length - taken));
      buffer.set(bytes, taken);
      taken += bytes.length;
      block.start += bytes.length;
      if (block.start < block.end || block === this.#target) break;
      this.#blocks.shift();
      if (block.buffer.length === KEEP_BLOCK) this.#release(KEEP_BLOCK);
    }
    this.#count(-taken);
    return taken;
  }

  #count(bytes: number): void {
    this.#kept += bytes;
    this.#gauge.value += bytes;
  }

  #release(bytes: number): void {
    this.#taken -= bytes;
    this.#limit.giveBack(bytes);
  }
}
