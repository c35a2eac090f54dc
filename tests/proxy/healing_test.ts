import { assert, assertEquals, assertMatch } from "@std/assert";
import { encode } from "../support/bytes.ts";
import { withChance } from "../support/chance.ts";
import { type Harness, lastOutcome, NO_STREAM, startHarness } from "../support/harness.ts";
import { readToEnd, socksConnect, writeAll } from "../clients/socks_client.ts";
import { delay, until } from "../support/wait.ts";

const SESSION_REFUSED = 'SESSION STATUS RESULT=I2P_ERROR MESSAGE="not today"\n';

/** What the log tells a user of the session, without times and numbers. */
function story({ log }: Harness): string[] {
  return log.filter((line) => !(line.includes(" debug ") || NO_STREAM.test(line))).map((line) =>
    line.replace(/^\S+ /, "").replace(/ for \d+ s(?=: )/, "").replaceAll(/(after|for) \d+( s)?/g, "$1 ...").replace(
      / attempt=\d+/,
      "",
    )
      .replace(/127\.0\.0\.1:\d+: no/, "SAM: no")
      .replace(/ hint="(?:\\.|[^"\\])*check --sam 127\.0\.0\.1:\d+ looks for the cause"/, " (check)")
      .replace(/ hint="i2pd: (?:\\.|[^"\\])*"/, " (fix)")
  );
}

/** The reason of the refusal that the log told last. */
function lastReason({ log }: Harness): string | undefined {
  return / reason=(\S+)/.exec(lastOutcome(log))?.[1];
}

Deno.test("A client that comes while the router is away is held, and served when it is back", async () => {
  await using harness = await startHarness({ settings: { timeouts: { connect: 15_000 } } });
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

Deno.test("A held client's peer that a router finds only later is asked for again; others are told at once", async () => {
  for (const words of ['MESSAGE="Lease set not found: x"', ""]) {
    await using harness = await startHarness({ settings: { timeouts: { connect: 15_000 } } });
    let isAway = true;
    let asked = 0;
    harness.bridge.intercept = async (line, socket) => {
      if (!isAway || !line.startsWith("STREAM CONNECT")) return false;
      asked++;
      await socket.write(`STREAM STATUS RESULT=CANT_REACH_PEER ${words}\n`);
      socket.close();
      return true;
    };
    assertEquals([await harness.ask(), asked], [4, 1], "it was not held");
    await harness.bridge.stopListening();
    harness.dropSessions();
    await until("the loss is noticed", () => harness.log.some((line) => line.includes("Session lost")));
    const code = harness.ask();
    harness.bridge.listen();
    await until("it is asked for again", () => asked >= 3);
    isAway = false;
    assertEquals(await code, 0);
  }
});

Deno.test("A held client whose time is over is told what the router said last", async () => {
  await using harness = await startHarness({ settings: { timeouts: { connect: 2_000 } } });
  harness.bridge.intercept = async (line, socket) => {
    if (!line.startsWith("STREAM CONNECT")) return false;
    await socket.write('STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE="LeaseSet not found"\n');
    socket.close();
    return true;
  };
  harness.dropSessions();
  await until("the loss is noticed", () => harness.log.some((line) => line.includes("Session lost")));
  assertEquals(await harness.ask(), 4);
  assertEquals(lastReason(harness), "lease-set-not-found");
});

Deno.test("What failed last is what a held client is told, and the log tells each cause once", async () => {
  // Attempts come 0.05, 0.15, 0.35, 0.75, 1.55, 3.15 and 6.35 s after the loss.
  await withChance(0.2, async () => {
    await using harness = await startHarness({ settings: { timeouts: { connect: 1_000 } } });
    const { bridge, log } = harness;
    await bridge.stopListening();
    harness.dropSessions();
    await until("the loss is noticed", () => log.some((line) => line.includes("Session lost")));
    assertEquals(await harness.ask(), 3);
    assertEquals(lastReason(harness), "router-down");

    bridge.intercept = async (line, socket) => {
      if (!line.startsWith("SESSION CREATE")) return false;
      await socket.write(SESSION_REFUSED);
      socket.close();
      return true;
    };
    bridge.listen();
    await until("the router refuses", () => log.some((line) => line.includes("I2P_ERROR")));
    assertEquals(await harness.ask(), 3);
    assertEquals(lastReason(harness), "session-refused");

    const hanging: { close(): void }[] = [];
    bridge.intercept = (line, socket) => line.startsWith("SESSION CREATE") && hanging.push(socket) > 0;
    await until("the router builds tunnels", () => hanging.length > 0);
    assertEquals(await harness.ask(), 3);
    assertEquals(lastReason(harness), "not-ready");

    bridge.intercept = () => false;
    hanging.forEach((socket) => socket.close());
    await until("the session is back", () => log.some((line) => line.includes("Session ready again")));
    assertEquals(await harness.ask(), 0);
    const closed = "Cannot keep a SAM session: the router closed the connection";
    assertEquals(story(harness), [
      `warn  Session lost after ...: ${closed}. Building a new one`,
      "warn  Router unreachable: Nothing answers at SAM: no SAM bridge (connection refused). Retrying; clients wait (check)",
      'warn  No new session: Cannot keep a SAM session: the router answered I2P_ERROR routerSaid="not today" (fix)',
      `warn  No new session: ${closed} (fix)`,
      "info  Session ready again after ..., with a new I2P address",
    ]);
    assert(
      log.filter((line) => /No new session|Router unreachable/.test(line)).length > 4,
      "attempts are not in the log",
    );
  });
});

Deno.test("A session that the router never finishes is given up, and the next one serves", async () => {
  await using harness = await startHarness({ sessionTimeout: 400, settings: { timeouts: { connect: 15_000 } } });
  let asked = 0;
  harness.bridge.intercept = (line) => line.startsWith("SESSION CREATE") && ++asked === 1;
  harness.dropSessions();
  assertEquals(await harness.ask(), 0);
  assertEquals(asked, 2);
  assert(harness.log.some((line) => line.includes("Cannot keep a SAM session: it does not answer")));
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
    const since = performance.now();
    await until("four are made", () => harness.sent("SESSION CREATE", "ID").length === 4);
    timers.forEach(clearTimeout);
    // Waits of 0.25, 0.5 and 1 s; after a success each would be 0.25 s.
    assert(performance.now() - since > 1_500, `it took ${performance.now() - since} ms`);
  });
});

Deno.test("The wall clock does not matter, whether it jumps ahead or back", async () => {
  await using harness = await startHarness({ settings: { timeouts: { connect: 5_000, idle: 1_500 } } });
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
      assert(idle > 1_450 && idle < 30_000, `it ended after ${idle} ms`);

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
  for (const line of told) assertMatch(line, /after \d\d? s\b/);
});
