import { assertEquals } from "@std/assert";
import { INSPECTED } from "../../lib/guard/detector.ts";
import { sitesOf } from "../../lib/guard/header_leak.ts";
import { HTTP } from "../../lib/guard/http.ts";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { pureTest } from "../support/pure.ts";
import { readStream } from "./read_stream.ts";

const HOST = "site.i2p";
const B32 = `${"a".repeat(52)}.b32.i2p`;

function leaksOf(sent: string, host = HOST): readonly LeakKind[] | undefined {
  return readStream(HTTP, sent, { host })?.leaks;
}

/** A request with some header lines. */
function request(...lines: string[]): string {
  return ["GET / HTTP/1.1", `Host: ${HOST}`, ...lines, "", ""].join("\r\n");
}

const BODY = "User-Agent: Linux\r\n\r\n";

/** What clients send as they come, and whether it names a system. */
const USER_AGENTS: readonly [string, boolean][] = [
  ["MYOB/6.66 (AN/ON)", false],
  ["curl/8.5.0", false],
  ["Wget/1.21.3", false],
  ["git/2.39.5", false],
  ["python-requests/2.28.1", false],
  ["Python-urllib/3.11", false],
  ["Go-http-client/1.1", false],
  ["qBittorrent/4.5.2", false],
  ["Transmission/3.00", false],
  ["Java/17.0.1", false],
  ["", false],
  ["Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0", false],
  ["Mozilla/5.0 (Windows NT 10.0; rv:109.0) Gecko/20100101 Firefox/115.0", false],
  ["Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0", true],
  ["Mozilla/5.0 (Windows NT 6.1; rv:60.0) Gecko/20100101 Firefox/60.0", true],
  ["Mozilla/5.0 (Windows NT 10.0; rv:91.0) Gecko/20100101 Firefox/91.0 Waterfox/91.0", true],
  ["x Mozilla/5.0 (Windows NT 10.0; rv:91.0) Gecko/20100101 Firefox/91.0", true],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", true],
  ["Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/115.0", true],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:102.0) Gecko/20100101 Thunderbird/102.5.0", true],
  ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0", true],
  ["Mozilla/5.0 (Android 14; Mobile; rv:128.0) Gecko/128.0 Firefox/128.0", true],
  ["Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0", true],
  ["Dalvik/2.1.0 (Linux; U; Android 13; Pixel 7 Build/TQ3A)", true],
  ["Debian APT-HTTP/1.3 (2.6.1)", true],
  ["Links (2.28; GNU C 12.2; text)", false],
];

pureTest("http finds a User-Agent that names the system, and none of those that do not", () => {
  for (const [agent, isLeak] of USER_AGENTS) {
    assertEquals(leaksOf(request(`User-Agent: ${agent}`)), isLeak ? ["http-user-agent"] : [], agent);
  }
});

pureTest("http finds nothing in what curl, wget, git, requests and Tor Browser send", () => {
  const heads = [
    "GET / HTTP/1.1\r\nHost: site.i2p\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n",
    "GET /robots.txt HTTP/1.1\r\nHost: site.i2p\r\nUser-Agent: Wget/1.21.3\r\nAccept: */*\r\n" +
    "Accept-Encoding: identity\r\nConnection: Keep-Alive\r\n\r\n",
    "GET /repo.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: site.i2p\r\nUser-Agent: git/2.39.5\r\n" +
    "Accept: */*\r\nAccept-Encoding: deflate, gzip, br\r\nPragma: no-cache\r\nGit-Protocol: version=2\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: site.i2p\r\nUser-Agent: python-requests/2.28.1\r\nAccept-Encoding: gzip, deflate\r\n" +
    "Accept: */*\r\nConnection: keep-alive\r\n\r\n",
    "GET /b HTTP/1.1\r\nHost: site.i2p\r\n" +
    "User-Agent: Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n" +
    "Accept-Encoding: gzip, deflate\r\nReferer: http://site.i2p/a\r\nOrigin: http://site.i2p\r\n" +
    "Connection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\nDNT: 1\r\n\r\n",
    "OPTIONS * HTTP/1.0\r\n\r\n",
    "PROPFIND /dav HTTP/1.1\r\nHost: site.i2p:80\r\nDepth: 0\r\n\r\n",
    "GET http://site.i2p/ HTTP/1.1\r\nHost: site.i2p\r\nProxy-Connection: Keep-Alive\r\n\r\n",
  ];
  for (const sent of heads) assertEquals(leaksOf(sent), [], sent);
});

