import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { decodeI2pBase32, encodeI2pBase32 } from "../../lib/i2p/base32.ts";
import { decodeI2pBase64, encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import type { Target } from "./engine.ts";
import { hex } from "./literal.ts";
import { mutateBytes, mutateText } from "./mutate.ts";

/** Bytes, and a text that may or may not stand for bytes. */
interface Encoding {
  bytes: Uint8Array;
  text: string;
}

/** I2P's base32 and base64: bytes come back, and what is no encoding of bytes is refused. */
export const encodings: Target<Encoding> = {
  name: "encodings",
  weight: 8,
  corpus: [
    ...["=", "==", "====", "A===", "AA==", "AB==", "AAA=", "AAAA====", "A", "+/+/", "-~-~", " ", "AA\n="].map((
      text,
    ) => ({
      bytes: hex(""),
      text,
    })),
    ...["a", "aa", "ab", "aaa", "aaaaaaaa", "ba======", "my", "mz", "MY", "m1", "\u0131a"].map((text) => ({
      bytes: hex("00"),
      text,
    })),
  ],
  generate: (random) => {
    const bytes = mutateBytes(random.bytes(random.below(50)), random, { maxLength: 200 });
    const text = random.pick([encodeI2pBase32, encodeI2pBase64])(bytes);
    return { bytes, text: mutateText(text, random, { tokens: ["=", "==", "-", "~", "+", "/", "A"], maxLength: 300 }) };
  },
  check: ({ bytes, text }) => {
    const [base32, base64] = [encodeI2pBase32(bytes), encodeI2pBase64(bytes)];
    assert(/^[a-z2-7]*$/.test(base32) && /^[\w~-]*=*$/.test(base64) && !base64.includes("_"), `${base32} ${base64}`);
    assertEquals(decodeI2pBase32(base32), bytes.slice());
    assertEquals(decodeI2pBase64(base64), bytes.slice());
    const from32 = decoded(decodeI2pBase32, text);
    if (from32 !== undefined) assertEquals(encodeI2pBase32(from32), text, "another text of the same bytes");
    const from64 = decoded(decodeI2pBase64, text);
    if (from64 === undefined) return;
    // The unused bits of the last character are not looked at.
    const again = encodeI2pBase64(from64);
    assertEquals([again.length, again.replace(/.?=*$/, "")], [text.length, text.replace(/.?=*$/, "")]);
  },
};

function decoded(decode: (text: string) => Uint8Array, text: string): Uint8Array | undefined {
  try {
    return decode(text);
  } catch (error) {
    assertInstanceOf(error, SyntaxError);
    return undefined;
  }
}
