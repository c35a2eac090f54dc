import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { concat, encode } from "../support/bytes.ts";
import { startHarness } from "../support/harness.ts";
import { Random } from "../support/random.ts";
import type { Manners } from "../sam_bridge/bridge.ts";
import { MAX_KEPT_BY_STREAM } from "../../lib/relay/keeper.ts";
import { SILENT_AFTER, SILENT_STORY } from "../../lib/relay/relay.ts";
import { Clock } from "../support/clock.ts";
import { BindClient } from "../clients/socks_bind.ts";
import { readToEnd, socksConnect, type SocksConnection, writeAll } from "../clients/socks_client.ts";
import { delay, until } from "../support/wait.ts";

const MANNERS: readonly Manners[] = ["i2pd", "java"];
const VERSIONS = [4, 5] as const;
const GRANTED = { 4: 0x5a, 5: 0 };

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).join(",");
}

Deno.test("The application's own address is refused, also with i2pd 2.45.1, which says OK to it", async () => {
  await using harness = await startHarness({ bridge: { manners: "i2pd 2.45.1" } });
  const own = harness.identity.status.address ?? "";
  for (const version of VERSIONS) {
    const { reply, conn } = await socksConnect(harness.port, own, 80, { version });
    conn.close();
    assertEquals(reply.code, { 4: 0x5b, 5: 4 }[version]);
  }
  await until("it is logged", () => harness.log.some((line) => line.includes("reason=own-address")));
  assertEquals(harness.sent("STREAM CONNECT", "DESTINATION"), []);
  // Where callers are waited for, it is one of them.
  await using called = await startHarness({ bridge: { manners: "i2pd 2.45.1" }, settings: { bind: true } });
  const { reply, conn } = await socksConnect(called.port, called.identity.status.address ?? "", 80);
  conn.close();
  assertEquals(reply.code, GRANTED[5]);
});

for (const manners of MANNERS) {
  for (const version of VERSIONS) {
    Deno.test(`A stream carries bytes both ways, SOCKS${version}, ${manners}`, async () => {
      await using harness = await startHarness({ bridge: { manners } });
      for (const host of [harness.name, harness.name.toUpperCase(), `${harness.b32}.`, `${harness.name}.alt`]) {
        const { reply, conn } = await socksConnect(harness.port, host, 80, { version });
        using _conn = conn;
        assertEquals(reply.code, GRANTED[version], host);
        await conn.write(encode("hello"));
        const buffer = new Uint8Array(100);
        assertEquals(await conn.read(buffer), 5);
      }
      await until("streams end with their clients", () => harness.proxy.connections <= 4);
    });

    Deno.test(`Optimistic data follows the router's OK, SOCKS${version}, ${manners}`, async () => {
      const seen: string[] = [];
      await using harness = await startHarness({
        bridge: {
          manners,
          intercept: async (line, socket) => {
            if (!line.startsWith("STREAM CONNECT")) return false;
            const buffer = new Uint8Array(100);
            const reading = socket.conn.read(buffer);
            const first = await Promise.race([reading, delay(100).then(() => "nothing" as const)]);
            seen.push(String(first));
            await socket.write("STREAM STATUS RESULT=OK\nearly bird");
            const count = await reading;
            seen.push(new TextDecoder().decode(buffer.subarray(0, count ?? 0)));
            socket.close();
            return true;
          },
        },
      });
      const { reply, conn, early } = await socksConnect(harness.port, harness.name, 80, {
        version,
        early: encode("GET /"),
      });
      using _conn = conn;
      assertEquals(reply.code, GRANTED[version]);
      assertEquals(new TextDecoder().decode(concat(early, await readToEnd(conn))), "early bird");
      assertEquals(seen, ["nothing", "GET /"]);
    });
  }

  Deno.test(`32 MB travel up and down unchanged, eight at once, ${manners}`, async () => {
    await using harness = await startHarness({ bridge: { manners } });
    const data = new Random(7).bytes(4_000_003);
    const digest = await sha256(data);
    await Promise.all(Array.from({ length: 8 }, async () => {
      const { conn } = await socksConnect(harness.port, harness.name, 80);
      using _conn = conn;
      const back = new Uint8Array(data.length);
      const reading = (async () => {
        for (let at = 0; at < back.length;) {
          const count = await conn.read(back.subarray(at));
          if (count === null) return;
          at += count;
        }
      })();
      await writeAll(conn, data);
      await reading;
      assertEquals(await sha256(back), digest);
    }));
    await until("the bytes are counted", () => harness.proxy.connections <= 8);
  });

  Deno.test(`A client that ends its side gets the whole answer, ${manners}`, async () => {
    await using harness = await startHarness({
      bridge: { manners },
      service: async (conn) => {
        await conn.read(new Uint8Array(100));
        for (let i = 0; i < 5; i++) {
          await delay(20);
          await writeAll(conn, encode(`part ${i};`.padEnd(50_000, ".")));
        }
      },
    });
    const { conn, early } = await socksConnect(harness.port, harness.name, 80, { early: encode("request") });
    using _conn = conn;
    await conn.closeWrite();
    assertEquals(concat(early, await readToEnd(conn)).length, 250_000);
    await until("nothing is left", () => harness.proxy.connections === 0 && harness.streams() === 0);
  });

  Deno.test(`The peer's end reaches the client after the last byte, and closes both, ${manners}`, async () => {
    await using harness = await startHarness({
      bridge: { manners },
      service: (conn) => writeAll(conn, encode("x".repeat(300_000))),
    });
    const { conn, early } = await socksConnect(harness.port, harness.name, 80);
    using _conn = conn;
    assertEquals(concat(early, await readToEnd(conn)).length, 300_000);
    conn.close();
    await until("nothing is left", () => harness.proxy.connections === 0 && harness.streams() === 0);
    assertEquals(harness.counters.get("bytes-received"), 300_000);
  });
}

