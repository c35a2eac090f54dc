import { assert, assertEquals, assertMatch } from "@std/assert";
import { BufferPool } from "../../lib/relay/buffer_pool.ts";
import { FairnessGate } from "../../lib/relay/fairness_gate.ts";
import { HalfClosedStreams } from "../../lib/relay/half_closed.ts";
import { ReadAhead } from "../../lib/relay/read_ahead.ts";
import { relay, type RelayOptions } from "../../lib/relay/relay.ts";
import { KeepLimit } from "../../lib/relay/keeper.ts";
import { concat, encode } from "../support/bytes.ts";
import { type Harness, lastOutcome, startHarness } from "../support/harness.ts";
import type { SamSocket } from "../sam_bridge/bridge.ts";
import { atMost } from "../sam_bridge/wire.ts";
import { pattern } from "../support/site.ts";
import { readToEnd, socksConnect, writeAll } from "../clients/socks_client.ts";
import { delay, until } from "../support/wait.ts";

/** What a stream meets that is being opened when its session is lost. */
const LOSSES: Readonly<Record<string, (harness: Harness, socket: SamSocket) => Promise<void> | void>> = {
  "the session is lost, with its sockets": (harness) => harness.dropSessions(),
  "the session is lost, but the sockets stay": (harness) => harness.dropSessions({ keepStreams: true }),
  "the router has forgotten the session": (_harness, socket) => socket.write("STREAM STATUS RESULT=INVALID_ID\n"),
  "the stream is closed just before the session": async (harness, socket) => {
    socket.close();
    await delay(80);
    harness.dropSessions();
  },
  "the stream fails just before the session": async (harness, socket) => {
    await socket.write('STREAM STATUS RESULT=I2P_ERROR MESSAGE="Session is closed"\n');
    await delay(80);
    harness.dropSessions();
  },
  "the session is over, and its control socket stays": (_harness, socket) =>
    socket.write('STREAM STATUS RESULT=I2P_ERROR MESSAGE="Session was closed"\n'),
  "the stream times out just before the session": async (harness, socket) => {
    await socket.write("STREAM STATUS RESULT=TIMEOUT\n");
    await delay(80);
    harness.dropSessions();
  },
};

Deno.test("A stream that is being opened when its session is lost is tried once more on the next one", async (t) => {
  for (const [name, lose] of Object.entries(LOSSES)) {
    await t.step(name, async () => {
      let received = "";
      await using harness = await startHarness({
        service: async (conn) => {
          for await (const chunk of conn.readable) received += new TextDecoder().decode(chunk);
        },
      });
      let isFirst = true;
      harness.bridge.intercept = async (line, socket) => {
        if (!line.startsWith("STREAM CONNECT") || !isFirst) return false;
        isFirst = false;
        await lose(harness, socket);
        return true;
      };
      const { reply, conn } = await socksConnect(harness.port, harness.name, 80, { early: encode("once") });
      await until("the service has it", () => received === "once");
      harness.dropSessions();
      assertEquals((await readToEnd(conn)).length, 0);
      conn.close();
      await until("the stream has ended", () => harness.proxy.connections === 0);
      assertEquals([reply.code, received], [0, "once"]);
      const ids = harness.sent("STREAM CONNECT", "ID");
      assertEquals([ids.length, new Set(ids).size], [2, 2]);
    });
  }
});

Deno.test("A stream whose router goes away before it is asked is tried once more when the router is back", async () => {
  await using harness = await startHarness({ settings: { timeouts: { connect: 15_000 } } });
  await harness.bridge.stopListening();
  const code = harness.ask();
  await delay(80);
  harness.dropSessions();
  await delay(300);
  harness.bridge.listen();
  assertEquals(await code, 0);
});

Deno.test("A stream is never tried more than twice", async () => {
  await using harness = await startHarness();
  harness.bridge.intercept = (line) => {
    if (!line.startsWith("STREAM CONNECT")) return false;
    harness.dropSessions();
    return true;
  };
  assertEquals(await harness.ask(), 3);
  assertMatch(lastOutcome(harness.log), /reason=router-down /);
  assertEquals(harness.sent("STREAM CONNECT", "ID").length, 2);
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
    await harness.ask();
  }
  // One that gets no answer at all is made again where its socket has waited: that may have been dead before.
  const asked = harness.sent("STREAM CONNECT", "ID").length;
  assert(asked === 3 || asked === 4, `${asked} requests`);
  assertEquals(harness.sent("SESSION CREATE", "ID").length, 1);
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
  assert(took > 900 && took < 30_000, `it took ${took} ms`);
  await until("nothing is left", () => harness.proxy.connections === 0 && harness.streams() === 0);
  assertEquals(harness.log.filter((line) => line.includes("Stream ended: session lost")).length, 10);
});

Deno.test("relay() ends a stream whose session was lost before it began, and carries what had come", async () => {
  await using resources = await relayResources();
  const [client, near] = await connectedPair();
  const [far, stream] = await connectedPair();
  await writeAll(far, encode("last words"));
  const ahead = new ReadAhead(near, new Uint8Array(2_048), () => {});
  const [sentBytes, receivedBytes] = [{ value: 0 }, { value: 0 }];
  const relaying = relay(near, ahead, { conn: stream, buffer: new Uint8Array(2_048) }, {
    ...resources,
    reply: encode("ok;"),
    toClient: encode("my "),
    toStream: encode("hi"),
    idleTimeout: 0,
    signal: new AbortController().signal,
    sessionEnded: AbortSignal.abort(),
    sentBytes,
    receivedBytes,
  });
  const received = await atMost(30_000, readToEnd(client));
  client.close();
  far.close();
  assertEquals(await relaying, { sent: 2, received: 13, end: "session lost" });
  assertEquals([sentBytes.value, receivedBytes.value], [2, 13]);
  assertEquals(new TextDecoder().decode(received), "ok;my last words");
});

