import { readWhenReady } from "./when_ready.ts";

/** A file, or stdin. */
interface Readable {
  read(buffer: Uint8Array): Promise<number | null>;
}

/** Bytes of the first buffer; each further one is twice as large. */
const FIRST = 16_384;

/**
 * Reads to the end, and no more than one byte beyond a limit: the source may be a device without an end.
 *
 * @param most bytes that there may be.
 * @returns undefined if there are more.
 */
export async function readUpTo(source: Readable, most: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let bytes = new Uint8Array(Math.min(FIRST, most + 1));
  for (let size = 0;;) {
    const count = await readWhenReady(source, bytes.subarray(size));
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
