import { assertEquals } from "@std/assert";
import { errorText, isNoRoom, isSystemError } from "../../lib/io/error_text.ts";
import { makeScratch } from "../support/scratch.ts";

Deno.test("errorText() leaves out numbers and calls of system errors", async () => {
  await using scratch = await makeScratch();
  const cases: [() => Promise<unknown>, string][] = [
    [() => Deno.open(`${scratch.dir}/${"a".repeat(300)}`, { write: true, create: true }), "file name too long"],
    [() => Deno.readTextFile(scratch.dir), "is a directory"],
    [() => Deno.open(`${scratch.dir}/none`), "no such file or directory"],
    [() => Deno.connect({ hostname: "127.0.0.1", port: 1 }), "connection refused"],
  ];
  for (const [fail, text] of cases) {
    const error = await fail().then(() => undefined, (error) => error);
    assertEquals([isSystemError(error), errorText(error)], [true, text]);
  }
});

Deno.test("errorText() leaves other errors as they are", { permissions: "none" }, () => {
  assertEquals(errorText(new RangeError("It has more than 5 bytes")), "It has more than 5 bytes");
  assertEquals(errorText("nonsense"), "nonsense");
  assertEquals([new Error("x"), "x", undefined].map(isSystemError), [false, false, false]);
});

Deno.test(
  "isNoRoom() knows a full disk and a file that may not grow, which has no code",
  { permissions: "none" },
  () => {
    const tooLarge = new Error("File too large (os error 27)");
    const withCode = (code: string): Error => Object.assign(new Error("Something (os error 1)"), { code });
    assertEquals(
      [tooLarge, withCode("ENOSPC"), withCode("EDQUOT"), withCode("EFBIG")].map(isNoRoom),
      Array(4).fill(true),
    );
    assertEquals([withCode("EPIPE"), new Error("x"), new Error("No (os error 2)")].map(isNoRoom), Array(3).fill(false));
    assertEquals([isSystemError(tooLarge), errorText(tooLarge)], [true, "file too large"]);
  },
);
