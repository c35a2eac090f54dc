import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { PrivateKey } from "../../lib/i2p/private_key.ts";
import { REUSE_DELAY } from "../../lib/identity/identity.ts";
import { SamError } from "../../lib/sam/error.ts";
import { type Harness, lastOutcome, startHarness } from "../support/harness.ts";
import { makeKeys } from "../sam_bridge/keys.ts";
import { delay, until } from "../support/wait.ts";

async function newKey(): Promise<PrivateKey> {
  return new PrivateKey(decodeI2pBase64((await makeKeys(7)).blob));
}

/** The reason of the refusal that the log told last. */
function lastReason({ log }: Harness): string | undefined {
  return / reason=(\S+)/.exec(lastOutcome(log))?.[1];
}

Deno.test("A lasting identity is built anew with its own key, whatever the router says of it", async () => {
  const key = await newKey();
  await using harness = await startHarness({ key, settings: { timeouts: { connect: 20_000 } } });
  const { bridge } = harness;
  const own = bridge.sessions.at(-1)?.b32;
  let refused = 0;
  bridge.intercept = async (line, socket) => {
    if (!line.startsWith("SESSION CREATE") || refused === 2) return false;
    refused++;
    await socket.write("SESSION STATUS RESULT=INVALID_KEY\n");
    socket.close();
    return true;
  };
  const since = performance.now();
  harness.dropSessions();
  assertEquals(await harness.ask(), 0);
  assert(performance.now() - since > REUSE_DELAY, "the router was given no time to forget the last session");
  assertEquals(refused, 2);
  assertEquals(bridge.sessions.at(-1)?.b32, own);
  const destinations = harness.sent("SESSION CREATE", "DESTINATION").filter((value) => value !== "TRANSIENT");
  assertEquals([destinations.length, new Set(destinations).size], [4, 1]);
  assertEquals(new Set(harness.sent("SESSION CREATE", "ID")).size, 4);
  assertEquals(bridge.lines.filter((line) => line.startsWith("DEST GENERATE")), []);
});

Deno.test("A lasting identity gives no time to a router that has gone, which has nothing to forget", async () => {
  await using harness = await startHarness({ key: await newKey(), settings: { timeouts: { connect: 15_000 } } });
  const { bridge } = harness;
  await bridge.stopListening();
  const since = performance.now();
  harness.dropSessions();
  const code = harness.ask();
  await delay(50);
  bridge.listen();
  assertEquals(await code, 0);
  assert(performance.now() - since < REUSE_DELAY, "it waited for nothing");
});

Deno.test("At its start, a lasting identity waits until the router forgets its last session", async (t) => {
  const results = await Promise.all(["DUPLICATED_DEST", "DUPLICATE_DEST"].map(async (word) => {
    let said = 0;
    await using harness = await startHarness({
      ready: false,
      key: await newKey(),
      settings: { timeouts: { connect: 1_000 } },
      bridge: {
        intercept: async (line, socket) => {
          if (!line.startsWith("SESSION CREATE") || line.includes("TRANSIENT") || said === 2) return false;
          said++;
          await socket.write(`SESSION STATUS RESULT=${word}\n`);
          socket.close();
          return true;
        },
      },
    });
    const opened = harness.identity.open();
    await until("it was told", () => said === 1);
    const code = await harness.ask();
    const reason = lastReason(harness);
    await opened;
    return { word, said, code, reason, after: await harness.ask() };
  }));
  for (const { word, said, code, reason, after } of results) {
    await t.step(word, () => {
      assertEquals([said, code, reason, after], [2, 3, "identity-in-use", 0]);
    });
  }
});

Deno.test("A throw-away identity has no last session to wait for", async () => {
  for (const word of ["DUPLICATED_DEST", "DUPLICATE_DEST"]) {
    await using harness = await startHarness({ ready: false });
    harness.bridge.intercept = async (line, socket) => {
      if (!line.startsWith("SESSION CREATE")) return false;
      await socket.write(`SESSION STATUS RESULT=${word}\n`);
      socket.close();
      return true;
    };
    const error = await assertRejects(() => harness.identity.open(), SamError);
    assertEquals(error.result, word);
    assertEquals(harness.sent("SESSION CREATE", "ID").length, 1);
  }
});
