import { assert, assertEquals } from "@std/assert";
import { HTTP } from "../../lib/guard/http.ts";
import { fromLatin1, toLatin1 } from "../../lib/io/latin1.ts";
import { MAX_HEAD } from "../../lib/guard/request_reader.ts";
import { HttpScrubber, NEUTRAL_USER_AGENT } from "../../lib/guard/scrub_http.ts";
import { concat } from "../support/bytes.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";
import { readStream } from "./read_stream.ts";

const HOST = "site.i2p";

/**
 * What comes out where the fragments that go in end at some offsets. Where the scrubber ends the stream, the text is what had
 * been sent by then.
 */
function scrub(sent: string, cuts: readonly number[] = []): { text: string; isDone: boolean; isEnded?: true } {
  const bytes = toLatin1(sent);
  const reasons: string[] = [];
  const scrubber = new HttpScrubber(HOST, (kind) => reasons.push(kind));
  const out: Uint8Array<ArrayBuffer>[] = [];
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    // Whoever reads from a socket uses the buffer again, so nothing may be kept in it.
    const fragment = bytes.slice(start, end);
    const scrubbed = scrubber.push(fragment);
    if (scrubbed === undefined) {
      assertEquals(reasons, ["http-unreadable"]);
      return { text: fromLatin1(concat(...out)), isDone: true, isEnded: true };
    }
    out.push(Uint8Array.from(scrubbed));
    fragment.fill(0);
    start = end;
  }
  const isDone = scrubber.isDone;
  out.push(Uint8Array.from(scrubber.end() ?? []));
  return { text: fromLatin1(concat(...out)), isDone };
}

/** What comes out before the stream has ended. */
function passed(sent: string): string {
  return fromLatin1(new HttpScrubber(HOST, () => {}).push(toLatin1(sent)) ?? new Uint8Array());
}

const FIREFOX = "GET /b HTTP/1.1\r\nHost: site.i2p\r\n" +
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\nAccept: */*\r\n" +
  "Referer: https://example.org/\r\nConnection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n\r\n";

const FIREFOX_SCRUBBED = "GET /b HTTP/1.1\r\nHost: site.i2p\r\n" +
  "User-Agent: MYOB/6.66 (AN/ON)\r\nAccept: */*\r\nConnection: keep-alive\r\nUpgrade-Insecure-Requests: 1\r\n\r\n";

