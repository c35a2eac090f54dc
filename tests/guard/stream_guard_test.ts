import { assert, assertEquals } from "@std/assert";
import { INSPECTED } from "../../lib/guard/detector.ts";
import { makeFinder } from "../../lib/guard/identifiers.ts";
import { IRC } from "../../lib/guard/irc.ts";
import { toLatin1 } from "../../lib/io/latin1.ts";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { PROTOCOLS } from "../../lib/guard/protocols.ts";
import { StreamGuard } from "../../lib/guard/stream_guard.ts";
import { TLS } from "../../lib/guard/tls.ts";
import { pureTest } from "../support/pure.ts";

/** A guard that blocks, and what it has found. */
function makeGuard(): { guard: StreamGuard; found: LeakKind[] } {
  const found: LeakKind[] = [];
  const guard = new StreamGuard({
    host: "site.i2p",
    protocols: [TLS, IRC],
    finder: makeFinder({ addresses: [], secrets: [] }),
    scrubbers: [],
    blocks: true,
    onLeak: (kind) => found.push(kind),
  });
  return { guard, found };
}

/** A ClientHello for a host, filled up to a length: a record with server_name and padding. */
function clientHello(host: string, length: number): string {
  const uint16 = (n: number): string => String.fromCharCode(n >> 8, n & 255);
  const vector = (text: string): string => uint16(text.length) + text;
  const sni = uint16(0) + vector(vector(`\0${vector(host)}`));
  const fixed = `\x03\x03${"r".repeat(32)}\0${vector("\x13\x01")}\x01\0`;
  const pad = uint16(21) + vector("\0".repeat(length - fixed.length - sni.length - 15));
  const body = fixed + vector(sni + pad);
  const handshake = `\x01\0${uint16(body.length)}${body}`;
  return `\x16\x03\x01${vector(handshake)}`;
}

pureTest("StreamGuard sees the server name of TLS wherever its greeting is cut", () => {
  const hello = clientHello("www.example.com", 700);
  for (const cut of [100, 520, 600, hello.length - 1]) {
    const { guard, found } = makeGuard();
    guard.sent.pass(toLatin1(hello.slice(0, cut)));
    const passed = guard.sent.pass(toLatin1(hello.slice(cut)));
    assertEquals([passed ?? "blocked", found.length > 0], ["blocked", true], `cut at ${cut}`);
  }
});

pureTest("StreamGuard looks at each line of the chunk in which a stream shows itself to be of lines", () => {
  const { guard, found } = makeGuard();
  assert(guard.sent.pass(toLatin1("PASS x\r\n")) !== undefined);
  const talk = `PRIVMSG #a :${"b".repeat(30)}\r\n`.repeat(INSPECTED / 40);
  assertEquals(guard.sent.pass(toLatin1(`NICK a\r\n${talk}NOTICE x :\x01VERSION mIRC\x01\r\n`)), undefined);
  assertEquals(found, ["irc-ctcp"]);
});

pureTest("StreamGuard holds nothing back that may be answered, and no bytes of unknown protocols", () => {
  for (const sent of ["\r\n", "all is well\n", "*1\r\n", "help\r\n", "\0", "\x05\x01\0", "{", "<a>", "ab:", "1\n"]) {
    const guard = makeAnyGuard([]);
    assertEquals(guard.sent.pass(toLatin1(sent)), toLatin1(sent), sent);
  }
});

pureTest("StreamGuard holds back the beginning of what may be a protocol, and passes it when that is known", () => {
  const found: LeakKind[] = [];
  const guard = makeAnyGuard(found);
  const pass = (text: string): string | undefined => {
    const bytes = guard.sent.pass(toLatin1(text));
    return bytes && String.fromCharCode(...bytes);
  };
  assertEquals(["EHLO ", "local", "host\r\n", "MAIL"].map(pass), ["", "", "EHLO localhost\r\n", ""]);
  assertEquals([pass(" FROM:<a@desk>\r\n"), found], [undefined, ["mail-from"]]);
  assertEquals([guard.sent.pass(toLatin1("QUIT\r\n")), guard.sent.end(), guard.sent.isDone], [
    undefined,
    undefined,
    false,
  ]);
});

/** A guard that blocks, for all protocols. */
function makeAnyGuard(found: LeakKind[]): StreamGuard {
  return new StreamGuard({
    host: "site.i2p",
    protocols: PROTOCOLS,
    finder: makeFinder({ addresses: [], secrets: [] }),
    scrubbers: [],
    blocks: true,
    onLeak: (kind) => found.push(kind),
  });
}

pureTest("StreamGuard takes a time that grows with the length of a stream, however it is cut", () => {
  const head = `GET / HTTP/1.1\r\n${"A:\r\n".repeat(4_000)}\r\n`;
  const milliseconds = (size: number): number => {
    const guard = makeAnyGuard([]);
    const since = performance.now();
    for (let at = 0; at < head.length; at += size) guard.sent.pass(toLatin1(head.slice(at, at + size)));
    return performance.now() - since;
  };
  // A reader that starts again with each line takes seconds.
  assert(Math.min(...[3, 3, 3].map(milliseconds)) < 1_000);
});
