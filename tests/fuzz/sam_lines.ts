import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { LineReader, LineTooLong, MAX_SAM_LINE } from "../../lib/sam/line_reader.ts";
import { FakeStream } from "../support/fake_stream.ts";
import type { Target } from "./engine.ts";
import { fragments } from "./mutate.ts";

/** What a bridge sends: pieces of bytes, each as often as `times` says, so that long lines stay short to write. */
interface Stream {
  pieces: { text: string; times: number }[];
}

/** Lengths at which the reader's buffer is full, or the line is too long. */
const LIMITS = [2048, 4096, 8192, MAX_SAM_LINE, 2 * MAX_SAM_LINE];

/** Lines of a bridge: the same ones for every way to cut them, none too long, and what follows is left whole. */
export const samLines: Target<Stream> = {
  name: "sam-lines",
  weight: 6,
  corpus: [
    { pieces: [] },
    { pieces: [{ text: "\n", times: 1 }] },
    { pieces: [{ text: "a\r\n\r\r\n", times: 3 }] },
    { pieces: [{ text: "cut off", times: 1 }] },
    ...[-1, 0, 1].flatMap((more) => [
      { pieces: [{ text: "x", times: MAX_SAM_LINE + more }, { text: "\nrest", times: 1 }] },
      { pieces: [{ text: "x", times: MAX_SAM_LINE + more }] },
      // Behind a line, in a buffer that has to grow.
      { pieces: [{ text: "a\n", times: 1 }, { text: "x", times: MAX_SAM_LINE + more }, { text: "\n", times: 1 }] },
    ]),
    { pieces: [{ text: "a\n", times: 2047 }, { text: "xyz\n", times: 3000 }] },
    // Lines that make the buffer grow before the long one comes.
    { pieces: [1000, 3500, 5000, 20_000].flatMap((times) => [{ text: "x", times }, { text: "\n", times: 1 }]) },
  ],
  generate: (random) => ({
    pieces: Array.from({ length: random.below(9) }, () => {
      if (random.below(30) === 0) return { text: "x", times: random.pick(LIMITS) + random.below(5) - 2 };
      if (random.below(6) === 0) return { text: "x", times: random.below(6000) };
      const text = random.below(3) === 0
        ? random.latin1(1 + random.below(8))
        : random.pick(["x", "ab\n", "\n", "\r\n"]);
      return { text, times: 1 + random.below(random.pick([8, 8, 8, 300])) };
    }),
  }),
  check: async ({ pieces }, random) => {
    const bytes = Uint8Array.from(pieces.map(({ text, times }) => text.repeat(times)).join(""), (c) => c.charCodeAt(0));
    const expected = split(bytes);
    await checkLines([bytes], expected, "whole");
    await checkLines(fragments(bytes, random), expected, "cut into fragments");
    if (bytes.length < 200) {
      await checkLines(Array.from(bytes, (byte) => Uint8Array.of(byte)), expected, "byte by byte");
    }
  },
};

/** The lines of a stream, with the offsets behind them, and how it ends. */
interface Lines {
  lines: [text: string, end: number][];
  isTooLong: boolean;
  isCutShort: boolean;
}

async function checkLines(chunks: Uint8Array[], { lines, isTooLong, isCutShort }: Lines, label: string): Promise<void> {
  const stream = new FakeStream(chunks);
  let read = 0;
  const reader = new LineReader({
    read: async (buffer) => {
      const count = await stream.read(buffer);
      read += count ?? 0;
      return count;
    },
  });
  for (const [text, end] of lines) {
    const line = await reader.next();
    const left = read - reader.rest().length;
    if (line !== text || left !== end) assertEquals([line, left], [text, end], label);
  }
  // A line that was cut short was ended by the end itself.
  if (isCutShort) return;
  const error = await reader.next().then((line) => line, (error: unknown) => error);
  assertInstanceOf(error, isTooLong ? LineTooLong : Deno.errors.UnexpectedEof, `${label}: the end`);
  assert(reader.rest().length <= 3 * MAX_SAM_LINE, `${label}: ${reader.rest().length} bytes were read ahead`);
}

/** The same, of bytes that are all there. */
function split(bytes: Uint8Array): Lines {
  const lines: Lines["lines"] = [];
  for (let start = 0; start < bytes.length;) {
    const found = bytes.indexOf(10, start);
    const [end, next] = found < 0 ? [bytes.length, bytes.length] : [found, found + 1];
    if (end - start > MAX_SAM_LINE) return { lines, isTooLong: true, isCutShort: false };
    lines.push([new TextDecoder().decode(bytes.subarray(start, end)).replace(/\r$/, ""), next]);
    start = next;
  }
  const isCutShort = bytes.length > 0 && bytes.at(-1) !== 10;
  return { lines, isTooLong: false, isCutShort };
}
