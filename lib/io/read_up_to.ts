/** What can be read from: a file, or stdin. */
export interface Readable {
  /** Reads into the buffer; resolves to the number of bytes, or null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** Bytes that are asked for at first; whenever they have come, there is room for twice as many. */
const FIRST = 16_384;

/**
 * Reads all that there is, and no more than one byte beyond a limit: what is read may be a device without an end.
 *
 * @param most bytes that there may be.
 * @returns undefined if there are more.
 */
export async function readUpTo(source: Readable, most: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let bytes = new Uint8Array(Math.min(FIRST, most + 1));
  for (let size = 0;;) {
    const count = await source.read(bytes.subarray(size));
    if (count === null) return bytes.subarray(0, size);
    size += count;
    if (size > most) return undefined;
    if (size === bytes.length) {
      const wider = new Uint8Array(Math.min(2 * size, most + 1));
      wider.set(bytes);
      bytes = wider;
    }
  }
}
