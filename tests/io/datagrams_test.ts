import { assert, assertEquals } from "@std/assert";
import { DatagramSocket, LEAST_QUEUED, MAX_QUEUED } from "../../lib/io/datagrams.ts";
import { collectGarbage } from "./garbage.ts";
import { delay, until } from "../support/wait.ts";

/** Datagrams between two rests of a sender: fewer than the system's own buffer holds. */
const PACE = 50;

/** Sends numbered datagrams of a size, with rests in which they can be received. */
async function sendAll(port: number, count: number, size: number): Promise<void> {
  using sender = openSender();
  const to: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port };
  for (let i = 0; i < count; i++) {
    const bytes = new Uint8Array(size);
    new DataView(bytes.buffer).setUint32(0, i);
    await sender.send(bytes, to);
    if (i % PACE === PACE - 1 || size > 1_000) await delay(1);
  }
}

function openSender(): Deno.DatagramConn & Disposable {
  const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  return Object.assign(conn, { [Symbol.dispose]: () => conn.close() });
}

function numberOf(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
}

Deno.test("datagrams are received while one is being taken, more than the system holds, and are taken in their order", async () => {
  const held = Promise.withResolvers<void>();
  const taken: number[] = [];
  const socket = new DatagramSocket("127.0.0.1", async (bytes) => {
    taken.push(numberOf(bytes));
    await held.promise;
  });
  await sendAll(socket.port, 2_000, 64);
  assertEquals(taken, [0], "one after the other");
  held.resolve();
  await until("all are taken", () => taken.length === 2_000);
  assertEquals(taken, Array.from({ length: 2_000 }, (_, i) => i));
  await socket.close();
});

Deno.test("only so many bytes wait, and it goes on when half of them are taken", async () => {
  const size = 32_768;
  const room = MAX_QUEUED / size;
  const held = Promise.withResolvers<void>();
  const taken: number[] = [];
  const socket = new DatagramSocket("127.0.0.1", async (bytes) => {
    taken.push(numberOf(bytes));
    await held.promise;
  });
  await sendAll(socket.port, 2 * room, size);
  held.resolve();
  await until("those that waited are taken", () => taken.length >= room);
  await delay(50);
  // One was being taken, and a few wait at the system.
  assert(taken.length < 2 * room - 10, `${taken.length} of ${2 * room}`);
  assertEquals(taken, Array.from(taken, (_, i) => i), "those that came first");
  const before = taken.length;
  await sendAll(socket.port, 10, 64);
  await until("it goes on", () => taken.length === before + 10);
  await socket.close();
});

Deno.test("only so many wait, however small they are", async () => {
  const room = MAX_QUEUED / LEAST_QUEUED;
  const held = Promise.withResolvers<void>();
  let taken = 0;
  const socket = new DatagramSocket("127.0.0.1", async () => {
    taken++;
    await held.promise;
  });
  await sendAll(socket.port, room + 4_000, 4);
  held.resolve();
  await until("those that waited are taken", () => taken >= room);
  let before = 0;
  for (; before !== taken; await delay(100)) before = taken;
  // Besides those that the system held.
  assert(taken >= room && taken < room + 2_000, `${taken}`);
  await sendAll(socket.port, 10, 4);
  await until("it goes on", () => taken === before + 10);
  await socket.close();
});

Deno.test("what was taken is let go of, though there is always one that waits", async () => {
  const [size, count] = [4_096, 4_000];
  let [sent, taken] = [0, 0];
  const socket = new DatagramSocket("127.0.0.1", async () => {
    while (sent < count && sent - taken < 64) await delay(1);
    taken++;
  });
  using sender = openSender();
  const to: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port: socket.port };
  const before = externalMemory();
  let held = 0;
  for (; sent < count; sent += 8) {
    for (let i = 0; i < 8; i++) await sender.send(new Uint8Array(size), to);
    while (sent - taken > 128) await delay(1);
    await delay(0);
    if (sent === count - 200) held = externalMemory() - before;
  }
  assert(held < size * count / 4, `${held} bytes of ${size * count} that have passed`);
  await socket.close();
});

Deno.test("what waits when it is closed is not taken, and closing waits for the one that is", async () => {
  const held = Promise.withResolvers<void>();
  let taken = 0;
  const socket = new DatagramSocket("127.0.0.1", async () => {
    taken++;
    await held.promise;
  });
  await sendAll(socket.port, 10, 64);
  await until("one is being taken", () => taken === 1);
  let isClosed = false;
  const closing = socket.close().then(() => isClosed = true);
  await delay(20);
  assertEquals([taken, isClosed], [1, false]);
  held.resolve();
  await closing;
  assertEquals(taken, 1);
});

Deno.test("many datagrams that wait are not taken in one go: others have their turn in between", async () => {
  const held = Promise.withResolvers<void>();
  let taken = 0;
  const socket = new DatagramSocket("127.0.0.1", async () => {
    await held.promise;
    taken++;
  });
  await sendAll(socket.port, 1_000, 64);
  let seen: number | undefined;
  setTimeout(() => seen = taken, 0);
  held.resolve();
  await until("all are taken", () => taken === 1_000);
  assert(seen !== undefined && seen < 1_000, `${seen}`);
  await socket.close();
});

/** Bytes of buffers that somebody holds. */
function externalMemory(): number {
  collectGarbage();
  return Deno.memoryUsage().external;
}