/** Streams, what becomes of them, and whether the scrubber has nothing to do any more. */
const STREAMS: readonly [name: string, sent: string, scrubbed: string, isDone: boolean][] = [
  ["a browser's request", FIREFOX, FIREFOX_SCRUBBED, false],
  [
    "a long method",
    `${FIREFOX}UPDATEREDIRECTREF / HTTP/1.1\r\nVia: a\r\n\r\n`,
    `${FIREFOX_SCRUBBED}UPDATEREDIRECTREF / HTTP/1.1\r\n\r\n`,
    false,
  ],
  ["two requests at once", FIREFOX + FIREFOX, FIREFOX_SCRUBBED + FIREFOX_SCRUBBED, false],
  [
    "spacing, case and order",
    "GET / HTTP/1.0\r\nB:1\r\nUSER-agent:\t curl/8.5.0 \r\na:  x \r\n\r\n",
    "GET / HTTP/1.0\r\nB:1\r\nUSER-agent:\t MYOB/6.66 (AN/ON)\r\na:  x \r\n\r\n",
    false,
  ],
  [
    "everything that is dropped",
    "GET / HTTP/1.1\r\nX-Forwarded-For: 1.2.3.4\r\nForwarded: for=1.2.3.4\r\nVia: 1.1 desk\r\nx-real-ip: 1.2.3.4\r\n" +
    "Referer: http://other.i2p/\r\nHost: site.i2p\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: site.i2p\r\n\r\n",
    false,
  ],
  [
    "what may stay",
    "GET / HTTP/1.1\r\nHost: site.i2p\r\nReferer: http://site.i2p/a\r\nOrigin: https://example.org\r\n" +
    "Cookie: a=0123456789\r\nX-Forwarded-Proto: http\r\nX-a: \xff\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: site.i2p\r\nReferer: http://site.i2p/a\r\nOrigin: https://example.org\r\n" +
    "Cookie: a=0123456789\r\nX-Forwarded-Proto: http\r\nX-a: \xff\r\n\r\n",
    false,
  ],
  [
    "continued lines",
    "GET / HTTP/1.1\r\nVia: 1.1 a,\r\n\t1.1 b\r\nUser-Agent:\r\n Mozilla\r\n (Linux)\r\nX: a\r\n \r\nVia: b\r\n\r\n",
    "GET / HTTP/1.1\r\nUser-Agent:MYOB/6.66 (AN/ON)\r\nX: a\r\n \r\n\r\n",
    false,
  ],
  [
    "a body with a length",
    "POST / HTTP/1.1\r\nContent-Length: 18\r\nVia: a\r\n\r\nVia: b\r\nGET / \0\n\r\n" + FIREFOX,
    "POST / HTTP/1.1\r\nContent-Length: 18\r\n\r\nVia: b\r\nGET / \0\n\r\n" + FIREFOX_SCRUBBED,
    false,
  ],
  [
    "a body in chunks",
    "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\nVia: a\r\n\r\n" +
    "0A;x=y\r\nVia: b\r\n\r\n\r\n3 \r\nGET\r\n000\r\nVia: c\r\nVia: d\r\n\r\n" + FIREFOX,
    "POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n" +
    "0A;x=y\r\nVia: b\r\n\r\n\r\n3 \r\nGET\r\n000\r\nVia: c\r\nVia: d\r\n\r\n" + FIREFOX_SCRUBBED,
    false,
  ],
  [
    "line ends between requests",
    `\r\n${FIREFOX}\r\n\n${FIREFOX}`,
    `\r\n${FIREFOX_SCRUBBED}\r\n\n${FIREFOX_SCRUBBED}`,
    false,
  ],
  [
    "an upgrade, and what follows it",
    "GET / HTTP/1.1\r\nUpgrade: websocket\r\nUser-Agent: Linux\r\n\r\n" + FIREFOX,
    "GET / HTTP/1.1\r\nUpgrade: websocket\r\nUser-Agent: MYOB/6.66 (AN/ON)\r\n\r\n" + FIREFOX_SCRUBBED,
    false,
  ],
  [
    "frames behind an upgrade",
    "GET / HTTP/1.1\r\nUpgrade: WebSocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n" +
    "\x81\x85abcdVia: \x8a\x80abcd\x41\x81abcdA",
    "GET / HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\n\x81\x85abcdVia: \x8a\x80abcd\x41\x81abcdA",
    false,
  ],
  [
    "an offer of HTTP/2",
    "GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMA\r\n\r\n",
    "GET / HTTP/1.1\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n",
    false,
  ],
  [
    "client hints and a mail address",
    'GET / HTTP/1.1\r\nSec-CH-UA-Platform: "Linux"\r\nFrom: me@example.org\r\nSec-CH-UA-Mobile: ?0\r\n\r\n',
    "GET / HTTP/1.1\r\nSec-CH-UA-Mobile: ?0\r\n\r\n",
    false,
  ],
  [
    "bare line feeds",
    "GET / HTTP/1.1\nVia: a\nHost: x\r\nX: a\n b\n\n" + FIREFOX,
    "GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n" + FIREFOX_SCRUBBED,
    false,
  ],
  [
    "a body that the peer may refuse",
    "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\nVia: a\r\n\r\nGET /" + FIREFOX,
    "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nGET /" + FIREFOX_SCRUBBED,
    false,
  ],
  [
    "CONNECT, and what follows it",
    "CONNECT site.i2p:22 HTTP/1.1\r\nUser-Agent: Linux\r\n\r\n" + FIREFOX,
    "CONNECT site.i2p:22 HTTP/1.1\r\nUser-Agent: MYOB/6.66 (AN/ON)\r\n\r\n" + FIREFOX_SCRUBBED,
    false,
  ],
  [
    "another protocol behind CONNECT",
    "CONNECT site.i2p:22 HTTP/1.1\r\nVia: a\r\n\r\n\x16\x03\x01" + FIREFOX,
    "CONNECT site.i2p:22 HTTP/1.1\r\n\r\n\x16\x03\x01" + FIREFOX,
    true,
  ],
];

