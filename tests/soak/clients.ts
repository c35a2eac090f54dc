import { assertEquals, assertStringIncludes } from "@std/assert";
import { concat } from "../support/bytes.ts";
import type { Random } from "../support/random.ts";
import { readToEnd, writeAll } from "../clients/socks_client.ts";
import { encodeGreeting, encodeRequest4, encodeRequest5 } from "../clients/socks_wire.ts";
import {
  type Attempt,
  chooseManner,
  describe,
  dial,
  encodeHandshake,
  isGranted,
  mayBeCut,
  strain,
  type World,
} from "./dial.ts";
import type { Ticket } from "./faults.ts";
import type { Moment } from "./lag.ts";
import { carryOut, type Order, orderBytes, type Transfer } from "./traffic.ts";
import { delay } from "../support/wait.ts";

/** A kind of client. */
export interface Kind {
  /** How often it comes, beside the others. */
  weight: number;
  /** Whether it moves megabytes. */
  isHeavy: boolean;
  /** One client from its first byte to its last: returns how it ended, and throws where that was not permitted. */
  run: (world: World, random: Random) => Promise<string>;
}

/** Requests that get no stream, and the SOCKS5 code they get. */
const HOPELESS: readonly [host: string, code: number][] = [
  ["example.com", 2],
  ["localhost", 2],
  ["93.184.216.34", 8],
  ["2001:db8::1", 8],
  ["unknown.i2p", 4],
  [`${"a".repeat(52)}.b32.i2p`, 4],
  ["short.b32.i2p", 4],
];

const REPLY_REST = [0, 1, 0, 0, 0, 0, 0, 0];

/** Bytes of what is no request for a stream, and all that comes back. */
const UNSUPPORTED: readonly [bytes: Uint8Array, answer: readonly number[]][] = [
  [concat(encodeGreeting([0]), encodeRequest5({ host: "x.i2p", port: 1, command: 2 })), [5, 0, 5, 7, ...REPLY_REST]],
  [concat(encodeGreeting([0]), encodeRequest5({ host: "0.0.0.0", port: 0, command: 3 })), [5, 0, 5, 7, ...REPLY_REST]],
  [concat(encodeGreeting([0]), Uint8Array.of(5, 1, 0, 9, 0, 0)), [5, 0, 5, 8, ...REPLY_REST]],
  [encodeGreeting([1, 3]), [5, 0xff]],
  [encodeRequest4({ host: "x.i2p", port: 1, command: 2 }), [0, 0x5b, 0, 0, 0, 0, 0, 0]],
];

const SMALL = 2_000;
const MEGABYTE = 1_000_000;

/** All kinds of clients by name. */
export const KINDS: Readonly<Record<string, Kind>> = {
  "small echo": exchanging(20, (random) => echo(random, SMALL)),
  "early data": exchanging(8, (random) => echo(random, SMALL), { isEarly: true }),
  "half-closer": exchanging(8, (random) => bulk(random, SMALL, 20 * SMALL), { endsSide: true }),
  "bulk up": heavy(3, (random) => bulk(random, megabytes(random), 0)),
  "bulk down": heavy(3, (random) => bulk(random, 0, megabytes(random))),
  "bulk both": heavy(3, (random) => bulk(random, megabytes(random), megabytes(random))),
  "bulk echo": heavy(2, (random) => echo(random, 2 * MEGABYTE)),
  "slow reader": heavy(3, (random) => bulk(random, 0, megabytes(random)), { pause: 20 }),
  "many at once": light(1, crowd),
  "leaver with bytes unread": light(6, (world, random) => abandon(world, random, bulk(random, 0, MEGABYTE))),
  "leaver in the middle": light(4, (world, random) => abandon(world, random, echo(random, MEGABYTE))),
  "leaver in the handshake": light(12, leaveEarly),
  "idler": light(2, idle),
  "dribbler": light(4, dribble),
  "endless dribbler": light(1, dribbleOn),
  "silent": light(1, async (world) => nothing(await converse(world, new Uint8Array()))),
  "HTTP": light(3, speakHttp),
  "garbage": light(4, speakGarbage),
  "nearly SOCKS": light(2, speakNearly),
  "hopeless": light(10, beHopeless),
  "unsupported": light(5, askUnsupported),
};

