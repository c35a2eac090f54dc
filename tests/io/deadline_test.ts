import { assert, assertEquals, assertThrows } from "@std/assert";
import { Deadline, sleep, TimeoutError } from "../../lib/io/deadline.ts";
import { IdleTimer } from "../../lib/relay/idle_timer.ts";
import { Clock } from "../support/clock.ts";
import { pureTest } from "../support/pure.ts";
import { delay, until } from "../support/wait.ts";

pureTest("IdleTimer does not take the time in which the process was stopped for silence", async () => {
  using clock = new Clock({ runs: false });
  let expired = 0;
  const idleTimer = new IdleTimer(() => expired++);
  idleTimer.limit(2_000);
  await clock.jump(60_000);
  assertEquals(expired, 0);
  await clock.skip(10);
  idleTimer.active();
  await clock.skip(1_999);
  assertEquals([expired, idleTimer.silence], [0, 1_999]);
  await clock.skip(1);
  assertEquals(expired, 1);
});

pureTest("IdleTimer expires for good after a stop, if nothing has come", async () => {
  using clock = new Clock({ runs: false });
  let expired = 0;
  const idleTimer = new IdleTimer(() => expired++);
  idleTimer.limit(2_000);
  await clock.jump(60_000);
  await clock.skip(2_000);
  assertEquals([expired], [1]);
});

/** Keeps the process from doing anything else, as if it were stopped; really. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

/** What is noticed first after a stop in which a byte came and a time limit was over. */
async function firstAfter(stop: number, watch: (tell: () => void) => { heard: () => void; end: () => void }): Promise<
  string[]
> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [near, far] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  listener.close();
  const noticed: string[] = [];
  const { heard, end } = watch(() => noticed.push("the time is over"));
  const reading = near.read(new Uint8Array(1)).then(() => {
    noticed.push("a byte has come");
    heard();
  });
  // The read is under way before the byte is sent.
  await delay(10);
  await far.write(Uint8Array.of(1));
  block(stop);
  await reading;
  await until("both are noticed", () => noticed.length === 2);
  end();
  near.close();
  far.close();
  return noticed;
}

Deno.test("After a stop, what has come is read before a Deadline declares the time over", async () => {
  const noticed = await firstAfter(1_300, (tell) => {
    const deadline = new Deadline(100);
    deadline.addEventListener("abort", tell);
    return { heard: () => {}, end: () => deadline[Symbol.dispose]() };
  });
  assertEquals(noticed, ["a byte has come", "the time is over"]);
});

Deno.test("After a stop, what has come is read before an IdleTimer rings, which then waits its full time", async () => {
  let heardAt = 0;
  let bitAt = 0;
  const noticed = await firstAfter(1_300, (tell) => {
    const idleTimer = new IdleTimer(() => {
      bitAt = performance.now();
      tell();
    });
    idleTimer.limit(100);
    return {
      heard: () => {
        heardAt = performance.now();
        idleTimer.active();
      },
      end: () => idleTimer.stop(),
    };
  });
  assertEquals(noticed, ["a byte has come", "the time is over"]);
  assert(bitAt - heardAt >= 99, `after ${bitAt - heardAt} ms`);
});

Deno.test("sleep() ends with its time or with its signal, and leaves no timer behind", async () => {
  const stop = new AbortController();
  const since = performance.now();
  await sleep(30, stop.signal);
  assert(performance.now() - since >= 29);
  const long = sleep(60_000, stop.signal);
  stop.abort();
  await long;
  await sleep(60_000, stop.signal);
  assert(performance.now() - since < 30_000);
});

Deno.test("Deadline fires after its time or with its parent, and not after disposal", async () => {
  using clock = new Clock({ runs: false });
  const parent = new AbortController();
  using short = new Deadline(20, parent.signal);
  using long = new Deadline(60_000, parent.signal);
  const disposed = new Deadline(20, parent.signal);
  disposed[Symbol.dispose]();
  await clock.skip(19);
  assertEquals(short.aborted, false);
  await clock.skip(1);
  assert(short.reason instanceof TimeoutError);
  assertEquals(long.aborted, false);
  parent.abort(new Error("over"));
  assertThrows(() => long.throwIfAborted(), Error, "over");
  assertEquals(disposed.aborted, false);
  using late = new Deadline(60_000, parent.signal);
  assertEquals(late.aborted, true);
});

Deno.test("Deadline follows the first of several parents, and has no time of its own with Infinity", async () => {
  using clock = new Clock({ runs: false });
  const [one, other] = [new AbortController(), new AbortController()];
  using deadline = new Deadline(Infinity, one.signal, undefined, other.signal);
  await clock.skip(1e12);
  assertEquals(deadline.aborted, false);
  other.abort(new Error("other"));
  one.abort(new Error("one"));
  assertThrows(() => deadline.throwIfAborted(), Error, "other");
});
