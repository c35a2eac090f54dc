import { headerLeak, sitesOf } from "./header_leak.ts";
import { fromLatin1, toLatin1 } from "./latin1.ts";
import type { LeakKind } from "./leak.ts";
import { bodyOf, ChunkedBody } from "./request_body.ts";
import { type HeaderField, readRequestHead, type RequestHead, valuesOf } from "./request_head.ts";

/** The User-Agent of every request that Java I2P's own HTTP proxy sends into I2P: whoever has it is one of many. */
export const NEUTRAL_USER_AGENT = "MYOB/6.66 (AN/ON)";

/** Longest head of a request that is held back, bytes. What is longer passes as it is. */
export const MAX_HEAD = 16_384;

/** Headers with these leaks are left out. */
const DROPPED: ReadonlySet<LeakKind | undefined> = new Set<LeakKind>(["http-forwarded", "http-via", "http-referer"]);

const CR = 13;
const LF = 10;
const SPACE = 32;

/**
 * Rewrites the heads of an application's HTTP/1 requests: User-Agent becomes {@linkcode NEUTRAL_USER_AGENT}; headers
 * that name where a request came from, proxies, or another site as the page before are left out. Everything else
 * passes byte for byte, and so does everything from the first thing on that two readers could understand in two ways
 * (a bare line end, a length beside an encoding), that is no request of HTTP/1, or that follows CONNECT or an Upgrade.
 *
 * Bytes are held back only while they may be a head that is not complete. What comes out does not depend on the
 * fragments in which it went in. A client that asks `Expect: 100-continue`, is refused, and then goes on without the
 * body that it has announced has its next head taken for that body.
 */
export class HttpScrubber {
  readonly #host: string;
  readonly #held = new Uint8Array(MAX_HEAD);
  #heldLength = 0;
  /** Bytes of the line that is being read, its end included. */
  #lineLength = 0;
  /** The part of the request line that is being read, from 0; -1 behind it. */
  #part = 0;
  #partLength = 0;
  /** What is left of a body: bytes, or chunks. */
  #body: number | ChunkedBody = 0;
  #isDone = false;

  /** For a stream to a host of I2P, lower case. */
  constructor(host: string) {
    this.#host = host;
  }

  /** Whether everything passes as it is from now on. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Takes what the application sends.
   *
   * @returns what to send in its place, perhaps nothing for now; the same array where nothing is changed any more.
   */
  push(bytes: Uint8Array): Uint8Array {
    if (this.#isDone) return bytes;
    const out: Uint8Array[] = [];
    let rest = bytes;
    while (rest.length > 0 && !this.#isDone) {
      const count = this.#isInBody() ? this.#passBody(rest, out) : this.#takeHead(rest, out);
      rest = rest.subarray(count);
    }
    out.push(rest);
    return concat(out);
  }

  /** Ends the stream; returns what is still held back: the beginning of a head that will not be completed. */
  end(): Uint8Array {
    this.#isDone = true;
    return this.#release();
  }

  #isInBody(): boolean {
    return this.#body !== 0;
  }

  #passBody(bytes: Uint8Array, out: Uint8Array[]): number {
    if (typeof this.#body === "number") {
      const count = Math.min(this.#body, bytes.length);
      this.#body -= count;
      out.push(bytes.subarray(0, count));
      return count;
    }
    const count = this.#body.push(bytes);
    out.push(bytes.subarray(0, count));
    if (this.#body.state === "broken") this.#isDone = true;
    if (this.#body.state === "over") this.#body = 0;
    return count;
  }

  /** Takes bytes up to the end of a head, or to the one by which it cannot be one. */
  #takeHead(bytes: Uint8Array, out: Uint8Array[]): number {
    // A line end before a request is nothing to be held back: it may be all that a client of gopher sends.
    const lineEnds = this.#heldLength === 0 ? bytes.findIndex((byte) => byte !== CR && byte !== LF) : 0;
    if (lineEnds !== 0) {
      const passed = bytes.subarray(0, lineEnds < 0 ? bytes.length : lineEnds);
      out.push(passed);
      return passed.length;
    }
    let count = 0;
    for (const byte of bytes) {
      count++;
      const isFitting = this.#fits(byte);
      this.#held[this.#heldLength++] = byte;
      this.#lineLength++;
      const isComplete = isFitting && byte === LF && this.#lineLength === 2;
      if (byte === LF) this.#lineLength = 0;
      if (isComplete) {
        this.#finishHead(out);
        return count;
      }
      if (!isFitting || this.#heldLength === MAX_HEAD) {
        this.#isDone = true;
        out.push(this.#release());
        return count;
      }
    }
    return count;
  }

  /** Whether a byte can come next in a head. */
  #fits(byte: number): boolean {
    const isAfterReturn = this.#lineLength > 0 && this.#held[this.#heldLength - 1] === CR;
    if (isAfterReturn !== (byte === LF) || byte === 0) return false;
    if (byte === LF) this.#part = -1;
    return this.#part < 0 || this.#fitsRequestLine(byte);
  }

  /** Clients of other protocols wait for an answer to what they have sent, so it must not be held back until a line ends. */
  #fitsRequestLine(byte: number): boolean {
    if (byte === SPACE) {
      const isPartOver = this.#partLength > 0;
      this.#part++;
      this.#partLength = 0;
      return isPartOver && this.#part < 3;
    }
    const at = this.#partLength++;
    if (this.#part === 0) return at < 24 && /[A-Z_-]/.test(String.fromCharCode(byte));
    if (this.#part === 1) return byte > SPACE && byte !== 127;
    if (at === 7) return byte >= 48 && byte <= 57;
    return at < 7 ? "HTTP/1.".charCodeAt(at) === byte : at === 8 && byte === CR;
  }

  #finishHead(out: Uint8Array[]): void {
    const bytes = this.#release();
    const text = fromLatin1(bytes);
    const head = readRequestHead(text);
    const body = typeof head === "string" || !head.isStrict ? undefined : bodyOf(head);
    if (typeof head === "string" || body === undefined) {
      this.#isDone = true;
      out.push(bytes);
      return;
    }
    out.push(toLatin1(rewrite(text, head, this.#host)));
    this.#body = body === "chunked" ? new ChunkedBody() : body;
    this.#isDone = head.method === "CONNECT" || valuesOf(head, "upgrade").length > 0;
  }

  /** Lets go of what is held back. */
  #release(): Uint8Array {
    const bytes = this.#held.subarray(0, this.#heldLength);
    this.#heldLength = 0;
    this.#lineLength = 0;
    this.#part = 0;
    this.#partLength = 0;
    return bytes;
  }
}

function rewrite(text: string, head: RequestHead, host: string): string {
  const sites = sitesOf(head, host);
  let rewritten = "";
  let at = 0;
  for (const field of head.fields) {
    const replacement = replace(text, field, sites);
    if (replacement === undefined) continue;
    rewritten += text.slice(at, field.start) + replacement;
    at = field.end;
  }
  return rewritten + text.slice(at);
}

/** What to send in place of a header field; undefined if it may stay. */
function replace(text: string, field: HeaderField, sites: ReadonlySet<string>): string | undefined {
  if (DROPPED.has(headerLeak(field, sites))) return "";
  if (field.name !== "user-agent") return undefined;
  return `${text.slice(field.start, field.valueStart)}${NEUTRAL_USER_AGENT}\r\n`;
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