/** More than the kernel's buffers between a service and a client hold, by as much as a stream may keep. */
const SLOW_DOWNLOAD = 24_000_000;

Deno.test("A reader that sleeps gets all and the end, of a router that loses what nobody reads", async () => {
  const data = new Random(7).bytes(SLOW_DOWNLOAD);
  let isSent = false;
  await using harness = await startHarness({
    bridge: { losesEnds: true },
    service: async (conn) => {
      await writeAll(conn, data);
      isSent = true;
    },
  });
  const { conn, early } = await socksConnect(harness.port, harness.name, 80);
  using _conn = conn;
  await until(
    "something is kept, and the router has nothing left",
    () => isSent && harness.proxy.keptBytes > 0 && harness.streams() === 0,
  );
  const received = concat(early, await readToEnd(conn));
  assertEquals(await sha256(received), await sha256(data));
  await until("nothing is kept any more", () => harness.proxy.keptBytes === 0);
  assertEquals(harness.log.filter((line) => line.includes("gone silent")), []);
});

Deno.test("A stream that had to wait for its client and goes silent without an end is told of in the log, once", async () => {
  // More than is kept, and all kernel buffers on the way hold.
  const total = 3 * MAX_KEPT_BY_STREAM;
  const block = new Uint8Array(1_048_576);
  await using harness = await startHarness({
    bridge: {
      intercept: async (line, socket) => {
        if (!line.startsWith("STREAM CONNECT")) return false;
        await socket.write("STREAM STATUS RESULT=OK\n");
        for (let sent = 0; sent < total; sent += block.length) await writeAll(socket.conn, block);
        return await socket.conn.read(block) === null;
      },
    },
  });
  const told = (): string[] => harness.log.filter((line) => line.includes(SILENT_STORY));
  using clock = new Clock();
  const { conn, early } = await socksConnect(harness.port, harness.name, 80);
  using _conn = conn;
  await until("no more is kept", () => harness.proxy.keptBytes >= MAX_KEPT_BY_STREAM);
  await clock.skip(3 * SILENT_AFTER);
  assertEquals(told(), [], "it is the client that takes nothing");
  for (let left = total - early.length; left > 0;) left -= await conn.read(block) ?? left;
  await until("nothing is kept", () => harness.proxy.keptBytes === 0);
  await clock.skip(3 * SILENT_AFTER);
  assertEquals(told().length, 1);
  assertStringIncludes(told()[0] ?? "", "destination=service.i2p:80");
});

