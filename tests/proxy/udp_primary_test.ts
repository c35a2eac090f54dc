import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address, publicPart } from "../../lib/i2p/destination.ts";
import { PrivateKey } from "../../lib/i2p/private_key.ts";
import { startCaller } from "../clients/callers.ts";
import { type Harness, type SomeSettings, startHarness } from "../support/harness.ts";
import type { Intercept, SamBridge } from "../sam_bridge/bridge.ts";
import { makeKeys } from "../sam_bridge/keys.ts";
import { readToEnd, socksConnect } from "../clients/socks_client.ts";
import { associate, type AssociateOptions, type UdpClient } from "../clients/socks_udp.ts";
import type { UdpService } from "../sam_bridge/udp_service.ts";
import { startUdpStage } from "./udp_stage.ts";
import { until } from "../support/wait.ts";

/** Whom the service sees as the peer of a stream. */
async function callerOf({ port, name }: Harness, login?: AssociateOptions["login"]): Promise<string> {
  const { reply, conn } = await socksConnect(port, name, 80, { ...(login && { login }), timeout: 10_000 });
  assertEquals(reply.code, 0);
  const from = new TextDecoder().decode(await readToEnd(conn));
  conn.close();
  return await b32Address(publicPart(decodeI2pBase64(from)));
}

/** Whom the echo service sees as the sender of a datagram: asks until there is an answer, as a session may be new. */
async function senderOf(client: UdpClient, echo: UdpService): Promise<string> {
  // An echo of an earlier question may still be on its way.
  const question = crypto.randomUUID();
  const answer = (): string | undefined => echo.received.findLast(({ text }) => text === question)?.from;
  for (let i = 0; i < 50 && answer() === undefined; i++) {
    await client.send(echo.b32, 1, question);
    await client.receive(100);
  }
  return await b32Address(publicPart(decodeI2pBase64(answer() ?? "")));
}

/** The styles of the sessions that the proxy has asked for, with those within others. */
function styles({ lines }: SamBridge): string[] {
  return lines.flatMap((line) => /^(SESSION (?:CREATE|ADD) STYLE=\w+) ID=i2p-socks-/.exec(line)?.[1] ?? []);
}

const ONE = ["SESSION CREATE STYLE=PRIMARY", "SESSION ADD STYLE=STREAM", "SESSION ADD STYLE=DATAGRAM"];

const TOLD = /This router (.*?), so UDP uses a separate, temporary I2P address/;

/** What the log says of two destinations. */
function told({ log }: Harness): string[] {
  return log.flatMap((line) => TOLD.exec(line)?.[1] ?? []);
}

/** Answers lines that match, in the place of the bridge. */
function answering(pattern: RegExp, answer: string, closes = false): Intercept {
  return async (line, socket) => {
    if (!pattern.test(line)) return false;
    await socket.write(answer);
    if (closes) socket.close();
    return true;
  };
}

Deno.test("With Java I2P a datagram comes from the address that the peer of a stream sees", async () => {
  await using stage = await startUdpStage({ bridge: { manners: "java" } });
  const { harness, echo } = stage;
  using client = await associate(harness.port);
  const own = harness.identity.status.session?.address;
  assertEquals([await callerOf(harness), await senderOf(client, echo)], [own, own]);
  assertEquals(styles(harness.bridge), ONE);
  assertEquals(harness.bridge.sessions.length, 3, "the service, the echo service, and one of ours");
  assertEquals(harness.identity.status.session?.version, "3.3");
  assertEquals(harness.proxy.identities.map(({ clients }) => clients), [1]);
  assertEquals(harness.proxy.datagramIdentities, [], "there are none but those of streams");
  assert(harness.bridge.lines.includes("HELLO VERSION MIN=3.1 MAX=3.3"));
  assertEquals(told(harness), []);
});

Deno.test("A group has one address too, and no other group's", async () => {
  await using stage = await startUdpStage({ bridge: { manners: "java" }, settings: { isolation: ["auth"] } });
  const { harness, echo } = stage;
  const seen: string[] = [];
  for (const user of [undefined, "alice", "bob"]) {
    const login = user === undefined ? undefined : { user, password: "1" };
    using client = await associate(harness.port, { ...(login && { login }) });
    const sender = await senderOf(client, echo);
    assertEquals(await callerOf(harness, login), sender);
    seen.push(sender);
  }
  assertEquals(new Set(seen).size, 3);
  assertEquals(styles(harness.bridge), [...ONE, ...ONE, ...ONE]);
  await until("nobody uses them", () => harness.proxy.identities.every(({ clients }) => clients === 0));
});