/** Header lines, and the leaks in them. */
const LINES: readonly [string, LeakKind | undefined][] = [
  ["X-Forwarded-For: 203.0.113.7", "http-forwarded"],
  ["x-forwarded-for:203.0.113.7", "http-forwarded"],
  ["Forwarded: for=192.0.2.43;proto=http", "http-forwarded"],
  ["X-Real-IP: 203.0.113.7", "http-forwarded"],
  ["Client-IP: 203.0.113.7", "http-forwarded"],
  ["True-Client-IP: 203.0.113.7", "http-forwarded"],
  ["CF-Connecting-IP: 203.0.113.7", "http-forwarded"],
  ["X-Client-IP: 203.0.113.7", "http-forwarded"],
  ["X-Forwarded-Host: desk.lan", "http-forwarded"],
  ["X-Forwarded-For: unknown", undefined],
  ['Forwarded: for="unknown"', undefined],
  ["Forwarded: for=unknown;by=10.0.0.1", "http-forwarded"],
  ["X-Forwarded-For:", undefined],
  ["X-Forwarded-Proto: https", undefined],
  ["Via: 1.1 desk (squid/5.7)", "http-via"],
  ["Via:", undefined],
  ["Referer: https://example.org/search?q=i2p", "http-referer"],
  ["Referer: http://other.i2p/", "http-referer"],
  ["Referer: http://site.i2p.example.org/", "http-referer"],
  ["Referer: http://site.i2p@example.org/", "http-referer"],
  ["Referer: //example.org/", "http-referer"],
  ["Referer: http://127.0.0.1:7657/home", "http-referer"],
  ["Referer: file:///home/me/links.html", "http-referer"],
  ["Referer: http://SITE.i2p:80/a", undefined],
  ["Referer: /a?u=http://example.org/", undefined],
  ["Referer: about:blank", undefined],
  ["Origin: https://example.org", "http-origin"],
  ["Origin: moz-extension://5d1a2c7e-0000-4000-8000-000000000000", "http-origin"],
  ["Origin: http://site.i2p", undefined],
  ["Origin: null", undefined],
  ["X-Note: Linux", undefined],
  ["Accept-Language: de-AT", undefined],
];

pureTest("http knows which headers give something away", () => {
  for (const [line, leak] of LINES) assertEquals(leaksOf(request(line)), leak === undefined ? [] : [leak], line);
});

pureTest("http names each kind once, in whatever number of headers and requests", () => {
  const sent = request("Via: 1.0 a", "Via: 1.0 b", "X-Real-IP: 10.0.0.1") + request("Via: 1.0 c");
  assertEquals(leaksOf(sent), ["http-via", "http-forwarded"]);
});

