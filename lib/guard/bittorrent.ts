import type { Detector, Head, Verdict } from "./detector.ts";
import { namesClient } from "./peer_id.ts";

const GREETING = "\x13BitTorrent protocol";

/** Where the peer id begins: behind greeting, extension bits and info hash. */
const PEER_ID = GREETING.length + 8 + 20;

/** Where the handshake ends. */
const END = PEER_ID + 20;

/**
 * The handshake of a peer of BitTorrent (BEP 3), for its peer id; that in an announce to a tracker is found by HTTP.
 *
 * ```
 * 13 "BitTorrent protocol"  extensions:8  info hash:20  peer id:20
 * ```
 *
 * Not seen: message stream encryption, the name of the client in the extension protocol's handshake (BEP 10), which
 * clients leave out where they leave it out of the peer id, and uTP, which is UDP.
 */
export const bittorrent: Detector = ({ sent }: Head): Verdict | undefined => {
  if (!sent.startsWith(GREETING)) return undefined;
  if (sent.length < END) return { leaks: [], isDone: false };
  return { leaks: namesClient(sent.slice(PEER_ID, END)) ? ["bittorrent-client"] : [], isDone: true };
};
