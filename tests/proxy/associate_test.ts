import { parseRule } from "../../lib/config/rule.ts";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address } from "../../lib/i2p/destination.ts";
import type { PooledStatus } from "../../lib/identity/identity_pool.ts";
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { MAX_DATAGRAM } from "../../lib/sam/datagrams.ts";
import { MAX_ASSOCIATIONS } from "../../lib/proxy/datagram_pool.ts";
import { DESTINATION_AGE, MAX_LOOKUPS } from "../../lib/identity/destination_cache.ts";
import { MAX_WAITING } from "../../lib/proxy/associate.ts";
import { Clock } from "../support/clock.ts";
import { type Harness, lastOutcome, startHarness } from "../support/harness.ts";
import type { Manners } from "../sam_bridge/bridge.ts";
import { associate, type AssociateOptions, encodeUdp } from "../clients/socks_udp.ts";
import { encodeRequest4, encodeRequest5 } from "../clients/socks_wire.ts";
import { readToEnd, socksConnect, writeAll } from "../clients/socks_client.ts";
import { startUdpService } from "../sam_bridge/udp_service.ts";
import { startUdpStage } from "./udp_stage.ts";
import { until } from "../support/wait.ts";

/** Milliseconds in which a datagram would have come that must not come. */
const NEVER = 150;

function openUdp(): Deno.DatagramConn & Disposable {
  const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
  return Object.assign(conn, { [Symbol.dispose]: () => conn.close() });
}

/** The sessions for datagrams that the proxy has created so far. */
function sessionsOf({ bridge }: Harness): string[] {
  return bridge.lines.filter((line) => line.startsWith("SESSION CREATE STYLE=DATAGRAM ID=i2p-socks-"));
}

for (const manners of ["i2pd", "java"] as Manners[]) {
  Deno.test(`A datagram to a name or an address is answered from the address, ${manners}`, async () => {
    await using stage = await startUdpStage({ bridge: { manners } });
    const { harness, echo } = stage;
    using client = await associate(harness.port);
    assertEquals({ ...client.reply, port: 0 }, { code: 0, host: "127.0.0.1", port: 0 });
    await client.send("udp.i2p", 53, "by name");
    assertEquals(await client.receive(), { host: echo.b32, port: 53, text: "by name" });
    await client.send(echo.b32, 54, "by address");
    assertEquals(await client.receive(), { host: echo.b32, port: 54, text: "by address" });
    await client.send("UDP.I2P.", 55, "");
    assertEquals(await client.receive(), { host: echo.b32, port: 55, text: "" });
    assertEquals([harness.counters.get("udp-sent"), harness.counters.get("udp-received")], [3, 3]);
    assertEquals(harness.counters.get("bytes-sent"), 17);
    // The second look-up of the name was spared.
    assertEquals(harness.bridge.lines.filter((line) => line === "NAMING LOOKUP NAME=udp.i2p").length, 1);
  });
}

Deno.test("One association has many destinations, and each answers as itself", async () => {
  await using stage = await startUdpStage();
  const { harness: { bridge, port }, echo } = stage;
  await using loud = await startUdpService(bridge.port, bridge.udpPort, { answer: (text) => text.toUpperCase() });
  using client = await associate(port);
  await client.send(loud.b32, 1, "one");
  await client.send(echo.b32, 2, "two");
  const answers = [await client.receive(), await client.receive()].sort((a, b) => (a?.port ?? 0) - (b?.port ?? 0));
  assertEquals(answers, [{ host: loud.b32, port: 1, text: "ONE" }, { host: echo.b32, port: 2, text: "two" }]);
});

Deno.test("An answer goes to the association that has asked last, and one that nobody asked for to nobody", async () => {
  await using stage = await startUdpStage();
  const { harness, echo } = stage;
  await using stranger = await startUdpService(harness.bridge.port, harness.bridge.udpPort);
  using first = await associate(harness.port);
  await first.send(echo.b32, 1, "first");
  assertEquals((await first.receive())?.text, "first");
  const own = echo.received[0]?.from ?? "";
  await stranger.send(own, "to the only client");
  assertEquals(await first.receive(), { host: stranger.b32, port: 0, text: "to the only client" });
  using second = await associate(harness.port);
  await second.send(echo.b32, 2, "second");
  assertEquals(await second.receive(), { host: echo.b32, port: 2, text: "second" });
  assertEquals(echo.received[1]?.from, own, "associations of one group share a destination");
  await stranger.send(own, "to one of two");
  await until("it is dropped", () => harness.counters.get("udp-dropped-unclaimed") === 1);
  await first.send(stranger.b32, 3, "answer");
  assertEquals(await first.receive(), { host: stranger.b32, port: 3, text: "answer" });
  const askedFor = harness.bridge.lines.filter((line) => line === `NAMING LOOKUP NAME=${stranger.b32}`);
  assertEquals(askedFor, [], "whoever has sent something is known already");
  assertEquals(sessionsOf(harness).length, 1);
});