Deno.test("A client that goes on sending after the peer's end still reads everything", async () => {
  await using harness = await startHarness({
    bridge: {
      intercept: async (line, socket) => {
        if (!line.startsWith("STREAM CONNECT")) return false;
        await socket.write("STREAM STATUS RESULT=OK\n");
        await writeAll(socket.conn, encode("y".repeat(200_000)));
        await socket.conn.closeWrite();
        // A bridge that closed now, with unread bytes, would reset the connection and so lose the answer itself.
        await readToEnd(socket.conn).catch(() => {});
        socket.close();
        return true;
      },
    },
  });
  const { conn, early } = await socksConnect(harness.port, harness.name, 80);
  using _conn = conn;
  let sending = true;
  const sender = (async () => {
    // Until the connection is gone, so that there are always unread bytes at the proxy.
    while (sending) {
      await conn.write(encode("z".repeat(1000)));
      await delay(1);
    }
  })().catch(() => {});
  const received = concat(early, await readToEnd(conn)).length;
  sending = false;
  await sender;
  assertEquals(received, 200_000);
});

Deno.test("A client that leaves ends its stream", async () => {
  let left = 0;
  await using harness = await startHarness({
    service: async (conn) => {
      // Feeds the client for as long as it is there: a stream is never silent after its client has left.
      const feed = (async () => {
        for (;;) {
          await writeAll(conn, encode("tick"));
          await delay(10);
        }
      })();
      await feed.catch(() => {
        left++;
      });
    },
  });
  const connections = await Promise.all(Array.from({ length: 5 }, () => socksConnect(harness.port, harness.name, 80)));
  connections.forEach(({ conn }) => conn.close());
  await until("the service has seen them leave", () => left === 5);
  await until("nothing is left", () => harness.proxy.connections === 0 && harness.streams() === 0);
});

Deno.test("A reader that stops stops the sender, and memory does not grow", async () => {
  let sent = 0;
  await using harness = await startHarness({
    service: async (conn) => {
      const block = new Uint8Array(65_536);
      for (;;) sent += await conn.write(block);
    },
  });
  const connections = await Promise.all(Array.from({ length: 10 }, () => socksConnect(harness.port, harness.name, 80)));
  let before = -1;
  for (let i = 0; i < 300 && sent !== before; i++) {
    before = sent;
    await delay(100);
  }
  assertEquals(sent, before, "the sender goes on although nobody reads");
  // What the kernel's socket buffers take on the way, ten times; nothing is kept in the process.
  assert(sent < 200_000_000, `${sent} bytes were taken`);
  connections.forEach(({ conn }) => conn.close());
  await until("nothing is left", () => harness.proxy.connections === 0);
});

Deno.test("An idle stream is closed when a limit is set, a busy one is not", async () => {
  await using harness = await startHarness({ settings: { timeouts: { idle: 1_000 } } });
  const idle = await socksConnect(harness.port, harness.name, 80);
  const busy = await socksConnect(harness.port, harness.name, 80);
  using _busy = busy.conn;
  using _idle = idle.conn;
  const idleEnded = readToEnd(idle.conn);
  for (let i = 0; i < 12; i++) {
    await busy.conn.write(encode("x"));
    assertEquals(await busy.conn.read(new Uint8Array(1)), 1);
    await delay(100);
  }
  assertEquals((await idleEnded).length, 0);
  assertEquals(harness.proxy.connections, 1);
});

Deno.test("The requested port travels as TO_PORT, and port 0 as none", async () => {
  await using harness = await startHarness({ bridge: { manners: "java" } });
  for (const port of [0, 1, 6667, 65_535]) {
    const { conn } = await socksConnect(harness.port, harness.name, port);
    conn.close();
    const line = harness.bridge.lines.filter((l) => l.startsWith("STREAM CONNECT")).at(-1) ?? "";
    assertEquals(/TO_PORT=(\d+)/.exec(line)?.[1], port === 0 ? undefined : String(port));
  }
});

Deno.test("Sessions lost take their streams along, and a new one serves the next request", async () => {
  await using harness = await startHarness();
  const before = await socksConnect(harness.port, harness.name, 80);
  const ids = (): string[] =>
    harness.bridge.lines.flatMap((l) => /SESSION CREATE .*ID=(i2p-socks-\S+)/.exec(l)?.[1] ?? []);
  harness.bridge.dropSessions();
  assertEquals((await readToEnd(before.conn)).length, 0);
  before.conn.close();
  await until("the proxy has noticed", () => harness.log.some((line) => line.includes("Session lost")));
  // The service's own session went too, so the name leads nowhere; but its answer comes through the new session.
  const { reply, conn } = await socksConnect(harness.port, harness.name, 80);
  conn.close();
  assertEquals(reply.code, 4);
  assertEquals(ids().length, 2);
  assertEquals(new Set(ids()).size, 2, "a session ID was used twice");
  assert(harness.log.some((line) => line.includes("Session ready again")));
});

