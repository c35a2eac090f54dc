import { assertEquals } from "@std/assert";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { TLS } from "../../lib/guard/tls.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";
import { readStream } from "./read_stream.ts";

const LEAK: readonly LeakKind[] = ["tls-server-name"];

function uint(value: number, bytes: number): string {
  return Array.from({ length: bytes }, (_, at) => String.fromCharCode(value >> 8 * (bytes - 1 - at) & 255)).join("");
}

/** A text behind its length. */
function sized(text: string, bytes: number): string {
  return uint(text.length, bytes) + text;
}

function serverName(name: string): string {
  return uint(0, 2) + sized(sized(`\0${sized(name, 2)}`, 2), 2);
}

/** A ClientHello without its record, as OpenSSL sends it for TLS 1.2 and 1.3. */
function hello(...extensions: string[]): string {
  const grease = `\x0a\x0a${sized("", 2)}`;
  const groups = uint(10, 2) + sized(sized("\0\x1d\0\x17", 2), 2);
  const body = `\x03\x03${"R".repeat(32)}${sized("S".repeat(32), 1)}${sized("\x13\x01\x13\x02\x00\xff", 2)}` +
    sized("\0", 1) + sized([grease, ...extensions, groups].join(""), 2);
  return `\x01${sized(body, 3)}`;
}

function records(handshake: string, size = handshake.length): string {
  let all = "";
  for (let at = 0; at < handshake.length; at += size) {
    all += `\x16\x03\x01${sized(handshake.slice(at, at + size), 2)}`;
  }
  return all;
}

/** Nothing is asked of less than eight bytes before the stream ends. */
function verdict(sent: string): { leaks: LeakKind[]; isDone: boolean } | undefined {
  const report = readStream(TLS, sent, { isOpen: true });
  return report && { leaks: report.leaks, isDone: report.isDone };
}

pureTest("tls names a ClientHello for a host of the clearnet, and none for one of I2P", () => {
  const names: readonly [string, boolean][] = [
    ["example.org", true],
    ["EXAMPLE.org", true],
    ["i2p", true],
    ["203.0.113.7", true],
    ["site.i2p", false],
    ["Other.I2P", false],
    ["site.i2p.alt", false],
    ["127.0.0.1", false],
    ["localhost", false],
    ["", false],
  ];
  for (const [name, isLeak] of names) {
    assertEquals(verdict(records(hello(serverName(name)))), { leaks: isLeak ? LEAK : [], isDone: true }, name);
  }
  assertEquals(verdict(records(hello())), { leaks: [], isDone: true });
  const otherType = serverName("example.org").replace("\0\0\x0bexample", "\x01\0\x0bexample");
  assertEquals(verdict(records(hello(otherType))), { leaks: [], isDone: true });
});

pureTest("tls waits for all of a ClientHello, over however many records, and heeds nothing behind it", () => {
  const handshake = hello(serverName("example.org"));
  for (const size of [1, 3, 5, 60, handshake.length]) {
    const sent = records(handshake, size);
    for (let length = 8; length < sent.length; length++) {
      assertEquals(verdict(sent.slice(0, length)), { leaks: [], isDone: false }, `${size} ${length}`);
    }
    for (const behind of ["", "\x14\x03\x03\0\x01\x01", "GET / HTTP/1.1\r\n", records("\x02\0\0\0")]) {
      assertEquals(verdict(sent + behind), { leaks: LEAK, isDone: true }, `${size}`);
    }
  }
});

pureTest("tls reads a ClientHello of OpenSSL byte for byte", () => {
  const sent = "\x16\x03\x01\0\x44\x01\0\0\x40\x03\x03" + "R".repeat(32) + "\0" + "\0\x02\x13\x01" + "\x01\0" +
    "\0\x15" +
    "\0\0\0\x11\0\x0f\0\0\x0circ.oftc.net";
  assertEquals(verdict(sent), { leaks: LEAK, isDone: true });
  assertEquals(verdict(sent.replace("oftc.net", "oftc.i2p")), { leaks: [], isDone: true });
});

pureTest("tls is done with what is no ClientHello", () => {
  const done = { leaks: [], isDone: true };
  assertEquals(verdict(records("\x02\0\0")), done);
  assertEquals(verdict("\x16\x03\x01\0\0\0\0\0"), done);
  assertEquals(verdict("\x16\x03\x01\xff\xff\0\0\0"), done);
  assertEquals(verdict("\x16\x03\x01\0\x01\x01\x17\x03\x03\0\x01x"), done);
  assertEquals(verdict("\x16\x03\x01\0\x01\x01\x16\x02\x03\0\x01x"), done);
  assertEquals(verdict(records("\x01\0\0\0")), done);
});

pureTest("tls leaves other protocols alone", () => {
  for (const sent of ["", "\x16", "\x16\x04", "\x15\x03\x01", "GET / HTTP/1.1\r\n", "\0\x16\x03\x01"]) {
    assertEquals(verdict(sent), undefined, sent);
  }
});

pureTest("tls withstands a ClientHello with a wrong byte anywhere", () => {
  const sent = records(hello(serverName("site.i2p")));
  const random = new Random(3);
  for (let at = 2; at < sent.length; at++) {
    for (const byte of ["\0", "\xff", random.latin1(1)]) {
      assertEquals(typeof verdict(sent.slice(0, at) + byte + sent.slice(at + 1))?.isDone, "boolean", `${at}`);
    }
  }
});
