import type { Detector, Head, Verdict } from "./detector.ts";
import { hostOf, isHarmlessHost } from "./host.ts";

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;

/** Longest body of a record that is read (RFC 8446 §5.1), bytes. */
const MAX_RECORD = 16_384;

/**
 * The ClientHello of TLS (RFC 8446 §4.1.2), over however many records, for the name of the server in it (RFC 6066 §3).
 *
 * ```
 * record     16 03 xx  length:2  part of the handshake
 * handshake  01  length:3  version:2  random:32  session:1+  suites:2+  compression:1+  extensions:2+
 * extension  type:2  length:2  body        type 0 has  list:2  type:1  name:2+
 * ```
 *
 * Not seen: what is encrypted, the name behind Encrypted Client Hello included (the outer name is), TLS that follows a
 * STARTTLS, DTLS and QUIC, and what the order of suites and extensions tells of the client.
 */
export const tls: Detector = ({ sent }: Head): Verdict | undefined => {
  if (!sent.startsWith("\x16\x03")) return undefined;
  const handshake = joinRecords(sent);
  if (handshake === undefined) return { leaks: [], isDone: true };
  const [type, ...length] = codes(handshake.slice(0, 4));
  if (type !== undefined && type !== CLIENT_HELLO) return { leaks: [], isDone: true };
  const end = 4 + length.reduce((number, byte) => number << 8 | byte, 0);
  if (handshake.length < end) return { leaks: [], isDone: false };
  const name = hostOf(serverName(handshake.slice(4, end)) ?? "");
  return { leaks: isHarmlessHost(name) ? [] : ["tls-server-name"], isDone: true };
};

/** What the records carry, as far as it has come; undefined if something else than a handshake is among them. */
function joinRecords(sent: string): string | undefined {
  let handshake = "";
  for (let at = 0; at + 5 <= sent.length;) {
    const [type, major, , high = 0, low = 0] = codes(sent.slice(at, at + 5));
    const length = high << 8 | low;
    // Without a limit from below, records without a byte would be a way to keep this busy.
    const isPart = type === HANDSHAKE && major === 3 && length > 0 && length <= MAX_RECORD;
    if (!isPart) return isWhole(handshake) ? handshake : undefined;
    handshake += sent.slice(at + 5, at + 5 + length);
    at += 5 + length;
  }
  return handshake;
}

function isWhole(handshake: string): boolean {
  const [, ...length] = codes(handshake.slice(0, 4));
  return handshake.length >= 4 + length.reduce((number, byte) => number << 8 | byte, 0);
}

/** The host name in the body of a ClientHello; undefined if it has none, or if it cannot be read. */
function serverName(hello: string): string | undefined {
  const fields = new Fields(hello.slice(2 + 32));
  fields.take(1); // session
  fields.take(2); // suites
  fields.take(1); // compression
  const extensions = new Fields(fields.take(2));
  while (!extensions.isEmpty) {
    const type = extensions.number(2);
    const body = extensions.take(2);
    if (type !== SERVER_NAME) continue;
    const names = new Fields(new Fields(body).take(2));
    return names.number(1) === HOST_NAME ? names.take(2) : undefined;
  }
  return undefined;
}

/** Numbers and texts with their lengths in front, one behind the other. Beyond the end everything is zero or empty. */
class Fields {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isEmpty(): boolean {
    return this.#at >= this.#text.length;
  }

  /** A number of some bytes. */
  number(bytes: number): number {
    const number = codes(this.#text.slice(this.#at, this.#at + bytes)).reduce((all, byte) => all << 8 | byte, 0);
    this.#at += bytes;
    return number;
  }

  /** A text behind its length, which has some bytes. */
  take(bytes: number): string {
    const length = this.number(bytes);
    const start = this.#at;
    this.#at += length;
    return this.#text.slice(start, this.#at);
  }
}

function codes(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}
