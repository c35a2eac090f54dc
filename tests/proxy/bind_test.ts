import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { parseAddressRange } from "../../lib/config/address_range.ts";
import { parseRule } from "../../lib/config/rule.ts";
import { MAPPING_EXPIRY } from "../../lib/proxy/name_map.ts";
import { HELD_CALLER } from "../../lib/proxy/pending_accept.ts";
import { decode as text, encode as bytes } from "../support/bytes.ts";
import { Clock } from "../support/clock.ts";
import { startCaller } from "../clients/callers.ts";
import { type Harness, startHarness } from "../support/harness.ts";
import { BindClient } from "../clients/socks_bind.ts";
import { readToEnd, writeAll } from "../clients/socks_client.ts";
import { resolveName } from "../clients/socks_resolve.ts";
import { delay, until } from "../support/wait.ts";

/** The address of the base identity. */
function own(harness: Harness): string {
  return harness.identity.status.session?.address ?? "";
}

for (const manners of ["i2pd", "java"] as const) {
  for (const version of [5, 4] as const) {
    Deno.test(`${manners}: SOCKS${version} BIND: two replies to the byte, then both ways, then the end`, async () => {
      await using harness = await startHarness({ bridge: { manners }, settings: { bind: true } });
      await using caller = await startCaller(harness.bridge.port);
      using client = await BindClient.ask(harness.port, { version, port: 0x1234 });
      const expected = (b32: string): Uint8Array =>
        version === 4
          ? Uint8Array.of(0, 0x5a, 0x12, 0x34, 0, 0, 0, 0)
          : Uint8Array.of(5, 0, 0, 3, 60, ...bytes(b32), 0x12, 0x34);
      const length = version === 4 ? 8 : 67;
      assertEquals(await client.take(length), expected(own(harness)));
      assertEquals(harness.proxy.waiting, 1);
      const { conn } = await caller.call(own(harness));
      assertEquals(await client.take(length), expected(caller.b32));
      assertEquals(harness.proxy.waiting, 0);
      await writeAll(conn, bytes("from the caller"));
      assertEquals(text(await client.take(15)), "from the caller");
      await writeAll(client.conn, bytes("from the client"));
      await client.conn.closeWrite();
      assertEquals(text(await readToEnd(conn)), "from the client", "the client's end ends the stream");
      assertEquals(await client.rest(), "");
      await until("it is over", () => harness.proxy.connections === 0 && harness.streams() === 0);
      assertEquals(harness.counters.get("bind-waiting"), 1);
      assertEquals(harness.counters.get("bind-connected"), 1);
    });
  }
}

Deno.test("BIND is refused where it is not enabled, and other commands are in any case", async () => {
  for (const bind of [false, true]) {
    await using harness = await startHarness({ settings: { bind } });
    assertEquals(harness.proxy.waiting, bind ? 0 : undefined);
    for (const version of [5, 4] as const) {
      using client = await BindClient.ask(harness.port, { version });
      const refused = version === 5 ? "05 07 00 01 00 00 00 00 00 00" : "00 5b 00 00 00 00 00 00";
      const wanted = !bind ? refused : version === 5 ? "05 00 00 03" : "00 5a";
      const length = wanted.split(" ").length;
      assertEquals([...await client.take(length)].map((b) => b.toString(16).padStart(2, "0")).join(" "), wanted);
    }
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
    await writeAll(conn, Uint8Array.of(5, 1, 0, 5, 3, 0, 1, 0, 0, 0, 0, 0, 0));
    assertEquals((await readToEnd(conn))[3], 7, "UDP ASSOCIATE");
    conn.close();
  }
});

Deno.test("one client at a time waits on an identity: the next one is refused until it does not, and others wait too", async () => {
  const isolation = ["auth"] as const;
  await using harness = await startHarness({ settings: { bind: true, isolation } });
  using first = await BindClient.ask(harness.port, {});
  assertEquals((await first.reply()).code, 0);
  for (const version of [5, 4] as const) {
    using second = await BindClient.ask(harness.port, { version });
    assertEquals((await second.reply()).code, version === 5 ? 7 : 0x5b);
  }
  using other = await BindClient.ask(harness.port, { login: { user: "other", password: "" } });
  assertEquals((await other.reply()).code, 0);
  assertEquals(harness.proxy.waiting, 2);
  first.conn.close();
  await until("it has gone", () => harness.proxy.connections === 1);
  using third = await BindClient.ask(harness.port, {});
  assertEquals((await third.reply()).code, 0);
  assertStringIncludes(harness.log.join("\n"), "Another client waits on this identity");
});

