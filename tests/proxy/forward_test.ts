import { assert, assertEquals, assertMatch } from "@std/assert";
import { formatEndpoint } from "../../lib/config/endpoint.ts";
import type { ForwardRule, ForwardSettings } from "../../lib/config/forward.ts";
import { type Caller, startCaller } from "../clients/callers.ts";
import { type Harness, type HarnessOptions, startHarness } from "../support/harness.ts";
import { Forwarder, MAX_WAITS } from "../../lib/proxy/forward.ts";
import { HELD_CALLER } from "../../lib/proxy/pending_accept.ts";
import { BufferPool } from "../../lib/relay/buffer_pool.ts";
import { FairnessGate } from "../../lib/relay/fairness_gate.ts";
import { HalfClosedStreams } from "../../lib/relay/half_closed.ts";
import { KeepLimit } from "../../lib/relay/keeper.ts";
import { createLog } from "../../lib/report/log.ts";
import { readToEnd, writeAll } from "../clients/socks_client.ts";
import { Clock } from "../support/clock.ts";
import { delay, until, untilItWorks } from "../support/wait.ts";

/** A local service; its answers begin with its name. */
class Service implements AsyncDisposable {
  readonly listener: Deno.TcpListener;
  readonly #handle: (conn: Deno.TcpConn) => Promise<void>;
  readonly #serving: Promise<void>;
  readonly #conns: Deno.TcpConn[] = [];
  count = 0;

  constructor(handle: (conn: Deno.TcpConn) => Promise<void>, port = 0) {
    this.listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#handle = handle;
    this.#serving = this.#serve();
  }