/** Datagrams that go no further, and the counter of each. */
const DROPPED: readonly [string, Uint8Array][] = [
  ["fragment", encodeUdp("udp.i2p", 53, "x", 1)],
  ["fragment", encodeUdp("udp.i2p", 53, "x", 0x80)],
  ["malformed", new TextEncoder().encode("hello")],
  ["malformed", Uint8Array.of(0, 0, 0, 2, 0, 0, 0, 0)],
  ["malformed", new Uint8Array()],
  ["clearnet", encodeUdp("example.com", 53, "x")],
  ["clearnet", encodeUdp("localhost", 53, "x")],
  ["ip", encodeUdp("127.0.0.1", 53, "x")],
  ["ip", encodeUdp("8.8.8.8", 53, "x")],
  ["ip", encodeUdp("2001:db8::1", 53, "x")],
  ["malformed-address", encodeUdp("short.b32.i2p", 53, "x")],
  ["malformed-address", encodeUdp("", 53, "x")],
  ["rule", encodeUdp("denied.i2p", 53, "x")],
  ["name-unknown", encodeUdp("unknown.i2p", 53, "x")],
  ["name-unknown", encodeUdp(`${"a".repeat(52)}.b32.i2p`, 53, "x")],
  ["too-large", encodeUdp("udp.i2p", 53, new Uint8Array(MAX_DATAGRAM + 1))],
];

Deno.test("What cannot be sent is dropped, counted, and explained once", async (t) => {
  const deny = [parseRule("denied.i2p")];
  await using stage = await startUdpStage({ settings: { policy: { deny } } });
  const { harness, echo } = stage;
  using client = await associate(harness.port, { host: "127.0.0.1", port: "own" });
  for (const [index, [reason, bytes]] of DROPPED.entries()) {
    await t.step(`${index}: ${reason}`, async () => {
      const before = harness.counters.get(`udp-dropped-${reason}`);
      await client.sendRaw(bytes);
      await until("it is counted", () => harness.counters.get(`udp-dropped-${reason}`) === before + 1);
    });
  }
  assertEquals(await client.receive(NEVER), undefined);
  assertEquals(echo.received, []);
  const told = harness.log.filter((line) => /info {2}Dropped a datagram/.test(line));
  assertEquals(told.length, new Set(DROPPED.map(([reason]) => reason)).size, told.join(""));
  assertEquals(harness.log.some((line) => line.includes("NAMING")), false);
  assertEquals(harness.bridge.lines.filter((line) => /NAMING LOOKUP NAME=(?!unknown|a{52})/.test(line)), []);
  await client.send("udp.i2p", 53, "still there");
  assertEquals((await client.receive())?.text, "still there");
});

Deno.test("The largest datagram arrives whole", async () => {
  for (const manners of ["i2pd", "java"] as Manners[]) {
    await using stage = await startUdpStage({ bridge: { manners } });
    using client = await associate(stage.harness.port);
    const text = "x".repeat(MAX_DATAGRAM);
    await client.send("udp.i2p", 53, text);
    assertEquals((await client.receive())?.text, text);
  }
});

Deno.test("Only the client is served: from the port that it has named, or else from the first one", async () => {
  await using stage = await startUdpStage();
  const { harness } = stage;
  for (const port of ["own", 0] as const) {
    const before = harness.counters.get("udp-dropped-foreign");
    using client = await associate(harness.port, port === 0 ? {} : { host: "127.0.0.1", port });
    using other = openUdp();
    const relay: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port: client.reply.port };
    if (port === 0) {
      await client.send("udp.i2p", 1, "first");
      assertEquals((await client.receive())?.text, "first");
    }
    await other.send(encodeUdp("udp.i2p", 1, "stolen"), relay);
    await until("it is dropped", () => harness.counters.get("udp-dropped-foreign") === before + 1);
    await client.send("udp.i2p", 1, "own");
    assertEquals((await client.receive())?.text, "own");
  }
});

