import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { PrivateKey } from "../../lib/i2p/private_key.ts";
import { REUSE_DELAY } from "../../lib/identity/identity.ts";
import { SamError } from "../../lib/sam/error.ts";
import { withChance } from "../support/chance.ts";
import { eventually } from "../support/eventually.ts";
import { delay, type Harness, startHarness, until } from "../support/harness.ts";
import { makeKeys } from "../sam_bridge/keys.ts";
import { readToEnd, socksConnect, writeAll } from "../support/socks_client.ts";

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

const SESSION_REFUSED = 'SESSION STATUS RESULT=I2P_ERROR MESSAGE="not today"\n';

async function newKey(): Promise<PrivateKey> {
  return new PrivateKey(decodeI2pBase64((await makeKeys(7)).blob));
}

/** What the log tells a user of the session, without times and numbers. */
function story({ log }: Harness): string[] {
  return log.filter((line) => !/ debug | Refused a client/.test(line)).map((line) =>
    line.replace(/^\S+ /, "").replaceAll(/(after|for) \d+( s)?/g, "$1 ...").replace(/ attempt=\d+/, "")
  );
}

/** The reason of the refusal that the log told last. */
function lastReason({ log }: Harness): string | undefined {
  return / reason=(\S+)/.exec(log.findLast((line) => line.includes("Refused a client")) ?? "")?.[1];
}

Deno.test("A client that comes while the router is away is held, and served when it is back", async () => {
  await using harness = await startHarness({ proxy: { timeouts: { connect: 15_000 } } });
  await harness.bridge.stopListening();
  harness.dropSessions();
  let isServed = false;
  const codes = Promise.all([harness.ask(5), harness.ask(4)]).finally(() => isServed = true);
  await delay(700);
  assertEquals(isServed, false);
  harness.bridge.listen();
  assertEquals(await codes, [0, 0x5a]);
  const ids = harness.sent("SESSION CREATE", "ID");
  assertEquals([ids.length, new Set(ids).size], [2, 2], "a session ID was used twice");
});

Deno.test("What failed last is what a held client is told, and the log tells each cause once", async () => {
  // Attempts come 0.05, 0.15, 0.35, 0.75, 1.55, 3.15 and 6.35 s after the loss.
  await withChance(0.2, async () => {
    await using harness = await startHarness({ proxy: { timeouts: { connect: 1_000 } } });
    const { bridge, log } = harness;
    await bridge.stopListening();
    harness.dropSessions();
    await eventually("the loss is noticed", () => log.some((line) => line.includes("Session lost")));
    assertEquals(await harness.ask(), 3);
    assertEquals(lastReason(harness), "router-down");

    bridge.intercept = async (line, socket) => {
      if (!line.startsWith("SESSION CREATE")) return false;
      await socket.write(SESSION_REFUSED);
      socket.close();
      return true;
    };
    bridge.listen();
    await eventually("the router refuses", () => log.some((line) => line.includes("I2P_ERROR")));
    assertEquals(await harness.ask(), 3);
    assertEquals(lastReason(harness), "session-refused");

    const hanging: { close(): void }[] = [];
    bridge.intercept = (line, socket) => line.startsWith("SESSION CREATE") && hanging.push(socket) > 0;
    await eventually("the router builds tunnels", () => hanging.length > 0);
    assertEquals(await harness.ask(), 3);
    assertEquals(lastReason(harness), "not-ready");

    bridge.intercept = () => false;
    hanging.forEach((socket) => socket.close());
    await eventually("the session is back", () => log.some((line) => line.includes("Session ready again")));
    assertEquals(await harness.ask(), 0);
    const closed = "Cannot keep a SAM session: the router closed the connection";
    assertEquals(story(harness), [
      `warn  Session lost after ...: ${closed}. Building a new one`,
      "warn  No new session for ...: Cannot connect to the SAM bridge: connection refused",
      'warn  No new session for ...: Cannot keep a SAM session: the router answered I2P_ERROR routerSaid="not today"',
      `warn  No new session for ...: ${closed}`,
      "info  Session ready again after ...",
    ]);
    assert(log.filter((line) => line.includes("No new session")).length > 4, "attempts are not in the log");
  });
});

Deno.test("A session that the router never finishes is given up, and the next one serves", async () => {
  await using harness = await startHarness({ sessionTimeout: 400, proxy: { timeouts: { connect: 15_000 } } });
  let asked = 0;
  harness.bridge.intercept = (line) => line.startsWith("SESSION CREATE") && ++asked === 1;
  harness.dropSessions();
  assertEquals(await harness.ask(), 0);
  assertEquals(asked, 2);
  assert(harness.log.some((line) => line.includes("Cannot keep a SAM session: it does not answer")));
});

Deno.test("A lasting identity is built anew with its own key, whatever the router says of it", async () => {
  const key = await newKey();
  await using harness = await startHarness({ key, proxy: { timeouts: { connect: 20_000 } } });
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
  await using harness = await startHarness({ key: await newKey(), proxy: { timeouts: { connect: 15_000 } } });
  const { bridge } = harness;
  await bridge.stopListening();
  const since = performance.now();
  harness.dropSessions();
  const code = harness.ask();
  await delay(500);
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
      proxy: { timeouts: { connect: 1_000 } },
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

Deno.test("A session that dies young does not count as a success", async () => {
  await withChance(0.99, async () => {
    await using harness = await startHarness();
    const drop = (): ReturnType<typeof setTimeout> => setTimeout(() => harness.dropSessions(), 20);
    const timers = [drop()];
    harness.bridge.intercept = (line) => {
      if (line.startsWith("SESSION CREATE")) timers.push(drop());
      return false;
    };
    await delay(3_000);
    timers.forEach(clearTimeout);
    const creations = harness.sent("SESSION CREATE", "ID").length;
    assert(creations >= 2 && creations <= 4, `${creations} sessions were created`);
  });
});

Deno.test("The wall clock does not matter, whether it jumps ahead or back", async () => {
  await using harness = await startHarness({ proxy: { timeouts: { connect: 5_000, idle: 1_500 } } });
  const { now } = Date;
  const day = 86_400_000;
  try {
    for (const jump of [day, -day]) {
      const open = await socksConnect(harness.port, harness.name, 80);
      using conn = open.conn;
      Date.now = () => now() + jump;
      await delay(300);
      const since = performance.now();
      await writeAll(conn, encode("hello"));
      assertEquals(await conn.read(new Uint8Array(10)), 5);
      assertEquals((await readToEnd(conn)).length, 0);
      const idle = performance.now() - since;
      assert(idle > 1_450 && idle < 5_000, `it ended after ${idle} ms`);

      await harness.bridge.stopListening();
      harness.dropSessions();
      const held = harness.ask();
      await delay(100);
      Date.now = now;
      await delay(300);
      harness.bridge.listen();
      assertEquals(await held, 0);
    }
  } finally {
    Date.now = now;
  }
  const told = harness.log.filter((line) => /Session (lost|ready again) after/.test(line));
  assertEquals(told.length, 4);
  for (const line of told) assertMatch(line, /after \d s\b/);
});
