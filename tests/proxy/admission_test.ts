import { assert, assertEquals } from "@std/assert";
import {
  Admission,
  BEGUN_GRACE,
  type Capacity,
  type Guest,
  MAX_SURPLUS,
  SILENT_GRACE,
} from "../../lib/proxy/admission.ts";
import { Refusal } from "../../lib/reasons/refusal.ts";
import { HalfClosedStreams } from "../../lib/relay/half_closed.ts";
import { IdleTimer } from "../../lib/relay/idle_timer.ts";
import { Clock } from "../support/clock.ts";

const [HERE, THERE] = ["127.0.0.1", "127.0.0.2"] as const;

/** What an application can have that may have so many clients. */
function room(connections: number, surplus = MAX_SURPLUS): Pick<Capacity, "connections" | "surplus" | "isShort"> {
  return { connections, surplus, isShort: false };
}

const NEVER = new AbortController().signal;

Deno.test("Admission.room() has the oldest silent client give way above the surplus, once it has had its time", async () => {
  using clock = new Clock({ runs: false });
  const admission = new Admission(room(2), { perClient: 100 }, new HalfClosedStreams());
  const clients = Array.from({ length: 2 + MAX_SURPLUS }, () => enter(admission, HERE));
  let hasRoom = false;
  const waiting = Promise.resolve(admission.room(NEVER)).then(() => hasRoom = true);
  await clock.skip(SILENT_GRACE - 1);
  assertEquals([hasRoom, clients.filter(({ evicted }) => evicted !== undefined)], [false, []]);
  await clock.skip(SILENT_GRACE);
  await waiting;
  assertEquals([clients[0]?.evicted?.reason, clients[1]?.evicted], ["too-many", undefined]);
});

Deno.test("Admission.room() has who has said nothing give way before who has begun, which has more time", async () => {
  using clock = new Clock({ runs: false });
  const admission = new Admission(room(0, 3), { perClient: 100 }, new HalfClosedStreams());
  const clients = Array.from({ length: 3 }, () => enter(admission, HERE));
  for (const client of clients.slice(0, 2)) admission.begun(client);
  await clock.skip(SILENT_GRACE);
  assertEquals([admission.giveWay(), admission.giveWay()], [true, false]);
  assertEquals(clients.map(({ evicted }) => evicted?.reason), [undefined, undefined, "too-many"]);
  await clock.skip(BEGUN_GRACE);
  assertEquals(admission.giveWay(), true);
  assertEquals(clients[0]?.evicted?.reason, "too-many");
});

Deno.test("Admission.room() waits where all have asked for something, until one leaves, or has its reply", async () => {
  using clock = new Clock({ runs: false });
  const admission = new Admission(room(2), { perClient: 100 }, new HalfClosedStreams());
  const clients: Guest[] = [];
  while (clients.length < 2 + MAX_SURPLUS) clients.push((await ask(admission, HERE)).client);
  const [first, second] = clients;
  assert(first !== undefined && second !== undefined);
  let rooms = 0;
  const more = async (): Promise<void> => {
    const waiting = Promise.resolve(admission.room(NEVER)).then(() => rooms++);
    await clock.skip(5 * SILENT_GRACE);
    return void waiting;
  };
  await more();
  assertEquals(rooms, 0);
  admission.leave(first);
  await clock.skip(0);
  assertEquals(rooms, 1);
  enter(admission, THERE);
  admission.told(second);
  await more();
  assertEquals([rooms, second.evicted], [2, undefined], "who has its reply is closed without a word");
  const stop = new AbortController();
  enter(admission, THERE);
  const ended = admission.room(stop.signal);
  stop.abort();
  await clock.skip(SILENT_GRACE);
  await ended;
});

Deno.test("Admission.accept() bounds the clients of one address, once they have had their time", async () => {
  using clock = new Clock({ runs: false });
  const admission = new Admission(room(100), { perClient: 1 }, new HalfClosedStreams());
  const crowd = Array.from({ length: 1 + MAX_SURPLUS + 3 }, () => enter(admission, HERE));
  assertEquals(crowd.filter(({ evicted }) => evicted !== undefined), []);
  await clock.skip(2 * SILENT_GRACE);
  assertEquals(crowd.slice(0, 4).map(({ evicted }) => evicted?.reason), [
    ...Array(3).fill("too-many-per-client"),
    undefined,
  ]);
  const other = enter(admission, THERE);
  await clock.skip(2 * SILENT_GRACE);
  assertEquals(other.evicted, undefined);
  assertEquals(admission.giveWay(), true);
  assertEquals(crowd[3]?.evicted?.reason, "too-many", "the largest crowd gives way");
});

