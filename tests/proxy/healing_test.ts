import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { PrivateKey } from "../../lib/i2p/private_key.ts";
import { SamError } from "../../lib/sam/error.ts";
import { withChance } from "../support/chance.ts";
import { eventually } from "../support/eventually.ts";
import { concat } from "../support/fake_stream.ts";
import { delay, type Harness, startHarness, until } from "../support/harness.ts";
import { makeKeys } from "../support/sam_keys.ts";
import { pattern } from "../support/site.ts";
import { readToEnd, socksConnect, writeAll } from "../support/socks_client.ts";

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

const SESSION_REFUSED = 'SESSION STATUS RESULT=I2P_ERROR MESSAGE="not today"\n';

async function newKey(): Promise<PrivateKey> {
  return new PrivateKey(decodeI2pBase64((await makeKeys(7)).blob));
}

/** What a client is told that asks now. */
async function codeNow({ port, name }: Harness, version: 4 | 5 = 5): Promise<number> {
  const { reply, conn } = await socksConnect(port, name, 80, { version, timeout: 30_000 });
  conn.close();
  return reply.code;
}

/** The values of a key in the commands that the proxy has sent. */
function sent({ bridge }: Harness, command: string, key: string): string[] {
  return bridge.lines.filter((line) => line.startsWith(command)).flatMap((line) =>
    new RegExp(` ${key}=(\\S+)`).exec(line)?.[1] ?? []
  ).filter((value) => !value.startsWith("service-"));
}

/** What the log tells a user of the session, without times. */
function story({ log }: Harness): string[] {
  return log.filter((line) => !/ debug | Refused a client/.test(line)).map((line) =>
    line.replace(/^\S+ /, "").replace(/(after|for) \d+ s\b/, "$1 a while").replace(/ attempt=\d+/, "")
  );
}

Deno.test("A client that comes while the router is away is held, and served when it is back", async () => {
  await using harness = await startHarness({ proxy: { timeouts: { connect: 15_000 } } });
  await harness.bridge.stopListening();
  harness.dropSessions();
  let isServed = false;
  const codes = Promise.all([codeNow(harness, 5), codeNow(harness, 4)]).finally(() => isServed = true);
  await delay(700);
  assertEquals(isServed, false);
  harness.bridge.listen();
  assertEquals(await codes, [0, 0x5a]);
  const ids = sent(harness, "SESSION CREATE", "ID");
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
    assertEquals(await codeNow(harness), 3);
    assertMatch(log.at(-1) ?? "", /reason=router-down /);

    bridge.intercept = async (line, socket) => {
      if (!line.startsWith("SESSION CREATE")) return false;
      await socket.write(SESSION_REFUSED);
      socket.close();
      return true;
    };
    bridge.listen();
    await eventually("the router refuses", () => log.some((line) => line.includes("I2P_ERROR")));
    assertEquals(await codeNow(harness), 3);
    assertMatch(log.at(-1) ?? "", /reason=session-refused /);

    const hanging: { close(): void }[] = [];
    bridge.intercept = (line, socket) => line.startsWith("SESSION CREATE") && hanging.push(socket) > 0;
    await eventually("the router builds tunnels", () => hanging.length > 0);
    assertEquals(await codeNow(harness), 3);
    assertMatch(log.at(-1) ?? "", /reason=not-ready /);

    bridge.intercept = () => false;
    hanging.forEach((socket) => socket.close());
    await eventually("the session is back", () => log.some((line) => line.includes("Session ready again")));
    assertEquals(await codeNow(harness), 0);
    const closed = "Cannot keep a SAM session: the router closed the connection";
    assertEquals(story(harness), [
      `warn  Session lost after a while: ${closed}. Building a new one`,
      "warn  No new session for a while: Cannot connect to the SAM bridge: Connection refused (os error 111)",
      "warn  No new session for a while: Cannot keep a SAM session: the router answered I2P_ERROR (not today)",
      `warn  No new session for a while: ${closed}`,
      "info  Session ready again after a while",
    ]);
    assert(log.filter((line) => line.includes("No new session")).length > 4, "attempts are not in the log");
  });
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
  harness.dropSessions();
  assertEquals(await codeNow(harness), 0);
  assertEquals(refused, 2);
  assertEquals(bridge.sessions.at(-1)?.b32, own);
  const destinations = sent(harness, "SESSION CREATE", "DESTINATION").filter((value) => value !== "TRANSIENT");
  assertEquals([destinations.length, new Set(destinations).size], [4, 1]);
  assertEquals(new Set(sent(harness, "SESSION CREATE", "ID")).size, 4);
  assertEquals(bridge.lines.filter((line) => line.startsWith("DEST GENERATE")), []);
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
    const code = await codeNow(harness);
    const told = harness.log.at(-1) ?? "";
    await opened;
    return { word, said, code, told, after: await codeNow(harness) };
  }));
  for (const { word, said, code, told, after } of results) {
    await t.step(word, () => {
      assertEquals([said, code, after], [2, 3, 0]);
      assertMatch(told, /reason=identity-in-use /);
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
    assertEquals(sent(harness, "SESSION CREATE", "ID").length, 1);
  }
});

