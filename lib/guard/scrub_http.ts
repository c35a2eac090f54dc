import { headerLeak, sitesOf } from "./header_leak.ts";
import { fromLatin1, toLatin1 } from "../io/latin1.ts";
import type { LeakKind } from "./leak.ts";
import { type RawField, type RequestFacts, type RequestHandler, RequestReader } from "./request_reader.ts";
import type { Scrubber } from "./stream_guard.ts";

/** The User-Agent of every request that Java I2P's own HTTP proxy sends into I2P: whoever has it is one of many. */
export const NEUTRAL_USER_AGENT = "MYOB/6.66 (AN/ON)";

/** Headers with these leaks are left out. */
const DROPPED: ReadonlySet<LeakKind | undefined> = new Set<LeakKind>([
  "http-client-hints",
  "http-forwarded",
  "http-from",
  "http-referer",
  "http-via",
]);

const NOTHING: Uint8Array = new Uint8Array();

/**
 * Rewrites the heads of an application's HTTP/1 requests: User-Agent becomes {@linkcode NEUTRAL_USER_AGENT}; headers
 * that name where a request came from, proxies, the system, or another site as the page before are left out, as are
 * offers of HTTP/2 and of compressed WebSocket, which could not be read. Lines of a head end with CRLF. Everything else
 * passes byte for byte.
 *
 * A stream that does not begin as HTTP passes as it is. One that does, ends where it cannot be understood: where two
 * readers could understand it in two ways (a length beside an encoding, a NUL, white space in front of a colon), or where
 * something other than a request follows. Bytes are held back only while they may be a head that is not complete, and of a
 * head of more than 16 KB no more than a field. What comes out does not depend on the fragments in which it went in.
 */
export class HttpScrubber implements Scrubber, RequestHandler {
  readonly #host: string;
  readonly #onLeak: (kind: LeakKind) => void;
  readonly #requests: RequestReader = new RequestReader(this);
  #out: string[] = [];
  /** Whether what belongs to the field before is left out as well. */
  #isDropping = false;
  #isLost = false;
  #isDone = false;

  /**
   * For a stream to a host of I2P, lower case.
   *
   * @param onLeak takes the reason for which the stream ends.
   */
  constructor(host: string, onLeak: (kind: LeakKind) => void) {
    this.#host = host;
    this.#onLeak = onLeak;
  }

  /** Whether everything passes as it is from now on. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Takes what the application sends.
   *
   * @returns what to send in its place, perhaps nothing for now; the same array where nothing is changed any more;
   * undefined if it cannot be understood.
   */
  push(bytes: Uint8Array): Uint8Array | undefined {
    if (this.#isDone) return bytes;
    const skipped = Math.min(this.#requests.skip, bytes.length);
    const payload = bytes.subarray(0, skipped);
    if (skipped > 0) this.#requests.pass(skipped);
    if (skipped === bytes.length) return payload;
    this.#requests.push(fromLatin1(bytes.subarray(skipped)));
    const { state } = this.#requests;
    if (state === "lost") this.#isLost = true;
    if (this.#isLost) return this.#fail("http-unreadable");
    if (state === "alien") {
      this.#isDone = true;
      this.#out.push(this.#requests.release());
    }
    const text = toLatin1(this.#out.join(""));
    this.#out = [];
    return skipped === 0 ? text : concat(payload, text);
  }

  /** Ends the stream; the beginning of a head that will not be completed is dropped, and that of anything else returned. */
  end(): Uint8Array | undefined {
    this.#isDone = true;
    const rest = this.#requests.release();
    // A word that may have become a request line.
    return rest.includes("\n") || rest.includes(" HTTP/") ? NOTHING : toLatin1(rest);
  }

  raw(): void {}

  line(raw: string): void {
    this.#isDropping = false;
    this.#out.push(withReturn(raw));
  }

  fields(fields: readonly RawField[], facts: RequestFacts): void {
    const sites = sitesOf(facts, this.#host);
    for (const field of fields) {
      const text = scrub(field, sites);
      this.#isDropping = text !== field.raw;
      this.#out.push(field.isWhole || this.#isDropping ? withReturn(text) : text);
    }
  }

  more(raw: string): void {
    if (!this.#isDropping) this.#out.push(withReturn(raw));
  }

  headEnd(): void {
    this.#out.push("\r\n");
  }

  plain(raw: string): void {
    this.#out.push(raw);
  }

  payload(): void {}
  payloadEnd(): void {}
  compressed(): void {}

  loose(): void {
    this.#isLost = true;
  }

  #fail(kind: LeakKind): undefined {
    this.#onLeak(kind);
    this.#isDone = true;
    this.#out = [];
  }
}

/** A field as it may be sent; empty if it must not be. */
function scrub(field: RawField, sites: ReadonlySet<string>): string {
  const { name, value, raw } = field;
  if (name === "user-agent") return `${raw.slice(0, valueStart(raw))}${NEUTRAL_USER_AGENT}\r\n`;
  if (name === "http2-settings" || name === "sec-websocket-extensions") return "";
  if (name === "upgrade" && /\bh2c\b/i.test(value)) return "";
  return DROPPED.has(headerLeak(field, sites)) ? "" : raw;
}

/** Where the value of a raw field begins, behind the colon and white space on the same line. */
function valueStart(raw: string): number {
  return /^[^:]*:[ \t]*/.exec(raw)?.[0].length ?? 0;
}

/** With CRLF for each bare line feed, so that every reader sees the same lines. */
function withReturn(text: string): string {
  return text.replace(/(?<!\r)\n/g, "\r\n");
}

function concat(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
