import { assert, assertEquals, assertThrows } from "@std/assert";
import { BufferPool, LARGE_BUFFER, MAX_LARGE_BUFFERS } from "../../lib/proxy/buffer_pool.ts";
import { EventLoopGate, GATE_BUDGET } from "../../lib/proxy/event_loop_gate.ts";
import { ANSWERS, Refusal, refusalOf } from "../../lib/proxy/failure.ts";
import { HalfClosedStreams } from "../../lib/proxy/half_closed.ts";
import { acceptAll } from "../../lib/proxy/listener.ts";
import { Deadline, TimeoutError } from "../../lib/proxy/net.ts";
import { Watchdog } from "../../lib/proxy/watchdog.ts";
import { delay } from "../support/harness.ts";
import { pureTest } from "../support/pure_test.ts";

pureTest("BufferPool lends no more than its limit, and lends again what came back", () => {
  const pool = new BufferPool();
  const rented = Array.from({ length: MAX_LARGE_BUFFERS }, () => pool.rent());
  assert(rented.every((buffer) => buffer?.length === LARGE_BUFFER));
  assertEquals(new Set(rented).size, MAX_LARGE_BUFFERS);
  assertEquals(pool.rent(), undefined);
  const [first] = rented;
  if (first !== undefined) pool.giveBack(first);
  assert(pool.rent() === first);
  assertEquals(pool.rent(), undefined);
});

Deno.test("EventLoopGate lets timers run between relays that never wait", async () => {
  const gate = await EventLoopGate.open();
  try {
    assertEquals(gate.spend(GATE_BUDGET - 1), undefined);
    assert(gate.spend(1) instanceof Promise);
    const [one, another] = [gate.spend(1), gate.spend(1)];
    assert(one !== undefined && one === another, "two relays wait for two turns");
    await one;
    assertEquals(await timerRuns(async () => await gate.spend(GATE_BUDGET)), true);
    // The counter-proof: without a gate the same loop keeps the timer waiting.
    assertEquals(await timerRuns(() => Promise.resolve()), false);
  } finally {
    gate.close();
  }
  await gate.spend(GATE_BUDGET);
});

/** Whether a timer fires while a loop waits 200 times. */
async function timerRuns(wait: () => Promise<void>): Promise<boolean> {
  let fired = false;
  const timer = setTimeout(() => fired = true, 0);
  for (let i = 0; i < 200; i++) await wait();
  clearTimeout(timer);
  return fired;
}

Deno.test("acceptAll() goes on after an accept that fails, and ends with its listener", async () => {
  const conn = {} as Deno.TcpConn;
  const script: (() => Deno.TcpConn)[] = [
    () => {
      throw new Deno.errors.NotConnected("reset before it was accepted");
    },
    () => conn,
    () => {
      throw Object.assign(new Error("Too many open files"), { code: "EMFILE" });
    },
    () => conn,
    () => {
      throw new Deno.errors.BadResource("closed");
    },
  ];
  const listener = {
    accept: () => new Promise<Deno.TcpConn>((resolve) => resolve((script.shift() ?? (() => conn))())),
  } as unknown as Deno.TcpListener;
  const accepted: Deno.TcpConn[] = [];
  const failed: unknown[] = [];
  await acceptAll(listener, (c) => accepted.push(c), (error) => failed.push(error));
  assertEquals(accepted.length, 2);
  assertEquals(failed.length, 2);
});

Deno.test("Watchdog calls back after a time without activity, and not before", async () => {
  let expired = 0;
  const watchdog = new Watchdog(() => expired++);
  watchdog.active();
  watchdog.limit(80);
  watchdog.limit(10_000);
  for (let i = 0; i < 8; i++) {
    await delay(20);
    watchdog.active();
  }
  assertEquals(expired, 0);
  await delay(150);
  assertEquals(expired, 1);
  const stopped = new Watchdog(() => expired++);
  stopped.limit(10);
  stopped.stop();
  stopped.limit(5);
  await delay(30);
  assertEquals(expired, 1);
});

Deno.test("HalfClosedStreams ends the oldest first, and hurries all when the proxy ends", async () => {
  const ended: string[] = [];
  const streams = new HalfClosedStreams();
  assertEquals(streams.endOldest(), false);
  const dogs = ["a", "b", "c"].map((name) => new Watchdog(() => ended.push(name)));
  const handles = dogs.map((dog) => streams.add(dog));
  handles[0]?.[Symbol.dispose]();
  assertEquals(streams.endOldest(), true);
  await delay(20);
  assertEquals(ended, ["b"]);
  streams.hurry();
  await delay(1_100);
  assertEquals(ended, ["b", "c"]);
  dogs.forEach((dog) => dog.stop());
});

Deno.test("Deadline fires after its time or with its parent, and not after disposal", async () => {
  const parent = new AbortController();
  using short = new Deadline(20, parent.signal);
  using long = new Deadline(60_000, parent.signal);
  const disposed = new Deadline(20, parent.signal);
  disposed[Symbol.dispose]();
  await delay(60);
  assert(short.signal.reason instanceof TimeoutError);
  assertEquals(long.signal.aborted, false);
  parent.abort(new Error("over"));
  assertThrows(() => long.signal.throwIfAborted(), Error, "over");
  assertEquals(disposed.signal.aborted, false);
  using late = new Deadline(60_000, parent.signal);
  assertEquals(late.signal.aborted, true);
});

pureTest("refusalOf() finds a reason for anything that is thrown", () => {
  assertEquals(refusalOf(new Refusal("ip"), false).reason, "ip");
  assertEquals(refusalOf(new TimeoutError(), false).reason, "timed-out");
  assertEquals(refusalOf(new TypeError("x"), false).message, "TypeError: x");
  assertEquals(refusalOf("nonsense", false).reason, "internal");
  assert(Object.values(ANSWERS).every(({ reply5, story }) => reply5 <= 8 && story !== ""));
});
