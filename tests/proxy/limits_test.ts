// deno-lint-ignore no-external-import -- the only way to a reset
import { connect } from "node:net";
import { assert, assertEquals } from "@std/assert";
import { MAX_SURPLUS } from "../../lib/proxy/admission.ts";
import { concat } from "../support/bytes.ts";
import { type Harness, startHarness } from "../support/harness.ts";
import { readToEnd, socksConnect, writeAll } from "../clients/socks_client.ts";
import { encodeGreeting, encodeRequest4, encodeRequest5 } from "../clients/socks_wire.ts";
import { delay, until } from "../support/wait.ts";

Deno.test("A client that closes at any byte of its handshake leaves nothing behind", async () => {
  await using harness = await startHarness();
  const host = harness.name;
  const handshakes = [
    concat(encodeGreeting([0, 2]), encodeRequest5({ host, port: 80 })),
    encodeRequest4({ host, port: 80, userId: "someone" }),
    new TextEncoder().encode("GET / HTTP/1.1\r\n"),
  ];
  for (const handshake of handshakes) {
    for (let length = 0; length < handshake.length; length++) {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
      if (length > 0) await conn.write(handshake.subarray(0, length));
      conn.close();
    }
  }
  await until("all clients are forgotten", () => harness.proxy.connections === 0);
  await until("no stream is open", () => harness.streams() === 0);
  assertEquals(harness.counters.get("connected"), 0);
  const { reply, conn } = await socksConnect(harness.port, host, 80);
  conn.close();
  assertEquals(reply.code, 0);
});

Deno.test("The whole handshake has one deadline: neither silence nor single bytes put it off", async () => {
  await using harness = await startHarness({ settings: { timeouts: { handshake: 200 } } });
  const old = await socksConnect(harness.port, harness.name, 80);
  const since = performance.now();
  const silent = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
  const slow = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
  const dripping = (async () => {
    for (const byte of concat(Uint8Array.of(4, 1, 0, 80, 0, 0, 0, 1), new Uint8Array(200).fill(0x61))) {
      await slow.write(Uint8Array.of(byte));
      await delay(60);
    }
  })().catch(() => {});
  assertEquals((await readToEnd(silent)).length, 0);
  // A reset is as good as an end: the proxy closed with a byte unread.
  await readToEnd(slow).catch(() => {});
  const took = performance.now() - since;
  silent.close();
  slow.close();
  await dripping;
  // All of the single bytes would take 12 s.
  assert(took >= 190 && took < 10_000, `it took ${took} ms`);
  assertEquals(harness.counters.get("refused-handshake-timeout"), 2);
  await assertEchoes(old.conn);
  old.conn.close();
});

Deno.test("Clients above the limit are told so, old ones go on, and a free place is used again", async () => {
  await using harness = await startHarness({ settings: { limits: { connections: 3 } } });
  const old = await Promise.all([1, 2, 3].map(() => socksConnect(harness.port, harness.name, 80)));
  for (const [version, code] of [[5, 1], [4, 0x5b]] as const) {
    const { reply, conn } = await socksConnect(harness.port, harness.name, 80, { version });
    conn.close();
    assertEquals(reply.code, code);
  }
  await until("the surplus clients are gone", () => harness.proxy.connections === 3);
  assertEquals(harness.counters.get("refused-too-many"), 2);
  for (const { conn } of old) await assertEchoes(conn);
  // SAM has no half-close, so the service does not learn of this, and the stream stays until its place is needed.
  old[0]?.conn.close();
  await until("a stream whose client has left gives its place away", async () => {
    const { reply, conn } = await socksConnect(harness.port, harness.name, 80);
    conn.close();
    return reply.code === 0;
  });
  old.forEach(({ conn }, i) => i > 0 && conn.close());
});

Deno.test("At the limit, an answer under way to a client that ended its side is not cut off", async () => {
  const refused = Promise.withResolvers<void>();
  await using harness = await startHarness({
    settings: { limits: { connections: 1 } },
    service: async (conn) => {
      let isOver = false;
      refused.promise.then(() => isOver = true);
      for (; !isOver; await delay(50)) await writeAll(conn, Uint8Array.of(1));
      await writeAll(conn, new Uint8Array(5_000).fill(2));
    },
  });
  const { conn, early } = await socksConnect(harness.port, harness.name, 80, { early: Uint8Array.of(1) });
  using _conn = conn;
  await conn.closeWrite();
  const other = await socksConnect(harness.port, harness.name, 80);
  other.conn.close();
  assertEquals(other.reply.code, 1);
  refused.resolve();
  assertEquals(concat(early, await readToEnd(conn)).filter((byte) => byte === 2).length, 5_000);
});

Deno.test("Clients that reset while they wait free their places and their sockets at once", async () => {
  await using harness = await startHarness({
    bridge: { intercept: (line) => line.startsWith("STREAM CONNECT") },
    settings: { limits: { connections: 5 } },
  });
  for (const payload of [[], [1, 2, 3]]) {
    const before = harness.counters.get("refused-client-closed");
    const waiting = Array.from({ length: 5 }, () => connect(harness.port, "127.0.0.1"));
    for (const socket of waiting) socket.write(encodeRequest4({ host: harness.name, port: 80 }));
    await until("all are being connected", () => harness.streams() === 5);
    // A segment of its own, so that it is no part of the request.
    for (const socket of waiting) await new Promise((resolve) => socket.write(Uint8Array.from(payload), resolve));
    for (const socket of waiting) socket.resetAndDestroy();
    await until("nothing is left", () => harness.proxy.connections === 0 && harness.streams() === 0);
    assertEquals(harness.counters.get("refused-client-closed") - before, 5);
  }
});

