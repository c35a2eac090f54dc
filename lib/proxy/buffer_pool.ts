/** Bytes of a large buffer. */
export const LARGE_BUFFER = 262_144;

/** Large buffers that may be in use at once: 8 MiB. Further busy relays go on with their small ones. */
export const MAX_LARGE_BUFFERS = 32;

/** Large buffers kept for the next burst: 4 MiB. */
const MAX_KEPT = 16;

/** Lends large buffers to relays under load. */
export class BufferPool {
  readonly #kept: Uint8Array<ArrayBuffer>[] = [];
  #rented = 0;

  /** A large buffer, or undefined if {@linkcode MAX_LARGE_BUFFERS} are in use. */
  rent(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#rented >= MAX_LARGE_BUFFERS) return undefined;
    this.#rented++;
    return this.#kept.pop() ?? new Uint8Array(LARGE_BUFFER);
  }

  /** Takes a buffer back. */
  giveBack(buffer: Uint8Array<ArrayBuffer>): void {
    this.#rented--;
    if (this.#kept.length < MAX_KEPT) this.#kept.push(buffer);
  }
}
