import { assertEquals, assertMatch } from "@std/assert";
import { pureTest } from "../support/pure.ts";
import { findTrends, HEAP_BOUND, type Reading } from "./meter.ts";
import { carryOut, fulfil, type Order } from "./traffic.ts";

const FLAT: Reading = { descriptors: 20, timers: 1, origins: [], heap: 9e6, rss: 90e6 };

pureTest("findTrends() finds nothing in what is flat, and whatever is not", () => {
  assertEquals(findTrends(Array(9).fill(FLAT)), []);
  assertEquals(findTrends([{ ...FLAT, heap: 1e6, rss: 1e6 }, FLAT, FLAT, FLAT]), [], "warming up is no trend");
  assertEquals(findTrends([FLAT, { ...FLAT, descriptors: 21 }]), ["The descriptors are not flat: 20 21"]);
  assertEquals(findTrends([FLAT, { ...FLAT, timers: 3, origins: ["a.ts:1", "b.ts:2", "a.ts:1"] }, FLAT]), [
    "The timers are not flat: 1 3 1; started at a.ts:1, b.ts:2",
  ]);
  assertEquals(findTrends([FLAT, FLAT, FLAT, { ...FLAT, rss: 250e6 }]), [
    "The rss is not flat: 160.00 MB more at the end",
  ]);
  const larger = { ...FLAT, heap: 9e6 + HEAP_BOUND + 1e4 };
  assertEquals(findTrends([FLAT, FLAT, FLAT, larger]), ["The heap is not flat: 6.01 MB more at the end"]);
  assertEquals(findTrends([FLAT, FLAT, larger, FLAT, FLAT]), [], "a peak is no trend");
  assertEquals(findTrends([]), ["There is no reading"]);
});

/** Orders of each kind. */
const ORDERS: readonly Order[] = [
  { seed: 1, up: 0, down: undefined },
  { seed: 65_520, up: 200_000, down: undefined },
  { seed: 9e8, up: 70_000, down: 150_000 },
  { seed: 3, up: 0, down: 0 },
];

Deno.test("the soak's client and service move every byte, and see one that is wrong, missing or too many", async (t) => {
  for (const order of ORDERS) {
    await t.step(JSON.stringify(order), async () => assertEquals(await overWire(order, (chunk) => chunk), "intact"));
  }
  const order = { seed: 5, up: 1_000, down: 100_000 };
  const at = (position: number, change: (chunk: Uint8Array, i: number) => Uint8Array) => {
    let seen = 0;
    return (chunk: Uint8Array): Uint8Array => {
      const i = position - seen;
      seen += chunk.length;
      return i >= 0 && i < chunk.length ? change(chunk, i) : chunk;
    };
  };
  const flipped = at(70_000, (chunk, i) => chunk.map((byte, j) => j === i ? byte ^ 1 : byte));
  assertMatch(await overWire(order, flipped), /^A wrong byte/);
  const lost = at(70_000, (chunk, i) => chunk.subarray(0, i));
  assertMatch(await overWire(order, lost), /^(A wrong byte|cut)/);
  const doubled = at(100_000, (chunk, i) => Uint8Array.of(...chunk.subarray(0, i + 1), 0));
  assertMatch(await overWire(order, doubled), /behind the last$/);
});

/** Carries out an order while the service's bytes are tampered with: how it ended. */
async function overWire(order: Order, tamper: (chunk: Uint8Array) => Uint8Array): Promise<string> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  const served = listener.accept().then(async (far) => {
    using _far = far;
    const write = far.write.bind(far);
    far.write = async (bytes) => {
      const changed = tamper(bytes);
      for (let sent = 0; sent < changed.length;) sent += await write(changed.subarray(sent));
      return bytes.length;
    };
    await fulfil(far);
  }).catch(() => {});
  const transfer = { order, sent: 0, early: new Uint8Array(), endsSide: false, pause: 0 };
  const end = await carryOut(conn, transfer)
    .then(({ isIntact }) => isIntact ? "intact" : "cut", (error) => error.message);
  conn.close();
  await served;
  return end;
}
