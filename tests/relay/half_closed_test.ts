import { assertEquals } from "@std/assert";
import { HALF_CLOSED_TIMEOUT, HalfClosedStreams } from "../../lib/relay/half_closed.ts";
import { IdleTimer } from "../../lib/relay/idle_timer.ts";
import { Clock } from "../support/clock.ts";

/** Some streams by name, on a clock that can be put forward. */
class Streams implements Disposable {
  readonly clock = new Clock({ runs: false });
  readonly halfClosed = new HalfClosedStreams();
  readonly ended: string[] = [];
  readonly #timers: IdleTimer[] = [];

  /** A stream whose client ends its side now. */
  add(name: string, isAnswered: boolean, address = "127.0.0.1"): { idleTimer: IdleTimer; gone: Disposable } {
    const idleTimer = new IdleTimer(() => this.ended.push(name));
    this.#timers.push(idleTimer);
    return { idleTimer, gone: this.halfClosed.add(idleTimer, () => isAnswered, address) };
  }

  [Symbol.dispose](): void {
    this.#timers.forEach((idleTimer) => idleTimer.stop());
    this.clock[Symbol.dispose]();
  }
}

Deno.test("A stream whose client has ended its side ends after 180 s of silence, or 60 s after an answer", async () => {
  using streams = new Streams();
  const { clock, ended } = streams;
  streams.add("waiting", false);
  streams.add("answered", true);
  const { idleTimer } = streams.add("busy", true);
  await clock.skip(59_999);
  idleTimer.active();
  assertEquals(ended, []);
  await clock.skip(1);
  assertEquals(ended, ["answered"]);
  await clock.skip(59_999);
  assertEquals(ended, ["answered", "busy"]);
  await clock.skip(HALF_CLOSED_TIMEOUT - 120_000);
  assertEquals(ended, ["answered", "busy"]);
  await clock.skip(1);
  assertEquals(ended, ["answered", "busy", "waiting"]);
});

Deno.test("The stream that has been silent for longest gives way, after a second with an answer and 30 s without", async () => {
  using streams = new Streams();
  const { clock, ended, halfClosed } = streams;
  assertEquals(halfClosed.endMostSilent(), false, "there is none");
  streams.add("waiting", false);
  streams.add("older", true);
  await clock.skip(100);
  streams.add("newer", true);
  const { idleTimer } = streams.add("busy", true);
  await clock.skip(899);
  assertEquals(halfClosed.endMostSilent(), false, "none has been silent for long");
  await clock.skip(101);
  idleTimer.active();
  assertEquals([1, 2, 3].map(() => halfClosed.endMostSilent()), [true, true, false]);
  await clock.skip(0);
  assertEquals(ended, ["older", "newer"]);
  await clock.skip(30_000 - 1_101);
  idleTimer.active();
  assertEquals(halfClosed.endMostSilent(), false);
  await clock.skip(1);
  idleTimer.active();
  assertEquals([1, 2].map(() => halfClosed.endMostSilent()), [true, false]);
  await clock.skip(0);
  assertEquals(ended, ["older", "newer", "waiting"]);
});

Deno.test("Of one address only its own streams give way", async () => {
  using streams = new Streams();
  const { clock, ended, halfClosed } = streams;
  streams.add("older", true, "127.0.0.2");
  await clock.skip(10);
  streams.add("newer", true, "127.0.0.3");
  await clock.skip(1_000);
  assertEquals(halfClosed.endMostSilent("127.0.0.4"), false);
  assertEquals([1, 2].map(() => halfClosed.endMostSilent("127.0.0.3")), [true, false]);
  await clock.skip(0);
  assertEquals(ended, ["newer"]);
  assertEquals(halfClosed.endMostSilent(), true);
});

Deno.test("A stream that has ended otherwise does not give way", async () => {
  using streams = new Streams();
  const { gone } = streams.add("gone", true);
  gone[Symbol.dispose]();
  await streams.clock.skip(2_000);
  assertEquals(streams.halfClosed.endMostSilent(), false);
});

Deno.test("Once the proxy is about to end, a second of silence is enough, for streams that come later too", async () => {
  using streams = new Streams();
  const { clock, ended, halfClosed } = streams;
  streams.add("waiting", false);
  const { idleTimer } = streams.add("busy", true);
  halfClosed.expediteClose();
  await clock.skip(999);
  idleTimer.active();
  streams.add("later", false);
  assertEquals(ended, []);
  await clock.skip(1);
  assertEquals(ended, ["waiting"]);
  await clock.skip(998);
  assertEquals(ended, ["waiting"]);
  await clock.skip(1);
  assertEquals(ended.toSorted(), ["busy", "later", "waiting"]);
});