/** What clients name in their request. The peer answers at port 53. */
const NAMED: readonly (readonly [what: string, AssociateOptions])[] = [
  ["their own address and port, as RFC 1928 has it", { host: "127.0.0.1", port: "own" }],
  ["their own address, and no port yet", { host: "127.0.0.1", port: 0 }],
  ["nothing", { host: "0.0.0.0", port: 0 }],
  ["nothing, as IPv6", { host: "::", port: 0 }],
  ["their own port alone", { host: "0.0.0.0", port: "own" }],
  ["the peer's port alone", { host: "0.0.0.0", port: 53 }],
  ["the peer's port alone, as IPv6", { host: "::", port: 53 }],
  ["the peer, by an address", { host: "198.51.100.7", port: 53 }],
  ["the peer, by its name", { host: "udp.i2p", port: 53 }],
  ["an empty name", { host: "", port: 53 }],
];

for (const [what, options] of NAMED) {
  Deno.test(`Clients are served that name ${what}`, async () => {
    await using stage = await startUdpStage();
    using client = await associate(stage.harness.port, options);
    await client.send("udp.i2p", 53, "hello");
    assertEquals((await client.receive())?.text, "hello");
    assertEquals(stage.harness.counters.get("udp-dropped-foreign"), 0);
  });
}

Deno.test("A client of another address than 127.0.0.1 is told that nothing can be sent to it, and goes on without", async () => {
  await using harness = await startHarness({ udp: true, addresses: ["127.0.0.2"] });
  using client = await associate(harness.ports["127.0.0.2"] ?? 0);
  assertEquals(client.reply.code, 2);
  assertMatch(lastOutcome(harness.log), /reason=client-address hint=/);
  assertEquals(sessionsOf(harness), []);
  const { reply, conn } = await socksConnect(harness.ports["127.0.0.2"] ?? 0, harness.name, 80);
  conn.close();
  assertEquals(reply.code, 0);
});

Deno.test("Who has sent something can be answered without a look-up, for as long as it goes on sending", async () => {
  await using stage = await startUdpStage();
  const { harness, echo } = stage;
  using clock = new Clock();
  using client = await associate(harness.port);
  await client.send("udp.i2p", 1, "who am I");
  assertEquals((await client.receive())?.text, "who am I");
  const own = echo.received[0]?.from ?? "";
  for (let age = 0; age <= DESTINATION_AGE; age += DESTINATION_AGE / 2) {
    await echo.send(own, "spoken");
    assertEquals((await client.receive())?.text, "spoken");
    await clock.jump(DESTINATION_AGE / 2);
  }
  await client.send(echo.b32, 1, "answered");
  assertEquals((await client.receive())?.text, "answered");
  assertEquals(harness.bridge.lines.filter((line) => line === `NAMING LOOKUP NAME=${echo.b32}`), []);
});

Deno.test("Only the bridge can send to the port for its datagrams, and only what is one", async () => {
  await using stage = await startUdpStage();
  const { harness, echo } = stage;
  using client = await associate(harness.port);
  await client.send("udp.i2p", 1, "x");
  await client.receive();
  using forger = openUdp();
  const port = Number(/ PORT=(\d+)/.exec(sessionsOf(harness)[0] ?? "")?.[1]);
  await forger.send(new TextEncoder().encode(`${echo.destination}\nforged`), {
    transport: "udp",
    hostname: "127.0.0.1",
    port,
  });
  await until("it is dropped", () => harness.counters.get("udp-dropped-not-sam") === 1);
  assertEquals(await client.receive(NEVER), undefined);
});

Deno.test("An association ends with its TCP connection, and its session some time later", async () => {
  await using stage = await startUdpStage({ settings: { timeouts: { identityIdle: 200 } } });
  const { harness, echo } = stage;
  using client = await associate(harness.port);
  await client.send("udp.i2p", 1, "x");
  assertEquals((await client.receive())?.text, "x");
  client.conn.close();
  await until("the client is forgotten", () => harness.proxy.connections === 0);
  await client.send("udp.i2p", 1, "late");
  assertEquals(await client.receive(NEVER), undefined);
  assertEquals(echo.received.length, 1);
  await until(
    "the session is closed",
    () => harness.bridge.sessions.filter(({ b32 }) => b32 !== echo.b32).length === 2,
  );
  using again = await associate(harness.port);
  await again.send("udp.i2p", 1, "again");
  assertEquals((await again.receive())?.text, "again");
  assertEquals(sessionsOf(harness).length, 2);
});

