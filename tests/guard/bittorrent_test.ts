import { assertEquals } from "@std/assert";
import type { LeakKind } from "../../lib/guard/leak.ts";
import { BITTORRENT } from "../../lib/guard/bittorrent.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";
import { readStream } from "./read_stream.ts";

function verdict(sent: string): { leaks: LeakKind[]; isDone: boolean } | undefined {
  const report = readStream(BITTORRENT, sent, { isOpen: true });
  return report && { leaks: report.leaks, isDone: report.isDone };
}

function handshake(peerId: string): string {
  return `\x13BitTorrent protocol\0\0\0\0\0\x10\0\x05${"-UT3550-".padEnd(20, "h")}${
    peerId.padEnd(20, "r").slice(0, 20)
  }`;
}

pureTest("bittorrent finds a peer id that names the client", () => {
  const ids = [
    "-qB4500-",
    "-qB45A0-",
    "-TR4060-",
    "-TR300Z-",
    "-lt0D80-",
    "-LT20B0-",
    "-DE211s-",
    "-UT355W-",
    "-BI3800-",
    "-AZ5770-",
    "-XD0400-",
    "S58B-----",
    "T03I-----",
    "M7-9-2--",
    "M4-20-8-",
    "\x03\x03\x03\x03",
  ];
  for (const id of ids) assertEquals(verdict(handshake(id)), { leaks: ["bittorrent-client"], isDone: false }, id);
});

pureTest("bittorrent finds nothing in a peer id of random bytes, as of libtorrent in anonymous mode", () => {
  const random = new Random(5);
  for (let round = 0; round < 1_000; round++) {
    assertEquals(verdict(handshake(random.latin1(20))), { leaks: [], isDone: false });
  }
  const ids = [
    "",
    "0123456789",
    "-----",
    "-qB4500x",
    "-1B4500-",
    "-qB45-0-",
    "x-qB4500-",
    "X58B-----",
    "S58B--x",
    "S12345--x",
    "M7-9-",
    "\x03\x03\x02",
  ];
  for (const id of ids) assertEquals(verdict(handshake(id)), { leaks: [], isDone: false }, id);
});

pureTest("bittorrent waits for all of the peer id", () => {
  const whole = handshake("-qB4500-");
  for (let length = 0; length < 68; length++) {
    assertEquals(verdict(whole.slice(0, length))?.leaks ?? [], [], `${length}`);
  }
  assertEquals(verdict(`${whole}\0\0\0\x01\x02`)?.leaks, ["bittorrent-client"]);
  assertEquals(verdict(`${handshake("")}-qB4500-`)?.leaks, []);
});

pureTest("bittorrent finds client and address in the handshake of extensions, behind few other messages", () => {
  const message = (text: string): string => `\0\0${String.fromCharCode(text.length >> 8, text.length & 255)}${text}`;
  const extended = (dictionary: string): string => message(`\x14\0${dictionary}`);
  const field = message(`\x05${"\xff".repeat(900)}`);
  const cases: readonly [string, LeakKind[]][] = [
    ["d1:md11:ut_metadatai1ee1:v17:qBittorrent/4.5.2e", ["bittorrent-client"]],
    ["d1:md11:ut_metadatai1ee4:ipv44:\x0a\x01\x02\x031:pi6881ee", ["bittorrent-address"]],
    [`d4:ipv616:\x2a\x01${"\0".repeat(13)}\x051:pi6881ee`, ["bittorrent-address"]],
    ["d1:md11:ut_metadatai1ee6:yourip4:\x0a\x01\x02\x031:v0:e", []],
    ["d1:md11:ut_metadatai1eee", []],
  ];
  for (const [dictionary, leaks] of cases) {
    assertEquals(verdict(handshake("") + extended(dictionary))?.leaks, leaks, dictionary);
    assertEquals(verdict(handshake("") + field + message("") + extended(dictionary))?.leaks, leaks, dictionary);
  }
});

pureTest("bittorrent leaves other protocols alone", () => {
  for (const sent of ["\x13BitTorrent Protocol".padEnd(68, "-"), "BitTorrent protocol".padEnd(68, "-"), "\x13\0"]) {
    assertEquals(verdict(sent), undefined, sent);
  }
});