Deno.test("Admission.claim() refuses who is one too many, of an address before all of them", async () => {
  const admission = new Admission(room(3), { perClient: 2 }, new HalfClosedStreams());
  const first = await ask(admission, HERE);
  await ask(admission, HERE);
  assertEquals((await ask(admission, HERE)).reason, "too-many-per-client");
  assertEquals((await ask(admission, THERE)).reason, undefined, "who has no place takes none");
  const refused = await ask(admission, THERE);
  assertEquals(refused.reason, "too-many");
  admission.leave(first.client);
  const second = await ask(admission, THERE);
  assertEquals(second.reason, undefined);
  admission.told(second.client);
  assertEquals((await ask(admission, THERE)).reason, undefined, "who has its reply needs no place");
  const short = new Admission({ connections: 0, surplus: 1, isShort: true }, { perClient: 2 }, new HalfClosedStreams());
  assertEquals((await ask(short, HERE)).reason, "out-of-descriptors");
});

Deno.test("Admission.claim() ends a client that is likely gone, of the same address where that has too many", async () => {
  using clock = new Clock({ runs: false });
  const { halfClosed, ended, timers } = answeredStreams([THERE, HERE]);
  using _timers = { [Symbol.dispose]: () => timers.forEach((timer) => timer.stop()) };
  await clock.skip(2_000);
  const admission = new Admission(room(1), { perClient: 1 }, halfClosed);
  assertEquals([(await ask(admission, HERE)).reason, (await ask(admission, HERE)).reason], [undefined, undefined]);
  await clock.skip(0);
  assertEquals(ended, [HERE]);
  assertEquals((await ask(admission, HERE)).reason, "too-many-per-client", "the one of another address stays");
  assertEquals((await ask(admission, THERE)).reason, undefined);
  await clock.skip(0);
  assertEquals(ended, [HERE, THERE]);
});

Deno.test("Admission.claim() waits for a client that will soon be silent for long enough", async () => {
  using clock = new Clock({ runs: false });
  const { halfClosed, ended, timers } = answeredStreams([HERE, HERE]);
  using _timers = { [Symbol.dispose]: () => timers.forEach((timer) => timer.stop()) };
  const admission = new Admission(room(0), { perClient: 9 }, halfClosed);
  const asked = Array.from({ length: 3 }, () => ask(admission, HERE));
  await clock.skip(900);
  assertEquals(ended, []);
  await clock.skip(200);
  assertEquals((await Promise.all(asked)).map(({ reason }) => reason), [undefined, undefined, "too-many"]);
  assertEquals(ended, [HERE, HERE]);
});

Deno.test("HalfClosedStreams: a client that waits after the end of its side is the first to give way", async () => {
  const halfClosed = new HalfClosedStreams();
  const gone: string[] = [];
  halfClosed.addWaiting(() => gone.push("old"), HERE);
  const middle = halfClosed.addWaiting(() => gone.push("middle"), HERE);
  halfClosed.addWaiting(() => gone.push("other"), THERE);
  const admission = new Admission(room(1), { perClient: 9 }, halfClosed);
  const asks = async (): Promise<(string | undefined)[]> => [
    (await ask(admission, HERE)).reason,
    (await ask(admission, HERE)).reason,
  ];
  assertEquals(await asks(), [undefined, undefined]);
  middle[Symbol.dispose]();
  assertEquals(await asks(), [undefined, "too-many"]);
  assertEquals(gone, ["old", "other"]);
});

function newClient(clientAddress: string): Guest {
  return { conn: { close: (): void => {} }, clientAddress };
}

/** A client that has not asked for anything. */
function enter(admission: Admission, clientAddress: string): Guest {
  const client = newClient(clientAddress);
  admission.accept(client);
  return client;
}

/** A client that asks for something, and why it gets no place. */
async function ask(
  admission: Admission,
  clientAddress: string,
): Promise<{ client: Guest; reason: string | undefined }> {
  const client = enter(admission, clientAddress);
  admission.asked(client);
  try {
    await admission.claim(client, NEVER);
    return { client, reason: undefined };
  } catch (error) {
    assert(error instanceof Refusal);
    return { client, reason: error.reason };
  }
}

/** Streams of these addresses whose clients have ended their side after an answer, just now. */
function answeredStreams(
  addresses: readonly string[],
): { halfClosed: HalfClosedStreams; ended: string[]; timers: IdleTimer[] } {
  const halfClosed = new HalfClosedStreams();
  const ended: string[] = [];
  const timers = addresses.map((clientAddress) => {
    const timer = new IdleTimer(() => ended.push(clientAddress));
    halfClosed.add(timer, () => true, clientAddress);
    return timer;
  });
  return { halfClosed, ended, timers };
}