Deno.test("a client that names its caller gets no other one, by address, by name and by the user's own hosts", async () => {
  const hosts = new Map<string, string>();
  await using harness = await startHarness({ hosts, settings: { bind: true } });
  await using wanted = await startCaller(harness.bridge.port);
  await using other = await startCaller(harness.bridge.port);
  hosts.set("friend.i2p", wanted.b32);
  for (const host of [wanted.b32, wanted.b32.toUpperCase().replace(".B32.I2P", ".b32.i2p"), "friend.i2p"]) {
    using client = await BindClient.ask(harness.port, { host });
    await client.reply();
    assertEquals(await other.ask(own(harness), "x"), "", "closed at once");
    const { conn } = await wanted.call(own(harness));
    assertEquals((await client.reply()).host, wanted.b32);
    await writeAll(conn, bytes("y"));
    assertEquals(text(await client.take(1)), "y");
  }
  assertEquals(harness.counters.get("bind-denied"), 3);
  // The address book of the router has the service, which does not call.
  using client = await BindClient.ask(harness.port, { host: harness.name });
  await client.reply();
  assertEquals(await other.ask(own(harness), "x"), "");
});

Deno.test("a client may name its caller by an address that stands for a name, and is told that address", async () => {
  const isolation = ["auth"] as const;
  const policy = { deny: [parseRule("enemy.i2p:99")] };
  const mapNames = parseAddressRange("127.192.0.0/10");
  const hosts = new Map<string, string>();
  await using harness = await startHarness({ hosts, settings: { bind: true, isolation, mapNames, policy } });
  await using friend = await startCaller(harness.bridge.port);
  await using other = await startCaller(harness.bridge.port);
  hosts.set("friend.i2p", friend.b32);
  const ip = await resolveName(harness.port, "friend.i2p");
  const cases = [[5, ip.join("."), 1], [5, `0:0:0:0:0:ffff:${pairs(ip)}`, 1], [4, ip.join("."), undefined]] as const;
  for (const [version, host, type] of cases) {
    using client = await BindClient.ask(harness.port, { version, host, port: 0x1234 });
    await client.reply();
    assertEquals(await other.ask(own(harness), "x"), "", "closed at once");
    const { conn } = await friend.call(own(harness));
    const told = version === 5 ? [5, 0, 0, type, ...ip, 0x12, 0x34] : [0, 0x5a, 0x12, 0x34, ...ip];
    assertEquals([...await client.take(told.length)], told);
    await writeAll(conn, bytes("y"));
    assertEquals(text(await client.take(1)), "y");
  }
  assertEquals(harness.counters.get("bind-denied"), cases.length);
  await until("they have gone", () => harness.proxy.connections === 0);
  // Free addresses of the range, those of others, and names that rules forbid, as with CONNECT.
  const alice = await resolveName(harness.port, "friend.i2p", "alice");
  const enemy = await resolveName(harness.port, "enemy.i2p");
  for (
    const [host, port, code] of [["127.192.0.0", 1, 4], [alice.join("."), 1, 4], [enemy.join("."), 99, 2]] as const
  ) {
    using client = await BindClient.ask(harness.port, { host, port });
    assertEquals((await client.reply()).code, code, host);
  }
  assertEquals(harness.counters.get("refused-address-unmapped"), 2);
  assertStringIncludes(harness.log.join("\n"), "destination=enemy.i2p:99", "the log tells of it by its name");
});

Deno.test("an address stands for its name as long as a client waits for its caller", async () => {
  const mapNames = parseAddressRange("127.192.0.0/10");
  const timeouts = { connect: 100_000_000 };
  const hosts = new Map<string, string>();
  await using harness = await startHarness({ hosts, settings: { bind: true, mapNames, timeouts } });
  await using friend = await startCaller(harness.bridge.port);
  hosts.set("friend.i2p", friend.b32);
  const ip = await resolveName(harness.port, "friend.i2p");
  using clock = new Clock();
  using client = await BindClient.ask(harness.port, { host: ip.join(".") });
  await client.reply();
  await clock.jump(2 * MAPPING_EXPIRY);
  assertEquals(await resolveName(harness.port, "friend.i2p"), ip);
  client.conn.close();
  await clock.until("it is forgotten", () => harness.proxy.connections === 0);
  await clock.jump(MAPPING_EXPIRY);
  assertNotEquals(await resolveName(harness.port, "friend.i2p"), ip);
});

/** An IPv4 address as two groups of hex. */
function pairs([a = 0, b = 0, c = 0, d = 0]: Uint8Array): string {
  return `${(a << 8 | b).toString(16)}:${(c << 8 | d).toString(16)}`;
}

