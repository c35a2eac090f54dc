import { assertEquals } from "@std/assert";
import { ReadAhead } from "../../lib/relay/read_ahead.ts";
import { delay, until } from "../support/wait.ts";

Deno.test("ReadAhead hands over what it read, then reads on, and tells of the end", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [client, conn] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  listener.close();
  const told: string[] = [];
  const ahead = new ReadAhead(conn, new Uint8Array(16), (how) => told.push(how));
  await client.write(Uint8Array.of(1, 2, 3));
  await delay(20);
  assertEquals(await ahead.read(ahead.buffer), 3);
  assertEquals([...ahead.buffer.subarray(0, 3)], [1, 2, 3]);
  await client.write(Uint8Array.of(4));
  const other = new Uint8Array(10);
  assertEquals(await ahead.read(other), 1);
  assertEquals(other[0], 4);
  assertEquals(told, []);
  const again = new ReadAhead(conn, new Uint8Array(16), (how) => told.push(how));
  client.close();
  await until("the end is told", () => told.length > 0);
  assertEquals(told, ["ended"]);
  assertEquals(await again.read(again.buffer), null);
  conn.close();
});
