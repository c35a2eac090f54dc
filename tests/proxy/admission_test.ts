import { assert, assertEquals } from "@std/assert";
import { Admission, MAX_SURPLUS } from "../../lib/proxy/admission.ts";
import { Refusal } from "../../lib/reasons/refusal.ts";
import { HalfClosedStreams } from "../../lib/relay/half_closed.ts";
import { IdleTimer } from "../../lib/relay/idle_timer.ts";
import { Clock } from "../support/clock.ts";
import { pureTest } from "../support/pure.ts";

const [HERE, THERE] = [{ clientAddress: "127.0.0.1" }, { clientAddress: "127.0.0.2" }];

pureTest("Admission.accept() counts clients up to the limit and the surplus, until each is disposed of", () => {
  const admission = new Admission({ connections: 2, perClient: 2 }, new HalfClosedStreams());
  const places = Array.from({ length: 2 + MAX_SURPLUS }, () => admission.accept(HERE.clientAddress));
  assert(places.every((place) => place !== undefined));
  assertEquals(admission.accept(THERE.clientAddress), undefined);
  for (const place of places) place?.[Symbol.dispose]();
  assert(admission.accept(THERE.clientAddress) !== undefined);
  assertEquals(reasonOf(admission, THERE), undefined, "nobody else is counted any more");
});

pureTest("Admission.claim() refuses who is one too many, of an address before all of them", () => {
  const admission = new Admission({ connections: 3, perClient: 2 }, new HalfClosedStreams());
  const enter = (client: typeof HERE): string | undefined => {
    admission.accept(client.clientAddress);
    return reasonOf(admission, client);
  };
  assertEquals([enter(HERE), enter(HERE)], [undefined, undefined]);
  assertEquals(enter(HERE), "too-many-per-client");
  assertEquals(enter(THERE), "too-many", "who was refused is counted until it ends");
});

Deno.test("Admission.claim() ends a client that is likely gone, of the same address where that has too many", async () => {
  using clock = new Clock({ runs: false });
  const halfClosed = new HalfClosedStreams();
  const ended: string[] = [];
  const timers = [THERE, HERE].map(({ clientAddress }) => {
    const timer = new IdleTimer(() => ended.push(clientAddress));
    halfClosed.add(timer, () => true, clientAddress);
    return timer;
  });
  using _timers = { [Symbol.dispose]: () => timers.forEach((timer) => timer.stop()) };
  await clock.skip(2_000);
  const admission = new Admission({ connections: 1, perClient: 1 }, halfClosed);
  admission.accept(HERE.clientAddress);
  admission.accept(HERE.clientAddress);
  assertEquals(reasonOf(admission, HERE), undefined);
  await clock.skip(0);
  assertEquals(ended, [HERE.clientAddress]);
  assertEquals(reasonOf(admission, HERE), "too-many-per-client", "the one of another address stays");
  admission.accept(THERE.clientAddress);
  assertEquals(reasonOf(admission, THERE), undefined);
  await clock.skip(0);
  assertEquals(ended, [HERE.clientAddress, THERE.clientAddress]);
});

function reasonOf(admission: Admission, client: typeof HERE): string | undefined {
  try {
    admission.claim(client);
    return undefined;
  } catch (error) {
    assert(error instanceof Refusal);
    return error.reason;
  }
}