Deno.test("a client that names nobody in I2P is refused as with CONNECT", async () => {
  const policy = { deny: [parseRule("enemy.i2p")] };
  await using harness = await startHarness({ settings: { bind: true, policy } });
  for (const [host, code] of [["example.org", 2], ["10.0.0.1", 8], ["nobody.i2p", 4], ["enemy.i2p", 2]] as const) {
    using client = await BindClient.ask(harness.port, { host });
    assertEquals((await client.reply()).code, code, host);
  }
});

Deno.test("--allow-caller and --deny-caller hold for clients that wait, too", async () => {
  const callers = { allow: [] as string[], deny: [] as string[] };
  await using harness = await startHarness({ settings: { bind: true, policy: { callers } } });
  await using friend = await startCaller(harness.bridge.port);
  await using enemy = await startCaller(harness.bridge.port);
  callers.deny.push(enemy.b32);
  using client = await BindClient.ask(harness.port);
  await client.reply();
  assertEquals(await enemy.ask(own(harness), "x"), "");
  await friend.call(own(harness));
  assertEquals((await client.reply()).host, friend.b32);
});

Deno.test("a login waits on its own identity, and beside --forward only a login can", async () => {
  const forward = { rules: [], header: false, maxInbound: 1, maxPerCaller: 1, idleTimeout: 0 };
  await using harness = await startHarness({
    settings: { bind: true, isolation: ["auth"], forward },
  });
  await using caller = await startCaller(harness.bridge.port);
  using base = await BindClient.ask(harness.port);
  assertEquals((await base.reply()).code, 7);
  assertStringIncludes(harness.log.join("\n"), "BIND would take callers of --forward");
  for (const version of [5, 4] as const) {
    using client = await BindClient.ask(harness.port, { version, login: { user: "alice", password: "" } });
    await client.reply();
    const b32 = harness.proxy.identities[1]?.session?.address ?? "";
    assertMatch(b32, /^[a-z2-7]{52}\.b32\.i2p$/);
    assert(b32 !== own(harness));
    await caller.call(b32);
    assertEquals((await client.reply()).code, version === 5 ? 0 : 0x5a);
  }
});

Deno.test("nobody calls in time: the second reply says so", async () => {
  await using harness = await startHarness({ settings: { bind: true, timeouts: { connect: 200 } } });
  for (const version of [5, 4] as const) {
    using client = await BindClient.ask(harness.port, { version });
    await client.reply();
    assertEquals((await client.reply()).code, version === 5 ? 6 : 0x5b);
  }
  assertEquals(harness.counters.get("refused-timed-out"), 2);
});

for (const manners of ["i2pd 2.58", "java 0.9.47", "java 2.8"] as const) {
  Deno.test(`clients that give up leave their wait to the next one, and no caller falls into it, ${manners}`, async () => {
    await using harness = await startHarness({ bridge: { manners }, settings: { bind: true } });
    await using caller = await startCaller(harness.bridge.port);
    const accepts = (): number => harness.bridge.lines.filter((line) => line.startsWith("STREAM ACCEPT")).length;
    for (let i = 1; i <= 4; i++) {
      const client = await BindClient.ask(harness.port);
      assertEquals((await client.reply()).code, 0);
      client[Symbol.dispose]();
      await until("it has gone", () => harness.proxy.connections === 0);
      assertEquals([accepts(), harness.counters.get("refused-client-closed")], [1, i]);
    }
    using client = await BindClient.ask(harness.port);
    await client.reply();
    const { conn } = await caller.call(own(harness));
    assertEquals((await client.reply()).host, caller.b32);
    await writeAll(conn, bytes("hello"));
    assertEquals(text(await client.take(5)), "hello");
    assertEquals(accepts(), 1);
  });

  Deno.test(`a caller who comes while nobody waits is held for the next client, or let go, ${manners}`, async () => {
    await using harness = await startHarness({ bridge: { manners }, settings: { bind: true } });
    await using caller = await startCaller(harness.bridge.port);
    const giveUp = async (): Promise<void> => {
      const client = await BindClient.ask(harness.port);
      await client.reply();
      client[Symbol.dispose]();
      await until("it has gone", () => harness.proxy.connections === 0);
    };
    await giveUp();
    const held = await caller.call(own(harness));
    await writeAll(held.conn, bytes("early"));
    using client = await BindClient.ask(harness.port);
    await client.reply();
    assertEquals((await client.reply()).host, caller.b32);
    assertEquals(text(await client.take(5)), "early");
    client.conn.close();
    await until("it has gone", () => harness.proxy.connections === 0);

    await giveUp();
    const unwanted = await caller.call(own(harness));
    let isOver = false;
    const over = readToEnd(unwanted.conn).then(() => isOver = true);
    using clock = new Clock();
    await until("it is let go", async () => {
      await clock.skip(HELD_CALLER / 20);
      return isOver;
    });
    await over;
    using next = await BindClient.ask(harness.port);
    await next.reply();
    await caller.call(own(harness));
    assertEquals((await next.reply()).host, caller.b32);
  });
}

