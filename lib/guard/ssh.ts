import type { Protocol } from "./detector.ts";
import { beginsWith, lastReadable, packetProtocol, PARTIAL } from "./reader.ts";
import { namesSystem } from "./system_words.ts";

/** Longest version line, its end included (RFC 4253 §4.2), bytes. */
const MAX_LINE = 255;

/**
 * The version line of an SSH client, with which its stream begins: `SSH-2.0-software comment`.
 *
 * The software alone is not a leak (`OpenSSH_9.2p1`, `PuTTY_Release_0.78`, `Go`). Not seen: the key exchange behind it,
 * although plaintext, whose list of algorithms identifies the program and its release; and everything encrypted: user
 * name, keys that are offered, names of the machine in forwarded X11.
 */
export const SSH: Protocol = packetProtocol(({ sent }) => beginsWith(sent, "SSH-"), () => (text) => {
  const end = text.slice(0, MAX_LINE).indexOf("\n");
  if (end < 0) return text.length >= MAX_LINE ? lastReadable() : PARTIAL;
  const software = text.slice(0, end);
  return { ...lastReadable(namesSystem(software) ? ["ssh-banner"] : []), software };
});