Deno.test("A lasting identity has its address for datagrams too, where there is one for both", async () => {
  for (const manners of ["java", "i2pd"] as const) {
    const key = new PrivateKey(decodeI2pBase64((await makeKeys(7)).blob));
    await using stage = await startUdpStage({ bridge: { manners }, key });
    const { harness, echo } = stage;
    using client = await associate(harness.port);
    const lasting = await b32Address(key.destination);
    assertEquals(await callerOf(harness), lasting);
    assertEquals(await senderOf(client, echo) === lasting, manners === "java");
  }
});

Deno.test("Callers of --forward come to the address that datagrams come from", async () => {
  await using service = await startHarness();
  const target = { hostname: "127.0.0.1" as const, port: service.port };
  const forward = {
    rules: [{ port: undefined, target }],
    header: false,
    maxInbound: 10,
    maxPerCaller: 10,
    idleTimeout: 0,
  };
  await using stage = await startUdpStage({ bridge: { manners: "java" }, settings: { forward } });
  const { harness } = stage;
  await until("it waits", () => harness.bridge.lines.some((line) => line.startsWith("STREAM ACCEPT ID=i2p-socks-")));
  await using caller = await startCaller(harness.bridge.port);
  const { conn } = await caller.call(harness.identity.status.session?.address ?? "");
  await until("the service is reached", () => service.counters.get("accepted") === 1);
  conn.close();
});

Deno.test("The loss of the session is the loss of both, and heals both with one address", async () => {
  await using stage = await startUdpStage({ bridge: { manners: "java" } });
  const { harness, echo } = stage;
  using client = await associate(harness.port);
  const before = await senderOf(client, echo);
  harness.dropSessions();
  await until("the loss is noticed", () => harness.log.some((line) => line.includes("Session lost")));
  await harness.identity.session(new AbortController().signal);
  const after = await senderOf(client, echo);
  assertNotEquals(after, before);
  assertEquals(await callerOf(harness), after);
  assertEquals(styles(harness.bridge), [...ONE, ...ONE]);
});

Deno.test("With i2pd streams and datagrams have two addresses, which is told once and not asked again", async () => {
  await using stage = await startUdpStage({ bridge: { manners: "i2pd" }, settings: { isolation: ["auth"] } });
  const { harness, echo } = stage;
  using client = await associate(harness.port);
  const before = await senderOf(client, echo);
  assertNotEquals(await callerOf(harness), before);
  const own = harness.proxy.datagramIdentities?.map((
    { group, clients, session },
  ) => [group, clients, session?.address]);
  assertEquals(own, [[1, 1, before]]);
  harness.dropSessions();
  await until("both are noticed", () => harness.log.filter((line) => line.includes("Session lost")).length === 2);
  await harness.identity.session(new AbortController().signal);
  assertNotEquals(await senderOf(client, echo), before);
  assertEquals(await harness.ask(), 0);
  const login = { user: "alice", password: "1" };
  using other = await associate(harness.port, { login });
  assertNotEquals(await senderOf(other, echo), await callerOf(harness, login));
  const [stream, datagram] = ["SESSION CREATE STYLE=STREAM", "SESSION CREATE STYLE=DATAGRAM"];
  assertEquals(styles(harness.bridge).slice(0, 3), ["SESSION CREATE STYLE=PRIMARY", stream, datagram]);
  assertEquals(styles(harness.bridge).slice(3).sort(), [datagram, datagram, stream, stream]);
  assertEquals(told(harness), ["has no sessions that carry both (PRIMARY of SAM 3.3)"]);
  const line = harness.log.find((one) => TOLD.test(one)) ?? "";
  assertMatch(line, /Unknown STYLE/, "in the words of the router");
  assertMatch(line, /--identity/);
});

