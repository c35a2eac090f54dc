import type { Head, Protocol } from "./detector.ts";
import { hostOf, isHarmlessHost } from "./host.ts";
import { lastPacket, packetProtocol, PARTIAL } from "./reader.ts";
import { namesSystem } from "./system_words.ts";

/** The first packet of a client: `003agit-upload-pack /x.git NUL host=x.i2p NUL`. */
const GIT_FIRST = /^[\da-f]{4}git-(?:upload-pack|receive-pack|upload-archive) /;

/**
 * The protocol of git's own (git://), packet by packet: the host that is asked for, and the agent.
 *
 * An agent that names git and its version alone is not a leak. Not seen: what is pushed, which is compressed and has the
 * author's name, mail address and time zone in each commit.
 */
export const GIT: Protocol = packetProtocol(recogniseGit, () => (text) => {
  if (text.length < 4) return PARTIAL;
  const length = /^[\da-f]{4}/i.test(text) ? parseInt(text.slice(0, 4), 16) : NaN;
  if (Number.isNaN(length)) return lastPacket();
  // Three numbers are no lengths, but separate lists of packets.
  if (length < 4) return { taken: 4, leaks: [] };
  if (text.length < length) return PARTIAL;
  const line = text.slice(0, length);
  const [, host = ""] = /\0host=([^\0]*)/.exec(line) ?? [];
  const [, agent = ""] = /(?:^.{4}|[ \0])agent=([^ \0\n]*)/.exec(line) ?? [];
  return {
    taken: length,
    leaks: [
      ...(isHarmlessHost(hostOf(host)) ? [] : ["git-host"] as const),
      ...(namesSystem(agent) ? ["git-agent"] as const : []),
    ],
  };
});

function recogniseGit({ sent }: Head): boolean | undefined {
  if (GIT_FIRST.test(sent)) return true;
  return /^[\da-f]{0,4}$|^[\da-f]{4}g(?:i|it|it-[a-z-]{0,14})?$/.test(sent) ? undefined : false;
}

/** The beginning of a client's greeting, up to the length of the URL in it: `( 2 ( edit-pipeline … ) 24:`. */
const SVN_GREETING = /^\( \d{1,2} \( [a-z\d -]{0,500}\) (\d{1,5}):/;

/** Longest greeting. */
const MAX_SVN_GREETING = 4_096;

/**
 * The greeting of a client of Subversion's own protocol (svn://), for the system in the client's name.
 *
 * Not seen: what is committed, with the author's name.
 */
export const SVN: Protocol = packetProtocol(({ sent }) => {
  if (SVN_GREETING.test(sent)) return true;
  return sent.length < 600 && /^\($|^\( \d{0,2}$|^\( \d{1,2} (?:\((?: [a-z\d -]*\)?[ \d]*)?)?$/.test(sent)
    ? undefined
    : false;
}, () => (text) => {
  const [beginning = "", length] = SVN_GREETING.exec(text) ?? [];
  const client = text.slice(beginning.length + Number(length));
  const [, front = "", size] = /^( (\d{1,4}):)/.exec(client) ?? [];
  if (size === undefined || client.length < front.length + Number(size)) {
    return text.length > MAX_SVN_GREETING ? lastPacket() : PARTIAL;
  }
  return lastPacket(namesSystem(client.slice(front.length, front.length + Number(size))) ? ["svn-client"] : []);
});