function light(weight: number, run: Kind["run"]): Kind {
  return { weight, isHeavy: false, run };
}

function echo(random: Random, most: number): Order {
  return { seed: random.below(1e9), up: random.below(most), down: undefined };
}

function bulk(random: Random, up: number, down: number): Order {
  return { seed: random.below(1e9), up, down };
}

/** 1 to 4 MB. */
function megabytes(random: Random): number {
  return MEGABYTE + random.below(3 * MEGABYTE);
}

type ExchangeManner = { isEarly?: boolean } & Partial<Pick<Transfer, "endsSide" | "pause">>;

function exchanging(weight: number, order: (random: Random) => Order, manner?: ExchangeManner): Kind {
  return light(weight, (world, random) => exchange(world, random, order(random), manner));
}

function heavy(...given: Parameters<typeof exchanging>): Kind {
  return { ...exchanging(...given), isHeavy: true };
}

/** A client that behaves: everything must arrive, unless a fault has hit it. */
async function exchange(world: World, random: Random, order: Order, manner: ExchangeManner = {}): Promise<string> {
  const ahead = manner.isEarly ? concat(...orderBytes(order)) : new Uint8Array();
  const since = world.lag.moment();
  const dialled = await dial(world, random, ahead);
  if (typeof dialled === "string") return dialled;
  using client = dialled;
  const transfer = { order, sent: ahead.length, early: client.early, endsSide: false, pause: 0, ...manner };
  return await carry(world, client.conn, client.ticket, transfer, since);
}

/** @param since when the client began: on a busy machine the proxy counts for long before the client has its reply. */
async function carry(
  world: World,
  conn: Deno.TcpConn,
  ticket: Ticket,
  transfer: Transfer,
  since: Moment,
): Promise<string> {
  const { isIntact, silence } = await carryOut(conn, transfer);
  if (isIntact) return "intact";
  if (mayBeCut(ticket, world)) return "cut";
  return strain(world, since, world.timeouts.idle, `It was cut ${describe(ticket)}`, silence);
}

async function crowd(world: World, random: Random): Promise<string> {
  await Promise.all(Array.from({ length: 25 }, () => exchange(world, random, echo(random, SMALL))));
  return "ended";
}

/** Leaves in the middle; where bytes came that it has not read, that is a reset. */
async function abandon(world: World, random: Random, order: Order): Promise<string> {
  const dialled = await dial(world, random);
  if (typeof dialled === "string") return dialled;
  using client = dialled;
  const sending = (async () => {
    for (const chunk of orderBytes(order)) await writeAll(client.conn, chunk);
  })().catch(() => {});
  await delay(random.below(150));
  client[Symbol.dispose]();
  await sending;
  return "left";
}

/** Leaves at any byte of its handshake, or behind it; with an answer unread, that is a reset. */
async function leaveEarly(world: World, random: Random): Promise<string> {
  const host = random.pick(world.hosts);
  const manner = chooseManner(random, host);
  using ticket = world.faults.ticket(manner.group);
  using conn = await connect(world);
  const bytes = encodeHandshake(manner, host, ticket.port);
  await writeAll(conn, bytes.subarray(0, random.below(bytes.length + 10)));
  if (random.below(2) === 0) await delay(random.below(100));
  return "left";
}

/** Has a stream and says nothing on it, until the proxy has enough. */
async function idle(world: World, random: Random): Promise<string> {
  const dialled = await dial(world, random);
  if (typeof dialled === "string") return dialled;
  using client = dialled;
  return nothing(concat(client.early, await untilEnd(client.conn)));
}

