import { assertEquals } from "@std/assert";
import { IdleTimer } from "../../lib/relay/idle_timer.ts";
import { Clock } from "../support/clock.ts";

Deno.test("IdleTimer calls back after a time without activity, and not before", async () => {
  using clock = new Clock({ runs: false });
  let expired = 0;
  const idleTimer = new IdleTimer(() => expired++);
  idleTimer.active();
  idleTimer.limit(80);
  idleTimer.limit(10_000);
  for (let i = 0; i < 8; i++) {
    await clock.skip(79);
    idleTimer.active();
  }
  await clock.skip(79);
  assertEquals(expired, 0);
  await clock.skip(1);
  assertEquals(expired, 1);
  const stopped = new IdleTimer(() => expired++);
  stopped.limit(10);
  stopped.stop();
  stopped.limit(5);
  await clock.skip(1_000);
  assertEquals(expired, 1);
});