Deno.test("A lost session is made again, and the association goes on", async () => {
  await using stage = await startUdpStage();
  const { harness, echo } = stage;
  using client = await associate(harness.port);
  const one = (): PooledStatus | undefined => harness.proxy.datagramIdentities?.[0];
  const before = one();
  await client.send("udp.i2p", 1, "before");
  assertEquals((await client.receive())?.text, "before");
  harness.dropSessions();
  await until("the loss is noticed", () => harness.log.some((line) => line.includes("Session lost")));
  await until("and told", () => one()?.state === "lost");
  assertMatch(one()?.reason ?? "", /session/i);
  assertEquals([one()?.session, one()?.clients], [undefined, 1]);
  await until("it is made again", () => one()?.state === "ready");
  assertNotEquals(one()?.session?.address, before?.session?.address);
  assert((one()?.since ?? 0) > (before?.since ?? Infinity));
  let answer: Awaited<ReturnType<typeof client.receive>>;
  for (let i = 0; i < 50 && answer === undefined; i++) {
    await client.send(echo.b32, 2, "after");
    answer = await client.receive(100);
  }
  assertEquals(answer, { host: echo.b32, port: 2, text: "after" });
  assertNotEquals(echo.received.at(-1)?.from, echo.received[0]?.from);
});

Deno.test("Logins have destinations of their own, apart from those of streams", async () => {
  await using stage = await startUdpStage({ settings: { isolation: ["auth"] } });
  const { harness, echo } = stage;
  using plain = await associate(harness.port);
  using alice = await associate(harness.port, { login: { user: "alice", password: "1" } });
  using again = await associate(harness.port, { login: { user: "alice", password: "1" } });
  for (const client of [plain, alice, again]) {
    await client.send("udp.i2p", 1, "x");
    assertEquals((await client.receive())?.text, "x");
  }
  const [first, second, third] = echo.received.map(({ from }) => from);
  assertNotEquals(first, second);
  assertEquals(third, second);
  const streams = harness.bridge.sessions.find(({ id }) => id === harness.identity.status.session?.id);
  assert(streams !== undefined);
  assertEquals(harness.bridge.sessions.length, 5, "service, echo, streams, and two for datagrams");
  const statuses = harness.proxy.datagramIdentities ?? [];
  assertEquals(statuses.map(({ group, state, clients }) => [group, state, clients]), [[1, "ready", 1], [
    2,
    "ready",
    2,
  ]]);
  const addresses = await Promise.all([first, second].map((from = "") => b32Address(decodeI2pBase64(from))));
  assertEquals(statuses.map(({ session }) => session?.address), addresses);
  assertEquals(harness.proxy.identities.length, 1, "streams have none but the base");
});

Deno.test("Without --udp the answer is 0x07, and to SOCKS4 always a refusal", async () => {
  await using without = await startHarness();
  using client = await associate(without.port);
  assertEquals(client.reply, { code: 7, host: "0.0.0.0", port: 0 });
  await using stage = await startUdpStage();
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: stage.harness.port });
  await writeAll(conn, encodeRequest4({ host: "udp.i2p", port: 1, command: 3 }));
  assertEquals((await readToEnd(conn))[1], 0x5b);
  conn.close();
  // BIND is refused as before, and CONNECT works as before.
  const bind = await Deno.connect({ hostname: "127.0.0.1", port: stage.harness.port });
  await writeAll(bind, Uint8Array.of(5, 1, 0, ...encodeRequest5({ host: "a.i2p", port: 1, command: 2 })));
  assertEquals((await readToEnd(bind))[3], 7);
  bind.close();
  const { reply, conn: stream } = await socksConnect(stage.harness.port, stage.harness.name, 80);
  stream.close();
  assertEquals(reply.code, 0);
});

Deno.test("A session for datagrams that is refused is told in the reply, and tried again by the next client", async () => {
  let refuses = true;
  await using stage = await startUdpStage({
    bridge: {
      intercept: async (line, socket) => {
        if (!refuses || !line.startsWith("SESSION CREATE STYLE=DATAGRAM ID=i2p-socks-")) return false;
        await socket.write('SESSION STATUS RESULT=I2P_ERROR MESSAGE="no datagrams here"\n');
        socket.close();
        return true;
      },
    },
  });
  const { harness } = stage;
  using refused = await associate(harness.port);
  assertEquals(refused.reply.code, 3);
  assertEquals(harness.counters.get("refused-session-refused"), 1);
  refuses = false;
  using client = await associate(harness.port);
  assertEquals(client.reply.code, 0);
});

