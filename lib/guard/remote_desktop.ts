import type { Protocol } from "./detector.ts";
import { lastReadable, numberAt, packetProtocol, PARTIAL } from "./reader.ts";

/**
 * The request for a connection of RDP (X.224 in TPKT), in which clients name their user to whoever shares out load.
 *
 * ```
 * 03 00  length:2  li e0 …  "Cookie: mstshash=name" CRLF
 * ```
 *
 * Not seen: what follows in TLS, which is everything with servers of today.
 */
export const REMOTE_DESKTOP: Protocol = packetProtocol(({ sent }) => {
  // deno-lint-ignore no-control-regex
  if (sent.length < 6) return /^(?:\x03(?:\0[^]*)?)?$/.test(sent) ? undefined : false;
  // deno-lint-ignore no-control-regex
  return /^\x03\0[^]{3}\xe0/.test(sent);
}, () => (text) => {
  const length = numberAt(text, 2, 2);
  if (text.length < Math.max(6, length)) return PARTIAL;
  return lastReadable(/Cookie: mstshash=[^\r\n]/.test(text.slice(0, length)) ? ["remote-desktop-user"] : []);
});
