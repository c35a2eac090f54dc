import { assert, assertEquals } from "@std/assert";
import type { LoginBook } from "../../lib/config/login_book.ts";
import { Backoff, RETRY_FIRST, RETRY_MAX } from "../../lib/identity/backoff.ts";
import {
  BufferPool,
  LARGE_BUFFER,
  MAX_LARGE_BUFFERS,
  MAX_MEDIUM_BUFFERS,
  MEDIUM_BUFFER,
} from "../../lib/relay/buffer_pool.ts";
import { readSettings } from "../../lib/config/settings.ts";
import { EventLoopGate, GATE_BUDGET, HURRIED_BUDGET } from "../../lib/relay/event_loop_gate.ts";
import { acceptAll, ACCEPTED_A_TURN } from "../../lib/io/accept.ts";
import { LoginGuard } from "../../lib/proxy/login_guard.ts";
import { ReadAhead } from "../../lib/relay/read_ahead.ts";
import { Watchdog } from "../../lib/relay/watchdog.ts";
import { Clock } from "../support/clock.ts";
import { delay, until } from "../support/harness.ts";
import { pureTest } from "../support/pure.ts";

pureTest("BufferPool lends large buffers, then medium ones, then none, and lends again what came back", () => {
  const pool = new BufferPool();
  const rented = Array.from({ length: MAX_LARGE_BUFFERS + MAX_MEDIUM_BUFFERS }, () => pool.rent());
  const sizes = rented.map((buffer) => buffer?.length);
  assert(sizes.slice(0, MAX_LARGE_BUFFERS).every((size) => size === LARGE_BUFFER));
  assert(sizes.slice(MAX_LARGE_BUFFERS).every((size) => size === MEDIUM_BUFFER));
  assertEquals(new Set(rented).size, rented.length);
  assertEquals(pool.rent(), undefined);
  for (const buffer of [rented[0], rented.at(-1)]) {
    if (buffer !== undefined) pool.giveBack(buffer);
    assert(pool.rent() === buffer);
    assertEquals(pool.rent(), undefined);
  }
});

pureTest("BufferPool has a buffer for a busy stream beside as many stalled ones as there may be clients", () => {
  const pool = new BufferPool();
  const { connections } = readSettings(new Map()).limits;
  for (let i = 1; i < connections; i++) pool.rent();
  assert(pool.rent() !== undefined);
});

Deno.test("EventLoopGate lets timers run between relays that never wait", async () => {
  const gate = await EventLoopGate.open();
  try {
    assertEquals(gate.spend(GATE_BUDGET - 1), undefined);
    assert(gate.spend(1) instanceof Promise);
    await Promise.all([gate.spend(1), gate.spend(1)]);
    assertEquals(await timerRuns(async () => await gate.spend(GATE_BUDGET)), true);
    // The counter-proof: without a gate the same loop keeps the timer waiting.
    assertEquals(await timerRuns(() => Promise.resolve()), false);
  } finally {
    gate.close();
  }
  await gate.spend(GATE_BUDGET);
});

for (
  const { name, hurries, budget } of [
    { name: "a budget's worth a turn", hurries: false, budget: GATE_BUDGET },
    { name: "fewer while there are small messages", hurries: true, budget: HURRIED_BUDGET },
  ]
) {
  Deno.test(`EventLoopGate lets relays go on in their order, ${name}`, async () => {
    const gate = await EventLoopGate.open();
    const story: string[] = [];
    let running = 8;
    const relay = async (number: number): Promise<void> => {
      for (let i = 0; i < 10; i++) {
        if (hurries) gate.hurry();
        story.push(String(number));
        await gate.spend(HURRIED_BUDGET);
      }
      running--;
    };
    const turns = async (): Promise<void> => {
      while (running > 0) {
        await gate.turn();
        story.push("|");
      }
    };
    const relays = Array.from({ length: running }, (_, number) => relay(number));
    await Promise.all([...relays, turns()]);
    gate.close();
    const [, ...perTurn] = story.join("").split("|").filter((chunks) => chunks !== "");
    const most = Math.max(...perTurn.map((chunks) => chunks.length));
    assertEquals(most, budget / HURRIED_BUDGET, story.join(""));
    const inOrder = story.filter((entry) => entry !== "|").join("");
    assertEquals(inOrder, "01234567".repeat(10));
  });
}

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
  await acceptAll(listener, (c) => accepted.push(c), (error) => failed.push(error), () => Promise.resolve());
  assertEquals(accepted.length, 2);
  assertEquals(failed.length, 2);
});

