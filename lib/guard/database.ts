import type { Head, Protocol } from "./detector.ts";
import { lastPacket, packetProtocol, PARTIAL } from "./reader.ts";

/** Attributes of a client of MySQL that name the system: a name behind its length, then its value. */
const MYSQL_ATTRIBUTE =
  // deno-lint-ignore no-control-regex
  /\x03_os[\x01-\xfb]|\x09_platform[\x01-\xfb]|\x0c_client_host[\x01-\xfb]|\x08_runtime|\x0b_os_details/;

/**
 * The first packets of clients of MySQL and MariaDB (connection attributes), and of MongoDB (metadata of the client).
 *
 * Not seen: what follows in TLS, and what is asked. The user of PostgreSQL and others is found if it is the system's.
 */
export const DATABASE: Protocol = packetProtocol(
  (head) => recogniseMysql(head) ?? recogniseMongo(head),
  () => (text) => {
    const isMysql = text.charCodeAt(3) === 1;
    if (text.length < 4) return PARTIAL;
    const length = isMysql ? 4 + littleEndian(text, 0, 3) : littleEndian(text, 0, 4);
    if (text.length < length) return PARTIAL;
    const packet = text.slice(0, length);
    // deno-lint-ignore no-control-regex
    const names = isMysql ? MYSQL_ATTRIBUTE.test(packet) : /\x03client\0/.test(packet) && /\x03os\0/.test(packet);
    return lastPacket(names ? ["database-client"] : []);
  },
);

/** The server greets with its version; the client's packet is the second one. */
function recogniseMysql({ sent, received }: Head): true | undefined {
  // deno-lint-ignore no-control-regex
  return /^[^]{3}\0\x0a[\d.]/.test(received) && /^[^]{2}\0\x01/.test(sent) ? true : undefined;
}

/** `length:4 id:4 answers:4 operation:4`, the operation being OP_QUERY or OP_MSG. */
function recogniseMongo({ sent, received }: Head): boolean | undefined {
  // deno-lint-ignore no-control-regex
  if (sent.length >= 16) return /^[^]{2}\0\0[^]{8}(?:\xd4\x07\0\0|\xdd\x07\0\0)/.test(sent);
  // deno-lint-ignore no-control-regex
  return sent.length < 4 || /^[^]{2}\0\0|^[^]{2}\0\x01/.test(sent) && received === ""
    ? undefined
    : /^[^]{2}\0\0/.test(sent)
    ? undefined
    : false;
}

function littleEndian(text: string, at: number, bytes: number): number {
  let number = 0;
  for (let index = at + bytes - 1; index >= at; index--) number = number * 256 + (text.charCodeAt(index) || 0);
  return number;
}
