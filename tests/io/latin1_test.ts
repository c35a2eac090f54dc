import { assertEquals } from "@std/assert";
import { fromLatin1, toLatin1 } from "../../lib/io/latin1.ts";
import { pureTest } from "../support/pure.ts";

pureTest("fromLatin1() makes one character of each byte, and toLatin1() the byte of it", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
  const text = fromLatin1(bytes);
  assertEquals(Array.from(text, (character) => character.charCodeAt(0)), [...bytes]);
  assertEquals(toLatin1(text), bytes);
  assertEquals(fromLatin1(bytes.subarray(0xef, 0xf2)), "\xef\xf0\xf1");
  // No mark at the beginning is taken for one of the byte order.
  assertEquals(fromLatin1(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), "\xef\xbb\xbfa");
  assertEquals(fromLatin1(new Uint8Array()), "");
});
