import { assert, assertEquals } from "@std/assert";
import { BufferPool, MAX_LARGE_BUFFERS, MEDIUM_BUFFER } from "../../lib/relay/buffer_pool.ts";
import { FairnessGate } from "../../lib/relay/fairness_gate.ts";
import { HalfClosedStreams } from "../../lib/relay/half_closed.ts";
import { ReadAhead } from "../../lib/relay/read_ahead.ts";
import { SETTLE_LONG } from "../../lib/relay/outflow.ts";
import { relay, type RelayOptions } from "../../lib/relay/relay.ts";
import { KeepLimit } from "../../lib/relay/keeper.ts";
import { concat } from "../support/bytes.ts";
import { Clock } from "../support/clock.ts";
import { Random } from "../support/random.ts";
import { readToEnd, writeAll } from "../clients/socks_client.ts";

/** Bytes of a transfer: more than the kernel's buffers hold. */
const BYTES = 16_000_000;

/** Bytes of the small buffers. */
const SMALL = 2_048;

Deno.test("A busy stream beside a thousand stalled ones is read with more than its small buffer", async () => {
  const pool = new BufferPool();
  // One for each stalled stream.
  for (let i = 0; i < 1000; i++) assert(pool.rent() !== undefined);
  assertEquals(await largestRead(pool), MEDIUM_BUFFER);
});

Deno.test("A relay gives back what it rented, when it is slow and when it ends", async () => {
  const pool = new BufferPool();
  for (let i = 1; i < MAX_LARGE_BUFFERS; i++) pool.rent();
  // Each of them would find the last large buffer in use if the one before had kept it.
  const first = await largestRead(pool);
  assert(first > MEDIUM_BUFFER);
  assertEquals(await largestRead(pool), first);
});

Deno.test("Of thousands of streams that wake up at once few have a large buffer, and a stalled one keeps its own", async () => {
  const pool = new CountingPool();
  const gate = await FairnessGate.open();
  using _gate = { [Symbol.dispose]: () => gate.close() };
  const woken = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const stalled = wakingRelay(pool, gate, Promise.resolve(), released.promise);
  while (pool.lent.size === 0) await gate.turn();
  const [kept] = pool.lent;
  const others = Array.from({ length: 2_000 }, () => wakingRelay(pool, gate, woken.promise));
  woken.resolve();
  await Promise.all(others);
  assertEquals([...pool.lent], [kept]);
  assert(pool.most > 1 && pool.most <= MAX_LARGE_BUFFERS, `${pool.most} at once`);
  released.resolve();
  await stalled;
  assertEquals(pool.lent.size, 0);
});

Deno.test("A service that closes ends its stream when the router has had time for the last bytes, and not before", async () => {
  const gate = await FairnessGate.open();
  using _gate = { [Symbol.dispose]: () => gate.close() };
  const [service, near] = await connectedPair();
  const [far, stream] = await connectedPair();
  using clock = new Clock({ runs: false });
  const sentBytes = { value: 0 };
  const relaying = relay(near, new ReadAhead(near, new Uint8Array(SMALL), () => {}), {
    conn: stream,
    buffer: new Uint8Array(SMALL),
  }, { ...options(new BufferPool(), gate), clientEndsStream: true, sentBytes });
  await writeAll(service, new Uint8Array(100_000));
  service.close();
  let received = 0;
  let hasEnded = false;
  const reading = readToEnd(far).then(({ length }) => {
    received = length;
    hasEnded = true;
  });
  await clock.until("all is sent", () => sentBytes.value === 100_000);
  await clock.skip(SETTLE_LONG);
  assertEquals(hasEnded, false);
  await clock.skip(100);
  await clock.until("the end has come", () => hasEnded);
  assertEquals(received, 100_000);
  far.close();
  await reading;
  assertEquals((await relaying).end, "client closed");
});

/** Knows which buffers are lent, and lends none twice. */
class CountingPool extends BufferPool {
  readonly lent = new Set<Uint8Array>();
  most = 0;

  override rent(): Uint8Array<ArrayBuffer> | undefined {
    const buffer = super.rent();
    if (buffer === undefined) return undefined;
    assert(!this.lent.has(buffer), "lent twice");
    this.lent.add(buffer);
    this.most = Math.max(this.most, this.lent.size);
    return buffer;
  }

  override giveBack(buffer: Uint8Array<ArrayBuffer>): void {
    assert(this.lent.delete(buffer), "given back twice");
    super.giveBack(buffer);
  }
}

/** Relays three full reads once woken; writes of more than a small buffer wait for `released`. */
async function wakingRelay(
  pool: BufferPool,
  gate: FairnessGate,
  woken: Promise<void>,
  released?: Promise<void>,
): Promise<void> {
  let reads = 0;
  const stream = {
    read: async (buffer: Uint8Array) => {
      await woken;
      return reads++ < 3 ? buffer.length : null;
    },
    close: () => {},
  } as unknown as Deno.TcpConn;
  const client = {
    remoteAddr: { hostname: "127.0.0.1" },
    read: () => Promise.resolve(null),
    write: async (bytes: Uint8Array) => {
      if (bytes.length > SMALL) await released;
      return bytes.length;
    },
    closeWrite: () => Promise.resolve(),
    close: () => {},
  } as unknown as Deno.TcpConn;
  const ahead = new ReadAhead(client, new Uint8Array(SMALL), () => {});
  await relay(client, ahead, { conn: stream, buffer: new Uint8Array(SMALL) }, options(pool, gate));
}

/** Downloads through a relay: the size of the largest buffer it read with. Every byte must come out right. */
async function largestRead(pool: BufferPool): Promise<number> {
  const gate = await FairnessGate.open();
  using _gate = { [Symbol.dispose]: () => gate.close() };
  const [client, near] = await connectedPair();
  const [far, stream] = await connectedPair();
  const sizes: number[] = [];
  const read = stream.read.bind(stream);
  stream.read = (buffer) => {
    sizes.push(buffer.length);
    return read(buffer);
  };
  const ahead = new ReadAhead(near, new Uint8Array(SMALL), () => {});
  const relaying = relay(near, ahead, { conn: stream, buffer: new Uint8Array(SMALL) }, options(pool, gate));
  const block = new Random(1).bytes(100_000);
  const data = concat(...Array.from({ length: BYTES / block.length }, () => block));
  const [received] = await Promise.all([readToEnd(client), writeAll(far, data).then(() => far.close())]);
  client.close();
  assertEquals((await relaying).received, BYTES);
  assertEquals(received.length, BYTES);
  assert(received.every((byte, i) => byte === data[i]), "other bytes arrived");
  assertEquals(sizes[0], SMALL);
  return Math.max(...sizes);
}

/** Both ends of a connection. */
async function connectedPair(): Promise<[Deno.TcpConn, Deno.TcpConn]> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return await Promise.all([Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }), listener.accept()]);
}

/** What a relay needs that nothing special happens to. */
function options(pool: BufferPool, gate: FairnessGate): RelayOptions {
  return {
    clientAddress: "127.0.0.1",
    pool,
    gate,
    halfClosed: new HalfClosedStreams(),
    keepLimit: new KeepLimit(),
    keptBytes: { value: 0 },
    reply: new Uint8Array(),
    toClient: new Uint8Array(),
    toStream: new Uint8Array(),
    idleTimeout: 0,
    signal: new AbortController().signal,
    sessionEnded: new AbortController().signal,
    sentBytes: { value: 0 },
    receivedBytes: { value: 0 },
  };
}