/** Heads that two readers could understand in two ways. */
const AMBIGUOUS: readonly string[] = [
  "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\nVia: a\r\n\r\n",
  "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\nVia: a\r\n\r\n",
  "POST / HTTP/1.1\r\nContent-Length: +3\r\nVia: a\r\n\r\n",
  "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\nVia: a\r\n\r\n",
  "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nVia: a\r\n\r\n",
  "GET / HTTP/1.1\r\nVia: a\rb\r\n\r\n",
  "GET / HTTP/1.1\r\nVia: a\0\r\n\r\n",
  "GET / HTTP/1.1\r\nVia : a\r\n\r\n",
  "GET / HTTP/1.1\r\n Via: a\r\nVia: b\r\n\r\n",
  "GET / HTTP/1.1\r\nno field\r\nVia: a\r\n\r\n",
  "GET / HTTP/2.0\r\nVia: a\r\n\r\n",
  "GET / HTTP/1.1x\r\nVia: a\r\n\r\n",
  "GET / HTTP/1.\r\nVia: a\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9000\r\n\r\n",
];

/** Other protocols: not a byte of them is changed. */
const UNTOUCHED: readonly string[] = [
  "GET /\r\nVia: a\r\n\r\n",
  "GET  / HTTP/1.1\r\nVia: a\r\n\r\n",
  " GET / HTTP/1.1\r\nVia: a\r\n\r\n",
  "get / HTTP/1.1\r\nVia: a\r\n\r\n",
  `${"A".repeat(25)} / HTTP/1.1\r\nVia: a\r\n\r\n`,
  "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
  "NICK me\r\n",
  "EHLO desk\r\n",
  "\x16\x03\x01\x02\x00\x01\0",
  "\x13BitTorrent protocol",
];

for (const [name, sent, scrubbed, isDone] of STREAMS) {
  pureTest(`HttpScrubber does with ${name} what it says, whatever the fragments`, () => {
    assertEquals(scrub(sent), { text: scrubbed, isDone });
    for (let at = 0; at <= sent.length; at++) assertEquals(scrub(sent, [at]), { text: scrubbed, isDone }, `${at}`);
    const every = Array.from({ length: sent.length }, (_, at) => at);
    assertEquals(scrub(sent, every), { text: scrubbed, isDone });
    const random = new Random(1);
    for (let round = 0; round < 50; round++) {
      const cuts = every.filter(() => random.below(8) === 0);
      assertEquals(scrub(sent, cuts), { text: scrubbed, isDone }, `${cuts}`);
    }
  });
}

pureTest("HttpScrubber lets other protocols pass, and all that follows, whatever the fragments", () => {
  for (const beginning of UNTOUCHED) {
    const sent = beginning + FIREFOX;
    for (let at = 0; at <= sent.length; at++) assertEquals(scrub(sent, [at]), { text: sent, isDone: true }, sent);
    const byByte = Array.from(sent, (_, at) => at);
    assertEquals(scrub(sent, byByte), { text: sent, isDone: true }, sent);
    assertEquals(scrub(FIREFOX + sent).isEnded, true, sent);
  }
});

