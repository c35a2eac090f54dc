/** Bytes of a large buffer. */
export const LARGE_BUFFER = 262_144;

/** Large buffers that may be in use at once: 16 MiB. Further busy relays get one of {@linkcode MEDIUM_BUFFER} bytes. */
export const MAX_LARGE_BUFFERS = 64;

/** Bytes of a medium buffer. */
export const MEDIUM_BUFFER = 65_536;

/**
 * Medium buffers that may be in use at once: 64 MiB. Further busy relays go on with their small ones.
 *
 * A reader that stops keeps the buffer of its relay for as long as it likes, because the bytes in it have nowhere else to
 * be. So there are as many as clients at once by default, and those that stopped leave enough for those that did not.
 */
export const MAX_MEDIUM_BUFFERS = 1024;

/**
 * Lends buffers to relays under load.
 *
 * What comes back is kept, so that there are never more than were in use at once. To free them would save nothing: in
 * the middle of a burst new ones pile up until the garbage is collected, and after it the allocator keeps the memory.
 */
export class BufferPool {
  readonly #large = new Shelf(LARGE_BUFFER, MAX_LARGE_BUFFERS);
  readonly #medium = new Shelf(MEDIUM_BUFFER, MAX_MEDIUM_BUFFERS);

  /** A large buffer, a medium one if all of those are in use, or undefined if all of both are. */
  rent(): Uint8Array<ArrayBuffer> | undefined {
    return this.#large.rent() ?? this.#medium.rent();
  }

  giveBack(buffer: Uint8Array<ArrayBuffer>): void {
    (buffer.length === LARGE_BUFFER ? this.#large : this.#medium).giveBack(buffer);
  }
}

class Shelf {
  readonly #size: number;
  readonly #most: number;
  readonly #kept: Uint8Array<ArrayBuffer>[] = [];
  #rented = 0;

  constructor(size: number, most: number) {
    this.#size = size;
    this.#most = most;
  }

  rent(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#rented >= this.#most) return undefined;
    this.#rented++;
    return this.#kept.pop() ?? new Uint8Array(this.#size);
  }

  giveBack(buffer: Uint8Array<ArrayBuffer>): void {
    this.#rented--;
    this.#kept.push(buffer);
  }
}