  get rule(): ForwardRule {
    return { port: undefined, target: { hostname: "127.0.0.1", port: this.listener.addr.port } };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listener.close();
    for (const conn of this.#conns) closeAnyhow(conn);
    await this.#serving;
  }

  async #serve(): Promise<void> {
    const running: Promise<void>[] = [];
    for await (const conn of this.listener) {
      this.count++;
      this.#conns.push(conn);
      running.push(this.#handle(conn).catch(() => {}).finally(() => closeAnyhow(conn)));
    }
    await Promise.all(running);
  }
}

function closeAnyhow(conn: Deno.TcpConn): void {
  try {
    conn.close();
  } catch {
    // Closed already.
  }
}

/** Takes what comes first, and answers it with a name in front. */
function answering(name: string): (conn: Deno.TcpConn) => Promise<void> {
  return async (conn) => {
    const buffer = new Uint8Array(1000);
    const count = await conn.read(buffer) ?? 0;
    await writeAll(conn, new TextEncoder().encode(`${name}:`));
    await writeAll(conn, buffer.subarray(0, count));
    await conn.closeWrite();
    // A server that closes with bytes unread would reset.
    await readToEnd(conn);
  };
}

interface Served extends AsyncDisposable {
  harness: Harness;
  caller: Caller;
  b32: string;
}

/** A proxy that forwards, and somebody who calls. */
async function serveInto(
  rules: readonly ForwardRule[],
  forward: Partial<ForwardSettings> = {},
  { settings, ...options }: HarnessOptions = {},
): Promise<Served> {
  const stack = new AsyncDisposableStack();
  const harness = stack.use(
    await startHarness({
      ...options,
      settings: {
        forward: { rules, header: false, maxInbound: 10, maxPerCaller: 10, idleTimeout: 0, ...forward },
        ...settings,
      },
    }),
  );
  const caller = stack.use(await startCaller(harness.bridge.port));
  const b32 = harness.identity.status.session?.address ?? "";
  return { harness, caller, b32, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

for (const manners of ["i2pd", "java"] as const) {
  Deno.test(`${manners}: callers reach the service, several at once, and both sides' ends are passed on`, async () => {
    await using service = new Service(answering("web"));
    await using served = await serveInto([service.rule], {}, { bridge: { manners } });
    const { harness, caller, b32 } = served;
    const texts = Array.from({ length: 8 }, (_, i) => `hello ${i}`);
    const answers = await Promise.all(texts.map((text) => caller.ask(b32, text)));
    assertEquals(answers, texts.map((text) => `web:${text}`));
    await until("all are done", () => harness.proxy.callers === 0);
    const { counters } = harness;
    assertEquals([counters.get("inbound-callers"), counters.get("inbound-connected")], [8, 8]);
    assertEquals(counters.get("inbound-bytes-received"), texts.join("").length);
    assertEquals(counters.get("inbound-bytes-sent"), texts.join("").length + 8 * 4);
    assertEquals(counters.get("accepted"), 0, "no SOCKS client was there");
  });
}

Deno.test("one socket waits for callers at a time, and the next one when it has one", async () => {
  await using service = new Service(answering("web"));
  await using served = await serveInto([service.rule]);
  const { harness, caller, b32 } = served;
  const accepts = (): number => harness.bridge.lines.filter((line) => line.startsWith("STREAM ACCEPT")).length;
  await until("they wait", () => accepts() === 1);
  await caller.ask(b32, "x");
  await until("another one waits", () => accepts() === 2);
});

Deno.test("with Java I2P several sockets wait for callers, also on the next session", async () => {
  await using service = new Service(answering("web"));
  await using served = await serveInto([service.rule], {}, { bridge: { manners: "java" } });
  const { harness, caller, b32 } = served;
  const accepts = (): number => harness.bridge.lines.filter((line) => line.startsWith("STREAM ACCEPT")).length;
  await until("they wait", () => accepts() === MAX_WAITS);
  assertEquals(await caller.ask(b32, "x"), "web:x");
  await until("another one waits", () => accepts() === MAX_WAITS + 1);
  harness.dropSessions();
  await until("they wait on the next session", () => accepts() >= 2 * MAX_WAITS + 1);
  // The caller's own session was dropped, too.
  await using next = await startCaller(harness.bridge.port);
  assertEquals(await next.ask(harness.identity.status.session?.address ?? "", "y"), "web:y");
  assert(harness.counters.get("inbound-accept-failed") === 0);
});

Deno.test("a successor on the same session goes on with what waits there, and no caller falls into it", async () => {
  await using service = new Service(answering("web"));
  await using served = await serveInto([service.rule], {}, { bridge: { manners: "java" } });
  const { harness, caller, b32 } = served;
  const accepts = (): number => harness.bridge.lines.filter((line) => line.startsWith("STREAM ACCEPT")).length;
  await until("they wait", () => accepts() === MAX_WAITS);
  await harness.proxy.stopListening();
  // Where all waits are taken and the next ones are on their way, a caller is refused, and calls again.
  const ask = async (text: string): Promise<string> => {
    let answer = "";
    await untilItWorks(async () => answer = await caller.ask(b32, text));
    return answer;
  };
  const early = ask("early");
  const gate = await FairnessGate.open();
  const successor = new Forwarder({
    settings: { rules: [service.rule], header: false, maxInbound: 100, maxPerCaller: 100, idleTimeout: 0 },
    endpoint: { hostname: "127.0.0.1", port: harness.bridge.port },
    identity: harness.identity,
    callers: { allow: [], deny: [] },
    ...{ pool: new BufferPool(), gate, halfClosed: new HalfClosedStreams() },
    ...{ keepLimit: new KeepLimit(), keptBytes: { value: 0 } },
    log: createLog({ level: "error", format: "text", destinations: false, write: () => {} }),
    counters: harness.counters,
  });
  const answers = await Promise.all(Array.from({ length: 2 * MAX_WAITS }, (_, i) => ask(`${i}`)));
  assertEquals([await early, ...answers], ["web:early", ...answers.map((_, i) => `web:${i}`)]);
  assertEquals(accepts(), 3 * MAX_WAITS + 1, "each caller took a wait that was there");
  await successor.close();
  gate.close();
});

Deno.test("a session that is over is rebuilt, and callers are waited for again, java 0.9.47", async () => {
  await using service = new Service(answering("web"));
  await using served = await serveInto([service.rule], {}, { bridge: { manners: "java 0.9.47" } });
  const { harness, caller, b32 } = served;
  await until("they wait", () => harness.bridge.lines.filter((line) => line.startsWith("STREAM ACCEPT")).length > 0);
  harness.bridge.stopSessions({ prefix: "i2p-socks-" });
  await until("there is another one", () => harness.identity.status.session?.address !== b32);
  await until("it stands", () => harness.identity.status.state === "ready");
  // The caller's own session was stopped, too.
  await using next = await startCaller(harness.bridge.port);
  await until(
    "callers are served",
    async () => await next.ask(harness.identity.status.session?.address ?? "", "x").catch(() => "") === "web:x",
  );
  assertEquals(await caller.ask(b32, "x").catch(() => "over"), "over");
});

Deno.test("a megabyte each way arrives whole, with the service as slow as it likes", async () => {
  const size = 1_000_000;
  await using service = new Service(async (conn) => {
    await delay(50);
    for (let count = 0; count < size;) count += await conn.read(new Uint8Array(10_000)) ?? size;
    await writeAll(conn, new Uint8Array(size).fill(7));
  });
  await using served = await serveInto([service.rule]);
  const answer = await served.caller.ask(served.b32, "x".repeat(size));
  assertEquals([answer.length, answer === "\x07".repeat(size)], [size, true]);
});

Deno.test("Java I2P tells the I2P port, which chooses the rule; i2pd does not, and one rule gets all", async (t) => {
  await using web = new Service(answering("web"));
  await using chat = new Service(answering("chat"));
  await using rest = new Service(answering("rest"));
  const rules = [{ ...web.rule, port: 80 }, { ...chat.rule, port: 6667 }];
  await t.step("java, without a rule for the rest", async () => {
    await using served = await serveInto(rules, {}, { bridge: { manners: "java" } });
    const ask = (port: number): Promise<string> => served.caller.ask(served.b32, "x", port);
    assertEquals([await ask(80), await ask(6667), await ask(0), await ask(9)], ["web:x", "chat:x", "web:x", ""]);
    assertEquals(served.harness.counters.get("inbound-no-rule"), 1);
    assert(!served.harness.log.some((line) => line.includes("does not say which I2P port")));
  });
  await t.step("java, with one", async () => {
    await using served = await serveInto([...rules, rest.rule], {}, { bridge: { manners: "java" } });
    const ask = (port: number): Promise<string> => served.caller.ask(served.b32, "x", port);
    assertEquals([await ask(6667), await ask(0), await ask(9)], ["chat:x", "rest:x", "rest:x"]);
  });
  await t.step("i2pd", async () => {
    await using served = await serveInto(rules);
    await using other = await serveInto([...rules, rest.rule]);
    for (const port of [80, 6667]) {
      assertEquals(await served.caller.ask(served.b32, "x", port), "web:x");
      assertEquals(await other.caller.ask(other.b32, "x", port), "rest:x");
    }
    assertEquals(
      served.harness.log.filter((line) => line.includes("does not say which I2P port")).length,
      1,
      "told once",
    );
  });
});

Deno.test("callers are let in by their address, and --deny-caller wins", async () => {
  await using service = new Service(answering("web"));
  const callers = { allow: [] as string[], deny: [] as string[] };
  await using served = await serveInto([service.rule], {}, { settings: { policy: { callers } } });
  await using other = await startCaller(served.harness.bridge.port);
  const ask = (): Promise<string[]> => Promise.all([served.caller, other].map((c) => c.ask(served.b32, "x")));
  assertEquals(await ask(), ["web:x", "web:x"]);
  callers.allow.push(served.caller.b32);
  assertEquals(await ask(), ["web:x", ""]);
  callers.deny.push(served.caller.b32);
  assertEquals(await ask(), ["", ""]);
  assertEquals(service.count, 3, "who is denied never reaches the service");
  assertEquals(served.harness.counters.get("inbound-denied"), 3);
});

Deno.test("the service is told who calls, in a first line, where that is wanted", async () => {
  await using service = new Service(answering("web"));
  await using served = await serveInto([service.rule], { header: true });
  assertEquals(await served.caller.ask(served.b32, ""), `web:${served.caller.b32}\n`);
});

Deno.test("a service that is down is told once, its callers are closed, and it is found when it is back", async () => {
  const service = new Service(answering("web"));
  const { rule } = service;
  await service[Symbol.asyncDispose]();
  await using served = await serveInto([rule]);
  const { harness, caller, b32 } = served;
  for (let i = 0; i < 3; i++) assertEquals(await caller.ask(b32, "x"), "");
  const told = harness.log.filter((line) => /warn +Cannot bring a caller/.test(line));
  assertEquals(told.length, 1, harness.log.join("\n"));
  assertMatch(told[0] ?? "", new RegExp(formatEndpoint(rule.target)));
  assertEquals(harness.counters.get("inbound-service-down"), 3);
  await using _back = new Service(answering("web"), rule.target.port);
  assertEquals(await caller.ask(b32, "x"), "web:x");
});

Deno.test("above the limit callers are closed, and below it they are served again", async () => {
  await using service = new Service(async (conn) => void await readToEnd(conn));
  await using served = await serveInto([service.rule], { maxInbound: 2 });
  const { harness, caller, b32 } = served;
  const first = await caller.call(b32);
  await caller.call(b32);
  await until("two are served", () => harness.counters.get("inbound-connected") === 2);
  assertEquals(await caller.ask(b32, "x"), "");
  assertEquals(harness.counters.get("inbound-too-many"), 1);
  first.conn.close();
  await until("one has left", () => harness.proxy.callers === 1);
  await caller.call(b32);
  await until("a third is served", () => harness.counters.get("inbound-connected") === 3);
});

Deno.test("one caller cannot hold the places of all: above its own limit it is closed, and others are served", async () => {
  await using service = new Service(async (conn) => void await readToEnd(conn));
  await using served = await serveInto([service.rule], { maxInbound: 4, maxPerCaller: 2 });
  const { harness, caller, b32 } = served;
  const { counters } = harness;
  const [first] = [await caller.call(b32), await caller.call(b32)];
  await until("two are served", () => counters.get("inbound-connected") === 2);
  for (let i = 0; i < 3; i++) assertEquals(await caller.ask(b32, "x"), "");
  assertEquals([counters.get("inbound-too-many-per-caller"), counters.get("inbound-too-many")], [3, 0]);
  assertEquals(harness.log.filter((line) => /warn +A caller has too many/.test(line)).length, 1, "told once");
  await using other = await startCaller(harness.bridge.port);
  await other.call(b32);
  await until("another one is served", () => counters.get("inbound-connected") === 3);
  first?.conn.close();
  await until("its place is free", () => harness.proxy.callers === 2);
  await caller.call(b32);
  await until("it is served again", () => counters.get("inbound-connected") === 4);
});

Deno.test("a caller that is silent is closed after a time of its own, and counted", async () => {
  await using service = new Service(async (conn) => void await readToEnd(conn));
  await using served = await serveInto([service.rule], { idleTimeout: 300 });
  const { harness, caller, b32 } = served;
  const { conn } = await caller.call(b32);
  await until("it is served", () => harness.proxy.callers === 1);
  assertEquals((await readToEnd(conn)).length, 0);
  await until("it is counted", () => harness.counters.get("inbound-idle") === 1);
  assertEquals(harness.proxy.callers, 0);
});

Deno.test("when the session is lost, callers reach the next one", async () => {
  await using service = new Service(answering("web"));
  await using served = await serveInto([service.rule]);
  const { harness, caller, b32 } = served;
  assertEquals(await caller.ask(b32, "x"), "web:x");
  harness.dropSessions();
  await until("the session is gone", () => harness.identity.status.state !== "ready");
  await until("it is back", () => harness.identity.status.state === "ready");
  // The caller's own session was dropped as well: its ID begins alike.
  await using again = await startCaller(harness.bridge.port);
  assertEquals(await again.ask(harness.identity.status.session?.address ?? "", "x"), "web:x");
});

/** What a bridge answers to STREAM ACCEPT at first, and whether that is worth a warning. */
const FAULTS: readonly [string, string, boolean][] = [
  ["closes", "", false],
  ["is old, and takes one at a time", "STREAM STATUS RESULT=ALREADY_ACCEPTING\n", false],
  ["is old, and says so in other words", 'SESSION STATUS RESULT=I2P_ERROR MESSAGE="Already accepting"\n', false],
  ["refuses", "STREAM STATUS RESULT=I2P_ERROR MESSAGE=no\n", true],
  ["fails after OK", "STREAM STATUS RESULT=OK\nSTREAM STATUS RESULT=I2P_ERROR MESSAGE=no\n", true],
  ["names no caller", "STREAM STATUS RESULT=OK\nnobody\n", true],
  ["speaks something else", "HTTP/1.1 400 Bad Request\n", true],
  ["has forgotten the session", "STREAM STATUS RESULT=INVALID_ID\n", true],
];

for (const [what, answer, isTold] of FAULTS) {
  Deno.test(`a bridge that ${what} is asked again`, async () => {
    await using service = new Service(answering("web"));
    let left = 1;
    await using served = await serveInto([service.rule], {}, {
      bridge: {
        intercept: async (line, socket) => {
          if (!line.startsWith("STREAM ACCEPT") || left-- <= 0) return false;
          await socket.write(answer);
          socket.close();
          return true;
        },
      },
    });
    const { harness, caller } = served;
    await until("it is asked again", () => left < 0);
    const isLost = harness.log.some((line) => line.includes("Session lost"));
    assertEquals(isLost, answer.includes("INVALID_ID"), "a session that the router has forgotten is given up");
    await until("there is a session", () => harness.identity.status.state === "ready");
    assertEquals(await caller.ask(harness.identity.status.session?.address ?? "", "x"), "web:x");
    assertEquals(
      harness.log.some((line) => /warn +Cannot wait for a caller/.test(line)),
      isTold,
      harness.log.join("\n"),
    );
  });
}

Deno.test("a caller whose service ends at once, and one who leaves at once, leave nothing behind", async () => {
  await using service = new Service((conn) => Promise.resolve(closeAnyhow(conn)));
  await using served = await serveInto([service.rule]);
  const { harness, caller, b32 } = served;
  for (let i = 0; i < 5; i++) {
    const { conn } = await caller.call(b32);
    closeAnyhow(conn);
    assertEquals(await caller.ask(b32, ""), "");
  }
  await until("all have ended", () => harness.proxy.callers === 0);
});

Deno.test("draining waits for callers, and ending closes them", async () => {
  await using service = new Service(async (conn) => void await readToEnd(conn));
  await using served = await serveInto([service.rule]);
  const { harness, caller, b32 } = served;
  const { conn } = await caller.call(b32);
  await until("it is served", () => harness.proxy.callers === 1);
  let isDrained = false;
  const drained = harness.proxy.drain(1_000_000).then(() => isDrained = true);
  await delay(100);
  assertEquals([isDrained, harness.proxy.callers], [false, 1]);
  let answer: string | undefined;
  const asked = caller.ask(b32, "x").then((text) => answer = text);
  using clock = new Clock();
  await until("nobody new is let in", async () => {
    await clock.skip(HELD_CALLER / 20);
    return answer === "";
  });
  await asked;
  assertEquals(harness.counters.get("inbound-callers"), 1);
  closeAnyhow(conn);
  await drained;
  assertEquals(harness.proxy.callers, 0);
});
