import { assert, assertEquals } from "@std/assert";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { PrivateKey } from "../../lib/i2p/private_key.ts";
import { type Reason, REASONS } from "../../lib/reasons/reasons.ts";
import { refusalOf } from "../../lib/reasons/classify.ts";
import { REUSE_DELAY } from "../../lib/identity/identity.ts";
import { SamError } from "../../lib/sam/error.ts";
import { concat } from "../support/bytes.ts";
import { withChance } from "../support/chance.ts";
import { type Harness, NO_STREAM, startHarness } from "../support/harness.ts";
import { type Fault, FAULTS } from "../sam_bridge/faults.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";
import { makeKeys } from "../sam_bridge/keys.ts";
import {
  readToEnd,
  type SocksClientOptions,
  socksConnect,
  type SocksConnection,
  writeAll,
} from "../clients/socks_client.ts";
import { until } from "../support/wait.ts";

/** What a fault hits: a new stream, the session when it is built anew, or the first session of an isolation group. */
type Situation = "a stream" | "a new session" | "a group's session";

/** One way through the table. */
interface Walk {
  fault: Fault;
  situation: Situation;
  /** Whether the proxy gives extended errors. */
  extended: boolean;
}

const SITUATIONS: Readonly<Record<Fault["phase"], readonly Situation[]>> = {
  connect: ["a stream", "a new session", "a group's session"],
  hello: ["a stream", "a new session", "a group's session"],
  session: ["a new session", "a group's session"],
  stream: ["a stream"],
  data: ["a stream"],
};

/** Connect timeouts (ms) of clients that are told at once, in silence, and held. */
const [PATIENT, IN_SILENCE, HELD] = [10_000, 1_500, 2_500];

/** Milliseconds by which an answer may be late when the machine is busy. */
const SLACK = 15_000;

/**
 * Stands in for chance: attempts at a new session come 0.2, 0.7, 1.6 and 3.4 s after its loss, so that none is under way
 * when the time of a client that is held is over.
 */
const CHANCE = 0.9;

/** Milliseconds after which a walk has failed. */
const LONGEST_WALK = 45_000;

/** Walks under way at once. */
const AT_ONCE = 48;

const VERSIONS = [5, 4] as const;

/** What clients send. */
const QUESTION = new Random(31).bytes(3_000);

Deno.test("Whatever a router does, each client gets the answer of the table in time, and the next one its stream", async (t) => {
  const walks = FAULTS.flatMap((fault) =>
    (fault.lasting ? ["a new session" as const] : SITUATIONS[fault.phase]).flatMap((situation) =>
      [false, true].map((extended): Walk => ({ fault, situation, extended }))
    )
  );
  const results = await walkAll(walks);
  for (const { fault, situation, extended } of walks) {
    const name = `${fault.phase} of ${situation}: ${fault.name}${extended ? ", extended errors" : ""}`;
    const [result] = results.splice(0, 1);
    await t.step(name, () => {
      if (result instanceof Error) throw result;
    });
  }
});

/** Failures that no bridge double can bring about in a test's time. */
const OTHERS: readonly (readonly [SamError, Reason])[] = [
  [new SamError("connect", "silent"), "router-silent"],
  [new SamError("session", "silent"), "not-ready"],
  [
    new SamError("connect", "unreachable", { cause: Object.assign(new Error(), { code: "EMFILE" }) }),
    "out-of-descriptors",
  ],
];

pureTest("refusalOf() knows what no bridge in a test can do, and that a hash is no name", () => {
  for (const [error, reason] of OTHERS) assertEquals(refusalOf(error).reason, reason);
  const unknown = new SamError("stream", "refused", { result: "INVALID_KEY" });
  assertEquals([refusalOf(unknown, "name").reason, refusalOf(unknown, "b32").reason], [
    "name-unknown",
    "lease-set-not-found",
  ]);
});

/** Walks side by side, those that take longest first; an error for each that fails, in the order given. */
async function walkAll(walks: readonly Walk[]): Promise<(Error | undefined)[]> {
  const results: (Error | undefined)[] = walks.map(() => new Error("It was not walked"));
  const queue = [...walks.entries()].sort(([, a], [, b]) => timeoutOf(a) - timeoutOf(b));
  const walkOn = async (): Promise<void> => {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      const [i, one] = next;
      const late = Promise.withResolvers<Error>();
      const timer = setTimeout(() => late.resolve(new Error("The walk does not end")), LONGEST_WALK);
      results[i] = await Promise.race([walk(one).then(() => undefined, (error) => error), late.promise]);
      clearTimeout(timer);
    }
  };
  await withChance(CHANCE, () => Promise.all(Array.from({ length: AT_ONCE }, walkOn)));
  return results;
}

/** Milliseconds that the proxy gives a client. */
function timeoutOf({ fault, situation }: Walk): number {
  if (fault.reason === "connected") return PATIENT;
  if (situation === "a new session") return fault.lasting ? REUSE_DELAY + HELD : HELD;
  return fault.silent || isHeld({ fault, situation }) ? IN_SILENCE : PATIENT;
}

/** Whether the clients of a group wait for a router that is away. */
function isHeld({ fault, situation }: Pick<Walk, "fault" | "situation">): boolean {
  return situation === "a group's session" && ["router-down", "router-silent"].includes(fault.reason);
}

