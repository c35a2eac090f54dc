import { assertEquals, assertRejects } from "@std/assert";
import { writeNewFile } from "../../lib/io/new_file.ts";
import { makeScratch } from "../support/scratch.ts";

Deno.test("writeNewFile() writes for this user alone, never over another file, and leaves no part of one", async () => {
  await using scratch = await makeScratch();
  const path = `${scratch.dir}/new`;
  await writeNewFile(path, Uint8Array.of(1, 2, 3));
  assertEquals([...await Deno.readFile(path)], [1, 2, 3]);
  if (Deno.build.os !== "windows") assertEquals(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  await assertRejects(() => writeNewFile(path, Uint8Array.of(4)), Deno.errors.AlreadyExists);
  assertEquals([...await Deno.readFile(path)], [1, 2, 3]);

  const failure = Object.assign(new Error("no space left on device (os error 28)"), { code: "ENOSPC" });
  const open = Deno.open;
  Deno.open = async (name, options) => {
    const file = await open(name, options);
    file.sync = () => Promise.reject(failure);
    return file;
  };
  try {
    await assertRejects(() => writeNewFile(`${scratch.dir}/part`, Uint8Array.of(1)), Error, "no space left");
  } finally {
    Deno.open = open;
  }
  assertEquals(await Array.fromAsync(Deno.readDir(scratch.dir), ({ name }) => name), ["new"]);
});
