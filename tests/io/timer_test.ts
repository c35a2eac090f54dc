import { assertEquals, assertThrows } from "@std/assert";
import { startLimit, startTimer } from "../../lib/io/timer.ts";
import { Clock } from "../support/clock.ts";
import { pureTest } from "../support/pure.ts";

/** Starts timers, each of which leaves its name when it rings. */
function recorder(): { rung: string[]; start: (name: string, milliseconds: number) => { stop(): void } } {
  const rung: string[] = [];
  return { rung, start: (name, milliseconds) => startTimer(milliseconds, () => rung.push(name)) };
}

pureTest("timers of one length ring each at its own time, whichever of them are stopped", async () => {
  using clock = new Clock({ runs: false });
  const { rung, start } = recorder();
  const first = start("first", 100);
  await clock.skip(30);
  start("second", 100);
  await clock.skip(30);
  const third = start("third", 100);
  start("fourth", 100);
  first.stop();
  await clock.skip(69);
  assertEquals(rung, []);
  await clock.skip(1);
  assertEquals(rung, ["second"]);
  third.stop();
  third.stop();
  await clock.skip(29);
  assertEquals(rung, ["second"]);
  await clock.skip(1);
  assertEquals(rung, ["second", "fourth"]);
});

pureTest("timers of several lengths do not wait for each other", async () => {
  using clock = new Clock({ runs: false });
  const { rung, start } = recorder();
  for (const milliseconds of [300, 100, 200]) start(String(milliseconds), milliseconds);
  await clock.skip(1_000);
  assertEquals(rung, ["100", "200", "300"]);
});

pureTest("a timer that rings may stop the next one, and start others of its length", async () => {
  using clock = new Clock({ runs: false });
  const { rung, start } = recorder();
  startTimer(100, () => {
    rung.push("first");
    second.stop();
    start("later", 100);
  });
  const second = start("second", 100);
  await clock.skip(50);
  start("third", 100);
  await clock.skip(50);
  assertEquals(rung, ["first"]);
  await clock.skip(50);
  assertEquals(rung, ["first", "third"]);
  await clock.skip(49);
  assertEquals(rung, ["first", "third"]);
  await clock.skip(1);
  assertEquals(rung, ["first", "third", "later"]);
});

pureTest("the last timer of a length may start one of that length when it rings", async () => {
  using clock = new Clock({ runs: false });
  const { rung, start } = recorder();
  startTimer(100, () => start("again", 100));
  await clock.skip(199);
  assertEquals(rung, []);
  await clock.skip(1);
  assertEquals(rung, ["again"]);
});

Deno.test("a timer that throws does not keep the others of its length from ringing", () => {
  const real = globalThis.setTimeout;
  const runtime: (() => void)[] = [];
  const { rung, start } = recorder();
  try {
    globalThis.setTimeout = ((callback: () => void) => runtime.push(callback)) as unknown as typeof setTimeout;
    startTimer(0, () => {
      throw new Error("a mistake");
    });
    start("second", 0);
    assertThrows(() => runtime.shift()?.(), Error, "a mistake");
    runtime.shift()?.();
  } finally {
    globalThis.setTimeout = real;
  }
  assertEquals([rung, runtime.length], [["second"], 0]);
});

Deno.test("a timer longer than the runtime can hold does not keep the runtime busy", () => {
  const real = globalThis.setTimeout;
  const set: number[] = [];
  try {
    globalThis.setTimeout = ((_: () => void, milliseconds: number) =>
      set.push(milliseconds)) as unknown as typeof setTimeout;
    startTimer(2 ** 32, () => {}).stop();
  } finally {
    globalThis.setTimeout = real;
  }
  assertEquals(set, [2 ** 31 - 1]);
});

/** A timer, and how often it has called back. */
function count(milliseconds: number): { calls: number; stop: () => void } {
  const counted = { calls: 0, stop: (): void => {} };
  const timer = startTimer(milliseconds, () => counted.calls++);
  counted.stop = () => timer.stop();
  return counted;
}

pureTest("startTimer() calls back once, when its time is over", async () => {
  using clock = new Clock({ runs: false });
  const timer = count(100);
  await clock.skip(99);
  assertEquals(timer.calls, 0);
  await clock.skip(1);
  assertEquals(timer.calls, 1);
  await clock.skip(100_000);
  assertEquals([timer.calls], [1]);
});

