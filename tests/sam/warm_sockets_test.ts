import { assert, assertEquals, assertRejects } from "@std/assert";
import { SamError } from "../../lib/sam/error.ts";
import { createSession } from "../../lib/sam/session.ts";
import type { SamEndpoint } from "../../lib/sam/socket.ts";
import { connectStream, type SamStream } from "../../lib/sam/stream.ts";
import { MAX_WARM, WARM_AGE, WarmSockets } from "../../lib/sam/warm_sockets.ts";
import { Clock } from "../support/clock.ts";
import {
  type Manners,
  type SamBridge,
  type SamBridgeOptions,
  type SamSocket,
  startSamBridge,
} from "../sam_bridge/bridge.ts";
import { publishService } from "../sam_bridge/bridge.ts";

const NEVER = new AbortController().signal;

/** Milliseconds from a stream to the sockets that are opened for the next ones, and some more. */
const SOON = 6;

/** Milliseconds after which emissary closes a socket that has said HELLO and no more. */
const EMISSARY_PATIENCE = 10_000;

/** A bridge, sockets of it, and a clock that stands still. */
interface Setting extends AsyncDisposable {
  bridge: SamBridge;
  endpoint: SamEndpoint;
  warm: WarmSockets;
  clock: Clock;
  /** Lines of a kind that the bridge has heard. */
  heard(words: string): number;
  /** Takes some sockets, which are not there, and waits until as many wait as expected. */
  fill(taken: number, expected?: number): Promise<void>;
  /** Opens a stream to no one in particular: the bridge's hook is to answer. */
  connect(signal?: AbortSignal): Promise<SamStream>;
}

