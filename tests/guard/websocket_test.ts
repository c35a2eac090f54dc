import { assertEquals } from "@std/assert";
import { FrameReader, MAX_MESSAGE, mayBeginFrame } from "../../lib/guard/websocket.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";

/** A masked frame. */
function frame(first: number, payload: string): string {
  const key = [0x37, 0xfa, 0x21, 0x3d];
  const { length } = payload;
  const size = length < 126
    ? [length]
    : length < 65_536
    ? [126, length >> 8, length & 255]
    : [127, 0, 0, 0, 0, length >> 24, length >> 16 & 255, length >> 8 & 255, length & 255];
  const [short = 0, ...long] = size;
  const masked = Array.from(
    payload,
    (character, at) => String.fromCharCode(character.charCodeAt(0) ^ (key[at % 4] ?? 0)),
  );
  return String.fromCharCode(first, short | 0x80, ...long, ...key) + masked.join("");
}

/** What a reader makes of frames that come in pieces. */
function read(pieces: readonly string[]): { messages: string[]; compressed: number; isBroken: boolean } {
  const messages = [""];
  let compressed = 0;
  const reader = new FrameReader({
    text: (text) => messages.push((messages.pop() ?? "") + text),
    messageEnd: () => messages.push(""),
    compressed: () => compressed++,
  });
  for (const piece of pieces) {
    const skipped = Math.min(reader.skip, piece.length);
    if (skipped > 0) reader.pass(skipped);
    reader.push(piece.slice(skipped));
  }
  return { messages: messages.slice(0, -1), compressed, isBroken: reader.isBroken };
}

pureTest("FrameReader gives the text of messages, whatever the fragments", () => {
  const sent = frame(0x81, "Hello") + frame(0x01, "Hel") + frame(0x89, "ping") + frame(0x80, "lo") +
    frame(0x82, "\0\x01") +
    frame(0x81, "") + frame(0x81, "x".repeat(300)) + frame(0x88, "\x03\xe8");
  const expected = { messages: ["Hello", "Hello", "", "", "x".repeat(300)], compressed: 0, isBroken: false };
  assertEquals(read([sent]), expected);
  assertEquals(read([...sent]), expected);
  const random = new Random(17);
  for (let round = 0; round < 100; round++) {
    const cut = random.below(sent.length);
    assertEquals(read([sent.slice(0, cut), sent.slice(cut)]), expected, `${cut}`);
  }
});

pureTest("FrameReader decodes the beginning of a long message, and says which are compressed", () => {
  const long = "y".repeat(70_000);
  const { messages, isBroken } = read([frame(0x81, long) + frame(0x81, "z")]);
  assertEquals([messages.map(({ length }) => length), isBroken], [[MAX_MESSAGE, 1], false]);
  assertEquals(read([frame(0xc1, "abc") + frame(0x81, "d")]), { messages: ["", "d"], compressed: 1, isBroken: false });
});

pureTest("FrameReader knows what is not a frame of a client", () => {
  for (const sent of ["\x81\x05Hello", "GET / HTTP/1.1\r\n", "\x83\x80abcd", "\x91\x80abcd", "\xb1\x80abcd"]) {
    assertEquals(read([sent]).isBroken, true, sent);
    assertEquals(mayBeginFrame(sent.charCodeAt(0), sent.charCodeAt(1)), false);
  }
});
