import type { Head, Protocol } from "./detector.ts";
import { hostOf, isHarmlessHost } from "./host.ts";
import type { LeakKind } from "./leak.ts";
import { lineProtocol } from "./reader.ts";
import { namesSystem } from "./system_words.ts";

/** A first line of SIP (RFC 3261) or RTSP (RFC 7826), of a request or an answer. */
const FIRST = /^(?:[A-Z_]{3,20} (?:sips?|rtsps?):[^\s]+ (?:SIP\/2\.0|RTSP\/[12]\.0)|SIP\/2\.0 \d{3} .*)$/;

/** Hosts in headers that name where a client can be reached, and in descriptions of sessions (RFC 8866). */
const HOST = new RegExp(
  "^(?:(?:Via|v): *SIP/2\\.0/[A-Z-]+ +([^;, ]+)|(?:Contact|m): *.*?<?sips?:(?:[^@>]*@)?([^;> ]+)|(?:Call-ID|i): *[^@]*@([^ ]+)|" +
    "c=IN IP[46] ([^ /]+)|o=\\S+ \\d+ \\d+ IN IP[46] ([^ ]+)|a=candidate:\\S+ \\d+ \\S+ \\d+ ([^ ]+)|a=rtcp:\\d+ IN IP[46] ([^ ]+))",
  "i",
);

/**
 * SIP and RTSP over TCP: the addresses and the name of the client in requests, answers and descriptions of sessions.
 *
 * Not seen: SIP over UDP or TLS, and the streams of voice and video that follow.
 */
export const SIP: Protocol = lineProtocol(recognise, () => inspect);

function recognise({ sent }: Head): boolean | undefined {
  const end = sent.indexOf("\n");
  if (end >= 0) return FIRST.test(sent.slice(0, end).replace(/\r$/, ""));
  return sent.length < 1_024 && /^[A-Z_]{0,20}(?:$| (?:$|[sr]))|^SIP\//.test(sent) ? undefined : false;
}

function inspect(line: string): LeakKind[] {
  const [, ...hosts] = HOST.exec(line) ?? [];
  const host = hosts.find((name) => name !== undefined);
  if (host !== undefined) return isNobodys(hostOf(host)) ? [] : ["sip-address"];
  const [, name, client = ""] = /^(User-Agent|Server): *([^ ].*)$/i.exec(line) ?? [];
  if (name === undefined) return [];
  // Players of RTSP name themselves as browsers do.
  return /^(?:LibVLC|Lavf|QuickTime)/i.test(client) && !namesSystem(client) ? [] : ["sip-client"];
}

function isNobodys(host: string): boolean {
  return isHarmlessHost(host) || host === "0.0.0.0" || host === "::" || host.endsWith(".invalid");
}
