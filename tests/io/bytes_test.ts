import { assertEquals } from "@std/assert";
import { concat } from "../../lib/io/bytes.ts";
import { pureTest } from "../support/pure.ts";

pureTest("concat() puts bytes one behind the other, into memory of their own", () => {
  const first = new Uint8Array([1, 2, 3]);
  const bytes = concat([first.subarray(1), new Uint8Array(), new Uint8Array([4])]);
  assertEquals(bytes, new Uint8Array([2, 3, 4]));
  first.fill(0);
  assertEquals(bytes, new Uint8Array([2, 3, 4]));
  assertEquals(concat([]), new Uint8Array());
});