/** Sends its handshake in small pieces, then behaves. */
async function dribble(world: World, random: Random): Promise<string> {
  const host = random.pick(world.hosts);
  const manner = chooseManner(random, host);
  using ticket = world.faults.ticket(manner.group);
  const attempt: Attempt = { manner, ticket, expected: 0, since: world.lag.moment() };
  using conn = await connect(world);
  const handshake = encodeHandshake(manner, host, ticket.port);
  for (let at = 0; at < handshake.length;) {
    const piece = handshake.subarray(at, at + 1 + random.below(15));
    at += piece.length;
    await writeAll(conn, piece).catch(() => {});
    await delay(random.below(15));
  }
  const before = manner.version === 4 ? 0 : manner.login ? 4 : 2;
  const answer = new Uint8Array(before + (manner.version === 4 ? 8 : 10));
  for (let got = 0; got < answer.length;) {
    const count = await conn.read(answer.subarray(got)).catch(() => null);
    if (count === null) {
      const problem = `It got ${got} bytes of its answers ${describe(ticket)}`;
      return strain(world, attempt.since, world.timeouts.handshake, problem);
    }
    got += count;
  }
  const code = answer[before + 1] ?? NaN;
  if (!isGranted(code, attempt, world)) return `refused ${code}`;
  const order = echo(random, SMALL);
  return await carry(
    world,
    conn,
    ticket,
    { order, sent: 0, early: new Uint8Array(), endsSide: false, pause: 0 },
    attempt.since,
  );
}

/** Never comes to the end of its handshake. */
async function dribbleOn(world: World): Promise<string> {
  using conn = await connect(world);
  const reading = untilEnd(conn);
  try {
    await writeAll(conn, Uint8Array.of(4, 1, 0, 80, 0, 0, 0, 1));
    for (let i = 0; i < 250; i++) {
      await delay(40);
      await writeAll(conn, Uint8Array.of(0x61));
    }
  } catch {
    return nothing(await reading);
  }
  throw new Error("The proxy heard 250 bytes of a user id, one in 40 ms");
}

async function speakHttp(world: World, random: Random): Promise<string> {
  const method = random.pick(["GET", "POST", "CONNECT"]);
  const request = `${method} http://x.i2p/ HTTP/1.1\r\nHost: x.i2p\r\n\r\n`;
  return await expectAnswer(world, new TextEncoder().encode(request), (answer) => {
    assertStringIncludes(new TextDecoder().decode(answer), "HTTP/1.1 400 ");
  });
}

/** Bytes that begin like nothing known: they are not answered. */
async function speakGarbage(world: World, random: Random): Promise<string> {
  const first = random.pick([0, 1, 3, 6, 0x16, 0x80, 0xff]);
  return nothing(await converse(world, concat(Uint8Array.of(first), random.bytes(random.below(3_000)))));
}

/** Bytes that begin like SOCKS; whatever they mean, they come to an end. */
async function speakNearly(world: World, random: Random): Promise<string> {
  await converse(world, concat(Uint8Array.of(random.pick([4, 5])), random.bytes(random.below(3_000))));
  return "closed by the proxy";
}

async function beHopeless(world: World, random: Random): Promise<string> {
  const dialled = await dial(world, random, undefined, random.pick(HOPELESS));
  if (typeof dialled === "string") return dialled;
  using client = dialled;
  return nothing(concat(client.early, await untilEnd(client.conn)));
}

async function askUnsupported(world: World, random: Random): Promise<string> {
  const [bytes, expected] = random.pick(UNSUPPORTED);
  return await expectAnswer(world, bytes, (answer) => assertEquals([...answer], expected));
}

async function expectAnswer(world: World, bytes: Uint8Array, check: (answer: Uint8Array) => void): Promise<string> {
  const since = world.lag.moment();
  const answer = await converse(world, bytes);
  try {
    check(answer);
    return "told so";
  } catch (error) {
    return strain(world, since, world.timeouts.handshake, error instanceof Error ? error.message : "");
  }
}

function connect({ port }: World): Promise<Deno.TcpConn> {
  return Deno.connect({ hostname: "127.0.0.1", port });
}

/** Sends bytes, and waits until the proxy has enough. */
async function converse(world: World, bytes: Uint8Array): Promise<Uint8Array> {
  using conn = await connect(world);
  // The proxy may have enough before it has heard everything.
  await writeAll(conn, bytes).catch(() => {});
  return await untilEnd(conn);
}

/** Everything up to the end; a reset, after which nothing is left, is one as well. */
async function untilEnd(conn: Deno.TcpConn): Promise<Uint8Array> {
  return await readToEnd(conn).catch(() => new Uint8Array());
}

function nothing(bytes: Uint8Array): string {
  assertEquals(bytes.length, 0, "bytes where none are due");
  return "closed by the proxy";
}