pureTest("http wants Host to be of I2P, the host of the stream, or this machine", () => {
  const hosts: readonly [string, boolean][] = [
    ["example.org", true],
    ["example.org:80", true],
    ["192.168.1.9:8080", true],
    ["[2001:db8::1]:80", true],
    ["desk", true],
    ["other.i2p", false],
    [B32, false],
    ["SITE.I2P:80", false],
    ["site.i2p.alt", false],
    ["localhost:8080", false],
    ["127.0.0.1", false],
    ["", false],
  ];
  for (const [host, isLeak] of hosts) {
    assertEquals(leaksOf(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`), isLeak ? ["http-host"] : [], host);
  }
  assertEquals(leaksOf("GET http://example.org/ HTTP/1.1\r\n\r\n"), ["http-host"]);
  assertEquals(leaksOf("CONNECT example.org:443 HTTP/1.1\r\n\r\n"), ["http-host"]);
  assertEquals(leaksOf("CONNECT site.i2p:443 HTTP/1.1\r\n\r\n"), []);
});

pureTest("http takes a site's name and its address for one site", () => {
  const head = "GET / HTTP/1.1\r\nReferer: http://site.i2p/a\r\nOrigin: http://site.i2p\r\n";
  assertEquals(leaksOf(`${head}Host: site.i2p\r\n\r\n`, B32), []);
  assertEquals(leaksOf(`${head}Host: ${B32}\r\n\r\n`, B32), ["http-referer", "http-origin"]);
  assertEquals(leaksOf(`GET / HTTP/1.1\r\nReferer: http://${B32}/\r\n\r\n`, B32), []);
  assertEquals(leaksOf("GET / HTTP/1.1\r\nHost: example.org\r\nReferer: http://example.org/\r\n\r\n"), [
    "http-host",
    "http-referer",
  ]);
});

pureTest("http finds the peer id that an announce names the client with", () => {
  const announce = (id: string): string => `GET /announce?info_hash=%12%34&peer_id=${id}&port=6881 HTTP/1.1\r\n\r\n`;
  assertEquals(leaksOf(announce("-qB4520-ab(c1d2e3f4g")), ["bittorrent-client"]);
  assertEquals(leaksOf(announce("%2DTR3000%2Dabcdefghijkl")), ["bittorrent-client"]);
  assertEquals(leaksOf(announce("%03%03%03%03abc")), ["bittorrent-client"]);
  assertEquals(leaksOf(announce("%8e%a1x%00random_chars____")), []);
  assertEquals(leaksOf("GET /announce?xpeer_id=-qB4520-ab HTTP/1.1\r\n\r\n"), []);
});

pureTest("http reads requests behind bodies, and not the bodies", () => {
  const behind = request("Via: 1.0 a");
  const bodies = [
    "POST / HTTP/1.1\r\nContent-Length: 21\r\n\r\n" + BODY,
    "POST / HTTP/1.1\r\ncontent-length: 21\r\nContent-Length: 21\r\n\r\n" + BODY + "\r\n",
    `POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n15;a=b\r\n${BODY}\r\n0\r\nVia: trailer\r\n\r\n`,
  ];
  assertEquals(BODY.length, 21);
  for (const body of bodies) {
    assertEquals(leaksOf(body), [], body);
    assertEquals(leaksOf(body + behind), ["http-via"], body);
  }
});

pureTest("http says so where it cannot know the end of a body", () => {
  const heads = [
    "POST / HTTP/1.1\r\nContent-Length: 21\r\nContent-Length: 3\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: 21\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
    "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab",
    "GET / HTTP/1.1\r\n\r\nno request\r\n",
    "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 900\r\n\r\n",
  ];
  for (const head of heads) assertEquals(leaksOf(head + request("Via: 1.0 a")), ["http-unreadable"], head);
  assertEquals(leaksOf(`POST / HTTP/1.1\r\nContent-Length: ${INSPECTED}\r\n\r\n${request("Via: 1.0 a")}`), []);
});

pureTest("http goes on behind bodies of any length, and behind an Upgrade that nobody took", () => {
  const long = `POST / HTTP/1.1\r\nContent-Length: ${3 * INSPECTED}\r\n\r\n${"x".repeat(3 * INSPECTED)}`;
  assertEquals(leaksOf(long + request("Via: 1.0 a")), ["http-via"]);
  for (const protocol of ["websocket", "h2c", "TLS/1.0", "x"]) {
    const upgrade = request("Connection: Upgrade", `Upgrade: ${protocol}`);
    assertEquals(leaksOf(upgrade + request("Via: 1.0 a")), ["http-via"], protocol);
  }
  assertEquals(leaksOf(`CONNECT site.i2p:80 HTTP/1.1\r\n\r\n${request("Via: 1.0 a")}`), ["http-via"]);
  assertEquals(leaksOf("CONNECT site.i2p:22 HTTP/1.1\r\n\r\nSSH-2.0-x\r\nVia: 1.0 a\r\n"), []);
});

pureTest("http reads heads of any length, and lines of any length in them", () => {
  const fill = "x".repeat(20_000);
  const heads = [
    `GET /${fill} HTTP/1.1\r\nVia: 1.0 a\r\n\r\n`,
    `GET / HTTP/1.1\r\nX: ${fill}\r\nVia: 1.0 a\r\n\r\n`,
    `GET / HTTP/1.1\r\n${`X: ${"x".repeat(1_000)}\r\n`.repeat(40)}Via: 1.0 a\r\n\r\n`,
    `GET / HTTP/1.1\r\n${"X:\r\n".repeat(9_000)}Via: 1.0 a\r\n\r\n`,
    `GET / HTTP/1.1\r\nX: x\r\n ${fill}\r\n ${fill}\r\nVia: 1.0 a\r\n\r\n`,
    `GET / HTTP/1.1\r\nVia: ${fill}\r\n\r\n`,
  ];
  for (const head of heads) assertEquals(leaksOf(head), ["http-via"], head.slice(0, 40));
  assertEquals(leaksOf(`GET /${fill} HTTP/2.0\r\nVia: 1.0 a\r\n\r\n`), ["http-unreadable"]);
  // A client of which the first line is long waits for an answer behind it.
  assertEquals(leaksOf(`GET /${fill} HTTP/1.1\r\n\r\n${request("Via: 1.0 a")}`), ["http-via"]);
});

pureTest("http looks at a head when it has ended, and what there is of one when the stream has", () => {
  const sent = request("User-Agent: Linux", "Via: 1.0 a", "Cookie: session=0123456789");
  const agent = sent.indexOf("Via");
  const via = sent.indexOf("Cookie");
  for (let length = "GET / HTTP/1.1\r\n".length; length <= sent.length; length++) {
    const expected = [...length >= agent ? ["http-user-agent"] : [], ...length >= via ? ["http-via"] : []];
    assertEquals<readonly string[] | undefined>(leaksOf(sent.slice(0, length)), expected, `${length}`);
    const open = readStream(HTTP, sent.slice(0, length), { isOpen: true })?.leaks;
    assertEquals(open?.length, length < sent.length ? 0 : 2, `${length}`);
  }
  // What stands in front of Host depends on it, and what continues a line on that.
  assertEquals(leaksOf("GET / HTTP/1.1\r\nReferer: http://site.i2p/\r\nHost: site.i2p\r\n\r\n", B32), []);
  const uniform = "Mozilla/5.0 (Windows NT 10.0; rv:128.0)\r\n Gecko/20100101 Firefox/128.0";
  assertEquals(leaksOf(request(`User-Agent: ${uniform}`)), []);
});

/** A frame of a client. */
function frame(first: number, payload: string, isMasked = true): string {
  const key = [1, 2, 3, 4];
  const size = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
  const masked = Array.from(payload, (character, at) => character.charCodeAt(0) ^ (key[at % 4] ?? 0));
  const [short = 0, ...long] = size;
  return String.fromCharCode(first, short | (isMasked ? 0x80 : 0), ...long, ...(isMasked ? key : []), ...masked);
}

pureTest("http reads the text of WebSocket, whatever the server has answered", () => {
  const upgrade = request("Connection: Upgrade", "Upgrade: websocket");
  assertEquals(
    leaksOf(upgrade + frame(0x81, "hello") + frame(0x89, "") + frame(0x01, "a".repeat(300)) + frame(0x80, "b")),
    [],
  );
  assertEquals(leaksOf(upgrade + frame(0xc1, "hello")), ["websocket-unreadable"]);
  assertEquals(leaksOf(upgrade + frame(0x81, "hello") + frame(0x81, "hello", false)), ["http-unreadable"]);
  assertEquals(leaksOf(upgrade + frame(0x81, "hello") + request("Via: 1.0 a")), ["http-unreadable"]);
});

pureTest("http reads continued lines, bare line feeds and lines that are none", () => {
  assertEquals(leaksOf(request("User-Agent:", " Mozilla/5.0", "\t(Linux)")), ["http-user-agent"]);
  assertEquals(leaksOf("GET / HTTP/1.0\nuser-agent: Linux\n\nGET / HTTP/1.0\nvia: x\n\n"), [
    "http-user-agent",
    "http-via",
  ]);
  assertEquals(leaksOf(request("no field", " continued", "Via: x")), ["http-via"]);
});

pureTest("http leaves other protocols alone", () => {
  const others = [
    "",
    "\r\n",
    "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
    "NICK me\r\nUSER me 0 * :Linux\r\n",
    "EHLO desk.lan\r\n",
    "GET /\r\nUser-Agent: Linux\r\n",
    "get / HTTP/1.1\r\nUser-Agent: Linux\r\n",
    "GET / HTTP/2.0\r\nUser-Agent: Linux\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET  / HTTP/1.1\r\nUser-Agent: Linux\r\n",
    "HTTP/1.1 200 OK\r\nVia: x\r\n",
    "\x16\x03\x01\x02\x00\x01",
    `${"A".repeat(25)} / HTTP/1.1\r\nVia: x\r\n`,
    "\0".repeat(INSPECTED),
    "G".repeat(INSPECTED),
  ];
  for (const sent of others) assertEquals(leaksOf(sent), undefined, sent.slice(0, 40));
});

pureTest("http gives the cookies of all requests that are long enough to single somebody out", () => {
  const cookiesOf = (sent: string): string[] | undefined => readStream(HTTP, sent)?.cookies;
  const sent = request("Cookie: lang=en; sid=0123456789abcdef; a=1234567;b=12345678") +
    request("cookie: sid=0123456789abcdef", "Cookie: equal=a=b=c=d=e");
  assertEquals(cookiesOf(sent), ["sid=0123456789abcdef", "b=12345678", "sid=0123456789abcdef", "equal=a=b=c=d=e"]);
  assertEquals(cookiesOf(request("Cookie: 0123456789", "Cookie: =0123456789")), []);
});

pureTest("http finds client hints, a mail address, and the address in an announce", () => {
  const lines: readonly [string, LeakKind | undefined][] = [
    ['Sec-CH-UA-Platform: "Linux"', "http-client-hints"],
    ['sec-ch-ua-model: "Pixel 7"', "http-client-hints"],
    ["Sec-CH-UA-Mobile: ?1", "http-client-hints"],
    ["UA-CPU: x86", "http-client-hints"],
    ["X-Stainless-OS: Linux", "http-client-hints"],
    ["X-Client-Platform: linux-x86_64", "http-client-hints"],
    ["From: me@example.org", "http-from"],
    ['Sec-CH-UA: "Chromium";v="120"', undefined],
    ["Sec-CH-UA-Mobile: ?0", undefined],
    ['Sec-CH-UA-Model: ""', undefined],
    ["X-Client: web", undefined],
  ];
  for (const [line, leak] of lines) assertEquals(leaksOf(request(line)), leak === undefined ? [] : [leak], line);
  const announce = (query: string): string => `GET /a?info_hash=%12%34&${query}&port=6881 HTTP/1.1\r\n\r\n`;
  assertEquals(leaksOf(announce("ip=84.17.50.33")), ["bittorrent-address"]);
  assertEquals(leaksOf(announce("ipv6=2a01%3A4f8%3A%3A5")), ["bittorrent-address"]);
  assertEquals(leaksOf(announce(`ip=${"A".repeat(520)}.i2p`)), []);
  assertEquals(leaksOf("GET /a?ip=84.17.50.33 HTTP/1.1\r\n\r\n"), []);
});

pureTest("what one request names is no site of the next one, which names nothing else", () => {
  const sites = (target: string, hosts: readonly string[]): string[] => [...sitesOf({ target, hosts }, "a.i2p")];
  assertEquals(sites("//b.i2p/", ["a.i2p"]), ["a.i2p", "b.i2p"]);
  assertEquals(sites("/", ["c.i2p"]), ["a.i2p", "c.i2p"]);
  assertEquals(sites("/", ["a.i2p"]), ["a.i2p"]);
  assertEquals(sites("/", []), ["a.i2p"]);
  assertEquals([...sitesOf({ target: "/", hosts: [] }, "d.i2p")], ["d.i2p"]);
});
