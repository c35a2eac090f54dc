import { assert, assertEquals, assertMatch } from "@std/assert";
import { type IdentityHandle, IdentityRegistry } from "../../lib/server/identity_registry.ts";
import { type ApplicationSettings, readSettings } from "../../lib/config/settings.ts";
import { REUSE_DELAY } from "../../lib/identity/identity.ts";
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
  assertMatch(await Deno.readTextFile(await lockOf(stage.folder)), /^\d+$/);
  await first;
});

Deno.test("Identities of a process that was killed wait for the router to forget their sessions, together", async () => {
  // An i2pd that is asked at once gives the old destination, and ends it five seconds later, session or not.
  await using stage = await setTheStage();
  for (const name of ["x", "y"]) {
    const held = await stage.acquire(name);
    await held.open();
    const lock = await lockOf(stage.folder, name);
    assertEquals(await Deno.readTextFile(lock), "in use");
    await held.release();
    // As the file stands where a process has not come to that.
    await Deno.writeTextFile(lock, "in use");
  }
  const start = performance.now();
  stage.restart();
  const next = await atMost(20_000, stage.acquire("x"));
  const waited = performance.now() - start;
  assert(waited >= REUSE_DELAY - 1, "it did not wait");
  assert(stage.log.some((line) => line.includes('"x" was in use by a process that did not end')), stage.log.join("\n"));
  const other = await stage.acquire("y");
  assert(!stage.log.some((line) => line.includes('"y" was in use')), stage.log.join("\n"));
  await next?.release();
  await other.release();
});

Deno.test("A lock that is stamped while it is still being marked has the time alone", async () => {
  await using scratch = await makeScratch();
  const path = `${scratch.dir}/x.lock`;
  using lock = await FileLock.take(path);
  assert(lock !== undefined);
  const { write } = Deno.FsFile.prototype;
  // As if the disk took its time: whoever does not wait writes in between.
  Deno.FsFile.prototype.write = async function (bytes): Promise<number> {
    if (new TextDecoder().decode(bytes) === "in use") await this.sync();
    return await write.call(this, bytes);
  };
  try {
    await Promise.all([lock.markInUse(), lock.stamp()]);
  } finally {
    Deno.FsFile.prototype.write = write;
  }
  assertMatch(await Deno.readTextFile(path), /^\d+$/);
});

Deno.test("An identity whose lock cannot be marked is used all the same", async () => {
  await using stage = await setTheStage();
  const held = await stage.acquire();
  const { markInUse } = FileLock.prototype;
  FileLock.prototype.markInUse = () => Promise.reject(new Error("No space left on device (os error 28)"));
  try {
    await atMost(5_000, held.open());
  } finally {
    FileLock.prototype.markInUse = markInUse;
  }
  assert(stage.log.some((line) => line.includes("no space left on device")), stage.log.join("\n"));
  await held.release();
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

/** The only file of a lock in a folder of keys, or that of an identity. */
async function lockOf(folder: string, identity = ""): Promise<string> {
  const locks = (await Array.fromAsync(Deno.readDir(folder))).filter(({ name }) => name.endsWith(`${identity}.lock`));
  assertEquals(locks.length, 1);
  return `${folder}/${locks[0]?.name}`;
}

/** A registry over a bridge and a folder of keys. */
async function setTheStage(): Promise<
  AsyncDisposable & {
    acquire: (name?: string) => Promise<IdentityHandle>;
    /** Goes on with the registry of another process. */
    restart: () => void;
    bridge: SamBridge;
    folder: string;
    log: string[];
  }
> {
  await using started = new AsyncDisposableStack();
  const bridge = started.use(await startSamBridge());
  const scratch = started.use(await makeScratch());
  const folder = `${scratch.dir}/keys`;
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const log = createLog({ level: "info", format: "text", destinations: false, write });
  const begin = (): IdentityRegistry => new IdentityRegistry(log, new AbortController().signal);
  let registry = begin();
  const settingsOf = (name: string): ApplicationSettings =>
    readSettings(new Map([["identity", [{ text: name, source: "test" }]]]));
  const everything = started.move();
  return {
    acquire: (name = "x") =>
      registry.acquire(settingsOf(name), () => folder, { hostname: "127.0.0.1", port: bridge.port }, false),
    restart: () => registry = begin(),
    bridge,
    folder,
    log: lines,
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}