/** Ways in which a bridge refuses, with Java's manners but for that. */
const REFUSALS: readonly { what: string; intercept: Intercept; says: RegExp; asked: readonly string[] }[] = [
  {
    what: "has SAM 3.2 at most",
    intercept: answering(/^HELLO .*MAX=3\.3/, "HELLO REPLY RESULT=OK VERSION=3.2\n"),
    says: /^lacks SAM 3\.3$/,
    asked: [],
  },
  {
    what: "refuses a range of versions that it does not know",
    intercept: answering(/^HELLO .*MAX=3\.3/, "HELLO REPLY RESULT=NOVERSION\n", true),
    says: /^lacks SAM 3\.3$/,
    asked: [],
  },
  {
    what: "closes without a word at the style",
    intercept: answering(/STYLE=PRIMARY/, "", true),
    says: /^has no sessions that carry both/,
    asked: ["SESSION CREATE STYLE=PRIMARY"],
  },
  {
    what: "does not add streams",
    intercept: answering(/^SESSION ADD STYLE=STREAM/, 'SESSION STATUS RESULT=I2P_ERROR ID="x" MESSAGE="No more"\n'),
    says: /^does not add both to one session$/,
    asked: ONE.slice(0, 2),
  },
  {
    what: "does not add datagrams",
    intercept: answering(/^SESSION ADD STYLE=DATAGRAM/, 'SESSION STATUS RESULT=I2P_ERROR ID="x" MESSAGE="No more"\n'),
    says: /^does not add both to one session$/,
    asked: ONE,
  },
];

for (const { what, intercept, says, asked } of REFUSALS) {
  Deno.test(`A bridge that ${what} gets two sessions, now and later`, async () => {
    await using stage = await startUdpStage({ bridge: { manners: "java", intercept } });
    const { harness, echo } = stage;
    using client = await associate(harness.port);
    assertNotEquals(await senderOf(client, echo), await callerOf(harness));
    harness.dropSessions();
    await until("both are noticed", () => harness.log.filter((line) => line.includes("Session lost")).length === 2);
    await harness.identity.session(new AbortController().signal);
    await senderOf(client, echo);
    const [stream, datagram] = ["SESSION CREATE STYLE=STREAM", "SESSION CREATE STYLE=DATAGRAM"];
    const all = styles(harness.bridge);
    assertEquals(all.slice(0, asked.length + 2), [...asked, stream, datagram]);
    assertEquals(all.slice(asked.length + 2).sort(), [datagram, stream]);
    assertEquals(told(harness).length, 1);
    assertMatch(told(harness)[0] ?? "", says);
    assertEquals(harness.bridge.sessions.length, 4, "nothing of what was refused is left");
  });
}

Deno.test("A lasting identity whose subsession was refused waits until the router has forgotten the session", async () => {
  const key = new PrivateKey(decodeI2pBase64((await makeKeys(7)).blob));
  let refused = 0;
  await using harness = await startHarness({
    udp: true,
    key,
    bridge: {
      manners: "java",
      intercept: async (line, socket) => {
        if (line.startsWith("SESSION ADD STYLE=DATAGRAM")) {
          await socket.write('SESSION STATUS RESULT=I2P_ERROR ID="x" MESSAGE="No more"\n');
          return true;
        }
        if (!line.startsWith("SESSION CREATE STYLE=STREAM ID=i2p-socks-") || refused++ > 0) return false;
        await socket.write("SESSION STATUS RESULT=DUPLICATED_DEST\n");
        return true;
      },
    },
  });
  assertEquals(harness.identity.status.session?.address, await b32Address(key.destination));
  const stream = "SESSION CREATE STYLE=STREAM";
  assertEquals(styles(harness.bridge), [...ONE, stream, stream], "the style is not asked for again");
});

Deno.test("What a router refuses for another reason is not taken for a style that it does not have", async () => {
  let isFull = true;
  const full = 'SESSION STATUS RESULT=I2P_ERROR MESSAGE="session limit exceeded"\n';
  await using harness = await startHarness({
    udp: true,
    ready: false,
    bridge: {
      manners: "java",
      intercept: async (line, socket) => {
        if (!isFull || !/^SESSION CREATE STYLE=\w+ ID=i2p-socks-/.test(line)) return false;
        await socket.write(full);
        return true;
      },
    },
    settings: { isolation: ["auth"] },
  });
  const login = { user: "alice", password: "1" };
  using refused = await associate(harness.port, { login });
  assertEquals(refused.reply.code, 3);
  assertEquals(told(harness), []);
  isFull = false;
  using client = await associate(harness.port, { login });
  assertEquals(client.reply.code, 0);
  assertEquals(styles(harness.bridge), [
    "SESSION CREATE STYLE=PRIMARY",
    "SESSION CREATE STYLE=STREAM",
    ...ONE,
  ]);
});

