import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { type CommandResult, runCommand, runProxy } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { makeScratch } from "../support/scratch.ts";

Deno.test("no verb of keys prints the private part", async () => {
  await using bridge = await startSamBridge();
  await using scratch = await makeScratch();
  const keys = (...args: string[]): Promise<CommandResult> => runProxy(["keys", ...args, "--keys-dir", scratch.dir]);
  const sam = ["--sam", `127.0.0.1:${bridge.port}`];
  await Deno.chmod(scratch.dir, 0o700);
  const results = [await keys("new", "a", ...sam), await keys("show", "a"), await keys("list")];
  const secret = encodeI2pBase64((await Deno.readFile(`${scratch.dir}/a.dat`)).slice(391));
  results.push(await keys("rotate", "a", "--yes", ...sam), await keys("delete", "a", "--yes"));
  for (const { stdout, stderr } of results) assert(!(stdout + stderr).includes(secret.slice(4, 40)));
});

e2eTest("a pipe in place of a key or its lock is refused, and never waited for", ["mkfifo"], async () => {
  await using bridge = await startSamBridge();
  await using scratch = await makeScratch();
  await Deno.chmod(scratch.dir, 0o700);
  const at = ["--keys-dir", scratch.dir, "--sam", `127.0.0.1:${bridge.port}`];
  assertEquals((await runProxy(["keys", "new", "one", ...at])).code, 0);
  await Deno.remove(`${scratch.dir}/one.lock`);
  await runCommand("mkfifo", ["-m", "600", `${scratch.dir}/two.dat`, `${scratch.dir}/one.lock`]);
  for (const verb of [["keys", "show", "two"], ["--listen", "0", "--identity", "two"], ["keys", "show", "one"]]) {
    const { code, stderr } = await runProxy([...verb, ...at]);
    assertEquals(code, 1, stderr);
    assertStringIncludes(stderr, "is not a file");
  }
});
