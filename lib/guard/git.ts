import type { Head, Protocol } from "./detector.ts";
import { hostOf, isHarmlessHost } from "./host.ts";
import { lastPacket, packetProtocol, PARTIAL } from "./reader.ts";
import { namesSystem } from "./system_words.ts";

/** The first packet of a client: `003agit-upload-pack /x.git NUL host=x.i2p NUL`. */
const FIRST = /^[\da-f]{4}git-(?:upload-pack|receive-pack|upload-archive) /;

/**
 * The protocol of git's own (git://), packet by packet: the host that is asked for, and the agent.
 *
 * An agent that names git and its version alone is no leak. Not seen: what is pushed, which is compressed and has the
 * author's name, mail address and time zone in each commit.
 */
export const GIT: Protocol = packetProtocol(recognise, () => (text) => {
  if (text.length < 4) return PARTIAL;
  const length = /^[\da-f]{4}/i.test(text) ? parseInt(text.slice(0, 4), 16) : NaN;
  if (Number.isNaN(length)) return lastPacket();
  // Three numbers are no lengths, but separate lists of packets.
  if (length < 4) return { taken: 4, leaks: [] };
  if (text.length < length) return PARTIAL;
  const line = text.slice(0, length);
  // deno-lint-ignore no-control-regex
  const [, host = ""] = /\0host=([^\0]*)/.exec(line) ?? [];
  // deno-lint-ignore no-control-regex
  const [, agent = ""] = /(?:^.{4}|[ \0])agent=([^ \0\n]*)/.exec(line) ?? [];
  return {
    taken: length,
    leaks: [
      ...(isHarmlessHost(hostOf(host)) ? [] : ["git-host"] as const),
      ...(namesSystem(agent) ? ["git-agent"] as const : []),
    ],
  };
});

function recognise({ sent }: Head): boolean | undefined {
  if (FIRST.test(sent)) return true;
  return /^[\da-f]{0,4}$|^[\da-f]{4}g(?:i|it|it-[a-z-]{0,14})?$/.test(sent) ? undefined : false;
}