pureTest("startTimer() never calls back after Infinity, nor when it is stopped", async () => {
  using clock = new Clock({ runs: false });
  const never = count(Infinity);
  const stopped = count(100);
  stopped.stop();
  await clock.skip(1e9);
  never.stop();
  assertEquals([never.calls, stopped.calls], [0, 0]);
});

pureTest("startTimer() calls back at once where it is late because the process was busy", async () => {
  using clock = new Clock({ runs: false });
  const timer = count(100);
  await clock.jump(1_099);
  assertEquals(timer.calls, 1);
});

pureTest("startTimer() does not ask the wall clock, which may jump", async () => {
  using clock = new Clock({ runs: false });
  const { now } = Date;
  try {
    for (const jump of [86_400_000, -86_400_000]) {
      Date.now = now;
      const timer = count(2_000);
      Date.now = () => now() + jump;
      await clock.skip(1_999);
      assertEquals(timer.calls, 0);
      await clock.skip(1);
      assertEquals(timer.calls, 1);
    }
  } finally {
    Date.now = now;
  }
});

/** How long a timer runs, how long the process was stopped, and how much longer it then waits: all in milliseconds. */
const STOPPED: readonly (readonly [number, number, number])[] = [
  [100, 1_100, 100],
  [2_000, 3_000, 1_000],
  [2_000, 3_500, 1_500],
  [2_000, 60_000, 2_000],
  [60_000, 3_600_000, 5_000],
];

pureTest("startTimer() gives a process that was stopped time to look at what has come, but not for ever", async () => {
  for (const [milliseconds, stopped, grace] of STOPPED) {
    using clock = new Clock({ runs: false });
    const timer = count(milliseconds);
    await clock.jump(stopped);
    await clock.skip(grace - 1);
    assertEquals(timer.calls, 0, `${milliseconds} ms`);
    await clock.skip(1);
    assertEquals(timer.calls, 1, `${milliseconds} ms`);
  }
});

pureTest("startTimer() gives time anew each time the process is stopped, and can be stopped meanwhile", async () => {
  using clock = new Clock({ runs: false });
  const timer = count(2_000);
  const other = count(2_000);
  await clock.jump(10_000);
  await clock.jump(10_000);
  await clock.skip(1_999);
  other.stop();
  assertEquals(timer.calls, 0);
  await clock.skip(1);
  assertEquals([timer.calls, other.calls], [1, 0]);
});

pureTest(
  "startLimit() calls back at its time, and asks for no timer of the runtime where it is stopped before",
  async () => {
    using clock = new Clock({ runs: false });
    let calls = 0;
    startLimit(60_000, () => calls++).stop();
    assertEquals(clock.pending, []);
    const limits = [10, 10, 300, 7].map((milliseconds) => startLimit(milliseconds, () => calls++));
    limits[1]?.stop();
    await clock.skip(6);
    assertEquals([calls, clock.pending], [0, [1, 4, 294]]);
    await clock.skip(4);
    assertEquals(calls, 2);
    await clock.skip(289);
    assertEquals(calls, 2);
    await clock.skip(1);
    assertEquals([calls, clock.pending], [3, []]);
  },
);

pureTest(
  "startLimit() keeps its time where a timer of the same length is started behind it, or a limit in a callback",
  async () => {
    using clock = new Clock({ runs: false });
    const calls: string[] = [];
    startLimit(100, () => calls.push("limit"));
    await clock.skip(1);
    startTimer(100, () => {
      calls.push("timer");
      startLimit(100, () => calls.push("again"));
    });
    await clock.skip(99);
    assertEquals(calls, ["limit"]);
    await clock.skip(1);
    assertEquals(calls, ["limit", "timer"]);
    await clock.skip(100);
    assertEquals(calls, ["limit", "timer", "again"]);
  },
);

pureTest(
  "startLimit() of a process that was stopped gives the same time as a timer, and what throws keeps no other",
  async () => {
    using clock = new Clock({ runs: false });
    let calls = 0;
    startLimit(2_000, () => calls++);
    await clock.jump(10_000);
    await clock.skip(1_999);
    assertEquals(calls, 0);
    await clock.skip(1);
    assertEquals(calls, 1);
    startLimit(20, () => calls++);
    startLimit(30, () => calls++);
    await clock.jump(900);
    assertEquals(calls, 3);
  },
);