Deno.test("Without --udp nothing is asked that was not asked before", async () => {
  await using harness = await startHarness({ bridge: { manners: "java", udp: true } });
  assertEquals(await harness.ask(), 0);
  assertEquals(styles(harness.bridge), ["SESSION CREATE STYLE=STREAM"]);
  assertEquals(harness.bridge.lines.filter((line) => /MAX=3\.[^1]/.test(line) && !/MIN=3\.0/.test(line)), []);
});

Deno.test("A router that ends while it makes a session for both has such sessions when it is back", async () => {
  let ends = false;
  await using stage = await startUdpStage({
    bridge: {
      manners: "java",
      intercept: (line, socket) => {
        if (!ends || !line.includes("STYLE=PRIMARY")) return false;
        ends = false;
        socket.close();
        return true;
      },
    },
  });
  const { harness, echo } = stage;
  ends = true;
  harness.dropSessions();
  await until("the loss is noticed", () => harness.log.some((line) => line.includes("Session lost")));
  using client = await associate(harness.port);
  assertEquals(await senderOf(client, echo), await callerOf(harness));
  assertEquals(styles(harness.bridge), [...ONE, "SESSION CREATE STYLE=PRIMARY", ...ONE]);
  assertEquals(told(harness), []);
});

Deno.test("A router that has no sessions for both any more ends associations, and the next ones have their own", async () => {
  let isOther = false;
  await using stage = await startUdpStage({
    bridge: {
      manners: "java",
      intercept: async (line, socket) => {
        if (!isOther || !line.includes("STYLE=PRIMARY")) return false;
        await socket.write('SESSION STATUS RESULT=I2P_ERROR MESSAGE="Unknown STYLE"\n');
        socket.close();
        return true;
      },
    },
  });
  const { harness, echo } = stage;
  using first = await associate(harness.port);
  assertEquals(await senderOf(first, echo), harness.identity.status.session?.address);
  isOther = true;
  harness.dropSessions();
  assertEquals(await first.conn.read(new Uint8Array(1)), null, "it is told to ask again");
  using second = await associate(harness.port);
  assertNotEquals(await senderOf(second, echo), await callerOf(harness));
  assertEquals(told(harness).length, 1);
});

Deno.test("Streams whose clients have left make room for an association of a new group, as for a stream", async () => {
  const settings: SomeSettings = { isolation: ["auth"], limits: { identities: 1 } };
  await using harness = await startHarness({ udp: true, bridge: { manners: "java" }, settings });
  const { conn } = await socksConnect(harness.port, harness.name, 80, { login: { user: "gone", password: "" } });
  using _conn = conn;
  await conn.write(Uint8Array.of(1));
  assertEquals(await conn.read(new Uint8Array(1)), 1);
  conn.closeWrite();
  const login = { user: "new", password: "" };
  using early = await associate(harness.port, { login });
  assertEquals(early.reply.code, 1, "it may still be there");
  await until("it has left", async () => {
    using client = await associate(harness.port, { login });
    return client.reply.code === 0;
  });
});

Deno.test("A client that comes before anything is known of i2pd has no part in the streams of its group", async () => {
  await using harness = await startHarness({ udp: true, ready: false, settings: { isolation: ["auth"] } });
  const login = { user: "alice", password: "1" };
  using client = await associate(harness.port, { login });
  assertEquals(client.reply.code, 0);
  assertEquals(harness.proxy.associations, 1);
  assertEquals(harness.proxy.identities.map(({ group, clients }) => [group, clients]), [[undefined, 0], [1, 0]]);
  client.conn.close();
  await until("it is forgotten", () => harness.proxy.associations === 0);
});

Deno.test("As many logins as --max-identities have datagrams with i2pd, besides the clients without one", async () => {
  const settings: SomeSettings = { isolation: ["auth"], limits: { identities: 2 } };
  await using stage = await startUdpStage({ bridge: { manners: "i2pd" }, settings });
  using clients = new DisposableStack();
  const codes: number[] = [];
  for (const user of [undefined, "a", "b", "c"]) {
    const login = user === undefined ? undefined : { user, password: "1" };
    codes.push(clients.use(await associate(stage.harness.port, { ...(login && { login }) })).reply.code);
  }
  assertEquals(codes, [0, 0, 0, 1]);
});