Deno.test("Clients that ended their side while they wait keep their places, until others need them", async () => {
  let hold = true;
  await using harness = await startHarness({
    bridge: { intercept: (line) => hold && line.startsWith("STREAM CONNECT") },
    settings: { limits: { connections: 5 } },
  });
  for (const payload of [new Uint8Array(), Uint8Array.of(1, 2, 3)]) {
    hold = true;
    const waiting = await waitForStreams(harness, 5, payload);
    for (const conn of waiting) await conn.closeWrite();
    hold = false;
    // Each needs a place, and the oldest that waits gives it.
    const served = await Promise.all([1, 2].map(() => socksConnect(harness.port, harness.name, 80)));
    assertEquals(served.map(({ reply }) => reply.code), [0, 0]);
    for (const { conn } of served) await assertEchoes(conn);
    await until("two have given way", () => harness.proxy.connections === 5);
    [...waiting, ...served.map(({ conn }) => conn)].forEach((conn) => conn.close());
    harness.dropSessions();
    await until("nothing is left", () => harness.proxy.connections === 0);
    await until("there is a session again", () => harness.identity.status.state === "ready" && harness.streams() === 0);
  }
});

Deno.test("A client that ended its side before its stream is open gets what the peer sends", async () => {
  let open = (): void => {};
  const isOpen = new Promise<void>((resolve) => open = resolve);
  await using harness = await startHarness({
    bridge: { intercept: async (line) => line.startsWith("STREAM CONNECT") && (await isOpen, false) },
    service: async (conn) => {
      await conn.write(Uint8Array.of(1, 2, 3));
    },
  });
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
  await conn.write(encodeRequest4({ host: harness.name, port: 80 }));
  await conn.closeWrite();
  await until("it is being connected", () => harness.streams() === 1);
  open();
  const answer = await readToEnd(conn);
  assertEquals([answer[1], ...answer.subarray(8)], [0x5a, 1, 2, 3]);
  conn.close();
});

Deno.test("Silent clients keep nobody out: the oldest gives way", async () => {
  await using harness = await startHarness({ settings: { limits: { connections: 1 } } });
  const most = 1 + MAX_SURPLUS;
  const conns: Deno.TcpConn[] = [];
  for (let i = 0; i < most + 5; i++) {
    conns.push(await Deno.connect({ hostname: "127.0.0.1", port: harness.port }));
    await until("it is accepted", () => harness.counters.get("accepted") === i + 1);
  }
  await until("the oldest have given way", () => harness.proxy.connections === most);
  const { reply, conn } = await socksConnect(harness.port, harness.name, 80);
  assertEquals(reply.code, 0);
  await assertEchoes(conn);
  assertEquals(harness.counters.get("refused-too-many"), 6);
  assertEquals((await Promise.all(conns.slice(0, 6).map(readToEnd))).map(({ length }) => length), Array(6).fill(0));
  conns.forEach((conn) => conn.close());
  await until("the others are forgotten", () => harness.proxy.connections === 1);
  await assertEchoes(conn);
  conn.close();
});

Deno.test("Far above the limit every client is told so, also where nobody before it is silent or closes", async () => {
  await using harness = await startHarness({
    bridge: { intercept: (line) => line.startsWith("STREAM CONNECT") },
    settings: { limits: { connections: 3 } },
  });
  const busy = await waitForStreams(harness, 3, new Uint8Array());
  const told = await Promise.all(
    Array.from({ length: 3 * MAX_SURPLUS }, () => socksConnect(harness.port, harness.name, 80)),
  );
  assertEquals(new Set(told.map(({ reply }) => reply.code)), new Set([1]));
  [...busy, ...told.map(({ conn }) => conn)].forEach((conn) => conn.close());
});

/** Has clients ask for streams that are not opened. They read nothing. */
async function waitForStreams(harness: Harness, count: number, payload: Uint8Array): Promise<Deno.TcpConn[]> {
  const waiting: Deno.TcpConn[] = [];
  const before = harness.sent("STREAM CONNECT", "ID").length;
  for (let i = 0; i < count; i++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
    await conn.write(concat(encodeGreeting([0]), encodeRequest5({ host: harness.name, port: 80 })));
    // Sockets of streams that have ended may still be there, so these say nothing.
    await until("it is being connected", () => harness.sent("STREAM CONNECT", "ID").length === before + i + 1);
    // A segment of its own, so that it is no part of the request.
    if (payload.length > 0) await conn.write(payload);
    waiting.push(conn);
  }
  return waiting;
}

async function assertEchoes(conn: Deno.TcpConn): Promise<void> {
  await conn.write(Uint8Array.of(7));
  assertEquals(await conn.read(new Uint8Array(1)), 1);
}
