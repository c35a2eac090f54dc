import { assertEquals, assertRejects } from "@std/assert";
import { readWhenReady, writeWhenReady } from "../../lib/io/when_ready.ts";

Deno.test("readWhenReady() and writeWhenReady() try again what would have to wait, and nothing else", async () => {
  const attempts = [new Deno.errors.WouldBlock(), new Deno.errors.WouldBlock(), 7];
  const next = (): Promise<number> => {
    const attempt = attempts.shift();
    return typeof attempt === "number" ? Promise.resolve(attempt) : Promise.reject(attempt);
  };
  assertEquals(await readWhenReady({ read: next }, new Uint8Array(9)), 7);
  attempts.push(new Deno.errors.WouldBlock(), 9);
  assertEquals(await writeWhenReady({ write: next }, new Uint8Array(9)), 9);
  attempts.push(new Deno.errors.BrokenPipe());
  await assertRejects(() => writeWhenReady({ write: next }, new Uint8Array(9)), Deno.errors.BrokenPipe);
});
