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

pureTest("bittorrent names a peer id that tells the client", () => {
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
  for (const id of ids) assertEquals(verdict(handshake(id)), { leaks: ["bittorrent-client"], isDone: true }, id);
});

pureTest("bittorrent finds nothing in a peer id of random bytes, as of libtorrent in anonymous mode", () => {
  const random = new Random(5);
  for (let round = 0; round < 1_000; round++) {
    assertEquals(verdict(handshake(random.latin1(20))), { leaks: [], isDone: true });
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
  for (const id of ids) assertEquals(verdict(handshake(id)), { leaks: [], isDone: true }, id);
});

pureTest("bittorrent waits for all of the handshake, and heeds nothing behind it", () => {
  const whole = handshake("-qB4500-");
  for (let length = 0; length < 20; length++) assertEquals(verdict(whole.slice(0, length)), undefined);
  for (let length = 20; length < 68; length++) {
    assertEquals(verdict(whole.slice(0, length)), { leaks: [], isDone: false }, `${length}`);
  }
  assertEquals(verdict(`${whole}\0\0\0\x01\x02`), { leaks: ["bittorrent-client"], isDone: true });
  assertEquals(verdict(handshake("") + "-qB4500-"), { leaks: [], isDone: true });
});

pureTest("bittorrent leaves other protocols alone", () => {
  for (const sent of ["\x13BitTorrent Protocol".padEnd(68, "-"), "BitTorrent protocol".padEnd(68, "-"), "\x13\0"]) {
    assertEquals(verdict(sent), undefined, sent);
  }
});
