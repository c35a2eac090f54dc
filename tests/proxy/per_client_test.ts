import { assertEquals, assertStringIncludes } from "@std/assert";
import { MAX_SURPLUS } from "../../lib/proxy/admission.ts";
import { Clock } from "../support/clock.ts";
import { type Harness, lastOutcome, startHarness } from "../support/harness.ts";
import { readToEnd, socksConnect } from "../clients/socks_client.ts";
import { delay, until } from "../support/wait.ts";

const [TWO, THREE] = ["127.0.0.2", "127.0.0.3"] as const;

/** Milliseconds after which a stream whose client has left may give way. */
const SILENT = 1_100;

Deno.test("Clients of one address above its limit are told so; others are served, and old ones go on", async () => {
  await using harness = await startHarness({ addresses: [TWO, THREE], settings: { limits: { perClient: 2 } } });
  const old = [await open(harness, TWO), await open(harness, TWO)];
  for (const [version, code] of [[5, 1], [4, 0x5b]] as const) {
    assertEquals(await replyTo(harness, TWO, version), code);
    const line = lastOutcome(harness.log);
    assertStringIncludes(line, "Too many connections from one client address reason=too-many-per-client");
    assertStringIncludes(line, "--max-per-client");
  }
  assertEquals(harness.counters.get("refused-too-many-per-client"), 2);
  const others = [await open(harness, THREE), await open(harness, THREE), await open(harness)];
  for (const conn of [...old, ...others]) await assertEchoes(conn);
  [...old, ...others].forEach((conn) => conn.close());
});

Deno.test("The end of a client frees its place for its own address, and for no other", async () => {
  await using harness = await startHarness({
    addresses: [TWO, THREE],
    settings: { limits: { perClient: 1 } },
    // Ends with the second byte, so that a stream has an end that does not have to be waited for.
    service: async (conn) => {
      await conn.write(Uint8Array.of(0));
      await conn.read(new Uint8Array(1));
    },
  });
  const [two, three] = [await open(harness, TWO), await open(harness, THREE)];
  await end(three);
  await until("its place is free", () => harness.proxy.connections === 1);
  assertEquals(await replyTo(harness, TWO), 1);
  await end(two);
  await until("all are forgotten", () => harness.proxy.connections === 0);
  for (let i = 0; i < 3; i++) {
    await end(await open(harness, TWO));
    await until("it is forgotten", () => harness.proxy.connections === 0);
  }
});

Deno.test("Clients that do not get as far as a request count, and the oldest gives way", async () => {
  await using harness = await startHarness({ addresses: [TWO], settings: { limits: { perClient: 2 } } });
  const port = harness.ports[TWO] ?? 0;
  const silent: Deno.TcpConn[] = [];
  const most = 2 + MAX_SURPLUS;
  for (let i = 0; i < most + 10; i++) {
    silent.push(await Deno.connect({ hostname: "127.0.0.1", port }));
    await until("it is accepted", () => harness.counters.get("accepted") === i + 1);
  }
  await until("the oldest have given way", () => harness.counters.get("refused-too-many-per-client") === 10);
  assertEquals((await Promise.all(silent.slice(0, 10).map(readToEnd))).map(({ length }) => length), Array(10).fill(0));
  const served = await open(harness, TWO);
  served.close();
  silent.forEach((conn) => conn.close());
  harness.dropSessions();
  await until("they are forgotten", () => harness.proxy.connections === 0);
  const conns = [await open(harness, TWO), await open(harness, TWO)];
  assertEquals(await replyTo(harness, TWO), 1, "an end was counted twice");
  conns.forEach((conn) => conn.close());
});

Deno.test("At the limit of an address, a stream of that address whose client has left gives way", async () => {
  await using harness = await startHarness({ addresses: [TWO, THREE], settings: { limits: { perClient: 2 } } });
  using clock = new Clock();
  await leave(await open(harness, THREE));
  const [leaving, staying] = [await open(harness, TWO), await open(harness, TWO)];
  await clock.skip(SILENT);
  assertEquals(await replyTo(harness, TWO), 1, "another address made room");
  await until("the refused client is gone", () => harness.proxy.connections === 3);
  await leave(leaving);
  // It waits until the stream that has just been busy is silent for long enough.
  const fresh = await open(harness, TWO);
  for (const conn of [staying, fresh]) await assertEchoes(conn);
  // The stream of the other address, silent for longer, is still there: it was not in the way.
  await until("three are left", () => harness.proxy.connections === 3);
  for (const conn of [staying, fresh]) conn.close();
});

Deno.test("A stream that gives way to its own address makes room among all clients as well", async () => {
  await using harness = await startHarness({
    addresses: [TWO],
    settings: { limits: { perClient: 2, connections: 2 } },
  });
  using clock = new Clock();
  const staying = await open(harness, TWO);
  await leave(await open(harness, TWO));
  await clock.skip(SILENT);
  const fresh = await openOnceFree(harness, TWO);
  for (const conn of [staying, fresh]) await assertEchoes(conn);
  for (const conn of [staying, fresh]) conn.close();
});

Deno.test("An address that may have more is refused at the limit of all clients, with that reason", async () => {
  await using harness = await startHarness({
    addresses: [TWO],
    settings: { limits: { perClient: 2, connections: 2 } },
  });
  const old = [await open(harness), await open(harness)];
  assertEquals(await replyTo(harness, TWO), 1);
  assertEquals(harness.counters.get("refused-too-many"), 1);
  for (const conn of old) await assertEchoes(conn);
  old.forEach((conn) => conn.close());
});

/** An open stream of a client that seems to come from an address; from 127.0.0.1 where none is given. */
async function open(harness: Harness, address?: string): Promise<Deno.TcpConn> {
  const { reply, conn } = await socksConnect(portOf(harness, address), harness.name, 80);
  assertEquals(reply.code, 0, address);
  return conn;
}

/** The same, as soon as there is a place: the proxy sees in its own time that another client has left. */
async function openOnceFree(harness: Harness, address: string): Promise<Deno.TcpConn> {
  let open: Deno.TcpConn | undefined;
  await until("there is a place", async () => {
    const { reply, conn } = await socksConnect(portOf(harness, address), harness.name, 80);
    if (reply.code === 0) open = conn;
    else conn.close();
    return reply.code === 0;
  });
  if (open === undefined) throw new Error("There is no place");
  return open;
}

/** The code that such a client is told. */
async function replyTo(harness: Harness, address: string, version: 4 | 5 = 5): Promise<number> {
  const { reply, conn } = await socksConnect(portOf(harness, address), harness.name, 80, { version });
  conn.close();
  return reply.code;
}

function portOf({ port, ports }: Harness, address?: string): number {
  return address === undefined ? port : ports[address] ?? 0;
}

async function assertEchoes(conn: Deno.TcpConn): Promise<void> {
  await conn.write(Uint8Array.of(7));
  assertEquals(await conn.read(new Uint8Array(1)), 1);
}

/** Leaves after an answer. SAM has no half-close, so the service does not learn of it, and the stream stays. */
async function leave(conn: Deno.TcpConn): Promise<void> {
  await assertEchoes(conn);
  conn.close();
  await delay(200);
}

/** Has the service end the stream, and waits for it. */
async function end(conn: Deno.TcpConn): Promise<void> {
  await conn.write(Uint8Array.of(1));
  await readToEnd(conn);
  conn.close();
}