Deno.test("A client that leaves while tunnels are built is forgotten, and so is one that the proxy's end finds", async () => {
  const stage = await startUdpStage({ bridge: { sessionDelay: 600 } });
  const { harness } = stage;
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
  await writeAll(conn, Uint8Array.of(5, 1, 0, ...encodeRequest5({ host: "0.0.0.0", port: 0, command: 3 })));
  await until("tunnels are built", () => sessionsOf(harness).length === 1);
  const states = (): unknown => harness.proxy.datagramIdentities?.map(({ state, reason }) => [state, reason]);
  assertEquals(states(), [["building", undefined]]);
  conn.close();
  await until("the client is forgotten", () => harness.counters.get("refused-client-closed") === 1);
  assert(!harness.log.some((line) => line.includes("Identity for datagrams 1 ready")), "before tunnels stand");
  using client = await associate(harness.port);
  assertEquals(client.reply.code, 0);
  const drained = performance.now();
  await harness.proxy.drain(20_000);
  assert(performance.now() - drained < 10_000, "an association does not hold up the end");
  assertEquals(await client.conn.read(new Uint8Array(1)), null);
  await stage[Symbol.asyncDispose]();
});

Deno.test(`At most ${MAX_ASSOCIATIONS} associations are open at once`, async () => {
  await using stage = await startUdpStage();
  const { harness } = stage;
  using clients = new DisposableStack();
  for (let i = 0; i < MAX_ASSOCIATIONS; i++) {
    assertEquals(clients.use(await associate(harness.port)).reply.code, 0);
  }
  using surplus = await associate(harness.port);
  assertEquals(surplus.reply.code, 1);
  assertEquals(harness.counters.get("refused-too-many-associations"), 1);
  clients.dispose();
  await until("they are forgotten", () => harness.proxy.connections <= 1);
  using next = await associate(harness.port);
  assertEquals(next.reply.code, 0);
});

Deno.test("Where nothing comes back, the log asks once whether the UDP port of the bridge is right", async () => {
  for (const isRight of [false, true]) {
    using nobody = openUdp();
    const { port } = nobody.addr as Deno.NetAddr;
    await using stage = await startUdpStage(isRight ? {} : { udp: { port } });
    const { harness } = stage;
    using client = await associate(harness.port);
    for (let i = 1; i <= 50; i++) {
      await client.send("udp.i2p", 1, "x");
      await until("it is sent", () => harness.counters.get("udp-sent") === i);
      if (isRight) await client.receive();
    }
    const told = harness.log.filter((line) => line.includes("20 datagrams were sent, and none has come"));
    assertEquals(told.length, isRight ? 0 : 1);
  }
});

Deno.test("A name of the user's own leads where --hosts says, and rules are about what the client asks for", async () => {
  const hosts = new Map<string, string>();
  const deny = [parseRule("no.i2p")];
  await using stage = await startUdpStage({ hosts, settings: { policy: { deny } } });
  const { harness, echo } = stage;
  for (const name of ["mine.i2p", "no.i2p"]) hosts.set(name, echo.b32);
  using client = await associate(harness.port);
  await client.send("no.i2p", 1, "denied");
  await client.send("mine.i2p", 1, "x");
  assertEquals(await client.receive(), { host: echo.b32, port: 1, text: "x" });
  assertEquals(harness.counters.get("udp-dropped-rule"), 1);
});

Deno.test("Datagrams wait for a look-up only up to a limit, and go out in their order when it is answered", async () => {
  const held = Promise.withResolvers<boolean>();
  await using stage = await startUdpStage({
    bridge: { intercept: (line) => line.startsWith("NAMING LOOKUP") && held.promise },
  });
  const { harness, echo } = stage;
  const dropped = (): number => harness.counters.get("udp-dropped-too-many-lookups");
  using client = await associate(harness.port);
  for (let i = 0; i <= MAX_LOOKUPS; i++) await client.send(`${i}.i2p`, 1, "x");
  await until("one name is one too many", () => dropped() === 1);
  const rest = MAX_WAITING - MAX_LOOKUPS;
  for (let i = 0; i <= rest; i++) await client.send("0.i2p", 1, `${i}`);
  await until("one datagram is one too many", () => dropped() === 2);
  harness.bridge.setName("0.i2p", echo.destination);
  held.resolve(false);
  await until("those that waited are sent", () => echo.received.length === 1 + rest);
  assertEquals(echo.received.map(({ text }) => text), ["x", ...Array.from({ length: rest }, (_, i) => `${i}`)]);
  assertEquals(harness.counters.get("udp-dropped-name-unknown"), MAX_LOOKUPS - 1);
});

Deno.test("The log names a destination of datagrams only where it may", async () => {
  await using stage = await startUdpStage();
  using client = await associate(stage.harness.port);
  await client.send("unknown.i2p", 1, "x");
  await until("it is told", () => stage.harness.log.some((line) => line.includes("name-unknown")));
  const line = stage.harness.log.find((told) => told.includes("name-unknown")) ?? "";
  assertMatch(line, /destination=unknown\.i2p:1\b/, "as a field, which the log leaves out by itself");
});
