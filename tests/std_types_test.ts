import * as assertions from "@std/assert";
import { assertEquals, assertThrows } from "@std/assert";
import { encodeBase32 } from "@std/encoding/base32";
import { pureTest } from "./support/pure.ts";

// Were the types of @std lost, everything of it would be `any`, and the checker would call these directives unused.

pureTest("@std/assert has types, which know its names", () => {
  // @ts-expect-error There is no such name.
  const missing = assertions.assertNothingAtAll;
  assertEquals(missing, undefined);
});

pureTest("@std/assert has types, which know its arguments", () => {
  // @ts-expect-error A number is not a string.
  assertThrows(() => assertions.assertStringIncludes(12, "1"), TypeError);
});

pureTest("@std/encoding/base32 has types, which know their arguments", () => {
  // @ts-expect-error A number has no base32.
  assertThrows(() => encodeBase32(32), TypeError);
});
