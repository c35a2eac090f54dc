import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeI2pBase64, encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";

/** Bytes and their base64: the vectors of RFC 4648 §10, and both characters that are I2P's own. */
const VECTORS: readonly (readonly [readonly number[], string])[] = [
  [[], ""],
  [[0x66], "Zg=="],
  [[0x66, 0x6f], "Zm8="],
  [[0x66, 0x6f, 0x6f], "Zm9v"],
  [[0x66, 0x6f, 0x6f, 0x62], "Zm9vYg=="],
  [[0x66, 0x6f, 0x6f, 0x62, 0x61], "Zm9vYmE="],
  [[0x66, 0x6f, 0x6f, 0x62, 0x61, 0x72], "Zm9vYmFy"],
  [[0xfb, 0xef, 0xbe], "----"],
  [[0xff, 0xff, 0xff], "~~~~"],
  [[0xfb, 0xff], "-~8="],
  [[0x00, 0x00, 0x00], "AAAA"],
];

pureTest("encodeI2pBase64() writes - and ~, and keeps the padding", () => {
  for (const [bytes, text] of VECTORS) assertEquals(encodeI2pBase64(Uint8Array.from(bytes)), text);
});

pureTest("decodeI2pBase64() reads what encodeI2pBase64() writes", () => {
  for (const [bytes, text] of VECTORS) assertEquals(decodeI2pBase64(text), Uint8Array.from(bytes));
});

pureTest("decodeI2pBase64() gives back random bytes of every length up to a private key blob's", () => {
  const random = new Random(64);
  for (let length = 0; length <= 679; length++) {
    const bytes = random.bytes(length);
    const text = encodeI2pBase64(bytes);
    assertEquals(text.length, 4 * Math.ceil(length / 3));
    assert(/^[A-Za-z0-9~-]*={0,2}$/.test(text), text);
    assertEquals(decodeI2pBase64(text), bytes);
  }
});

pureTest("decodeI2pBase64() refuses characters outside the alphabet", () => {
  for (const text of ["Zm9+", "Zm9/", "Zm9_", "Zm 9", "Zm9v\n", " Zm9v", "Zg==Zg==", "Z===", "=Zm9", "Zmé=", "Zm9\0"]) {
    assertThrows(() => decodeI2pBase64(text), SyntaxError, "a character is outside its alphabet", text);
  }
});

pureTest("decodeI2pBase64() refuses a single character left over", () => {
  for (const text of ["Z", "Zm9vZ", "Z=", "Z=="]) {
    assertThrows(() => decodeI2pBase64(text), SyntaxError, `a length of ${text.length} characters`, text);
  }
});

pureTest("decodeI2pBase64() refuses a length that is no multiple of four", () => {
  for (const text of ["=", "==", "Zg=", "Zm8", "Zg", "Zm9v=", "Zm9v=="]) {
    assertThrows(() => decodeI2pBase64(text), SyntaxError, `a length of ${text.length} characters`, text);
  }
});
