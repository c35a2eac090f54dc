import { assertEquals, assertThrows } from "@std/assert";
import { decodeI2pBase32, encodeI2pBase32 } from "../../lib/i2p/base32.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** Texts and their base32: the vectors of RFC 4648 §10, in lower case and without padding. */
const VECTORS: readonly (readonly [string, string])[] = [
  ["", ""],
  ["f", "my"],
  ["fo", "mzxq"],
  ["foo", "mzxw6"],
  ["foob", "mzxw6yq"],
  ["fooba", "mzxw6ytb"],
  ["foobar", "mzxw6ytboi"],
];

pureTest("encodeI2pBase32() writes lower case without padding", () => {
  for (const [text, base32] of VECTORS) assertEquals(encodeI2pBase32(new TextEncoder().encode(text)), base32);
  assertEquals(
    encodeI2pBase32(Uint8Array.of(0x00, 0x44, 0x32, 0x14, 0xc7, 0x42, 0x54, 0xb6, 0x35, 0xcf)),
    ALPHABET.slice(0, 16),
  );
  assertEquals(
    encodeI2pBase32(Uint8Array.of(0x84, 0x65, 0x3a, 0x56, 0xd7, 0xc6, 0x75, 0xbe, 0x77, 0xdf)),
    ALPHABET.slice(16),
  );
});

pureTest("decodeI2pBase32() reads what encodeI2pBase32() writes", () => {
  for (const [text, base32] of VECTORS) assertEquals(decodeI2pBase32(base32), new TextEncoder().encode(text));
});

pureTest("decodeI2pBase32() gives back random bytes of every length up to 100", () => {
  const random = new Random(32);
  for (let length = 0; length <= 100; length++) {
    const bytes = random.bytes(length);
    const text = encodeI2pBase32(bytes);
    assertEquals(text.length, Math.ceil(length * 8 / 5));
    assertEquals(decodeI2pBase32(text), bytes);
  }
});

pureTest("decodeI2pBase32() refuses characters outside the alphabet", () => {
  for (const text of ["m0", "m1", "m8", "m9", "m-", "m ", "m\n", "mé", "m.", "m/", "m="]) {
    assertThrows(() => decodeI2pBase32(text), SyntaxError, "", text);
  }
});

pureTest("decodeI2pBase32() refuses lengths that no bytes have", () => {
  for (const length of [1, 3, 6, 9, 11, 14, 51, 54, 57]) {
    assertThrows(() => decodeI2pBase32("a".repeat(length)), SyntaxError, "in certain lengths", `${length} characters`);
  }
});

pureTest("decodeI2pBase32() refuses upper case and padding, which are not what encodeI2pBase32() writes", () => {
  for (const text of ["MZXW6", "mzxW6", "my======", "mzxq===="]) {
    assertThrows(() => decodeI2pBase32(text), SyntaxError, "", text);
  }
});

pureTest("decodeI2pBase32() takes 32 bytes with a or q at the end and nothing else", () => {
  const accepted = [...ALPHABET].filter((last) => {
    try {
      return decodeI2pBase32("a".repeat(51) + last).length === 32;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      assertEquals(error.message, "no bytes have this base32: its last character is wrong");
      return false;
    }
  });
  assertEquals(accepted, ["a", "q"]);
});
