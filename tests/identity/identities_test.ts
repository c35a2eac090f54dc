import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { hashPassword, LoginBook } from "../../lib/config/login_book.ts";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address } from "../../lib/i2p/destination.ts";
import { concat } from "../support/bytes.ts";
import { type Harness, type HarnessOptions, type SomeSettings, startHarness } from "../support/harness.ts";
import type { Manners } from "../sam_bridge/bridge.ts";
import { readToEnd, type SocksClientOptions, socksConnect } from "../clients/socks_client.ts";
import { encodeGreeting, encodeLogin } from "../clients/socks_wire.ts";
import { delay, until } from "../support/wait.ts";

/** Answers each caller with the caller's own address. */
async function tellCaller(conn: Deno.TcpConn): Promise<void> {
  let line = "";
  const buffer = new Uint8Array(1024);
  while (!line.includes("\n")) {
    const count = await conn.read(buffer);
    if (count === null) return;
    line += new TextDecoder().decode(buffer.subarray(0, count));
  }
  const [destination = ""] = line.split(/[ \n]/);
  await conn.write(new TextEncoder().encode(await b32Address(decodeI2pBase64(destination))));
}

async function startCallers(settings: SomeSettings, options: HarnessOptions = {}): Promise<Harness> {
  return await startHarness({ ...options, header: true, service: tellCaller, settings });
}

/** The address that the service sees. */
async function seen(
  harness: Harness,
  options: SocksClientOptions & { host?: string; port?: number } = {},
): Promise<string> {
  const { host = harness.name, port = 80, ...client } = options;
  const { reply, conn, early } = await socksConnect(harness.port, host, port, client);
  using _conn = conn;
  if (reply.code !== 0 && reply.code !== 0x5a) return `refused ${reply.code}`;
  return new TextDecoder().decode(early) + new TextDecoder().decode(await readToEnd(conn));
}

const login = (user: string, password = ""): SocksClientOptions => ({ login: { user, password } });

for (const manners of ["i2pd", "java"] as Manners[]) {
  Deno.test(`The service sees one destination for each login, ${manners}`, async () => {
    await using harness = await startCallers({ isolation: ["auth"] }, { bridge: { manners } });
    const base = await seen(harness);
    const [alice, bob, again] = await Promise.all([
      seen(harness, login("alice", "1")),
      seen(harness, login("bob", "1")),
      seen(harness, login("alice", "1")),
    ]);
    assertEquals(new Set([base, alice, bob]).size, 3);
    assertEquals(again, alice);
    assertEquals(await seen(harness), base);
    assertEquals(await seen(harness, login("alice", "1")), alice);
    assertNotEquals(await seen(harness, login("alice", "2")), alice);
    assertEquals(await seen(harness, login("", "")), base);
    const carol = await seen(harness, { version: 4, ...login("carol") });
    assertEquals(await seen(harness, login("carol")), carol);
    assertNotEquals(carol, base);
    assertEquals(await seen(harness, { version: 4 }), base);
    const tor = await seen(harness, login("<torS0X>0", "tab 1"));
    assertNotEquals(await seen(harness, login("<torS0X>0", "tab 2")), tor);
    // The base identity, the service's own session, and one for each group.
    assertEquals(harness.bridge.sessions.length, 2 + 6);
  });
}

Deno.test("Two first clients of a group share one creation, and both are served", async () => {
  await using harness = await startCallers({ isolation: ["auth"] }, { bridge: { sessionDelay: 100 } });
  const addresses = await Promise.all(Array.from({ length: 10 }, () => seen(harness, login("x"))));
  assertEquals(new Set(addresses).size, 1);
  assertEquals(harness.bridge.lines.filter((line) => line.startsWith("SESSION CREATE")).length, 3);
});

Deno.test("Each flag of --isolate sets apart what it says, and combinations do", async (t) => {
  await t.step("none: even logins share the base identity", async () => {
    await using harness = await startCallers({ isolation: [] });
    assertEquals(await seen(harness, login("a")), await seen(harness));
  });
  await t.step("port", async () => {
    await using harness = await startCallers({ isolation: ["port"] });
    const one = await seen(harness, { port: 1 });
    assertEquals(await seen(harness, { port: 1, ...login("a") }), one);
    assertNotEquals(await seen(harness, { port: 2 }), one);
  });
  await t.step("destination", async () => {
    await using harness = await startCallers({ isolation: ["destination"] });
    const one = await seen(harness);
    assertEquals(await seen(harness, { host: harness.name.toUpperCase() }), one);
    assertNotEquals(await seen(harness, { host: harness.b32 }), one);
  });
  await t.step("client", async () => {
    await using harness = await startHarness({
      header: true,
      service: tellCaller,
      addresses: ["127.0.0.2", "127.0.0.3"],
      settings: { isolation: ["client"] },
    });
    const from = async (port: number | undefined): Promise<string> => await seen({ ...harness, port: port ?? 0 });
    const { "127.0.0.2": two, "127.0.0.3": three } = harness.ports;
    const all = [await from(harness.port), await from(two), await from(three)];
    assertEquals(new Set(all).size, 3);
    assertEquals(await from(two), all[1]);
  });
  await t.step("stream: no two alike, and none is kept", async () => {
    await using harness = await startCallers({ isolation: ["stream"], limits: { identities: 2 } });
    const all = [await seen(harness), await seen(harness), await seen(harness), await seen(harness)];
    assertEquals(new Set(all).size, 4);
    await until("their sessions are closed", () => harness.bridge.sessions.length === 2);
  });
  await t.step("auth,port", async () => {
    await using harness = await startCallers({ isolation: ["auth", "port"] });
    const all = await Promise.all([
      seen(harness, { port: 1, ...login("a") }),
      seen(harness, { port: 2, ...login("a") }),
      seen(harness, { port: 1, ...login("b") }),
      seen(harness, { port: 1 }),
      seen(harness, { port: 1, ...login("a") }),
    ]);
    assertEquals(new Set(all).size, 4);
    assertEquals(all[0], all[4]);
  });
});

