import { assertEquals } from "@std/assert";
import type { Inspection } from "../../lib/guard/detector.ts";
import {
  decodeBase64,
  lastPacket,
  lastReadable,
  LineReader,
  MAX_LINE,
  numberAt,
  PacketReader,
  PARTIAL,
} from "../../lib/guard/reader.ts";
import { pureTest } from "../support/pure.ts";

/** A context that keeps what is searched. */
function makeContext(): { context: Inspection; searched: () => string } {
  let searched = "";
  const context: Inspection = {
    host: "site.i2p",
    blocks: false,
    onLeak: () => {},
    onTrait: () => {},
    scan: () => ({ push: (text) => (searched += text, 0), end: () => {} }),
    search: () => {},
  };
  return { context, searched: () => searched };
}

pureTest("LineReader hands on each line, the last one at the end, and long ones in pieces", () => {
  const lines: string[] = [];
  const reader = new LineReader({ line: (text) => lines.push(text), more: (text) => lines.push(`+${text.length}`) });
  assertEquals(reader.push("a\r\nb\n\nc"), 1);
  assertEquals(reader.push("d"), 2);
  assertEquals(lines, ["a", "b", ""]);
  reader.push(`\n${"x".repeat(2 * MAX_LINE + 10)}`);
  reader.push("\ne");
  reader.end();
  assertEquals(lines.map((line) => line.length > 10 ? line.length : line), [
    "a",
    "b",
    "",
    "cd",
    MAX_LINE,
    "+8192",
    "+10",
    "e",
  ]);
});

pureTest("LineReader ends where TLS begins, if that was asked for", () => {
  for (const mayTurnToTls of [true, false]) {
    const lines: string[] = [];
    const reader = new LineReader({ line: (text) => lines.push(text), mayTurnToTls });
    reader.push("STARTTLS\r\n\x16");
    assertEquals(reader.push("\x03\x01\n"), 0);
    assertEquals([lines.length, reader.skip], mayTurnToTls ? [1, Infinity] : [2, 0]);
  }
});

pureTest("PacketReader takes packets, skips what it need not see, and stops", () => {
  const packets: string[] = [];
  const { context, searched } = makeContext();
  const reader = new PacketReader(context, (text) => {
    if (text.length < 2) return PARTIAL;
    packets.push(text.slice(0, 2));
    if (text.startsWith("l")) return lastPacket();
    return text.startsWith("e") ? lastReadable() : { taken: 2, leaks: [], skip: 3 };
  });
  assertEquals(reader.push("a"), 1);
  assertEquals(reader.push("a..."), 0);
  assertEquals(reader.push("bb.."), 0);
  assertEquals(reader.push(".ccc"), 0);
  assertEquals(packets, ["aa", "bb", "cc"]);
  reader.push("..eeee");
  assertEquals([packets.at(-1), reader.skip, searched()], ["ee", Infinity, "aa...bb...ccc..eeee"]);
  const other = new PacketReader(makeContext().context, () => lastPacket());
  other.push("ll");
  assertEquals(other.skip, 0, "what follows is searched for identifiers");
});

pureTest("numberAt() and decodeBase64() read what is there", () => {
  assertEquals([numberAt("\x01\x02\x03", 0, 2), numberAt("\x01", 0, 2)], [258, 256]);
  assertEquals(decodeBase64("YWxpY2U="), "alice");
  assertEquals(decodeBase64("YWxpY2U"), "alice");
  assertEquals(decodeBase64("_-8"), "\xff\xef");
  for (const text of ["", "a", "a b", "\xff"]) assertEquals(decodeBase64(text), "", text);
});
