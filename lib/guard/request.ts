/** A header field of a request. */
export interface HeaderField {
  /** Its name, lower case. */
  readonly name: string;
  /** Its value, without white space around it; lines that continue it are joined by a space. */
  readonly value: string;
}

/** The first line of an HTTP/1 request (RFC 9112 §3). */
export interface RequestLine {
  /** `GET` and the like. */
  readonly method: string;
  /** What is asked for: a path, an absolute URL, or for CONNECT an authority. */
  readonly target: string;
  /** 1 for HTTP/1.1. */
  readonly minorVersion: number;
}

const METHOD = /^[A-Z][A-Z_-]{0,23}$/;

const TARGET = /^[!-~\x80-\xff]+$/;

/** Characters of the version at the end of a request line, and the space in front. */
const VERSION = " HTTP/1.1".length;

const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Takes a request line, without its end, apart; undefined if it is none of HTTP/1. */
export function parseRequestLine(line: string): RequestLine | undefined {
  const end = line.length - VERSION;
  const minorVersion = line.charCodeAt(line.length - 1) - 48;
  if (!line.startsWith(" HTTP/1.", end) || !(minorVersion >= 0 && minorVersion <= 9)) return undefined;
  const space = line.indexOf(" ");
  const method = line.slice(0, space);
  const target = line.slice(space + 1, end);
  return METHOD.test(method) && TARGET.test(target) ? { method, target, minorVersion } : undefined;
}

/** Characters of line ends that a text begins with: a request may stand behind some (RFC 9112 §2.2). */
export function countLineEnds(text: string): number {
  let count = 0;
  for (let code = text.charCodeAt(0); code === 13 || code === 10; code = text.charCodeAt(count)) count++;
  return count;
}

/** What can become a request line, perhaps with the return of its end. */
const REQUEST_LINE_PREFIX =
  /^(?:[A-Z][A-Z_-]{0,23}(?: (?:[!-~\x80-\xff]+(?: (?:HTTP\/1\.\d\r?|HTTP\/1\.?|HTTP\/?|H?|HTT?))?)?)?)?$/;

/** Whether a line without its end can become a request line. */
export function mayBeRequestLine(text: string): boolean {
  return REQUEST_LINE_PREFIX.test(text);
}

/**
 * Takes a header field, with the lines that continue it but without the last line's end, apart.
 *
 * @returns undefined if it is none; `isStrict` is false if there is white space in front of the colon.
 */
export function parseField(text: string): HeaderField & { isStrict: boolean } | undefined {
  const colon = text.indexOf(":");
  let end = colon;
  while (end > 0 && (text.charCodeAt(end - 1) === 32 || text.charCodeAt(end - 1) === 9)) end--;
  const name = text.slice(0, Math.max(end, 0));
  if (!FIELD_NAME.test(name)) return undefined;
  const raw = text.slice(colon + 1);
  const value = (raw.includes("\n") ? raw.replace(/\r?\n[ \t]+/g, " ") : raw).trim();
  return { name: name.toLowerCase(), value, isStrict: end === colon };
}

/** What a head says of its body. */
export interface BodyFields {
  /** 1 for HTTP/1.1. */
  readonly minorVersion: number;
  /** The values of Content-Length. */
  readonly lengths: readonly string[];
  /** The values of Transfer-Encoding. */
  readonly encodings: readonly string[];
}

/**
 * How long the body behind a head is (RFC 9112 §6): a number of bytes, or `chunked`.
 *
 * @returns undefined where two readers could think differently: a length and an encoding together, two lengths, or an
 * encoding of which this knows nothing.
 */
export function bodyOf({ minorVersion, lengths, encodings }: BodyFields): number | "chunked" | undefined {
  if (lengths.length === 0 && encodings.length === 0) return 0;
  if (encodings.length > 0) {
    const isKnown = encodings.length === 1 && encodings[0]?.toLowerCase() === "chunked" && minorVersion > 0;
    return isKnown && lengths.length === 0 ? "chunked" : undefined;
  }
  const [length = "", ...others] = lengths;
  return /^\d{1,15}$/.test(length) && others.every((other) => other === length) ? Number(length) : undefined;
}

/** Characters of a chunk's size: more would be no number that can be counted with. */
const MAX_SIZE_DIGITS = 12;

/** What the next character of a chunked body belongs to. */
type Part = "size" | "extension" | "sizeEnd" | "data" | "dataEnd" | "trailer" | "trailerEnd";

/**
 * Finds the end of a chunked body, and what is in its chunks, whatever the fragments.
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

  /** `over` behind the last character; `broken` where the standard is not kept and nothing more can be known. */
  get state(): "open" | "over" | "broken" {
    return this.#state;
  }

  /** Characters of the chunk that are to come. */
  get rest(): number {
    return this.#part === "data" ? this.#size : 0;
  }

  /** Takes note of characters of the chunk, at most {@linkcode rest}. */
  pass(count: number): void {
    this.#size -= count;
  }

  /**
   * Takes the next characters.
   *
   * @param onData takes what is in chunks.
   * @returns how many of them belong to the body; fewer than all only if it is over or broken.
   */
  push(text: string, onData: (data: string) => void): number {
    let at = 0;
    while (at < text.length && this.#state === "open") {
      if (this.rest > 0) {
        const data = text.slice(at, at + this.rest);
        this.pass(data.length);
        onData(data);
        at += data.length;
      } else {
        this.#take(text.charAt(at));
        if (this.state !== "broken") at++;
      }
    }
    return at;
  }

  #take(character: string): void {
    switch (this.#part) {
      case "size":
        return this.#takeSize(character);
      case "extension":
        if (character === "\r") this.#part = "sizeEnd";
        else if (character === "\n") this.#state = "broken";
        return;
      case "sizeEnd":
        return this.#expect(character, "\n", this.#size === 0 ? "trailer" : "data");
      case "data":
        return this.#expect(character, "\r", "dataEnd");
      case "dataEnd":
        return this.#expect(character, "\n", "size");
      case "trailer":
        if (character === "\r") this.#part = "trailerEnd";
        else if (character === "\n") this.#state = "broken";
        else this.#characters++;
        return;
      case "trailerEnd":
        if (character === "\n" && this.#characters === 0) this.#state = "over";
        return this.#expect(character, "\n", "trailer");
    }
  }

  #takeSize(character: string): void {
    const digit = Number.parseInt(character, 16);
    if (!Number.isNaN(digit) && this.#characters < MAX_SIZE_DIGITS) {
      this.#size = this.#size * 16 + digit;
      this.#characters++;
    } else if (this.#characters > 0 && character === "\r") this.#part = "sizeEnd";
    else if (this.#characters > 0 && (character === ";" || character === " " || character === "\t")) {
      this.#part = "extension";
    } else this.#state = "broken";
  }

  #expect(character: string, expected: string, next: Part): void {
    if (character !== expected) this.#state = "broken";
    this.#characters = 0;
    this.#part = next;
  }
}