Deno.test("50 groups at once with a cap of 8: eight are served, the rest refused, none shares", async () => {
  await using harness = await startHarness({ settings: { isolation: ["auth"], limits: { identities: 8 } } });
  const connections = await Promise.all(
    Array.from({ length: 50 }, (_, i) => socksConnect(harness.port, harness.name, 80, login(`user ${i}`))),
  );
  const served = connections.filter(({ reply }) => reply.code === 0);
  assertEquals(served.length, 8);
  assertEquals(connections.filter(({ reply }) => reply.code === 1).length, 42);
  assertEquals(harness.counters.get("refused-too-many-identities"), 42);
  assertEquals(harness.bridge.sessions.length, 2 + 8);
  // Each connection has a session of its own.
  const ids = harness.bridge.lines.flatMap((line) => /STREAM CONNECT ID=(\S+)/.exec(line)?.[1] ?? []);
  assertEquals(new Set(ids).size, 8);
  for (const { conn } of served) {
    await conn.write(Uint8Array.of(1));
    assertEquals(await conn.read(new Uint8Array(1)), 1, "a client of an older group was cut off");
  }
  connections.forEach(({ conn }) => conn.close());
});

Deno.test("At the cap the least recently used idle group gives way, and comes back as somebody else", async () => {
  await using harness = await startCallers({ isolation: ["auth"], limits: { identities: 2 } });
  const a = await seen(harness, login("a"));
  const b = await seen(harness, login("b"));
  assertEquals(await seen(harness, login("a")), a);
  await until("all have ended", () => harness.proxy.connections === 0);
  await seen(harness, login("c"));
  assertEquals(await seen(harness, login("a")), a, "the one that was used last was closed");
  await until("all have ended", () => harness.proxy.connections === 0);
  assertNotEquals(await seen(harness, login("b")), b);
  await until("three sessions are closed", () => harness.bridge.sessions.length === 2 + 2);
});

Deno.test("At the cap, streams whose clients have left make room for a new group", async () => {
  await using harness = await startHarness({ settings: { isolation: ["auth"], limits: { identities: 1 } } });
  const { conn } = await socksConnect(harness.port, harness.name, 80, login("first"));
  await conn.write(Uint8Array.of(1));
  await conn.read(new Uint8Array(1));
  const refused = await socksConnect(harness.port, harness.name, 80, login("second"));
  refused.conn.close();
  assertEquals(refused.reply.code, 1);
  // The client is gone, but SAM has no half-close, so its stream is still open: silent, and answered.
  conn.close();
  await until("there is room", async () => {
    const { reply, conn } = await socksConnect(harness.port, harness.name, 80, login("second"));
    conn.close();
    return reply.code === 0;
  });
});

Deno.test("The group that was used last is the last to give way, whenever its use began", async () => {
  await using harness = await startHarness({
    settings: { isolation: ["auth"], limits: { identities: 2 } },
    service: async (conn) => void await conn.read(new Uint8Array(1)),
  });
  const long = await socksConnect(harness.port, harness.name, 80, login("long"));
  const short = await socksConnect(harness.port, harness.name, 80, login("short"));
  const end = async ({ conn }: { conn: Deno.TcpConn }, left: number): Promise<void> => {
    await conn.write(Uint8Array.of(1));
    await readToEnd(conn);
    conn.close();
    await until("it has ended", () => harness.proxy.connections === left);
  };
  await end(short, 1);
  await end(long, 0);
  const creations = (): number => harness.bridge.lines.filter((line) => line.startsWith("SESSION CREATE")).length;
  await end(await socksConnect(harness.port, harness.name, 80, login("third")), 0);
  const before = creations();
  await end(await socksConnect(harness.port, harness.name, 80, login("long")), 0);
  assertEquals(creations(), before, "the one that was used last was closed");
});

