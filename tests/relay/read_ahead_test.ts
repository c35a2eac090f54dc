// deno-lint-ignore no-external-import -- the only way to a reset
import { connect, type Socket } from "node:net";
import { assertEquals } from "@std/assert";
import { ReadAhead } from "../../lib/relay/read_ahead.ts";
import { delay, until } from "../support/wait.ts";

/** Bytes of the buffer. */
const SIZE = 16;

/** A client, what reads from it, and how it ended. */
interface Stage extends Disposable {
  client: Socket;
  ahead: ReadAhead;
  ends: string[];
}

async function start(): Promise<Stage> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const client = connect(listener.addr.port, "127.0.0.1");
  client.on("error", () => {});
  const [conn] = await Promise.all([listener.accept(), new Promise((resolve) => client.once("connect", resolve))]);
  listener.close();
  const ends: string[] = [];
  const ahead = new ReadAhead(conn, new Uint8Array(SIZE), (how) => ends.push(how));
  return {
    client,
    ahead,
    ends,
    [Symbol.dispose]: () => {
      client.destroy();
      conn.close();
    },
  };
}

/** Sends bytes as a segment of their own. */
async function send(client: Socket, ...bytes: number[]): Promise<void> {
  await new Promise((resolve) => client.write(Uint8Array.from(bytes), resolve));
  await delay(20);
}

/** Reads, as a relay does, until so many bytes have come. */
async function take(ahead: ReadAhead, count: number): Promise<number[]> {
  const bytes: number[] = [];
  while (bytes.length < count) {
    const read = await ahead.read(ahead.buffer);
    if (read === null) break;
    bytes.push(...ahead.buffer.subarray(0, read));
  }
  return bytes;
}

Deno.test("ReadAhead hands over what it read, in order, and then reads on", async () => {
  using stage = await start();
  await send(stage.client, 1, 2, 3);
  await send(stage.client, 4);
  const taking = take(stage.ahead, 7);
  await send(stage.client, 5, 6);
  await send(stage.client, 7);
  assertEquals(await taking, [1, 2, 3, 4, 5, 6, 7]);
  const other = new Uint8Array(10);
  await send(stage.client, 8);
  assertEquals([await stage.ahead.read(other), other[0]], [1, 8]);
  assertEquals(stage.ends, []);
});

Deno.test("ReadAhead hands a read that was under way over to another buffer", async () => {
  using stage = await start();
  await send(stage.client, 1, 2, 3);
  assertEquals(await stage.ahead.read(stage.ahead.buffer), 3);
  const large = new Uint8Array(100);
  const reading = stage.ahead.read(large);
  await send(stage.client, 4, 5);
  assertEquals([await reading, large[0], large[1]], [2, 4, 5]);
});

for (const payload of [[], [1, 2, 3]]) {
  const where = payload.length > 0 ? " behind its payload" : "";
  Deno.test(`ReadAhead notices that a client resets${where}`, async () => {
    using stage = await start();
    if (payload.length > 0) await send(stage.client, ...payload);
    stage.client.resetAndDestroy();
    await until("the reset is noticed", () => stage.ends.length > 0);
    assertEquals(stage.ends, ["failed"]);
  });

  Deno.test(`ReadAhead notices that a client ends its side${where}, and hands both over`, async () => {
    using stage = await start();
    if (payload.length > 0) await send(stage.client, ...payload);
    stage.client.end();
    await until("the end is noticed", () => stage.ends.length > 0);
    assertEquals(stage.ends, ["ended"]);
    assertEquals(await take(stage.ahead, 100), payload);
  });
}

Deno.test("ReadAhead keeps no more than its buffer, and loses nothing", async () => {
  using stage = await start();
  const bytes = Array.from({ length: 3 * SIZE }, (_, i) => i);
  await send(stage.client, ...bytes);
  assertEquals(await take(stage.ahead, bytes.length), bytes);
});

Deno.test("ReadAhead notices that a client resets behind more than its buffer", async () => {
  using stage = await start();
  await send(stage.client, ...Array(3 * SIZE).keys());
  stage.client.resetAndDestroy();
  await until("the reset is noticed", () => stage.ends.length > 0);
  assertEquals(stage.ends, ["failed"]);
});