/** What relays share. */
async function relayResources(): Promise<
  Pick<RelayOptions, "clientAddress" | "pool" | "gate" | "halfClosed" | "keepLimit" | "keptBytes"> & AsyncDisposable
> {
  const gate = await FairnessGate.open();
  return {
    clientAddress: "127.0.0.1",
    pool: new BufferPool(),
    gate,
    halfClosed: new HalfClosedStreams(),
    keepLimit: new KeepLimit(),
    keptBytes: { value: 0 },
    [Symbol.asyncDispose]: () => Promise.resolve(gate.close()),
  };
}

/** Both ends of a connection. */
async function connectedPair(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return await Promise.all([Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }), listener.accept()]);
}

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
  assert(performance.now() - dropped < 30_000);
});

Deno.test("Under load, a lost session ends every stream, and the next one serves", async () => {
  await using harness = await startHarness();
  const block = pattern(100_000);
  const lengths: number[] = Array(20).fill(0);
  const clients = lengths.map(async (_length, i) => {
    const { conn } = await socksConnect(harness.port, harness.name, 80);
    const writing = (async () => {
      for (let round = 0; round < 10_000; round++) await writeAll(conn, block);
    })().catch(() => {});
    const buffer = new Uint8Array(65_536);
    for (let length = 0, count: number | null = 0; count !== null; lengths[i] = length) {
      assert(buffer.subarray(0, count).every((byte, at) => byte === block[(length + at) % block.length]));
      length += count;
      // The end may be a reset: the proxy closes while the client still sends.
      count = await conn.read(buffer).catch(() => null);
    }
    conn.close();
    await writing;
  });
  await until("bytes flow on every stream", () => lengths.every((length) => length > 0));
  harness.dropSessions();
  await Promise.all(clients);
  await until("nothing is left", () => harness.proxy.connections === 0 && harness.streams() === 0);
  assertEquals(await harness.ask(), 0);
});

Deno.test("A client that takes its last bytes slowly gets them all, also when the session is lost meanwhile", async () => {
  const data = pattern(1_500_000);
  await using harness = await startHarness({ service: (conn) => writeAll(conn, data) });
  const { conn, early } = await socksConnect(harness.port, harness.name, 80);
  using _conn = conn;
  // Closed with these unread, the connection would be reset, and what the client has yet to read would be lost.
  let isOver = false;
  const sending = (async () => {
    while (!isOver) {
      await conn.write(new Uint8Array(1_000));
      await delay(50);
    }
  })().catch(() => {});
  await delay(500);
  harness.dropSessions();
  const received = [early];
  const buffer = new Uint8Array(65_536);
  for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
    received.push(buffer.slice(0, n));
    await delay(20);
  }
  isOver = true;
  await sending;
  const end = (): string => harness.log.find((line) => line.includes("Stream ended")) ?? "";
  await until("the stream has ended", () => end() !== "");
  assertEquals(concat(...received), data.subarray(0, Number(/received=(\d+)/.exec(end())?.[1])));
});

Deno.test("Streams that end with their session are not told as peers that are gone", async () => {
  await using harness = await startHarness({ service: (conn) => readToEnd(conn).then(() => {}) });
  const streams = await Promise.all([1, 2, 3].map(() => socksConnect(harness.port, harness.name, 80)));
  harness.dropSessions();
  await until("all have ended", () => harness.proxy.connections === 0);
  streams.forEach(({ conn }) => conn.close());
  assertEquals(harness.counters.get("ended-without-data"), 0);
});

Deno.test("A session that the router has forgotten is told as such", async () => {
  await using harness = await startHarness();
  harness.bridge.intercept = async (line, socket) => {
    if (!line.startsWith("STREAM CONNECT")) return false;
    await socket.write("STREAM STATUS RESULT=INVALID_ID\n");
    return true;
  };
  const { reply, conn } = await socksConnect(harness.port, harness.name, 80);
  conn.close();
  assertEquals(reply.code, 3);
  assertMatch(harness.log.find((line) => line.includes("Session lost")) ?? "", /the router answered INVALID_ID/);
});

Deno.test("relay() fails with what went wrong in a filter, and ends both sides, though the peer says nothing", async () => {
  await using resources = await relayResources();
  const [client, near] = await connectedPair();
  const [far, stream] = await connectedPair();
  const ahead = new ReadAhead(near, new Uint8Array(1_024), () => {});
  const mistake = new Error("a mistake");
  const harmless = { pass: (bytes: Uint8Array): Uint8Array => bytes, end: () => new Uint8Array(), isDone: false };
  const wrong = {
    ...harmless,
    pass: (): never => {
      throw mistake;
    },
  };
  const relaying = relay(near, ahead, { conn: stream, buffer: new Uint8Array(1_024) }, {
    ...resources,
    reply: new Uint8Array(),
    toClient: new Uint8Array(),
    toStream: new Uint8Array(),
    idleTimeout: 0,
    signal: new AbortController().signal,
    sessionEnded: new AbortController().signal,
    filters: { sent: wrong, received: harmless },
    sentBytes: { value: 0 },
    receivedBytes: { value: 0 },
  });
  const outcome = relaying.then(() => undefined, (error) => error);
  await writeAll(client, encode("x"));
  assertEquals(await atMost(30_000, outcome), mistake);
  assertEquals((await atMost(30_000, readToEnd(far)))?.length, 0);
  client.close();
  far.close();
});
