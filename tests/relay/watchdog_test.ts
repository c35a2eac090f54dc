import { assertEquals } from "@std/assert";
import { Watchdog } from "../../lib/relay/watchdog.ts";
import { Clock } from "../support/clock.ts";

Deno.test("Watchdog calls back after a time without activity, and not before", async () => {
  using clock = new Clock({ runs: false });
  let expired = 0;
  const watchdog = new Watchdog(() => expired++);
  watchdog.active();
  watchdog.limit(80);
  watchdog.limit(10_000);
  for (let i = 0; i < 8; i++) {
    await clock.skip(79);
    watchdog.active();
  }
  await clock.skip(79);
  assertEquals(expired, 0);
  await clock.skip(1);
  assertEquals(expired, 1);
  const stopped = new Watchdog(() => expired++);
  stopped.limit(10);
  stopped.stop();
  stopped.limit(5);
  await clock.skip(1_000);
  assertEquals(expired, 1);
});
