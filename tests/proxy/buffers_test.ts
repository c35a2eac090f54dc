import { assert, assertEquals } from "@std/assert";
import { BufferPool, MAX_LARGE_BUFFERS, MEDIUM_BUFFER } from "../../lib/proxy/buffer_pool.ts";
import { EventLoopGate } from "../../lib/proxy/event_loop_gate.ts";
import { HalfClosedStreams } from "../../lib/proxy/half_closed.ts";
import { ReadAhead } from "../../lib/proxy/read_ahead.ts";
import { relay } from "../../lib/proxy/relay.ts";
import { concat } from "../support/fake_stream.ts";
import { Random } from "../support/random.ts";
import { readToEnd, writeAll } from "../support/socks_client.ts";

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

/** Downloads through a relay: the size of the largest buffer it read with. Every byte must come out right. */
async function largestRead(pool: BufferPool): Promise<number> {
  const gate = await EventLoopGate.open();
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
  const relaying = relay(near, ahead, { conn: stream, buffer: new Uint8Array(SMALL) }, {
    pool,
    gate,
    halfClosed: new HalfClosedStreams(),
  }, {
    reply: new Uint8Array(),
    toClient: new Uint8Array(),
    toStream: new Uint8Array(),
    idleTimeout: 0,
    signal: new AbortController().signal,
    sessionEnded: new AbortController().signal,
    sentBytes: { value: 0 },
    receivedBytes: { value: 0 },
  });
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
