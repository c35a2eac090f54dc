import { assert, assertEquals } from "@std/assert";
import { http } from "../../lib/guard/http.ts";
import { fromLatin1, toLatin1 } from "../../lib/guard/latin1.ts";
import { HttpScrubber, MAX_HEAD, NEUTRAL_USER_AGENT } from "../../lib/guard/scrub_http.ts";
import { concat } from "../support/bytes.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";

const HOST = "site.i2p";

/** What comes out where the fragments that go in end at some offsets. */
function scrub(sent: string, cuts: readonly number[] = []): { text: string; isDone: boolean } {
  const bytes = toLatin1(sent);
  const scrubber = new HttpScrubber(HOST);
  const out: Uint8Array<ArrayBuffer>[] = [];
  let start = 0;
  for (const end of [...cuts, bytes.length]) {
    // Whoever reads from a socket uses the buffer again, so nothing may be kept in it.
    const fragment = bytes.slice(start, end);
    out.push(Uint8Array.from(scrubber.push(fragment)));
    fragment.fill(0);
    start = end;
  }
  const isDone = scrubber.isDone;
  out.push(Uint8Array.from(scrubber.end()));
  return { text: fromLatin1(concat(...out)), isDone };
}

/** What comes out before the stream has ended. */
function passed(sent: string): string {
  return fromLatin1(new HttpScrubber(HOST).push(toLatin1(sent)));
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
    "GET / HTTP/1.1\r\nUpgrade: websocket\r\nUser-Agent: MYOB/6.66 (AN/ON)\r\n\r\n" + FIREFOX,
    true,
  ],
  [
    "CONNECT, and what follows it",
    "CONNECT site.i2p:22 HTTP/1.1\r\nUser-Agent: Linux\r\n\r\n" + FIREFOX,
    "CONNECT site.i2p:22 HTTP/1.1\r\nUser-Agent: MYOB/6.66 (AN/ON)\r\n\r\n" + FIREFOX,
    true,
  ],
];

/** Heads that two readers could understand in two ways, and other protocols: not a byte of them is changed. */
const UNTOUCHED: readonly string[] = [
  "POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\nVia: a\r\n\r\n",
  "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\nVia: a\r\n\r\n",
  "POST / HTTP/1.1\r\nContent-Length: +3\r\nVia: a\r\n\r\n",
  "POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\nVia: a\r\n\r\n",
  "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nVia: a\r\n\r\n",
  "GET / HTTP/1.1\r\nVia: a\nHost: x\r\n\r\n",
  "GET / HTTP/1.1\nVia: a\n\n",
  "GET / HTTP/1.1\r\nVia: a\rb\r\n\r\n",
  "GET / HTTP/1.1\r\nVia: a\0\r\n\r\n",
  "GET / HTTP/1.1\r\nVia : a\r\n\r\n",
  "GET / HTTP/1.1\r\n Via: a\r\nVia: b\r\n\r\n",
  "GET / HTTP/1.1\r\nno field\r\nVia: a\r\n\r\n",
  "GET / HTTP/2.0\r\nVia: a\r\n\r\n",
  "GET / HTTP/1.1x\r\nVia: a\r\n\r\n",
  "GET / HTTP/1.\r\nVia: a\r\n\r\n",
  "GET /\r\nVia: a\r\n\r\n",
  "GET  / HTTP/1.1\r\nVia: a\r\n\r\n",
  " GET / HTTP/1.1\r\nVia: a\r\n\r\n",
  "get / HTTP/1.1\r\nVia: a\r\n\r\n",
  `${"A".repeat(25)} / HTTP/1.1\r\nVia: a\r\n\r\n`,
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
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

pureTest("HttpScrubber lets pass what it does not understand, and all that follows, whatever the fragments", () => {
  for (const beginning of UNTOUCHED) {
    const sent = beginning + FIREFOX;
    for (let at = 0; at <= sent.length; at++) assertEquals(scrub(sent, [at]), { text: sent, isDone: true }, sent);
    const [byByte, behind] = [Array.from(sent, (_, at) => at), FIREFOX_SCRUBBED + sent];
    assertEquals(scrub(sent, byByte), { text: sent, isDone: true }, sent);
    assertEquals(scrub(FIREFOX + sent), { text: behind, isDone: true }, sent);
  }
});

pureTest("HttpScrubber stops at a body of chunks that is not as it ought to be", () => {
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
  for (const body of bodies) {
    const sent = head + body + FIREFOX;
    for (let at = 0; at <= sent.length; at++) assertEquals(scrub(sent, [at]), { text: sent, isDone: true }, body);
  }
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
    "GET / HTTP/2",
    "GET / HTTP/1.x",
    "GET / x",
    "GET / HTTP/1.1 ",
    "GET / HTTP/1.1x",
    "GET  ",
    " ",
    "GET / HTTP/1.1\r\nVia: a\rb",
    "GET / HTTP/1.1\r\n\r\r",
    "A".repeat(25),
    "SSH-2.0-x",
    "S2",
    "\r\n",
    "\x05",
    "0032git-upload-pack",
    "USER me\r",
    "GET / HTTP/1.1\n",
    "GET / HTTP/1.1\r\nVia: a\n",
    "GET / HTTP/1.1\r\nVia: a\0",
  ];
  for (const other of ["g", "GET\r", "GET / HTTP/2"]) assertEquals(passed(FIREFOX + other), FIREFOX_SCRUBBED + other);
  for (const other of others) assertEquals(passed(other), other, JSON.stringify(other));
  const body = "POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nVia: ";
  assertEquals(passed(body), body);
  const chunk = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1";
  assertEquals(passed(chunk), chunk);
});