async function set(options?: SamBridgeOptions, login?: SamEndpoint["login"]): Promise<Setting> {
  await using made = new AsyncDisposableStack();
  const bridge = made.use(await startSamBridge(options));
  const clock = made.use(new Clock({ runs: false }));
  const endpoint = { hostname: "127.0.0.1", port: bridge.port, ...(login && { login }) };
  const warm = new WarmSockets(endpoint);
  made.defer(() => warm.close());
  const everything = made.move();
  return {
    bridge,
    endpoint,
    warm,
    clock,
    heard: (words) => bridge.lines.filter((line) => line.startsWith(words)).length,
    fill: async (taken, expected = taken) => {
      for (let i = 0; i < taken; i++) assertEquals(warm.take(NEVER), undefined);
      await clock.skip(SOON);
      await clock.until(`${expected} wait`, () => warm.size === expected);
    },
    connect: (signal = NEVER) => connectStream(endpoint, "id", { host: "x.i2p", port: 0 }, signal, warm),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

/** Has a bridge answer STREAM CONNECT with texts, the last one again and again; it closes behind those that are not OK. */
function answer(bridge: SamBridge, ...texts: string[]): void {
  bridge.intercept = async (line, socket) => {
    if (!line.startsWith("STREAM CONNECT")) return false;
    const text = (texts.length > 1 ? texts.shift() : texts[0]) ?? "";
    await socket.write(text);
    if (!text.includes("=OK")) socket.close();
    return true;
  };
}

const OK = "STREAM STATUS RESULT=OK\n";

for (const manners of ["i2pd", "java"] satisfies Manners[]) {
  Deno.test(`A stream that follows another one needs no connection and no HELLO, ${manners}`, async () => {
    await using setting = await set({ manners });
    const { bridge, warm, endpoint, clock } = setting;
    using backend = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await using service = await publishService(endpoint.port, backend.addr.port);
    const session = await createSession(endpoint, { options: {} }, NEVER);
    const open = async (): Promise<void> => {
      const stream = await connectStream(endpoint, session.id, { host: service.b32, port: 80 }, NEVER, warm);
      const peer = await backend.accept();
      await peer.write(new TextEncoder().encode("hello"));
      const count = stream.early.length + (await stream.conn.read(new Uint8Array(9)) ?? 0);
      assertEquals(count, 5);
      stream.conn.close();
      peer.close();
    };
    await open();
    await clock.skip(SOON);
    await clock.until("one waits", () => warm.size === 1);
    const greetings = setting.heard("HELLO");
    await open();
    assertEquals([setting.heard("HELLO"), setting.heard("STREAM CONNECT")], [greetings, 2]);
    assertEquals(bridge.lines.at(-1)?.startsWith("STREAM CONNECT"), true);
    session.close();
    await session.lost;
  });
}

Deno.test("Sockets that wait have said HELLO with the login of the bridge; where it is wrong, none waits", async () => {
  const login = { user: "me", password: "secret" };
  await using right = await set({ manners: "java", login }, login);
  await right.fill(1);
  await right.warm.close();
  right.clock[Symbol.dispose]();
  await using wrong = await set({ manners: "java", login }, { ...login, password: "guess" });
  assertEquals(wrong.warm.take(NEVER), undefined);
  await wrong.clock.skip(SOON);
  await wrong.clock.until("it was refused", () => wrong.heard("HELLO") === 1 && wrong.bridge.openSockets === 0);
  assertEquals(wrong.warm.size, 0);
});

Deno.test("No socket waits before there are streams, or for longer than any router lets it", async () => {
  assert(WARM_AGE < EMISSARY_PATIENCE);
  await using setting = await set();
  const { bridge, warm, clock } = setting;
  await clock.skip(60_000);
  assertEquals([bridge.lines.length, bridge.openSockets], [0, 0]);
  await setting.fill(2);
  await clock.skip(WARM_AGE - 100);
  assertEquals([warm.size, bridge.idleSockets], [2, 2]);
  await clock.skip(100);
  await clock.until("they are closed", () => warm.size === 0 && bridge.openSockets === 0);
  await clock.skip(60_000);
  assertEquals(setting.heard("HELLO"), 2);
  assertEquals(clock.pending, []);
});

Deno.test("No clock runs for the age of sockets where none waits", async () => {
  await using setting = await set();
  const { warm, clock } = setting;
  await setting.fill(1);
  assert(clock.pending.some((left) => left > SOON), `${clock.pending}`);
  warm.take(NEVER)?.close();
  assertEquals(clock.pending.filter((left) => left > SOON), []);
});

Deno.test("Sockets close at their age each, and one that is past it is not taken, though the process was stopped", async () => {
  await using setting = await set();
  const { bridge, warm, clock } = setting;
  await setting.fill(1);
  await clock.skip(WARM_AGE / 2);
  warm.take(NEVER)?.close();
  warm.take(NEVER)?.close();
  await clock.skip(SOON);
  await clock.until("two wait", () => warm.size === 2);
  await clock.skip(WARM_AGE / 2 + SOON);
  assertEquals(warm.size, 2, "the younger ones stay");
  const timers = clock.pending;
  assertEquals(timers.length, 1);
  const ahead = performance.now() + WARM_AGE;
  const { now } = performance;
  performance.now = () => ahead;
  try {
    assertEquals(warm.take(NEVER), undefined);
  } finally {
    performance.now = now;
  }
  await clock.until("the bridge has seen it", () => bridge.idleSockets === 0);
});

Deno.test("As many sockets wait as were taken within a second, and never more than the limit", async () => {
  await using setting = await set();
  const { warm, clock, bridge } = setting;
  await setting.fill(3);
  await clock.skip(WARM_AGE);
  await clock.until("they are closed", () => bridge.openSockets === 0);
  await setting.fill(MAX_WARM * 3, MAX_WARM);
  assertEquals(setting.heard("HELLO"), 3 + MAX_WARM);
  await clock.skip(WARM_AGE);
  await clock.until("they are closed too", () => bridge.openSockets === 0);
  await setting.fill(1);
  await clock.skip(1_000);
  assertEquals([warm.size, setting.heard("HELLO")], [1, 4 + MAX_WARM]);
});

Deno.test("A socket that the router closes or speaks on while it waits is let go, and the next stream has its own", async () => {
  await using setting = await set();
  const { bridge, warm, clock } = setting;
  const waiting: SamSocket[] = [];
  bridge.intercept = (line, socket) => {
    if (line.startsWith("HELLO")) waiting.push(socket);
    return false;
  };
  await setting.fill(2);
  waiting[0]?.close();
  await clock.until("one is left", () => warm.size === 1);
  await waiting[1]?.write('SESSION STATUS RESULT=I2P_ERROR MESSAGE="command timeout, bye"\n');
  await clock.until("none is left", () => warm.size === 0 && bridge.openSockets === 0);
  answer(bridge, OK);
  (await setting.connect()).conn.close();
  assertEquals([setting.heard("HELLO"), setting.heard("STREAM CONNECT")], [3, 1]);
});

Deno.test("A request whose waiting socket turns out dead is made again on a fresh one, once, and the others go", async () => {
  await using setting = await set();
  const { bridge, warm, clock } = setting;
  await setting.fill(3);
  answer(bridge, "", OK);
  (await setting.connect()).conn.close();
  assertEquals([setting.heard("HELLO"), setting.heard("STREAM CONNECT"), warm.size], [4, 2, 0]);
  await clock.until("the others are closed", () => bridge.openSockets === 0);
  await clock.skip(1_100);
  await setting.fill(1, 4);
  answer(bridge, "");
  const error = await assertRejects(() => setting.connect(), SamError);
  assertEquals([error.phase, error.failure], ["stream", "closed"]);
  assertEquals(setting.heard("STREAM CONNECT"), 4);
});

Deno.test("A request that is answered on a waiting socket is not made again, whatever the answer", async () => {
  for (const text of ["STREAM STATUS RESULT=CANT_REACH_PEER", "STREAM STATUS RESULT=INVALID_ID\n", "?\n"]) {
    await using setting = await set();
    await setting.fill(1);
    answer(setting.bridge, text);
    await assertRejects(() => setting.connect(), SamError);
    assertEquals([setting.heard("HELLO"), setting.heard("STREAM CONNECT")], [1, 1], text);
  }
});

Deno.test("A socket that was taken is closed by its user's signal, and the request is not made again", async () => {
  await using setting = await set();
  const { bridge, clock } = setting;
  await setting.fill(1);
  bridge.intercept = (line) => line.startsWith("STREAM CONNECT");
  const abort = new AbortController();
  const failing = assertRejects(() => setting.connect(abort.signal), RangeError, "enough");
  await clock.until("it is asked", () => setting.heard("STREAM CONNECT") === 1);
  // As the end of a session looks.
  abort.abort(new RangeError("enough"));
  await failing;
  await clock.until("it is closed", () => bridge.openSockets - bridge.idleSockets === 0);
  const lost = new AbortController();
  await clock.skip(SOON);
  await clock.until("others wait", () => setting.warm.size === 2);
  const ending = assertRejects(() => setting.connect(lost.signal), SamError, "Cannot keep a SAM session");
  await clock.until("it is asked again", () => setting.heard("STREAM CONNECT") === 2);
  lost.abort(new SamError("session", "closed"));
  await ending;
  assertEquals([setting.heard("STREAM CONNECT"), setting.warm.size], [2, 1], "the other one waits on");
});

Deno.test("A stream that is open outlives the sockets that wait", async () => {
  await using setting = await set();
  await setting.fill(2);
  answer(setting.bridge, OK);
  const { conn } = await setting.connect();
  await setting.warm.close();
  await setting.clock.until("only the stream is left", () => setting.bridge.openSockets === 1);
  assertEquals(await conn.write(new Uint8Array(1)), 1);
  conn.close();
});

Deno.test("Without a router no socket is opened ahead for a second, and streams tell the true error", async () => {
  await using setting = await set();
  const { bridge, warm, clock } = setting;
  await bridge.stopListening();
  for (let i = 0; i < 5; i++) assertEquals(warm.take(NEVER), undefined);
  const attempts = await countConnects(() => clock.skip(SOON));
  assertEquals(attempts, 5);
  assertEquals(warm.take(NEVER), undefined);
  assertEquals(await countConnects(() => clock.skip(SOON)), 0);
  const error = await assertRejects(() => setting.connect(), SamError);
  assertEquals([error.phase, error.failure], ["connect", "unreachable"]);
  assertEquals(await countConnects(() => clock.skip(900)), 0);
  bridge.listen();
  assertEquals(warm.take(NEVER), undefined);
  assertEquals(await countConnects(() => clock.skip(50)), 0);
  await clock.skip(200);
  await setting.fill(1, 8);
});

Deno.test("Sockets that are opened ahead wait for streams that open theirs, and for the processor", async () => {
  await using setting = await set();
  const { bridge, warm, clock } = setting;
  let release: () => Promise<void> = () => Promise.resolve();
  bridge.intercept = (line, socket) => {
    if (!line.startsWith("HELLO")) return false;
    release = () => socket.write("HELLO REPLY RESULT=OK VERSION=3.1\n");
    return true;
  };
  assertEquals(warm.take(NEVER), undefined);
  const opening = warm.open(NEVER);
  await clock.until("it says HELLO", () => setting.heard("HELLO") === 1);
  await clock.skip(100);
  assertEquals(setting.heard("HELLO"), 1);
  bridge.intercept = () => false;
  await release();
  const socket = await opening;
  await clock.skip(SOON);
  await clock.until("one waits", () => warm.size === 1);
  warm.take(NEVER)?.close();
  await clock.jump(50);
  await clock.skip(100);
  assertEquals([warm.size, setting.heard("HELLO")], [0, 2]);
  socket.close();
});

Deno.test("WarmSockets.close() ends those that wait and those that are being opened, and no more are", async () => {
  await using setting = await set();
  const { bridge, warm, clock } = setting;
  await setting.fill(2);
  warm.take(NEVER)?.close();
  bridge.intercept = (line) => line.startsWith("HELLO");
  await clock.skip(SOON);
  await clock.until("one is being opened", () => setting.heard("HELLO") > 2);
  await warm.close();
  await clock.until("all are closed", () => bridge.openSockets === 0);
  assertEquals(warm.take(NEVER), undefined);
  assertEquals([warm.size, clock.pending.length], [0, 0]);
});

/** How many connections are attempted meanwhile. */
async function countConnects(work: () => Promise<void>): Promise<number> {
  const { connect } = Deno;
  let count = 0;
  Deno.connect = ((options: Deno.ConnectOptions) => {
    count++;
    return connect(options);
  }) as typeof connect;
  try {
    await work();
    return count;
  } finally {
    Deno.connect = connect;
  }
}
