import { assert, assertEquals } from "@std/assert";
import { Admission, type Guest, MAX_SURPLUS } from "../../lib/proxy/admission.ts";
import { Refusal } from "../../lib/reasons/refusal.ts";
import { HalfClosedStreams } from "../../lib/relay/half_closed.ts";
import { IdleTimer } from "../../lib/relay/idle_timer.ts";
import { Clock } from "../support/clock.ts";
import { pureTest } from "../support/pure.ts";

const [HERE, THERE] = ["127.0.0.1", "127.0.0.2"] as const;

pureTest(
  "Admission.accept() hears clients up to the limit and the surplus; then the oldest silent one gives way",
  () => {
    const admission = new Admission({ connections: 2, perClient: 100 }, new HalfClosedStreams());
    const clients = Array.from({ length: 2 + MAX_SURPLUS }, () => enter(admission, HERE));
    assertEquals(clients.filter(({ evicted }) => evicted !== undefined), []);
    const next = enter(admission, THERE);
    assertEquals([clients[0]?.evicted?.reason, clients[1]?.evicted, next.evicted], ["too-many", undefined, undefined]);
  },
);

pureTest("Admission.accept() refuses where all have asked for something", () => {
  const admission = new Admission({ connections: 2, perClient: 100 }, new HalfClosedStreams());
  const clients = Array.from({ length: 2 + MAX_SURPLUS }, () => ask(admission, HERE));
  assertEquals(admission.accept(newClient(THERE)), false);
  for (const { client } of clients) admission.leave(client);
  assertEquals(ask(admission, THERE).reason, undefined, "nobody else is counted any more");
});

pureTest(
  "Admission.accept() bounds the clients of one address, and takes the oldest silent one of the largest crowd",
  () => {
    const admission = new Admission({ connections: 4, perClient: 1 }, new HalfClosedStreams());
    const crowd = Array.from({ length: 1 + MAX_SURPLUS + 3 }, () => enter(admission, HERE));
    assertEquals(crowd.slice(0, 4).map(({ evicted }) => evicted?.reason), [
      ...Array(3).fill("too-many-per-client"),
      undefined,
    ]);
    for (const client of crowd.slice(0, 3)) admission.leave(client);
    const others = Array.from({ length: 4 }, () => enter(admission, THERE));
    assertEquals(crowd[3]?.evicted?.reason, "too-many");
    assertEquals(others.filter(({ evicted }) => evicted !== undefined), []);
  },
);

pureTest("Admission.claim() refuses who is one too many, of an address before all of them", () => {
  const admission = new Admission({ connections: 3, perClient: 2 }, new HalfClosedStreams());
  const [first] = [ask(admission, HERE), ask(admission, HERE)];
  assertEquals(ask(admission, HERE).reason, "too-many-per-client");
  assertEquals(ask(admission, THERE).reason, undefined, "who has no place takes none");
  assertEquals(ask(admission, THERE).reason, "too-many");
  admission.leave(first.client);
  assertEquals(ask(admission, THERE).reason, undefined);
});

Deno.test("Admission.claim() ends a client that is likely gone, of the same address where that has too many", async () => {
  using clock = new Clock({ runs: false });
  const halfClosed = new HalfClosedStreams();
  const ended: string[] = [];
  const timers = [THERE, HERE].map((clientAddress) => {
    const timer = new IdleTimer(() => ended.push(clientAddress));
    halfClosed.add(timer, () => true, clientAddress);
    return timer;
  });
  using _timers = { [Symbol.dispose]: () => timers.forEach((timer) => timer.stop()) };
  await clock.skip(2_000);
  const admission = new Admission({ connections: 1, perClient: 1 }, halfClosed);
  assertEquals([ask(admission, HERE).reason, ask(admission, HERE).reason], [undefined, undefined]);
  await clock.skip(0);
  assertEquals(ended, [HERE]);
  assertEquals(ask(admission, HERE).reason, "too-many-per-client", "the one of another address stays");
  assertEquals(ask(admission, THERE).reason, undefined);
  await clock.skip(0);
  assertEquals(ended, [HERE, THERE]);
});

pureTest("HalfClosedStreams: a client that waits after the end of its side is the first to give way", () => {
  const halfClosed = new HalfClosedStreams();
  const gone: string[] = [];
  halfClosed.addWaiting(() => gone.push("old"), HERE);
  const middle = halfClosed.addWaiting(() => gone.push("middle"), HERE);
  halfClosed.addWaiting(() => gone.push("other"), THERE);
  const admission = new Admission({ connections: 1, perClient: 9 }, halfClosed);
  assertEquals(Array.from({ length: 2 }, () => ask(admission, HERE).reason), [undefined, undefined]);
  middle[Symbol.dispose]();
  assertEquals(Array.from({ length: 2 }, () => ask(admission, HERE).reason), [undefined, "too-many"]);
  assertEquals(gone, ["old", "other"]);
});

function newClient(clientAddress: string): Guest {
  return { conn: { close: (): void => {} }, clientAddress };
}

/** A client that has not asked for anything. */
function enter(admission: Admission, clientAddress: string): Guest {
  const client = newClient(clientAddress);
  assert(admission.accept(client));
  return client;
}

/** A client that asks for something, and why it gets no place. */
function ask(admission: Admission, clientAddress: string): { client: Guest; reason: string | undefined } {
  const client = enter(admission, clientAddress);
  admission.asked(client);
  try {
    admission.claim(client);
    return { client, reason: undefined };
  } catch (error) {
    assert(error instanceof Refusal);
    return { client, reason: error.reason };
  }
}
