import { assertEquals } from "@std/assert";
import { MAX_UNDER_WAY, Outflow, SETTLE_LONG, SETTLE_RATE, SETTLE_SHORT } from "../../lib/relay/outflow.ts";
import { Clock } from "../support/clock.ts";

Deno.test("Outflow keeps the end of a stream away from its last bytes, for longer the more there are", async () => {
  using clock = new Clock({ runs: false });
  const outflow = new Outflow();
  const settleTime = (): number => Math.round(outflow.settleTime);
  assertEquals(settleTime(), 0, "nothing was sent");
  outflow.add(4_000);
  assertEquals(settleTime(), SETTLE_SHORT + 1);
  await clock.skip(50);
  assertEquals(settleTime(), SETTLE_SHORT - 49);
  await clock.skip(SETTLE_SHORT);
  assertEquals(settleTime(), 0);
  outflow.add(1_000_000);
  assertEquals(settleTime(), SETTLE_LONG + 250);
  await clock.skip(125);
  outflow.add(1_000_000);
  assertEquals(settleTime(), SETTLE_LONG + 375, "half of the first megabyte is delivered by then");
  outflow.add(100_000_000);
  assertEquals(settleTime(), SETTLE_LONG + MAX_UNDER_WAY / SETTLE_RATE * 1_000);
});