/** Asserts that a scrubber ends a stream wherever it is cut, and that nothing leaks by then. */
function assertEnds(sent: string): void {
  for (let at = 0; at <= sent.length; at++) {
    const { text, isEnded } = scrub(sent, [at]);
    assertEquals([isEnded, /Via|Linux/.test(text)], [true, false], `${at}: ${JSON.stringify(sent)}`);
  }
  const { text, isEnded } = scrub(sent, Array.from(sent, (_, at) => at));
  assertEquals([isEnded, /Via|Linux/.test(text)], [true, false], JSON.stringify(sent));
}

pureTest("HttpScrubber ends a stream that it cannot understand, before anything leaks, whatever the fragments", () => {
  for (const head of AMBIGUOUS) {
    assertEnds(head + FIREFOX);
    assertEnds(FIREFOX + head + FIREFOX);
  }
});

pureTest("HttpScrubber ends a stream at a body of chunks that is not as it ought to be", () => {
  const head = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  const bodies = [
    "zz\r\n",
    "\r\n",
    ";x\r\n",
    "3\n",
    "3;x\n",
    "3\rx",
    "3\r\nabcd",
    "3\r\nabc\rx",
    "0\r\nX: y\n",
    "0\r\n\rx",
    "1234567890123\r\n",
  ];
  for (const body of bodies) assertEnds(head + body + FIREFOX);
});

pureTest("HttpScrubber holds back nothing but what may be the head of a request", () => {
  const heads = [
    "G",
    "GET",
    "GET ",
    "GET /x",
    "GET / ",
    "GET / HTT",
    "GET / HTTP/1.1",
    "GET / HTTP/1.1\r",
    "GET / HTTP/1.1\r\nVia: a\r\n\r",
  ];
  for (const head of heads) assertEquals(passed(head), "", head);
  const others = [
    "g",
    "GET\r",
    "GET\t",
    "GET / x",
    "GET  ",
    " ",
    "A".repeat(25),
    "SSH-2.0-x",
    "S2",
    "\r\n",
    "\x05",
    "0032git-upload-pack",
    "USER me\r",
  ];
  for (const other of ["g", "GET\r", "GET / HTTP/2"]) assertEquals(passed(FIREFOX + other), "", other);
  for (const other of others) assertEquals(passed(other), other, JSON.stringify(other));
  const body = "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nVia: ";
  assertEquals(passed(body), body);
  const chunk = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1";
  assertEquals(passed(chunk), chunk);
});

pureTest("HttpScrubber gives back at the end what it has held back, but for a head that has not ended", () => {
  for (
    const [sent, rest] of [["GE", "GE"], ["GET /x", "GET /x"], ["GET / HTTP/1.1\r\nVia: a", ""], ["GET / HTTP/1", ""]]
  ) {
    const scrubber = new HttpScrubber(HOST, () => {});
    assertEquals(scrubber.push(toLatin1(sent ?? ""))?.length, 0);
    assertEquals(fromLatin1(scrubber.end() ?? new Uint8Array(1)), rest);
    assertEquals(scrubber.end()?.length, 0);
    assert(scrubber.isDone);
  }
});