async function walk(one: Walk): Promise<void> {
  const { fault, situation, extended } = one;
  await using harness = await startHarness({
    service: answer,
    settings: { isolation: ["auth"], switches: { "extended-errors": extended }, timeouts: { connect: timeoutOf(one) } },
    ...(fault.lasting && { key: new PrivateKey(decodeI2pBase64((await makeKeys(7)).blob)) }),
  });
  const has = (line: string): boolean => harness.log.some((logged) => logged.includes(line));
  const lift = await fault.inflict(harness.bridge);
  if (situation === "a new session") {
    harness.dropSessions();
    await until("the loss is noticed", () => has("Session lost"));
  }
  await Promise.all(VERSIONS.map((version) => meet(harness, version, one)));
  await until("the clients are forgotten", () => harness.proxy.connections === 0);
  // In silence, somebody still waits for the router: not clients, but whoever builds their session.
  if (situation === "a stream" || !fault.silent) {
    await until("the sockets of its failures are closed", () => harness.streams() === 0);
  }
  await lift();
  if (situation === "a new session") await until("the session is back", () => has("Session ready again"));
  if (situation === "a group's session" && fault.reason !== "connected" && !isHeld(one)) {
    const told = (): number => harness.log.filter((line) => line.includes("No session for login")).length;
    await until("the groups are given up", () => told() === VERSIONS.length);
  }
  await until("no socket is left", () => harness.streams() === 0);
  for (const version of VERSIONS) await answered(await ask(harness, version, situation), version);
  await until("nothing is left", () => harness.proxy.connections === 0 && harness.streams() === 0);
}

/** Asks for the service, for a group of its own where that is the situation. */
async function ask(harness: Harness, version: 4 | 5, situation: Situation): Promise<SocksConnection> {
  const options: SocksClientOptions = { version, timeout: 20_000 };
  if (situation === "a group's session") options.login = { user: `user of ${version}`, password: "" };
  return await socksConnect(harness.port, harness.name, 80, options);
}

/** A client's way with the fault. */
async function meet(harness: Harness, version: 4 | 5, one: Walk): Promise<void> {
  const { fault, situation, extended } = one;
  const since = performance.now();
  const connection = await ask(harness, version, situation);
  const took = performance.now() - since;
  using conn = connection.conn;
  if (fault.reason === "connected") {
    if (fault.arrives === undefined) return await answered(connection, version);
    assertEquals(connection.reply.code, codeOf(version));
    await endsAfter(fault.arrives, connection);
    return;
  }
  const reason = situation === "a new session" && fault.held || fault.reason;
  const refusals = harness.log.filter((line) => NO_STREAM.test(line));
  assertEquals(connection.reply.code, codeOf(version, reason, extended), refusals.join("\n"));
  assertEquals(await readToEnd(conn), new Uint8Array());
  assert(refusals.length > 0);
  for (const line of refusals) assert(line.includes(` reason=${reason} `), line);
  const timeout = timeoutOf(one);
  assert(took < timeout + SLACK, `it took ${took} ms`);
  if (fault.silent || situation === "a new session" || isHeld(one)) {
    assert(took > timeout - 100, `it took only ${took} ms`);
  } else assert(took < timeout, `it took ${took} ms`);
}

/** What a client is told; that it is connected, without a reason. */
function codeOf(version: 4 | 5, reason?: Reason, extended = false): number {
  if (reason === undefined) return version === 4 ? 0x5a : 0;
  const { reply4, reply5, extended: more } = REASONS[reason];
  if (version === 4) return reply4;
  return extended ? more ?? reply5 : reply5;
}

/** Makes sure that a stream carries the question and the answer, and ends it. */
async function answered({ reply, conn, early }: SocksConnection, version: 4 | 5): Promise<void> {
  using _conn = conn;
  assertEquals(reply.code, codeOf(version));
  await writeAll(conn, QUESTION);
  assertSame(concat(early, await readToEnd(conn)), QUESTION);
}

/** Makes sure that a stream ends, and what arrives before. */
async function endsAfter(expected: Uint8Array, { conn, early }: SocksConnection): Promise<void> {
  let received = early;
  const buffer = new Uint8Array(65_536);
  while (received.length < expected.length) {
    const count = await conn.read(buffer);
    assert(count !== null, `the stream ended after ${received.length} bytes`);
    received = concat(received, buffer.subarray(0, count));
  }
  // Not before: a bridge that closes with bytes unread resets, and may lose what it had still to send.
  await conn.write(QUESTION).catch(() => {});
  received = concat(received, await readToEnd(conn));
  assertSame(received, expected);
}

/** As assertEquals() does, but that one shows differences, and takes gigabytes to find them in much. */
function assertSame(actual: Uint8Array, expected: Uint8Array): void {
  assertEquals(actual.length, expected.length, "as many bytes");
  assert(actual.every((byte, i) => byte === expected[i]), "other bytes arrived");
}

/** The service: sends a question back, and ends. */
async function answer(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(QUESTION.length);
  for (let length = 0; length < buffer.length;) {
    const count = await conn.read(buffer.subarray(length));
    if (count === null) return;
    length += count;
  }
  await writeAll(conn, buffer);
}