Deno.test("what waits on a session with datagrams leave behind in the router is told, once a session", async () => {
  await using harness = await startHarness({ bridge: { manners: "java" }, udp: true, settings: { bind: true } });
  for (let i = 0; i < 2; i++) {
    using client = await BindClient.ask(harness.port);
    await client.reply();
    client.conn.close();
    await until("it has gone", () => harness.proxy.connections === 0);
  }
  assertEquals(harness.log.filter((line) => line.includes("may keep a thread and a socket")).length, 1);
});

Deno.test("a wait that nobody takes part in ends with its session", async () => {
  await using harness = await startHarness({ settings: { bind: true } });
  const client = await BindClient.ask(harness.port);
  await client.reply();
  client[Symbol.dispose]();
  await until("it has gone", () => harness.proxy.connections === 0);
  assertEquals(harness.streams(), 1);
  harness.dropSessions();
  await until("the wait has ended", () => harness.streams() <= 0);
  await until("there is another session", () => harness.identity.status.state === "ready");
  using next = await BindClient.ask(harness.port);
  assertEquals((await next.reply()).host, own(harness));
});

/** What a bridge answers to STREAM ACCEPT, and the reply to a client of SOCKS5; after a first one where told. */
const FAULTS: readonly [string, string, number, boolean][] = [
  ["closes", "", 1, false],
  ["refuses", "STREAM STATUS RESULT=I2P_ERROR MESSAGE=no\n", 1, false],
  ["is old, and another one waits", "STREAM STATUS RESULT=ALREADY_ACCEPTING\n", 1, false],
  ["has forgotten the session", "STREAM STATUS RESULT=INVALID_ID\n", 3, false],
  ["speaks something else", "HTTP/1.1 400 Bad Request\n", 1, false],
  ["fails after OK", "STREAM STATUS RESULT=OK\nSTREAM STATUS RESULT=I2P_ERROR MESSAGE=no\n", 1, true],
  ["closes after OK, again and again", "STREAM STATUS RESULT=OK\n", 6, true],
  ["names no caller", "STREAM STATUS RESULT=OK\nnobody\n", 1, true],
];

for (const [what, answer, code, isWaiting] of FAULTS) {
  Deno.test(`BIND: a bridge that ${what}`, async () => {
    await using harness = await startHarness({
      settings: { bind: true, timeouts: { connect: 500 } },
      bridge: {
        intercept: async (line, socket) => {
          if (!line.startsWith("STREAM ACCEPT")) return false;
          await socket.write(answer);
          await delay(20);
          socket.close();
          return true;
        },
      },
    });
    using client = await BindClient.ask(harness.port);
    if (isWaiting) assertEquals((await client.reply()).code, 0);
    assertEquals((await client.reply()).code, code);
    assertEquals(await client.rest(), "");
    client.conn.close();
    await until("nothing is left", () => harness.proxy.connections === 0 && harness.streams() <= 0);
  });
}

Deno.test("a client whose time is over while the router is asked again is told that nobody has called", async () => {
  let asked = 0;
  await using harness = await startHarness({
    settings: { bind: true, timeouts: { connect: 500 } },
    bridge: {
      intercept: async (line, socket) => {
        if (line.startsWith("HELLO")) return asked > 0;
        if (!line.startsWith("STREAM ACCEPT")) return false;
        asked++;
        await socket.write("STREAM STATUS RESULT=OK\n");
        socket.close();
        return true;
      },
    },
  });
  using client = await BindClient.ask(harness.port);
  assertEquals((await client.reply()).code, 0);
  assertEquals((await client.reply()).code, 6);
  assertEquals(asked, 1);
});

Deno.test("a client goes on waiting where the router closes a socket that waited, as i2pd does", async () => {
  let left = 2;
  await using harness = await startHarness({
    settings: { bind: true },
    bridge: {
      intercept: async (line, socket) => {
        if (!line.startsWith("STREAM ACCEPT") || left-- <= 0) return false;
        await socket.write("STREAM STATUS RESULT=OK\n");
        await delay(20);
        socket.close();
        return true;
      },
    },
  });
  await using caller = await startCaller(harness.bridge.port);
  using client = await BindClient.ask(harness.port);
  await client.reply();
  await until("it waits again", () => left < 0);
  await caller.call(own(harness));
  assertEquals((await client.reply()).host, caller.b32, "the first reply was not repeated");
});

Deno.test("a session that is lost while a client waits ends the wait", async () => {
  await using harness = await startHarness({ settings: { bind: true } });
  using client = await BindClient.ask(harness.port);
  await client.reply();
  harness.dropSessions();
  assertEquals((await client.reply()).code, 3);
});