Deno.test("acceptAll() gives everything else a turn behind each batch of clients", async () => {
  const waiting = Array.from({ length: 2 * ACCEPTED_A_TURN + 1 }, () => ({}) as Deno.TcpConn);
  const listener = {
    accept: (): Promise<Deno.TcpConn> => {
      const next = waiting.shift();
      return next === undefined ? Promise.reject(new Deno.errors.BadResource("closed")) : Promise.resolve(next);
    },
  } as unknown as Deno.TcpListener;
  const story: string[] = [];
  const turn = async (): Promise<void> => {
    story.push("turn begins");
    await delay(1);
    story.push("turn ends");
  };
  await acceptAll(listener, () => story.push("client"), () => story.push("failure"), turn);
  const batch = [...Array(ACCEPTED_A_TURN).fill("client"), "turn begins", "turn ends"];
  assertEquals(story, [...batch, ...batch, "client"]);
});

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

Deno.test("LoginGuard answers wrong logins later and later, and begins anew after a minute without one", async () => {
  using clock = new Clock({ runs: false });
  const guard = new LoginGuard({ verify: () => Promise.resolve(false) } as unknown as LoginBook);
  const login = { user: new Uint8Array(), password: new Uint8Array() };
  const assertTakes = async (milliseconds: number): Promise<void> => {
    let answer: boolean | undefined;
    const asked = guard.verify(login, new AbortController().signal).then((isRight) => answer = isRight);
    await clock.skip(0);
    await clock.skip(milliseconds - 1);
    assertEquals(answer, undefined, `it took less than ${milliseconds} ms`);
    await clock.skip(1);
    assertEquals(answer, false, `it took more than ${milliseconds} ms`);
    await asked;
  };
  for (const milliseconds of [100, 200, 400, 800, 1_600, 3_000, 3_000]) await assertTakes(milliseconds);
  await clock.skip(60_000 - 3_000);
  await assertTakes(3_000);
  await clock.skip(60_001 - 3_000);
  for (const milliseconds of [100, 200]) await assertTakes(milliseconds);
});

pureTest("Backoff doubles its limit from a quarter of a second to half a minute, and waits a share of it", () => {
  for (const share of [0, 0.5, 1]) {
    const backoff = new Backoff(() => share);
    const limits = [RETRY_FIRST, 500, 1_000, 2_000, 4_000, 8_000, 16_000, RETRY_MAX, RETRY_MAX, RETRY_MAX];
    assertEquals(limits.map(() => backoff.next()), limits.map((limit) => share * limit));
    backoff.reset();
    assertEquals([backoff.next(), backoff.next()], [share * 250, share * 500]);
  }
});

Deno.test("ReadAhead hands over what it read, then reads on, and tells of the end", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const [client, conn] = await Promise.all([
    Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
    listener.accept(),
  ]);
  listener.close();
  const told: string[] = [];
  const ahead = new ReadAhead(conn, new Uint8Array(16), (how) => told.push(how));
  await client.write(Uint8Array.of(1, 2, 3));
  await delay(20);
  assertEquals(await ahead.read(ahead.buffer), 3);
  assertEquals([...ahead.buffer.subarray(0, 3)], [1, 2, 3]);
  await client.write(Uint8Array.of(4));
  const other = new Uint8Array(10);
  assertEquals(await ahead.read(other), 1);
  assertEquals(other[0], 4);
  assertEquals(told, []);
  const again = new ReadAhead(conn, new Uint8Array(16), (how) => told.push(how));
  client.close();
  await until("the end is told", () => told.length > 0);
  assertEquals(told, ["ended"]);
  assertEquals(await again.read(again.buffer), null);
  conn.close();
});
