import { type RequestHead, valuesOf } from "./request_head.ts";

/**
 * How long the body behind a head is (RFC 9112 §6): a number of bytes, or `chunked`.
 *
 * @returns undefined where two readers could think differently: a length and an encoding together, two lengths, or an
 * encoding of which this knows nothing.
 */
export function bodyOf(head: RequestHead): number | "chunked" | undefined {
  const lengths = valuesOf(head, "content-length");
  const encodings = valuesOf(head, "transfer-encoding");
  if (encodings.length > 0) {
    const isKnown = encodings.length === 1 && encodings[0]?.toLowerCase() === "chunked" && head.minorVersion > 0;
    return isKnown && lengths.length === 0 ? "chunked" : undefined;
  }
  const [length = "0", ...others] = lengths;
  return /^\d{1,15}$/.test(length) && others.every((other) => other === length) ? Number(length) : undefined;
}

const CR = 13;
const LF = 10;

/** Characters of a chunk's size: more would be no number that can be counted with. */
const MAX_SIZE_DIGITS = 12;

/** What the next byte of a chunked body belongs to. */
type Part = "size" | "extension" | "sizeEnd" | "data" | "dataEnd" | "trailer" | "trailerEnd";

/**
 * Finds the end of a chunked body, byte for byte, whatever the fragments.
 *
 * ```
 * 5;ext CRLF  hello CRLF  0 CRLF  trailer: x CRLF  CRLF
 * ```
 */
export class ChunkedBody {
  #part: Part = "size";
  /** Of the size or the line that is being read. */
  #characters = 0;
  #size = 0;
  #state: "open" | "over" | "broken" = "open";

  /** `over` behind the last byte; `broken` where the standard is not kept and nothing more can be known. */
  get state(): "open" | "over" | "broken" {
    return this.#state;
  }

  /**
   * Takes the next bytes.
   *
   * @returns how many of them belong to the body; fewer than all only if it is over or broken.
   */
  push(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length && this.#state === "open") {
      if (this.#part === "data" && this.#size > 0) {
        const count = Math.min(this.#size, bytes.length - at);
        this.#size -= count;
        at += count;
      } else {
        this.#take(bytes[at] ?? 0);
        at++;
      }
    }
    return at;
  }

  #take(byte: number): void {
    switch (this.#part) {
      case "size":
        return this.#takeSize(byte);
      case "extension":
        if (byte === CR) this.#part = "sizeEnd";
        else if (byte === LF) this.#state = "broken";
        return;
      case "sizeEnd":
        return this.#expect(byte, LF, this.#size === 0 ? "trailer" : "data");
      case "data":
        return this.#expect(byte, CR, "dataEnd");
      case "dataEnd":
        return this.#expect(byte, LF, "size");
      case "trailer":
        if (byte === CR) this.#part = "trailerEnd";
        else if (byte === LF) this.#state = "broken";
        else this.#characters++;
        return;
      case "trailerEnd":
        if (byte === LF && this.#characters === 0) this.#state = "over";
        return this.#expect(byte, LF, "trailer");
    }
  }

  #takeSize(byte: number): void {
    const digit = Number.parseInt(String.fromCharCode(byte), 16);
    if (!Number.isNaN(digit) && this.#characters < MAX_SIZE_DIGITS) {
      this.#size = this.#size * 16 + digit;
      this.#characters++;
    } else if (this.#characters > 0 && byte === CR) this.#part = "sizeEnd";
    else if (this.#characters > 0 && (byte === 0x3b || byte === 0x20 || byte === 9)) this.#part = "extension";
    else this.#state = "broken";
  }

  #expect(byte: number, expected: number, next: Part): void {
    if (byte !== expected) this.#state = "broken";
    this.#characters = 0;
    this.#part = next;
  }
}
