import { assertEquals } from "@std/assert";
import { LruMap } from "../../lib/io/lru_map.ts";
import { pureTest } from "../support/pure.ts";

pureTest("LruMap has the least recently used entry first, and use() and set() are uses", () => {
  const map = new LruMap<string, number>();
  map.set("a", 1).set("b", 2).set("c", 3);
  assertEquals([...map.keys()], ["a", "b", "c"]);
  assertEquals(map.use("a"), 1);
  assertEquals([...map.keys()], ["b", "c", "a"]);
  map.set("b", 4);
  assertEquals([...map], [["c", 3], ["a", 1], ["b", 4]]);
  assertEquals([map.get("c"), map.has("c")], [3, true]);
  assertEquals([...map.keys()], ["c", "a", "b"]);
  assertEquals([map.use("d"), map.size], [undefined, 3]);
});

pureTest("LruMap drops what was not used for longest, and says so", () => {
  const dropped: number[] = [];
  const map = new LruMap<string, number>(2, (value) => dropped.push(value));
  map.set("a", 1).set("b", 2);
  map.use("a");
  map.set("c", 3);
  assertEquals([[...map.keys()], dropped], [["a", "c"], [2]]);
  // What is replaced or deleted did not give way.
  map.set("a", 4);
  map.delete("c");
  assertEquals([[...map], dropped], [[["a", 4]], [2]]);
});
