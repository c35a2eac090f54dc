import type { Protocol } from "./detector.ts";
import { lastPacket, packetProtocol, PARTIAL } from "./reader.ts";
import { namesSystem } from "./system_words.ts";

/** The beginning of a client's greeting, up to the length of the URL in it: `( 2 ( edit-pipeline … ) 24:`. */
const GREETING = /^\( \d{1,2} \( [a-z\d -]{0,500}\) (\d{1,5}):/;

/** Longest greeting. */
const MAX_GREETING = 4_096;

/**
 * The greeting of a client of Subversion's own protocol (svn://), for the system in the client's name.
 *
 * Not seen: what is committed, with the author's name.
 */
export const SVN: Protocol = packetProtocol(({ sent }) => {
  if (GREETING.test(sent)) return true;
  return sent.length < 600 && /^\($|^\( \d{0,2}$|^\( \d{1,2} (?:\((?: [a-z\d -]*\)?[ \d]*)?)?$/.test(sent)
    ? undefined
    : false;
}, () => (text) => {
  const [beginning = "", length] = GREETING.exec(text) ?? [];
  const client = text.slice(beginning.length + Number(length));
  const [, front = "", size] = /^( (\d{1,4}):)/.exec(client) ?? [];
  if (size === undefined || client.length < front.length + Number(size)) {
    return text.length > MAX_GREETING ? lastPacket() : PARTIAL;
  }
  return lastPacket(namesSystem(client.slice(front.length, front.length + Number(size))) ? ["svn-client"] : []);
});
