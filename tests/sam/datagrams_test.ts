import { assertEquals } from "@std/assert";
import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { formatSamDatagram, parseSamDatagram, readSender, readSenderHash } from "../../lib/sam/datagrams.ts";
import { concat } from "../support/bytes.ts";
import { pureTest } from "../support/pure.ts";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What a bridge forwards: the header line, and what is read from it; undefined is no datagram. */
const FORWARDED: readonly [string, string, number | undefined][] = [
  ["DEST", "DEST", undefined],
  ["DEST\r", "DEST", undefined],
  ["DEST FROM_PORT=53 TO_PORT=1024", "DEST", 53],
  ["DEST TO_PORT=1024 FROM_PORT=0", "DEST", 0],
  ["DEST FROM_PORT=65536", "DEST", undefined],
  ["DEST FROM_PORT=x FUTURE=1", "DEST", undefined],
  ["DEST XFROM_PORT=5", "DEST", undefined],
];

pureTest("A datagram for the bridge has its session and a destination in the first line, and nothing else", () => {
  const payload = Uint8Array.of(0, 10, 255);
  assertEquals(formatSamDatagram("id", "DEST=", payload), concat(ascii("3.0 id DEST=\n"), payload));
});

pureTest("What the bridge forwards is a sender, perhaps a port, and the payload", () => {
  for (const [line, from, fromPort] of FORWARDED) {
    const payload = Uint8Array.of(10, 0, 255);
    assertEquals(parseSamDatagram(concat(ascii(`${line}\n`), payload)), { from, fromPort, payload }, line);
  }
  for (const none of ["", "DEST", "\nx", " \nx", `${"x".repeat(2048)}\nx`]) {
    assertEquals(parseSamDatagram(ascii(none)), undefined, none);
  }
});

pureTest("A sender is one destination, and no more than that", () => {
  const plain = new Uint8Array(387).fill(1, 0, 384);
  const certified = concat(plain.subarray(0, 384), Uint8Array.of(5, 0, 4, 0, 7, 0, 0));
  for (const destination of [plain, certified]) {
    assertEquals(readSender(encodeI2pBase64(destination)), destination);
    assertEquals(readSender(encodeI2pBase64(concat(destination, Uint8Array.of(1)))), undefined);
    assertEquals(readSender(encodeI2pBase64(destination.subarray(1))), undefined);
  }
  for (const text of ["", "a.i2p", "*", "A".repeat(515)]) assertEquals(readSender(text), undefined, text);
});

pureTest("A sender that is a hash has the address of that hash, and nothing else is one", () => {
  const hash = new Uint8Array(32).fill(255, 1);
  const text = encodeI2pBase64(hash);
  assertEquals(text.length, 44);
  assertEquals(readSenderHash(text), `ad${"7".repeat(49)}q.b32.i2p`);
  for (const bytes of [new Uint8Array(), hash.subarray(1), concat(hash, hash), new Uint8Array(391)]) {
    assertEquals(readSenderHash(encodeI2pBase64(bytes)), undefined);
  }
  for (const none of ["a.i2p", "*", text.slice(1)]) assertEquals(readSenderHash(none), undefined, none);
});