Deno.test("A stream that is being opened when the session is lost is tried once more on the next one", async (t) => {
  for (const lost of ["with its sockets", "but the sockets stay", "and the router says INVALID_ID"]) {
    await t.step(lost, async () => {
      let received = "";
      await using harness = await startHarness({
        service: async (conn) => void (received += new TextDecoder().decode(await readToEnd(conn))),
      });
      let isFirst = true;
      harness.bridge.intercept = async (line, socket) => {
        if (!line.startsWith("STREAM CONNECT") || !isFirst) return false;
        isFirst = false;
        if (lost.includes("INVALID_ID")) await socket.write("STREAM STATUS RESULT=INVALID_ID\n");
        else harness.dropSessions({ keepStreams: lost.includes("stay") });
        return true;
      };
      const { reply, conn } = await socksConnect(harness.port, harness.name, 80, { early: encode("once") });
      await delay(50);
      harness.dropSessions();
      assertEquals((await readToEnd(conn)).length, 0);
      conn.close();
      await until("the stream has ended", () => harness.proxy.connections === 0);
      assertEquals([reply.code, received], [0, "once"]);
      const ids = sent(harness, "STREAM CONNECT", "ID");
      assertEquals([ids.length, new Set(ids).size], [2, 2]);
    });
  }
});

Deno.test("A stream is never tried more than twice", async () => {
  await using harness = await startHarness();
  harness.bridge.intercept = (line) => {
    if (!line.startsWith("STREAM CONNECT")) return false;
    harness.dropSessions();
    return true;
  };
  assertEquals(await codeNow(harness), 3);
  assertMatch(harness.log.findLast((line) => line.includes("Refused")) ?? "", /reason=router-down /);
  assertEquals(sent(harness, "STREAM CONNECT", "ID").length, 2);
});

Deno.test("A stream that is refused while its session stands is not tried again", async () => {
  await using harness = await startHarness();
  for (const answer of ["STREAM STATUS RESULT=I2P_ERROR\n", "STREAM STATUS RESULT=TIMEOUT\n", ""]) {
    harness.bridge.intercept = async (line, socket) => {
      if (!line.startsWith("STREAM CONNECT")) return false;
      await socket.write(answer);
      socket.close();
      return true;
    };
    await codeNow(harness);
  }
  assertEquals(sent(harness, "STREAM CONNECT", "ID").length, 3);
  assertEquals(sent(harness, "SESSION CREATE", "ID").length, 1);
});

Deno.test("Streams end soon after their session is lost, even if the router leaves their sockets open", async () => {
  await using harness = await startHarness();
  const open = await Promise.all(Array.from({ length: 10 }, () => socksConnect(harness.port, harness.name, 80)));
  for (const { conn } of open) {
    await writeAll(conn, encode("hello"));
    assertEquals(await conn.read(new Uint8Array(10)), 5);
  }
  const since = performance.now();
  harness.dropSessions({ keepStreams: true });
  await Promise.all(open.map(async ({ conn }) => {
    assertEquals((await readToEnd(conn)).length, 0);
    conn.close();
  }));
  const took = performance.now() - since;
  assert(took > 900 && took < 4_000, `it took ${took} ms`);
  await until("nothing is left", () => harness.proxy.connections === 0 && harness.streams() === 0);
  assertEquals(harness.log.filter((line) => line.includes("Stream ended: session lost")).length, 10);
});

Deno.test("A slow reader gets all that had arrived when the session was lost", async () => {
  const data = pattern(12_000_000);
  let dropped = 0;
  await using harness = await startHarness();
  harness.bridge.intercept = async (line, socket) => {
    if (!line.startsWith("STREAM CONNECT")) return false;
    await socket.write("STREAM STATUS RESULT=OK\n");
    const writing = writeAll(socket.conn, data);
    await delay(200);
    dropped = performance.now();
    harness.dropSessions({ keepStreams: true });
    await writing;
    return true;
  };
  const { conn, early } = await socksConnect(harness.port, harness.name, 80);
  using _conn = conn;
  // Longer than a silent stream would be given.
  await delay(1_700);
  const received = concat(early, await readToEnd(conn));
  assertEquals(received.length, data.length);
  assert(received.every((byte, i) => byte === data[i]), "other bytes arrived");
  assert(performance.now() - dropped < 10_000);
});

Deno.test("Under load, a lost session ends every stream, and the next one serves", async () => {
  await using harness = await startHarness();
  const block = pattern(100_000);
  const clients = Array.from({ length: 20 }, async () => {
    const { conn, early } = await socksConnect(harness.port, harness.name, 80);
    const writing = (async () => {
      for (let i = 0; i < 10_000; i++) await writeAll(conn, block);
    })().catch(() => {});
    const received = concat(early, await readToEnd(conn).catch(() => new Uint8Array())).length;
    conn.close();
    await writing;
    return received;
  });
  await until("bytes flow", () => harness.counters.get("connected") === 20);
  await delay(100);
  harness.dropSessions();
  await Promise.all(clients);
  await until("nothing is left", () => harness.proxy.connections === 0 && harness.streams() === 0);
  assertEquals(await codeNow(harness), 0);
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
    const creations = sent(harness, "SESSION CREATE", "ID").length;
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
      await writeAll(conn, encode("hello"));
      assertEquals(await conn.read(new Uint8Array(10)), 5);
      const since = performance.now();
      assertEquals((await readToEnd(conn)).length, 0);
      const idle = performance.now() - since;
      assert(idle > 1_300 && idle < 5_000, `it ended after ${idle} ms`);

      await harness.bridge.stopListening();
      harness.dropSessions();
      const held = codeNow(harness);
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
