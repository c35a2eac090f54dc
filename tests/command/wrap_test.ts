import { assertEquals } from "@std/assert";
import { wrap } from "../../lib/command/wrap.ts";
import { pureTest } from "../support/pure.ts";

pureTest("wrap() breaks at spaces, and leaves words and columns as they are", () => {
  const long = "x".repeat(90);
  assertEquals(wrap(`a ${long} b`, "  "), `a\n  ${long}\n  b`);
  assertEquals(wrap("  --a      b c"), "  --a      b c");
  assertEquals(wrap(`${"ab ".repeat(26)}cd`), `${"ab ".repeat(26)}cd`);
  assertEquals(wrap(`${"ab ".repeat(26)}cde`), `${"ab ".repeat(26).trimEnd()}\ncde`);
  assertEquals(wrap(""), "");
});
