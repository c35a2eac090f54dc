import { assert, assertEquals, assertThrows } from "@std/assert";
import { BufferPool, LARGE_BUFFER, MAX_LARGE_BUFFERS } from "../../lib/proxy/buffer_pool.ts";
import { EventLoopGate, GATE_BUDGET } from "../../lib/proxy/event_loop_gate.ts";
import { ANSWERS, Refusal } from "../../lib/proxy/answers.ts";
import { refusalOf } from "../../lib/proxy/failure.ts";
import { HalfClosedStreams } from "../../lib/proxy/half_closed.ts";
import { acceptAll } from "../../lib/proxy/listener.ts";
import { Deadline, TimeoutError } from "../../lib/io/deadline.ts";
import { ReadAhead } from "../../lib/proxy/read_ahead.ts";
import { Watchdog } from "../../lib/proxy/watchdog.ts";
import { delay } from "../support/harness.ts";
import { pureTest } from "../support/pure.ts";

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

Deno.test("HalfClosedStreams ends what has been silent for longest, and spares what is not", async () => {
  const ended: string[] = [];
  const streams = new HalfClosedStreams();
  assertEquals(streams.endMostSilent(), false);
  const dogs = ["waiting", "older", "newer", "busy"].map((name) => new Watchdog(() => ended.push(name)));
  const [waiting, older, newer, busy] = dogs as [Watchdog, Watchdog, Watchdog, Watchdog];
  streams.add(waiting, () => false, "127.0.0.1");
  streams.add(older, () => true, "127.0.0.1");
  await delay(100);
  [newer, busy].forEach((dog) => dog.active());
  streams.add(newer, () => true, "127.0.0.1");
  streams.add(busy, () => true, "127.0.0.1");
  assertEquals(streams.endMostSilent(), false, "none has been silent for long");
  await delay(1_050);
  busy.active();
  assertEquals([streams.endMostSilent(), streams.endMostSilent(), streams.endMostSilent()], [true, true, false]);
  await delay(20);
  assertEquals(ended, ["older", "newer"]);
  streams.hurry();
  await delay(1_100);
  assertEquals(new Set(ended), new Set(["older", "newer", "waiting", "busy"]));
});

Deno.test("ReadAhead hands over what it read, then reads on, and tells of the end", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [client, conn] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  listener.close();
  const told: string[] = [];
  const ahead = new ReadAhead(conn, (how) => told.push(how));
  await client.write(Uint8Array.of(1, 2, 3));
  await delay(20);
  assertEquals(await ahead.read(ahead.buffer), 3);
  assertEquals([...ahead.buffer.subarray(0, 3)], [1, 2, 3]);
  await client.write(Uint8Array.of(4));
  const other = new Uint8Array(10);
  assertEquals(await ahead.read(other), 1);
  assertEquals(other[0], 4);
  assertEquals(told, []);
  const again = new ReadAhead(conn, (how) => told.push(how));
  client.close();
  assertEquals(await again.read(again.buffer), null);
  assertEquals(told, ["ended"]);
  conn.close();
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