Deno.test("Clients that come before the session are held, then served", async () => {
  await using harness = await startHarness({ ready: false, bridge: { sessionDelay: 150 } });
  const early = socksConnect(harness.port, harness.name, 80);
  await harness.identity.open();
  const { reply, conn } = await early;
  conn.close();
  assertEquals(reply.code, 0);
});

Deno.test("A session that is not ready in time is told as such, and so is a router that went away", async () => {
  await using harness = await startHarness({ ready: false, settings: { timeouts: { connect: 150 } } });
  await notReady(harness.port, harness.name, 5, 3);
  await notReady(harness.port, harness.name, 4, 0x5b);
  assertStringIncludes(harness.log.at(-1) ?? "", "reason=not-ready");
  await harness.identity.open();
  await harness.bridge.close();
  await until("the proxy has noticed", () => harness.log.some((line) => line.includes("Session lost")));
  await notReady(harness.port, harness.name, 5, 3);
  assertStringIncludes(harness.log.at(-1) ?? "", "reason=router-down");
});

async function notReady(port: number, host: string, version: 4 | 5, code: number): Promise<void> {
  const { reply, conn } = await socksConnect(port, host, 80, { version });
  conn.close();
  assertEquals(reply.code, code);
}

Deno.test("A router that does not answer STREAM CONNECT costs the connect timeout, not the client", async () => {
  await using harness = await startHarness({
    bridge: { intercept: (line) => line.startsWith("STREAM CONNECT") },
    settings: { timeouts: { connect: 150 } },
  });
  await notReady(harness.port, harness.name, 5, 6);
  await until("its socket is closed", () => harness.streams() === 0);
});

Deno.test("drain() lets a running download finish, and takes no new clients", async () => {
  await using harness = await startHarness({
    service: async (conn) => {
      for (let i = 0; i < 10; i++) {
        await writeAll(conn, encode("0123456789"));
        await delay(20);
      }
    },
  });
  const { conn, early } = await socksConnect(harness.port, harness.name, 80);
  using _conn = conn;
  const draining = harness.proxy.drain(5_000);
  await assertRejects(() => socksConnect(harness.port, harness.name, 80), Error);
  const received = concat(early, await readToEnd(conn));
  assertEquals(received.length, 100);
  conn.close();
  await draining;
  assertEquals(harness.proxy.connections, 0);
});

Deno.test("drain() does not wait longer than it may, and close() ends what is left", async () => {
  await using harness = await startHarness();
  const connections: SocksConnection[] = [];
  for (let i = 0; i < 3; i++) connections.push(await socksConnect(harness.port, harness.name, 80));
  await harness.proxy.drain(100);
  assertEquals(harness.proxy.connections, 3);
  await harness.proxy.close();
  assertEquals(harness.proxy.connections, 0);
  for (const { conn } of connections) {
    assertEquals((await readToEnd(conn)).length, 0);
    conn.close();
  }
});

Deno.test("drain() waits neither for clients that ask for nothing nor for callers of BIND", async () => {
  await using harness = await startHarness({
    bridge: { silentPeerTimeout: 60_000 },
    settings: { bind: true, timeouts: { handshake: 60_000, connect: 60_000 } },
  });
  using bound = await BindClient.ask(harness.port, {});
  assertEquals((await bound.reply()).code, 0);
  const silent = await Promise.all(
    ["", "\x05", "\x05\x01\x02", "\x04\x01\x00\x50\x00\x00\x00\x01user"].map(async (bytes) => {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
      await writeAll(conn, encode(bytes));
      return conn;
    }),
  );
  await until("all are there", () => harness.proxy.connections === 5);
  const since = performance.now();
  await harness.proxy.drain(30_000);
  assert(performance.now() - since < 15_000, "ended long before the time was over");
  assertEquals([harness.proxy.connections, harness.counters.get("refused-handshake-timeout")], [0, 0]);
  silent.forEach((conn) => conn.close());
});
