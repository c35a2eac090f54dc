import { isNoRoom } from "./error_text.ts";
import { writeWhenReady } from "./when_ready.ts";

/** A line feed. */
const LF = 10;

/** What output is written to: `Deno.stdout` and `Deno.stderr` are such. */
export interface Output {
  /** Writes some of the bytes, and resolves to how many; may take as long as the reader wants. */
  write(bytes: Uint8Array): Promise<number>;
}

/** How much may wait for a reader, in UTF-16 code units, and what to do about the rest. */
interface OutputQueueOptions {
  /** Most that waits; a line that finds no room is dropped. @default {Infinity} */
  most?: number;
  /** Makes the line that stands where lines were dropped; without it a full disk ends the output. */
  lost?: (lines: number) => string;
}

/**
 * Writes text in order, and never blocks: a reader that stalls stops its own output and nothing else.
 *
 * Once writing has failed the reader is gone for good, and what comes after is dropped. Where lines may be lost, a full disk
 * is no such failure: what it did not take is lost, and writing goes on when there is room.
 */
export class OutputQueue {
  readonly #output: Output;
  readonly #most: number;
  readonly #lost: ((lines: number) => string) | undefined;
  readonly #waiting: string[] = [];
  #length = 0;
  #dropped = 0;
  /** Lines that a full disk did not take, before all that wait. */
  #refused = 0;
  /** Whether it took a part of a line. */
  #isCut = false;
  #failure: unknown;
  #writing: Promise<void> | undefined;

  constructor(output: Output, { most = Infinity, lost }: OutputQueueOptions = {}) {
    this.#output = output;
    this.#most = most;
    this.#lost = lost;
  }

  /** Whether something waits for the reader. */
  get isBehind(): boolean {
    return this.#writing !== undefined;
  }

  /** Why nothing can be written any more; undefined as long as it can. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Puts text behind what waits. */
  write(text: string): void {
    if (this.#failure !== undefined || text === "") return;
    if (this.#length + text.length > this.#most) {
      this.#dropped += text.split("\n").length - 1;
      return;
    }
    this.#add(text);
    this.#writing ??= this.#drain();
  }

  /** Waits until all is written or writing has failed, at most for so many milliseconds. */
  async flush(milliseconds: number = Infinity): Promise<void> {
    const { promise: isOver, resolve } = Promise.withResolvers<void>();
    const timer = milliseconds === Infinity ? undefined : setTimeout(resolve, milliseconds);
    await Promise.race([this.#writing, isOver]);
    clearTimeout(timer);
  }

  #add(text: string): void {
    this.#waiting.push(text);
    this.#length += text.length;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        const text = this.#waiting.join("");
        this.#waiting.length = 0;
        await this.#writeAll(text);
        // What is being written counts as well, or a stalled reader could have twice as much waiting.
        this.#length -= text.length;
        if (this.#dropped === 0) continue;
        this.#add(this.#lost?.(this.#dropped) ?? "");
        this.#dropped = 0;
      }
    } catch (error) {
      this.#failure = error;
      this.#waiting.length = 0;
    }
    this.#writing = undefined;
  }

  async #writeAll(text: string): Promise<void> {
    const note = this.#refused === 0 ? "" : `${this.#isCut ? "\n" : ""}${this.#lost?.(this.#refused) ?? ""}`;
    const ahead = new TextEncoder().encode(note);
    const bytes = new TextEncoder().encode(note + text);
    let written = 0;
    try {
      while (written < bytes.length) written += await writeWhenReady(this.#output, bytes.subarray(written));
      this.#refused = 0;
      this.#isCut = false;
    } catch (error) {
      if (this.#lost === undefined || !isNoRoom(error)) throw error;
      const rest = bytes.subarray(Math.max(written, ahead.length));
      if (written >= ahead.length) this.#refused = 0;
      for (const byte of rest) if (byte === LF) this.#refused++;
      if (written > 0) this.#isCut = bytes[written - 1] !== LF;
    }
  }
}
