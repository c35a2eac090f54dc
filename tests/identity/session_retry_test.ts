import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { PrivateKey } from "../../lib/i2p/private_key.ts";
import { refusalOf } from "../../lib/reasons/classify.ts";
import { SESSION_TIMEOUT } from "../../lib/sam/session.ts";
import { SamError } from "../../lib/sam/error.ts";
import { type SamBridge, startSamBridge } from "../sam_bridge/bridge.ts";
import { makeKeys } from "../sam_bridge/keys.ts";
import { Clock } from "../support/clock.ts";
import { type Harness, startHarness } from "../support/harness.ts";
import { until } from "../support/wait.ts";

async function newKey(): Promise<PrivateKey> {
  return new PrivateKey(decodeI2pBase64((await makeKeys(7)).blob));
}

const NO_TUNNELS = "Error creating I2PSocketManager: Failed to build tunnels";
const TAKEN = `${NO_TUNNELS} - Disconnected from router while waiting for tunnels: duplicate destination`;

/** Has the router refuse so many sessions in some words; says how many it has refused. */
function refuseSessions(bridge: SamBridge, words: string, times = Infinity): () => number {
  let refused = 0;
  bridge.intercept = async (line, socket) => {
    if (!line.startsWith("SESSION CREATE") || refused >= times) return false;
    refused++;
    await socket.write(`SESSION STATUS RESULT=I2P_ERROR MESSAGE="${words}"\n`);
    return true;
  };
  return () => refused;
}

/** A harness whose identity is being opened, on a clock that can be put forward. */
async function open(words: string, key?: PrivateKey, times?: number): Promise<
  AsyncDisposable & { harness: Harness; clock: Clock; refused: () => number; failure: () => unknown }
> {
  const harness = await startHarness({ ready: false, ...(key && { key }) });
  const refused = refuseSessions(harness.bridge, words, times);
  const clock = new Clock({ runs: false });
  let failure: unknown;
  harness.identity.open().catch((error) => failure = error);
  await clock.until("it was refused", () => refused() === 1);
  return {
    ...{ harness, clock, refused },
    failure: () => failure,
    [Symbol.asyncDispose]: async () => {
      clock[Symbol.dispose]();
      await harness[Symbol.asyncDispose]();
    },
  };
}

for (const words of ["Error creating I2PSocketManager: No manager yet", NO_TUNNELS]) {
  Deno.test(`A session that the router cannot have yet is asked for again: ${words}`, async () => {
    await using stage = await open(words, undefined, 3);
    const { clock, harness } = stage;
    for (let attempt = 1; attempt <= 3; attempt++) {
      await clock.until("it waits", () => stage.refused() === attempt && clock.pending.includes(3_000));
      await clock.skip(3_000);
    }
    await clock.until("it stands", () => harness.identity.status.state === "ready");
    assertEquals(stage.failure(), undefined);
  });

  Deno.test(`That is given up when the time for tunnels is over, with the reason: ${words}`, async () => {
    await using stage = await open(words);
    const { clock } = stage;
    for (let time = 0; time < SESSION_TIMEOUT; time += 3_000) {
      await clock.until("it waits", () => clock.pending.includes(3_000));
      assertEquals(stage.failure(), undefined, `given up after ${time} ms`);
      await clock.skip(3_000);
    }
    await clock.until("it is given up", () => stage.failure() !== undefined);
    const { reason } = refusalOf(stage.failure());
    assertEquals(reason, words === NO_TUNNELS ? "not-ready" : "router-starting");
  });
}

Deno.test("A key that another program has, or may have, is asked for once", async (t) => {
  for (const [words, reason] of [[TAKEN, "identity-in-use"], [NO_TUNNELS, "session-failed"]] as const) {
    await t.step(words, async () => {
      await using harness = await startHarness({ ready: false, key: await newKey() });
      const refused = refuseSessions(harness.bridge, words);
      const error = await assertRejects(() => harness.identity.open(), SamError);
      assertEquals([refusalOf(error).reason, refused()], [reason, 1]);
    });
  }
});

Deno.test("Where it took minutes, no other program has the key: the router had no tunnels", async () => {
  const key = await newKey();
  await using harness = await startHarness({ ready: false, key });
  let refused = 0;
  let answer = Promise.withResolvers<void>();
  harness.bridge.intercept = async (line, socket) => {
    if (!line.startsWith("SESSION CREATE") || refused > 0) return false;
    await answer.promise;
    refused++;
    await socket.write(`SESSION STATUS RESULT=I2P_ERROR MESSAGE="${NO_TUNNELS}"\n`);
    return true;
  };
  using clock = new Clock({ runs: false });
  const opened = harness.identity.open();
  await clock.until("it asks", () => harness.sent("SESSION CREATE", "ID").length === 1);
  await clock.skip(300_000);
  answer.resolve();
  answer = Promise.withResolvers();
  await clock.until("it waits", () => refused === 1 && clock.pending.includes(3_000));
  await clock.skip(3_000);
  await clock.until("it stands", () => harness.identity.status.state === "ready");
  await opened;
});

Deno.test("A lasting identity whose key another program has taken meanwhile does not fight for it", async (t) => {
  for (const [words, reason, attempts] of [[TAKEN, "identity-in-use", 3], [NO_TUNNELS, "session-failed", 1]] as const) {
    await t.step(words, async () => {
      await using harness = await startHarness({ key: await newKey(), settings: { timeouts: { connect: 25_000 } } });
      const refused = refuseSessions(harness.bridge, words);
      using clock = new Clock();
      harness.dropSessions();
      await until("no more is tried", async () => {
        // Less than a look at the router may take, so that none is cut short.
        await clock.skip(100);
        return harness.log.some((line) => line.includes("none is tried any more"));
      });
      assertEquals(refused(), attempts);
      const code = await harness.ask();
      assertEquals(code, 3);
      assert(harness.log.some((line) => line.includes(`reason=${reason}`)));
      await clock.skip(600_000);
      assertEquals(refused(), attempts);
      assertEquals(harness.identity.status.state, "lost");
    });
  }
});

Deno.test("A router that ends in the middle of it has nothing to do with the key", async () => {
  await using bridge = await startSamBridge();
  await bridge.close();
  await using harness = await startHarness({ key: await newKey(), bridge: { port: bridge.port } });
  const refused = refuseSessions(harness.bridge, NO_TUNNELS, 1);
  const original = harness.bridge.intercept;
  harness.bridge.intercept = async (line, socket) => {
    if (line.startsWith("SESSION CREATE") && refused() === 0) await harness.bridge.stopListening();
    return await original(line, socket);
  };
  harness.dropSessions();
  await until("it was refused", () => refused() === 1);
  await until("the end is seen", () => harness.log.some((line) => /No new session( for .*)?: /.test(line)));
  harness.bridge.listen();
  await until("it stands again", () => harness.identity.status.state === "ready");
});
