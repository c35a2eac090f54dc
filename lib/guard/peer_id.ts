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
 * Clients of I2P's own (I2PSnark, BiglyBT) are no exception: theirs tells nothing of the machine, but tells the client.
 * libtorrent in anonymous mode, so qBittorrent and Deluge in it, fills all of it with random bytes, anew for each peer;
 * but trackers are told the client in that mode too (seen with qBittorrent 4.5.2).
 */
export function namesClient(peerId: string): boolean {
  return NAMED.some((pattern) => pattern.test(peerId));
}