pureTest("HttpScrubber rewrites heads of any length, and lines of any length in them, whatever the fragments", () => {
  const fill = "x".repeat(MAX_HEAD);
  const many = `X: ${"y".repeat(500)}\r\n`.repeat(50);
  const heads: readonly (readonly [sent: string, scrubbed: string])[] = [
    [`GET /${fill} HTTP/1.1\r\nVia: a\r\n\r\n`, `GET /${fill} HTTP/1.1\r\n\r\n`],
    [
      `GET /${fill.slice(0, -40)} HTTP/1.1\r\nVia: a\r\nX: b\r\n\r\n`,
      `GET /${fill.slice(0, -40)} HTTP/1.1\r\nX: b\r\n\r\n`,
    ],
    [`GET / HTTP/1.1\r\nX: ${fill}\r\nVia: a\r\n\r\n`, `GET / HTTP/1.1\r\nX: ${fill}\r\n\r\n`],
    [`GET / HTTP/1.1\r\nVia: ${fill}\r\n ${fill}\r\nX: a\r\n\r\n`, `GET / HTTP/1.1\r\nX: a\r\n\r\n`],
    [
      `GET / HTTP/1.1\r\n${many}User-Agent: Linux\r\n${many}Via: a\r\n\r\n`,
      `GET / HTTP/1.1\r\n${many}User-Agent: ${NEUTRAL_USER_AGENT}\r\n${many}\r\n`,
    ],
    [
      `GET / HTTP/1.1\r\nUser-Agent: Linux ${fill}\r\n${many}\r\n`,
      `GET / HTTP/1.1\r\nUser-Agent: ${NEUTRAL_USER_AGENT}\r\n${many}\r\n`,
    ],
    [`GET / HTTP/1.1\r\nX: ${fill}\n ${fill}\nVia: a\n\n`, `GET / HTTP/1.1\r\nX: ${fill}\r\n ${fill}\r\n\r\n`],
  ];
  const random = new Random(13);
  for (const [sent, scrubbed] of heads) {
    const expected = { text: scrubbed + FIREFOX_SCRUBBED, isDone: false };
    assertEquals(scrub(sent + FIREFOX), expected);
    const byByte = Array.from(sent, (_, at) => at);
    assertEquals(scrub(sent + FIREFOX, byByte), expected);
    for (let round = 0; round < 20; round++) {
      assertEquals(scrub(sent + FIREFOX, byByte.filter(() => random.below(1_000) === 0)), expected);
    }
  }
});

pureTest("HttpScrubber holds back no more of a long head than a line", () => {
  const scrubber = new HttpScrubber(HOST, () => {});
  let sent = scrubber.push(toLatin1("GET / HTTP/1.1\r\n"))?.length ?? NaN;
  for (let line = 0; line < 1_000; line++) sent += scrubber.push(toLatin1(`X: ${"y".repeat(95)}\r\n`))?.length ?? NaN;
  assert(sent > 99_000 - 200, `${sent}`);
  sent += scrubber.push(toLatin1("Y: "))?.length ?? NaN;
  for (let round = 0; round < 100; round++) sent += scrubber.push(toLatin1("z".repeat(1_000)))?.length ?? NaN;
  assert(sent > 199_000 - 2 * MAX_HEAD, `${sent}`);
});

pureTest("HttpScrubber leaves nothing behind that its fixes are promised for", () => {
  for (const [name, sent] of STREAMS.slice(0, 9)) {
    const leaks = readStream(HTTP, scrub(sent).text, { host: HOST })?.leaks ?? [];
    assertEquals(leaks.filter((leak) => leak !== "http-origin"), [], name);
  }
  assertEquals(readStream(HTTP, `GET / HTTP/1.1\r\nUser-Agent: ${NEUTRAL_USER_AGENT}\r\n\r\n`)?.leaks, []);
});

pureTest("HttpScrubber changes no byte of what is not HTTP, and fragments of it do not matter", () => {
  const random = new Random(7);
  for (let round = 0; round < 300; round++) {
    const sent = random.latin1(random.below(300));
    assertEquals(scrub(sent, [random.below(sent.length + 1)]).text, sent);
  }
});

pureTest("HttpScrubber gives the same for mutated requests, whatever the fragments", () => {
  const random = new Random(11);
  for (let round = 0; round < 1_000; round++) {
    const [, stream] = random.pick(STREAMS);
    const at = random.below(stream.length);
    const sent = stream.slice(0, at) + random.pick(["", "\r", "\n", "\0", " ", ":", random.latin1(1)]) +
      stream.slice(at + random.below(3));
    const whole = scrub(sent);
    const cuts = Array.from(sent, (_, cut) => cut).filter(() => random.below(10) === 0);
    const { text, ...rest } = scrub(sent, cuts);
    // A stream that is ended has sent more by then where it came in pieces.
    if (whole.isEnded) assertEquals(rest.isEnded, true, JSON.stringify(sent));
    else assertEquals({ text, ...rest }, whole, JSON.stringify(sent));
  }
});
