import { assert, assertEquals } from "@std/assert";
import { readUpTo } from "../../lib/io/read_up_to.ts";
import { pureTest } from "../support/pure.ts";

/** So many bytes that tell their places, at most `atOnce` a read; and how many were taken. */
function sourceOf(size: number, atOnce: number): { read(buffer: Uint8Array): Promise<number | null>; taken: number } {
  return {
    taken: 0,
    read(buffer): Promise<number | null> {
      assert(buffer.length > 0, "nothing is asked for");
      const count = Math.min(buffer.length, atOnce, size - this.taken);
      for (let i = 0; i < count; i++) buffer[i] = (this.taken + i) % 251;
      this.taken += count;
      return Promise.resolve(count === 0 ? null : count);
    },
  };
}

pureTest("readUpTo() reads all there is, in whatever pieces, up to the limit", async () => {
  for (const most of [0, 1, 16_383, 16_384, 100_000]) {
    for (const size of [0, 1, most - 1, most].filter((size) => size >= 0 && size <= most)) {
      for (const atOnce of [1 + size / 7 | 0, Infinity]) {
        const bytes = await readUpTo(sourceOf(size, atOnce), most);
        assertEquals(bytes, Uint8Array.from({ length: size }, (_, i) => i % 251), `${size} of ${most}`);
      }
    }
  }
});

pureTest("readUpTo() takes one byte beyond the limit and no more, of a source without an end", async () => {
  for (const most of [0, 1, 16_383, 16_384, 16_385, 40_000]) {
    for (const atOnce of [1000, Infinity]) {
      const source = sourceOf(Infinity, atOnce);
      assertEquals([await readUpTo(source, most), source.taken], [undefined, most + 1]);
    }
  }
});
