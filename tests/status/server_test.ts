import { assert, assertEquals } from "@std/assert";
import {
  MAX_STATUS_ANSWERED,
  MAX_STATUS_HEAD,
  MAX_STATUS_REQUESTS,
  STATUS_TIMEOUT,
  StatusServer,
} from "../../lib/status/server.ts";
import { rawGet } from "../clients/raw_http.ts";
import { readToEnd, writeAll } from "../clients/socks_client.ts";
import { aSnapshot } from "./snapshots.ts";

const REQUEST = (port: number): Uint8Array =>
  new TextEncoder().encode(`GET /status.json HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);

Deno.test("silent connections keep nobody from the status: the one that has waited longest gives way", async () => {
  await using stage = startServer();
  const silent = await connectAll(stage.port, MAX_STATUS_REQUESTS);
  await writeAll(silent[0] as Deno.TcpConn, new TextEncoder().encode("GET / HT"));
  const since = performance.now();
  for (let i = 0; i < 5; i++) assertEquals((await rawGet(stage.port, "/status.json")).status, 200);
  assert(performance.now() - since < STATUS_TIMEOUT, "they were not waited for");
  // One a request at most: those that were answered have left room again.
  assertEquals(await isClosed(silent[0]), true);
  await writeAll(silent.at(-1) as Deno.TcpConn, REQUEST(stage.port));
  assertEquals(await startOf(silent.at(-1)), "HTTP/1.1 200", "the youngest was not closed");
  silent.forEach((conn) => conn.close());
});

Deno.test("a client that does not take its answer gives way where nobody is silent", async () => {
  await using stage = startServer(2_000_000);
  const greedy = await connectAll(stage.port, MAX_STATUS_REQUESTS);
  for (const conn of greedy) await writeAll(conn, REQUEST(stage.port));
  for (const conn of greedy) assertEquals(await startOf(conn), "HTTP/1.1 200");
  assertEquals((await rawGet(stage.port, "/ready")).status, 503);
  greedy.forEach((conn) => conn.close());
});

Deno.test("answered connections do not count, and have a bound of their own", async () => {
  await using stage = startServer();
  const most = MAX_STATUS_ANSWERED + 2;
  const answered: Deno.TcpConn[] = [];
  for (let i = 0; i < most; i++) {
    const [conn] = await connectAll(stage.port, 1);
    assert(conn !== undefined);
    answered.push(conn);
    await writeAll(conn, REQUEST(stage.port));
    assertEquals(await startOf(conn), "HTTP/1.1 200", `number ${i}`);
  }
  answered.forEach((conn) => conn.close());
});

Deno.test("clients in a tight loop all get answers", async () => {
  await using stage = startServer();
  const clients = Array.from({ length: 12 }, async () => {
    const got: number[] = [];
    for (let i = 0; i < 40; i++) got.push((await rawGet(stage.port, "/status.json")).status);
    return got;
  });
  assertEquals(new Set((await Promise.all(clients)).flat()), new Set([200]));
});

Deno.test("a request has a limit of length and of time", async () => {
  await using stage = startServer();
  const [long, slow] = await connectAll(stage.port, 2);
  const since = performance.now();
  await writeAll(long as Deno.TcpConn, new Uint8Array(MAX_STATUS_HEAD + 1).fill(0x41));
  assertEquals(await startOf(long), "HTTP/1.1 431");
  await writeAll(slow as Deno.TcpConn, new TextEncoder().encode("GET / HT"));
  assertEquals((await readToEnd(slow as Deno.TcpConn)).length, 0);
  assert(performance.now() - since > STATUS_TIMEOUT - 1_000);
  long?.close();
  slow?.close();
});

/** A server of a status that is of no interest, but for its length. */
function startServer(length = 0): AsyncDisposable & { port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const server = new StatusServer(listener, () => ({ ...aSnapshot(), version: "x".repeat(length) }));
  return { port, [Symbol.asyncDispose]: () => server.close() };
}

/** Connects one after the other, so that the first one is the oldest. */
async function connectAll(port: number, count: number): Promise<Deno.TcpConn[]> {
  const conns: Deno.TcpConn[] = [];
  while (conns.length < count) conns.push(await Deno.connect({ hostname: "127.0.0.1", port }));
  return conns;
}

/** The first twelve characters that come. */
async function startOf(conn: Deno.TcpConn | undefined): Promise<string> {
  const buffer = new Uint8Array(12);
  const count = await conn?.read(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, count ?? 0));
}

async function isClosed(conn: Deno.TcpConn | undefined): Promise<boolean> {
  return await conn?.read(new Uint8Array(1)).catch(() => null) === null;
}
