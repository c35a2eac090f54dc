/** Takes what is in the frames of a client. */
export interface FrameHandler {
  /** Takes text, or part of it. */
  text(text: string): void;
  /** Takes the end of a message. */
  messageEnd(): void;
  /** Takes note that a message is compressed. */
  compressed(): void;
}

const TEXT = 1;

/** Bytes of a text that are decoded; the rest of a longer one is not looked at. */
export const MAX_MESSAGE = 16_384;

/** Whether two bytes can begin a frame of a client: a known opcode, and masked. No request of HTTP begins like that. */
export function mayBeginFrame(first: number, second: number): boolean {
  const opcode = first & 15;
  return (first & 0x30) === 0 && (opcode <= 2 || (opcode >= 8 && opcode <= 10)) && second >= 0x80;
}

/**
 * Reads the frames that a client of WebSocket sends (RFC 6455 §5), whatever the fragments.
 *
 * ```
 * FIN RSV1-3 opcode:4  MASK length:7  [length:16 or 64]  key:4  masked payload
 * ```
 */
export class FrameReader {
  readonly #handler: FrameHandler;
  /** The beginning of a frame that is not whole yet, up to its key. */
  #held = "";
  #rest = 0;
  #key: readonly number[] = [];
  #keyAt = 0;
  #isFinal = true;
  /** Whether the message is one of text that is not compressed. */
  #isText = false;
  #decoded = 0;
  #isControl = false;
  #isBroken = false;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Whether something other than a frame of a client came. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Characters that need not be decoded, as they are not text, or too far behind. */
  get skip(): number {
    const isSeen = this.#isText && !this.#isControl && this.#decoded < MAX_MESSAGE;
    return isSeen ? 0 : this.#rest;
  }

  /** Takes note of characters that were not decoded, at most {@linkcode skip}. */
  pass(count: number): void {
    this.#rest -= count;
    this.#keyAt = (this.#keyAt + count) % 4;
    if (count > 0 && this.#rest === 0) this.#endFrame();
  }

  /** Takes the next characters. @returns how many of them are of frames; fewer than all only if one is broken. */
  push(text: string): number {
    let at = 0;
    while (at < text.length && !this.#isBroken) {
      if (this.#rest > 0) {
        const count = Math.min(this.#rest, text.length - at);
        const skipped = Math.min(count, this.skip);
        if (skipped > 0) this.pass(skipped);
        else this.#decode(text.slice(at, at + count));
        at += skipped || count;
      } else {
        this.#held += text.charAt(at);
        this.#begin();
        if (!this.#isBroken) at++;
      }
    }
    return at;
  }

  #begin(): void {
    const [first = 0, second, ...more] = Array.from(this.#held, (character) => character.charCodeAt(0));
    if (second === undefined) return;
    if (!mayBeginFrame(first, second)) {
      this.#isBroken = true;
      return;
    }
    const short = second & 127;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (more.length < extended + 4) return;
    const length = extended === 0 ? short : more.slice(0, extended).reduce((all, byte) => all * 256 + byte, 0);
    this.#held = "";
    this.#key = more.slice(extended);
    this.#keyAt = 0;
    this.#rest = length;
    this.#isControl = (first & 8) !== 0;
    if (!this.#isControl) {
      this.#isFinal = (first & 0x80) !== 0;
      const isCompressed = (first & 0x40) !== 0;
      if ((first & 15) !== 0) {
        this.#isText = (first & 15) === TEXT && !isCompressed;
        this.#decoded = 0;
      }
      if (isCompressed) this.#handler.compressed();
    }
    if (length === 0) this.#endFrame();
  }

  #decode(masked: string): void {
    let text = "";
    for (let at = 0; at < masked.length; at++) {
      text += String.fromCharCode(masked.charCodeAt(at) ^ (this.#key[(this.#keyAt + at) % 4] ?? 0));
    }
    this.#keyAt = (this.#keyAt + masked.length) % 4;
    this.#rest -= masked.length;
    this.#handler.text(text.slice(0, Math.max(0, MAX_MESSAGE - this.#decoded)));
    this.#decoded += text.length;
    if (this.#rest === 0) this.#endFrame();
  }

  #endFrame(): void {
    if (!this.#isControl && this.#isFinal) this.#handler.messageEnd();
  }
}