pureTest("HttpScrubber gives back at the end what it has held back", () => {
  const scrubber = new HttpScrubber(HOST);
  assertEquals(scrubber.push(toLatin1("GET / HTTP/1.1\r\nVia: a")).length, 0);
  assertEquals(fromLatin1(scrubber.end()), "GET / HTTP/1.1\r\nVia: a");
  assertEquals(scrubber.end().length, 0);
  assert(scrubber.isDone);
});

pureTest("HttpScrubber rewrites heads up to its limit and lets longer ones pass", () => {
  const frame = "GET / HTTP/1.1\r\nVia: a\r\nX: \r\n\r\n";
  const longest = frame.replace("X: ", `X: ${"x".repeat(MAX_HEAD - frame.length)}`);
  assertEquals(longest.length, MAX_HEAD);
  const kept = longest.replace("Via: a\r\n", "");
  const tooLong = longest.replace("X: ", "X: x");
  for (const cuts of [[], [MAX_HEAD - 1], [MAX_HEAD], [100, 8_192]]) {
    assertEquals(scrub(longest + FIREFOX, cuts), { text: kept + FIREFOX_SCRUBBED, isDone: false });
    assertEquals(scrub(tooLong + FIREFOX, cuts), { text: tooLong + FIREFOX, isDone: true });
  }
});

pureTest("HttpScrubber leaves nothing behind that its fixes are promised for", () => {
  for (const [name, sent] of STREAMS.slice(0, 9)) {
    const leaks = http({ sent: scrub(sent).text, received: "", host: HOST })?.leaks ?? [];
    assertEquals(leaks.filter((leak) => leak !== "http-origin"), [], name);
  }
  assertEquals(
    http({ sent: `GET / HTTP/1.1\r\nUser-Agent: ${NEUTRAL_USER_AGENT}\r\n\r\n`, received: "", host: HOST }),
    {
      leaks: [],
      isDone: false,
    },
  );
});

pureTest("HttpScrubber changes no byte of what is no HTTP, and fragments of it do not matter", () => {
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
    assertEquals(scrub(sent, cuts), whole, JSON.stringify(sent));
  }
});
