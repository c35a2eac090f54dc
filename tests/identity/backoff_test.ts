import { assert, assertEquals } from "@std/assert";
import { Backoff, RETRY_FIRST, RETRY_MAX } from "../../lib/identity/backoff.ts";
import { withChance } from "../support/chance.ts";
import { type Harness, startHarness } from "../support/harness.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";
import { until } from "../support/wait.ts";

/** The next waits of a back-off. */
function waits(backoff: Backoff, count: number): number[] {
  return Array.from({ length: count }, () => backoff.next());
}

pureTest("Backoff doubles its limit from a quarter of a second to half a minute", () => {
  const limits = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000];
  assertEquals([RETRY_FIRST, RETRY_MAX], [250, 30_000]);
  assertEquals(waits(new Backoff(() => 1), 10), limits);
  assertEquals(waits(new Backoff(() => 0.5), 10), limits.map((limit) => limit / 2));
  assertEquals(waits(new Backoff(() => 0), 10), limits.map(() => 0));
});

pureTest("Backoff takes any share of its limit, so that proxies do not come in step", () => {
  const random = new Random(17);
  const backoff = new Backoff(() => random.next());
  waits(backoff, 7);
  const shares = waits(backoff, 1_000).map((wait) => wait / RETRY_MAX);
  assert(shares.every((share) => share >= 0 && share < 1));
  for (let tenth = 0; tenth < 10; tenth++) {
    const within = shares.filter((share) => Math.floor(share * 10) === tenth).length;
    assert(within > 50 && within < 150, `${within} of 1000 waits are in tenth ${tenth}`);
  }
});

pureTest("Backoff begins anew after reset(), and without a source of chance it has one", () => {
  const backoff = new Backoff(() => 1);
  waits(backoff, 5);
  backoff.reset();
  assertEquals(waits(backoff, 3), [250, 500, 1_000]);
  const own = Array.from({ length: 50 }, () => new Backoff().next());
  assert(own.every((wait) => wait >= 0 && wait < 250));
  assert(new Set(own).size > 40);
});

/** Milliseconds from each failed attempt at a new session to the next. */
function gaps({ log }: Harness): number[] {
  const times = log.filter((line) => /No new session|Router unreachable/.test(line)).map((line) =>
    Date.parse(line.slice(0, 24))
  );
  return times.slice(1).map((time, i) => time - (times[i] ?? 0));
}

Deno.test("Attempts at a new session spread out, but for clients that are held where nobody listens", async (t) => {
  // Without clients, attempts come 0.25, 0.75, 1.75, 3.75, 7.75 and 15.75 s after the loss.
  await withChance(0.999, async () => {
    const start = (): Promise<Harness> => startHarness({ settings: { timeouts: { connect: 25_000 } } });
    await using alone = await start();
    await using held = await start();
    await using refused = await start();
    await using silent = await start();
    await alone.bridge.stopListening();
    await held.bridge.stopListening();
    refused.bridge.intercept = async (line, socket) => {
      if (!line.startsWith("SESSION CREATE")) return false;
      await socket.write("SESSION STATUS RESULT=I2P_ERROR\n");
      socket.close();
      return true;
    };
    let accepted = 0;
    // The look at whether the router has gone, and the first attempt.
    silent.bridge.accept = () => ++accepted <= 2;
    for (const harness of [alone, held, refused, silent]) harness.dropSessions();
    const clients = [held.ask(), refused.ask(), silent.ask()];
    await until("each has tried some times", () => {
      return gaps(alone).length >= 4 && gaps(refused).length >= 4 && gaps(held).length >= 6;
    });

    await t.step("nobody waits: the waits double", () => {
      assertEquals(gaps(alone).length, 4);
      assert((gaps(alone).at(-1) ?? 0) > 3_500, gaps(alone).join(", "));
    });
    await t.step("somebody waits: none is longer than two seconds", () => {
      assert(gaps(held).length >= 6, gaps(held).join(", "));
      assert(gaps(held).every((gap) => gap < 3_500), gaps(held).join(", "));
      assert(gaps(held).slice(-3).every((gap) => gap > 1_500), gaps(held).join(", "));
    });
    await t.step("somebody waits, but each attempt costs the router something: the waits double", () => {
      assertEquals(gaps(refused).length, 4);
      assert((gaps(refused).at(-1) ?? 0) > 3_500, gaps(refused).join(", "));
    });
    await t.step("a client that comes in a long wait is not the victim of it", async () => {
      alone.bridge.listen();
      const since = performance.now();
      assertEquals(await alone.ask(), 0);
      assert(performance.now() - since < 6_000, `it took ${performance.now() - since} ms`);
    });
    held.bridge.listen();
    await refused.proxy.close();
    assertEquals(await Promise.all(clients), [0, 1, 0]);
    await t.step("a bridge that accepts and stays silent is given up after ten seconds", () => {
      const told = silent.log.filter((line) => line.includes("is not a SAM bridge: it does not answer"));
      assertEquals([told.length, accepted > 2], [1, true]);
    });
  });
});
