import type { Protocol } from "./detector.ts";
import { hostOf, isHarmlessHost } from "./host.ts";
import { beginsWith, lastReadable, numberAt, packetProtocol, PARTIAL } from "./reader.ts";

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;

/** Longest body of a record that is read (RFC 8446 §5.1), bytes. */
const MAX_RECORD = 16_384;

/** Longest ClientHello that is read, bytes; the ticket of a session in it may be long. */
const MAX_HELLO = 131_072;

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
 * STARTTLS, DTLS and QUIC, and what the order of suites and extensions says of the client.
 */
export const TLS: Protocol = packetProtocol(({ sent }) => beginsWith(sent, "\x16\x03"), () => {
  const parts: string[] = [];
  let length = 0;
  return (text) => {
    if (text.length < 5) return PARTIAL;
    const size = numberAt(text, 3, 2);
    // Without a limit from below, records without a byte would be a way to keep this busy.
    const isPart = text.charCodeAt(0) === HANDSHAKE && text.charCodeAt(1) === 3 && size > 0 && size <= MAX_RECORD;
    if (!isPart) return lastReadable();
    if (text.length < 5 + size) return PARTIAL;
    parts.push(text.slice(5, 5 + size));
    length += size;
    if (length > MAX_HELLO || (parts[0] ?? "").charCodeAt(0) !== CLIENT_HELLO) return lastReadable();
    const end = 4 + helloLength(parts);
    if (length < 4 || length < end) return { taken: 5 + size, leaks: [] };
    const name = hostOf(serverName(parts.join("").slice(4, end)) ?? "");
    return lastReadable(isHarmlessHost(name) ? [] : ["tls-server-name"]);
  };
});

/** How long the ClientHello is that begins with these parts, which have its first four bytes at least. */
function helloLength(parts: readonly string[]): number {
  return numberAt(parts.slice(0, 4).join(""), 1, 3);
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
