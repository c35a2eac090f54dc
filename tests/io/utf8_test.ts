import { assertEquals, assertThrows } from "@std/assert";
import { decodeUtf8 } from "../../lib/io/utf8.ts";
import { pureTest } from "../support/pure.ts";

/** Bytes from a text with one character for each. */
function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

pureTest("decodeUtf8() decodes, and drops one byte order mark in front", () => {
  const texts = ["", "a\n", "M\u00fcller\r\n\u20ac \u{1f511}\n", "\ufffd", "a\ufeffb", "\ufeffb"];
  for (const text of texts) {
    const encoded = new TextEncoder().encode(text);
    assertEquals(decodeUtf8(encoded), text.replace(/^\ufeff/, ""));
    assertEquals(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, ...encoded)), text);
  }
});

pureTest("decodeUtf8() refuses anything else, with its line", () => {
  const wrong: readonly (readonly [text: string, line: number])[] = [
    ["M\xfcller", 1],
    ["M\xfcller\n\xfc", 1],
    ["a\nb\r\nM\xfcller\nc\n", 3],
    ["\n\n\n\xe2\x82", 4],
    ["a\n\xe2\x82\n\xac", 2],
    // UTF-16 of both orders, an overlong slash, and half of a pair.
    ["\xff\xfea\0\n\0", 1],
    ["\xfe\xff\0a\0\n", 1],
    ["a\n\xc0\xaf", 2],
    ["a\n\n\xed\xa0\x80", 3],
  ];
  for (const [text, line] of wrong) {
    assertThrows(() => decodeUtf8(bytes(text)), SyntaxError, `line ${line}: it is not UTF-8`, JSON.stringify(text));
  }
});
