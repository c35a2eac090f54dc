/**
 * Values that look random and are the same in every run, so that a failing case can be repeated from its seed
 * (mulberry32: one word of state, enough for test data, useless for secrets).
 */
export class Random {
  #state: number;

  /** Equal seeds, whole numbers, give equal values. */
  constructor(seed: number) {
    this.#state = seed;
  }

  /** The next number, 0 up to but not 1. */
  next(): number {
    this.#state = this.#state + 0x6d2b79f5 | 0;
    let t = Math.imul(this.#state ^ this.#state >>> 15, 1 | this.#state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  }

  /** A whole number, 0 up to but not `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** Bytes, each at least `min` (0 without it). */
  bytes(length: number, min = 0): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => min + this.below(256 - min));
  }

  /** Text of that many characters below 256, none of them below `min`. */
  latin1(length: number, min = 0): string {
    return String.fromCharCode(...this.bytes(length, min));
  }

  /** One of some items. */
  pick<T>(items: readonly T[]): T {
    const [item] = items.slice(this.below(items.length));
    if (item === undefined) throw new RangeError("Cannot pick from nothing");
    return item;
  }
}
