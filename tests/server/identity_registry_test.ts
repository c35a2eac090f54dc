import { assert, assertEquals, assertMatch } from "@std/assert";
import { type IdentityHandle, IdentityRegistry } from "../../lib/server/identity_registry.ts";
import { readSettings } from "../../lib/config/settings.ts";
import { FileLock } from "../../lib/keys/file_lock.ts";
import { createLog } from "../../lib/report/log.ts";
import { atMost } from "../sam_bridge/wire.ts";
import { type SamBridge, startSamBridge } from "../sam_bridge/bridge.ts";
import { makeScratch } from "../support/scratch.ts";

Deno.test("Who lets go twice waits for the end both times, and the lock says when it was", async () => {
  await using stage = await setTheStage();
  const held = await stage.acquire();
  const session = await held.open();
  const first = session.lost.then(held.release);
  stage.bridge.dropSessions();
  await session.lost;
  await held.release();
  const locks = (await Array.fromAsync(Deno.readDir(stage.folder))).filter(({ name }) => name.endsWith(".lock"));
  assertEquals(locks.length, 1);
  for (const { name } of locks) assertMatch(await Deno.readTextFile(`${stage.folder}/${name}`), /\d/);
  await first;
});

Deno.test("An identity whose lock cannot be written to is let go of all the same, and can be had again", async () => {
  await using stage = await setTheStage();
  const held = await stage.acquire();
  await held.open();
  const { stamp } = FileLock.prototype;
  FileLock.prototype.stamp = () => Promise.reject(new Error("No space left on device (os error 28)"));
  try {
    await atMost(5_000, held.release());
  } finally {
    FileLock.prototype.stamp = stamp;
  }
  assert(stage.log.some((line) => line.includes("no space left on device")), stage.log.join("\n"));
  const again = await atMost(20_000, stage.acquire());
  assert(again !== undefined, "it cannot be had again");
  await again.release();
});

/** A registry over a bridge and a folder of keys. */
async function setTheStage(): Promise<
  AsyncDisposable & { acquire: () => Promise<IdentityHandle>; bridge: SamBridge; folder: string; log: string[] }
> {
  await using started = new AsyncDisposableStack();
  const bridge = started.use(await startSamBridge());
  const scratch = started.use(await makeScratch());
  const folder = `${scratch.dir}/keys`;
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const log = createLog({ level: "warn", format: "text", destinations: false, write });
  const registry = new IdentityRegistry(log, new AbortController().signal);
  const settings = readSettings(new Map([["identity", [{ text: "x", source: "test" }]]]));
  const everything = started.move();
  return {
    acquire: () => registry.acquire(settings, () => folder, { hostname: "127.0.0.1", port: bridge.port }, false),
    bridge,
    folder,
    log: lines,
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}
