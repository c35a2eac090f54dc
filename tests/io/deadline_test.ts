import { assert, assertEquals, assertThrows } from "@std/assert";
import { Deadline, sleep, startTimer, TimeoutError } from "../../lib/io/deadline.ts";
import { Clock } from "../support/clock.ts";

Deno.test("Deadline fires after its time or with its parent, and not after disposal", async () => {
  using clock = new Clock({ runs: false });
  const parent = new AbortController();
  using short = new Deadline(20, parent.signal);
  using long = new Deadline(60_000, parent.signal);
  const disposed = new Deadline(20, parent.signal);
  disposed[Symbol.dispose]();
  await clock.skip(19);
  assertEquals(short.signal.aborted, false);
  await clock.skip(1);
  assert(short.signal.reason instanceof TimeoutError);
  assertEquals(long.signal.aborted, false);
  parent.abort(new Error("over"));
  assertThrows(() => long.signal.throwIfAborted(), Error, "over");
  assertEquals(disposed.signal.aborted, false);
  using late = new Deadline(60_000, parent.signal);
  assertEquals(late.signal.aborted, true);
});

Deno.test("Deadline follows the first of several parents, and has no time of its own with Infinity", async () => {
  using clock = new Clock({ runs: false });
  const [one, other] = [new AbortController(), new AbortController()];
  using deadline = new Deadline(Infinity, one.signal, undefined, other.signal);
  await clock.skip(1e12);
  assertEquals(deadline.signal.aborted, false);
  other.abort(new Error("other"));
  one.abort(new Error("one"));
  assertThrows(() => deadline.signal.throwIfAborted(), Error, "other");
});

Deno.test("startTimer() calls back once, at its time, and not when it is stopped", async () => {
  using clock = new Clock({ runs: false });
  let calls = 0;
  startTimer(10_000, () => calls++);
  const stop = startTimer(10_000, () => calls += 100);
  startTimer(Infinity, () => calls += 100)();
  await clock.skip(9_000);
  assertEquals(calls, 0);
  stop();
  await clock.skip(1_000);
  assertEquals(calls, 1);
  await clock.skip(60_000);
  assertEquals(calls, 1);
});

/** Milliseconds: a limit, for how long the process was stopped, and what is left of the limit after that. */
const STOPS: readonly (readonly [number, number, number])[] = [
  [10_000, 3_600_000, 5_000],
  [10_000, 12_500, 2_500],
  [2_000, 3_600_000, 2_000],
  [10_000, 10_999, 0],
  [10_000, 11_000, 1_000],
  [10_000, 5_000, 5_000],
];

Deno.test("startTimer() does not count time in full in which the process was stopped", async () => {
  for (const [limit, stopped, left] of STOPS) {
    using clock = new Clock({ runs: false });
    let calls = 0;
    startTimer(limit, () => calls++);
    await clock.jump(stopped);
    const what = `${limit} ms, stopped for ${stopped} ms`;
    if (left > 0) await clock.skip(left - 1);
    assertEquals(calls, left === 0 ? 1 : 0, what);
    await clock.skip(1);
    assertEquals(calls, 1, what);
  }
});

Deno.test("sleep() ends after its time, and at once with its signal", async () => {
  using clock = new Clock({ runs: false });
  const abort = new AbortController();
  const ended: string[] = [];
  const sleeps = [
    sleep(1_000, new AbortController().signal).then(() => ended.push("short")),
    sleep(60_000, abort.signal).then(() => ended.push("long")),
  ];
  await clock.skip(1_000);
  assertEquals(ended, ["short"]);
  abort.abort();
  await Promise.all(sleeps);
  await sleep(60_000, abort.signal);
  assertEquals(ended, ["short", "long"]);
});
