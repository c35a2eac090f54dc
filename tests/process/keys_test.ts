import { assert } from "@std/assert";
import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { type CommandResult, runProxy } from "../support/command.ts";
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
