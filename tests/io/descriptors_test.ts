import { assertEquals } from "@std/assert";
import { countFreeDescriptors } from "../../lib/io/descriptors.ts";

// What is left open fails the test: the runtime looks for it.
Deno.test("countFreeDescriptors() counts up to what is enough, and leaves nothing open", () => {
  assertEquals([40, 0, 300].map((most) => countFreeDescriptors(most)), [40, 0, 300]);
});
