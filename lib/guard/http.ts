import { type Detector, type Head, INSPECTED, type Verdict } from "./detector.ts";
import { headerLeak, isForeignHost, sitesOf } from "./header_leak.ts";
import { hostOf, hostOfUrl } from "./host.ts";
import { toLatin1 } from "./latin1.ts";
import type { LeakKind } from "./leak.ts";
import { namesClient } from "./peer_id.ts";
import { bodyOf, ChunkedBody } from "./request_body.ts";
import { readRequestHead, type RequestHead, valuesOf } from "./request_head.ts";

/** Shortest value of a cookie that can stand for one person among many: `lang=en` and `theme=dark` cannot. */
const MIN_COOKIE_VALUE = 8;

/**
 * HTTP/1 requests, one behind the other for as long as they can be told apart from their bodies.
 *
 * Not seen: HTTP/2, what is inside bodies and URLs (but for the peer id of a BitTorrent tracker's announce), trailers
 * of chunked bodies, and traits that take more than one header to notice, such as the order of headers or the
 * languages that are accepted. A User-Agent that names a program but no system is no leak: curl's, git's, wget's.
 */
export const http: Detector = (head: Head): Verdict | undefined => {
  const read = readRequests(head);
  if (read === undefined) return undefined;
  const leaks = new Set(read.requests.flatMap((request) => leaksOf(request, head.host)));
  return { leaks: [...leaks], isDone: read.isDone };
};

/** The cookies, `name=value`, that requests send and that are long enough to tell one visitor from all others. */
export function cookiesOf(head: Head): string[] {
  const pairs = readRequests(head)?.requests.flatMap((request) => valuesOf(request, "cookie"))
    .flatMap((value) => value.split(";")).map((pair) => pair.trim()) ?? [];
  return [...new Set(pairs.filter((pair) => pair.indexOf("=") > 0).filter(isLong))];
}

function isLong(pair: string): boolean {
  return pair.length - pair.indexOf("=") - 1 >= MIN_COOKIE_VALUE;
}

function leaksOf(request: RequestHead, host: string): LeakKind[] {
  const sites = sitesOf(request, host);
  const leaks = request.fields.map((field) => headerLeak(field, sites)).filter((leak) => leak !== undefined);
  const target = request.method === "CONNECT" ? hostOf(request.target) : hostOfUrl(request.target) ?? "";
  if (isForeignHost(target, sites)) leaks.push("http-host");
  if (namesClient(announcedPeerId(request.target))) leaks.push("bittorrent-client");
  return leaks;
}

/** The peer id that a request tells a BitTorrent tracker, or nothing. */
function announcedPeerId(target: string): string {
  const [, escaped = ""] = /[?&]peer_id=([^&]{0,60})/.exec(target) ?? [];
  return escaped.replace(/%([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** Reads requests up to the first thing that is none; undefined if there is not even one. */
function readRequests({ sent, received }: Head): { requests: RequestHead[]; isDone: boolean } | undefined {
  const requests: RequestHead[] = [];
  for (let at = 0; at < INSPECTED;) {
    const request = readRequestHead(sent, skipLineEnds(sent, at));
    if (typeof request === "string") {
      return requests.length > 0 ? { requests, isDone: false } : undefined;
    }
    requests.push(request);
    if (request.end === undefined) return { requests, isDone: false };
    if (turnsIntoSomethingElse(request, received)) return { requests, isDone: true };
    const next = endOfBody(sent, request, request.end);
    // What cannot be told apart, and a body beyond what is inspected, is plaintext still.
    if (next === undefined) return { requests, isDone: false };
    at = next;
  }
  return { requests, isDone: false };
}

/** Some clients end a body with a line end too many. */
function skipLineEnds(text: string, start: number): number {
  let at = start;
  while (text[at] === "\r" || text[at] === "\n") at++;
  return at;
}

/** Whether what follows is no HTTP any more. A server is free to ignore an Upgrade, so its answer decides. */
function turnsIntoSomethingElse(request: RequestHead, received: string): boolean {
  if (request.method === "CONNECT") return true;
  return valuesOf(request, "upgrade").length > 0 && /^HTTP\/1\.\d 101\b/m.test(received);
}

/** Where the next request begins, which may be beyond the text; undefined where that cannot be known. */
function endOfBody(sent: string, request: RequestHead, start: number): number | undefined {
  const body = bodyOf(request);
  if (body !== "chunked") return body === undefined ? undefined : start + body;
  const chunks = new ChunkedBody();
  const count = chunks.push(toLatin1(sent.slice(start)));
  return chunks.state === "broken" ? undefined : start + count;
}