Deno.test("A group's identity is closed when it has had no client for a while, and not before", async () => {
  await using harness = await startHarness({ settings: { isolation: ["auth"], timeouts: { identityIdle: 150 } } });
  const { conn } = await socksConnect(harness.port, harness.name, 80, login("a"));
  await delay(300);
  assertEquals(harness.bridge.sessions.length, 3, "it was closed under its client");
  conn.close();
  await using others = await startCallers({ isolation: ["auth"], timeouts: { identityIdle: 1_500 } });
  const a = await seen(others, login("a"));
  assertEquals(await seen(others, login("a")), a);
  await until("it is closed", () => others.bridge.sessions.length === 2);
  assertNotEquals(await seen(others, login("a")), a);
});

Deno.test("A group whose session cannot be made refuses its clients, and tries again for the next", async () => {
  let refuse = false;
  await using harness = await startHarness({
    bridge: {
      intercept: async (line, socket) => {
        if (!refuse || !line.startsWith("SESSION CREATE")) return false;
        await socket.write('SESSION STATUS RESULT=I2P_ERROR MESSAGE="session limit exceeded"\n');
        socket.close();
        return true;
      },
    },
    settings: { isolation: ["auth"] },
  });
  refuse = true;
  const replies = await Promise.all([1, 2].map(() => socksConnect(harness.port, harness.name, 80, login("a"))));
  assertEquals(replies.map(({ reply }) => reply.code), [3, 3]);
  replies.forEach(({ conn }) => conn.close());
  assert(harness.log.some((line) => line.includes("session limit exceeded")));
  refuse = false;
  const { reply, conn } = await socksConnect(harness.port, harness.name, 80, login("a"));
  conn.close();
  assertEquals(reply.code, 0);
});

Deno.test("Sessions of groups without clients are not rebuilt when the router forgets them", async () => {
  await using harness = await startCallers({ isolation: ["auth"] });
  await seen(harness, login("a"));
  await until("its client has ended", () => harness.proxy.connections === 0);
  harness.bridge.dropSessions();
  await until("the base identity is back", () => harness.bridge.sessions.length === 1);
  await delay(400);
  assertEquals(harness.bridge.sessions.length, 1);
});

Deno.test("With logins, only those that are listed may connect, and each has an identity of its own", async (t) => {
  const { book } = await LoginBook.parse(
    `alice:${await hashPassword("secret", 10)}\nbob:${await hashPassword("p:w", 10)}\n`,
  );
  await using harness = await startCallers({ isolation: ["auth"] }, { logins: book });
  await t.step("right", async () => {
    const alice = await seen(harness, login("alice", "secret"));
    assert(alice.endsWith(".b32.i2p"));
    assertNotEquals(await seen(harness, login("bob", "p:w")), alice);
    assertEquals(await seen(harness, login("alice", "secret")), alice);
  });
  for (
    const [user, password] of [["alice", "wrong"], ["alice", ""], ["nobody", "secret"], ["", ""], [
      "bob",
      "secret",
    ]] as const
  ) {
    await t.step(`wrong: ${user}/${password}`, async () => {
      assertEquals(await loginStatus(harness.port, user, password), [5, 2, 1, 1]);
    });
  }
  await t.step("none, or SOCKS4", async () => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
    await conn.write(encodeGreeting([0]));
    assertEquals([...await readToEnd(conn)], [5, 0xff]);
    assertEquals(await seen(harness, { version: 4, ...login("alice") }), "refused 93");
  });
  await t.step("the log has no password, and wrong logins are answered later and later", async () => {
    assert(
      !harness.log.some((line) => /secret|wrong|p:w/.test(line.replaceAll("password is wrong", ""))),
      harness.log.join("\n"),
    );
    const since = performance.now();
    await loginStatus(harness.port, "alice", "again");
    const wrong = performance.now() - since;
    assert(wrong > 1_000);
    const right = performance.now();
    await seen(harness, login("alice", "secret"));
    assert(performance.now() - right < wrong, "a right login was delayed");
  });
});

Deno.test("Wrong logins whose clients have left cost neither time nor places", async () => {
  const { book } = await LoginBook.parse(`alice:${await hashPassword("secret", 100_000)}\n`);
  await using harness = await startHarness({ logins: book, settings: { timeouts: { handshake: 500 } } });
  const message = concat(encodeGreeting([2]), encodeLogin("alice", "wrong"));
  for (let i = 0; i < 50; i++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
    await conn.write(message);
    conn.close();
  }
  await until("they end with the handshake timeout", () => harness.proxy.connections === 0);
  const { reply, conn } = await socksConnect(harness.port, harness.name, 80, login("alice", "secret"));
  conn.close();
  assertEquals(reply.code, 0);
});

/** Everything that the proxy says to a login. */
async function loginStatus(port: number, user: string, password: string): Promise<number[]> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(encodeGreeting([0, 2]));
  const bytes = new TextEncoder();
  await conn.write(Uint8Array.of(1, user.length, ...bytes.encode(user), password.length, ...bytes.encode(password)));
  return [...await readToEnd(conn)];
}
