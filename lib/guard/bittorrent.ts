import type { Protocol } from "./detector.ts";
import type { LeakKind } from "./leak.ts";
import { beginsWith, lastReadable, numberAt, type Packet, packetProtocol, PARTIAL } from "./reader.ts";

/** What clients put at the beginning of their peer id (BEP 20, and what is seen in I2P). */
const NAMED: readonly RegExp[] = [
  // Azureus: two letters of the client, four characters of its version. -qB4500-, -TR4060-, -BI3800-
  /^-[A-Za-z~]{2}[0-9A-Za-z.]{4}-/,
  // Shadow: one letter, up to five characters of the version filled up with dashes. S58B-----, T03I-----
  /^[AOQRSTU][0-9A-Za-z.-]{5}---/,
  // The first client of all: M7-9-2--
  /^M\d-\d{1,2}-\d{1,2}--?/,
  // aria2
  /^A2-\d{1,2}-\d{1,2}-\d{1,2}-/,
  // I2PSnark
  // deno-lint-ignore no-control-regex
  /^\x03\x03\x03/,
];

/**
 * Whether a peer id of BitTorrent, twenty characters of Latin-1, names the client.
 *
 * Clients of I2P's own (I2PSnark, BiglyBT) count, too: theirs names the client, although not the machine.
 * libtorrent in anonymous mode, so qBittorrent and Deluge in it, fills all of it with random bytes, other ones for each peer;
 * but it names the client to trackers in that mode, too (seen with qBittorrent 4.5.2).
 */
export function namesClient(peerId: string): boolean {
  return NAMED.some((pattern) => pattern.test(peerId));
}

const GREETING = "\x13BitTorrent protocol";

/** Where the peer id begins: behind greeting, extension bits and info hash. */
const PEER_ID = GREETING.length + 8 + 20;

/** Length of a peer id. */
const ID_LENGTH = 20;

/** Longest message: a block of 16 KB is usual, a bit field of a large torrent longer. */
const MAX_MESSAGE = 2 ** 21;

/** Messages in front of the handshake of extensions, at most: it is to come first. */
const MAX_MESSAGES = 16;

/** The message of the extension protocol, and its handshake. */
const EXTENSION_HANDSHAKE = "\x14\0";

/**
 * A peer of BitTorrent (BEP 3), for its peer id, and for client and address in the handshake of extensions (BEP 10). The
 * peer id in an announce to a tracker is found by HTTP.
 *
 * ```
 * 13 "BitTorrent protocol"  extensions:8  info hash:20  peer id:20     length:4  14  00  d … 1:v 5:Name1 … e
 * ```
 *
 * Not seen: message stream encryption, addresses in peer exchange, and uTP, which is UDP.
 */
export const BITTORRENT: Protocol = packetProtocol(({ sent }) => beginsWith(sent, GREETING), () => {
  let packets = 0;
  return (text) => {
    packets++;
    if (packets === 1) return { taken: 0, leaks: [], skip: PEER_ID };
    if (packets > 2) return takeMessage(text, packets - 2);
    if (text.length >= ID_LENGTH) return takePeerId(text);
    packets--;
    return PARTIAL;
  };

  function takePeerId(text: string): Packet {
    const id = text.slice(0, ID_LENGTH);
    return namesClient(id)
      ? { taken: ID_LENGTH, leaks: ["bittorrent-client"], software: id }
      : { taken: ID_LENGTH, leaks: [] };
  }

  function takeMessage(text: string, count: number): Packet {
    packets--;
    if (text.length < 6 && !/^\0{4}/.test(text)) return PARTIAL;
    const length = 4 + numberAt(text, 0, 4);
    if (length > MAX_MESSAGE || count > MAX_MESSAGES) return lastReadable();
    if (text.slice(4, 6) === EXTENSION_HANDSHAKE && length > 5) {
      return text.length < length ? PARTIAL : lastReadable(extensionLeaks(text.slice(6, length)));
    }
    packets++;
    return { taken: 0, leaks: [], skip: length };
  }
});

function extensionLeaks(dictionary: string): LeakKind[] {
  const isAddressed = /4:ipv4(?:4:(?!\x7f|\0{4})|16:)|4:ipv616:(?!\0{15})/.test(dictionary);
  return [
    ...(/1:v[1-9]\d{0,3}:/.test(dictionary) ? ["bittorrent-client"] as const : []),
    ...(isAddressed ? ["bittorrent-address"] as const : []),
  ];
}
