import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { encodeHex } from "@std/encoding/hex";
import { parseAddressRange } from "../../lib/config/address_range.ts";
import { LoginBook } from "../../lib/config/login_book.ts";
import { parseRule } from "../../lib/config/rule.ts";
import { formatIp, ipBytes } from "../../lib/i2p/ip_address.ts";
import { MAPPING_EXPIRY } from "../../lib/proxy/name_map.ts";
import { bytesOf, concat } from "../support/bytes.ts";
import { Clock } from "../support/clock.ts";
import { type Harness, type HarnessOptions, type SomeSettings, startHarness } from "../support/harness.ts";
import { readToEnd, type SocksClientOptions, socksConnect, writeAll } from "../clients/socks_client.ts";
import { encodeGreeting, encodeLogin, encodeRequest4, encodeRequest5 } from "../clients/socks_wire.ts";

const [RESOLVE, RESOLVE_PTR] = [0xf0, 0xf1];
const RANGE = "198.18.0.0/15";

/** What the log says where an application resolves names itself. */
const DNS_LEAK = /leak=dns/;

/** How a test asks for an address. */
interface Asking {
  /** @default {5} */
  version?: 4 | 5;
  /** Login of SOCKS5, or the user id of SOCKS4. */
  user?: string | undefined;
  /** @default {0} */
  port?: number;
  /** Port of the proxy. @default {the harness's} */
  at?: number;
}

function start(settings: SomeSettings = {}, rest: HarnessOptions = {}, range = RANGE): Promise<Harness> {
  return startHarness({ ...rest, settings: { mapNames: parseAddressRange(range), ...settings } });
}

Deno.test("RESOLVE and RESOLVE_PTR are answered with the bytes that Tor's clients read", async () => {
  await using harness = await start();
  const answer = await exchange(harness, RESOLVE, "service.i2p");
  assertMatch(encodeHex(answer), /^05000001c61[23].{4}0000$/);
  const ip = answer.slice(4, 8);
  const name = [...bytesOf("service.i2p")];
  const v4 = [0, 0x5a, 0, 0, ...ip];
  const v5 = [5, 0, 0, 1, ...ip, 0, 0];
  const table: readonly [string, readonly number[], readonly number[]][] = [
    ["SOCKS5 RESOLVE", [5, 1, 0, 5, 0xf0, 0, 3, 11, ...name, 0, 0], [5, 0, ...v5]],
    ["its port is of no matter", [5, 1, 0, 5, 0xf0, 0, 3, 11, ...name, 0xff, 0xff], [5, 0, ...v5]],
    ["of upper case", [5, 1, 0, 5, 0xf0, 0, 3, 12, ...bytesOf("SERVICE.I2P."), 0, 0], [5, 0, ...v5]],
    ["of the address itself", [5, 1, 0, 5, 0xf0, 0, 1, ...ip, 0, 0], [5, 0, ...v5]],
    ["of the address as text", [5, 1, 0, 5, 0xf0, 0, 3, ...counted(formatIp(ip)), 0, 0], [5, 0, ...v5]],
    ["SOCKS4a RESOLVE", [4, 0xf0, 0, 0, 0, 0, 0, 1, 0, ...name, 0], v4],
    ["SOCKS4 RESOLVE of the address", [4, 0xf0, 0, 0, ...ip, 0], v4],
    ["RESOLVE_PTR", [5, 1, 0, 5, 0xf1, 0, 1, ...ip, 0, 0], [5, 0, 5, 0, 0, 3, 11, ...name, 0, 0]],
    ["RESOLVE_PTR of a text", [5, 1, 0, 5, 0xf1, 0, 3, ...counted(formatIp(ip)), 0, 0], [
      5,
      0,
      5,
      0,
      0,
      3,
      11,
      ...name,
      0,
      0,
    ]],
    ["RESOLVE_PTR of IPv4 in IPv6", [5, 1, 0, 5, 0xf1, 0, 4, ...new Uint8Array(10), 255, 255, ...ip, 0, 0], [
      ...[5, 0, 5, 0, 0, 3, 11, ...name, 0, 0],
    ]],
    ["RESOLVE of nothing that has a name", [5, 1, 0, 5, 0xf0, 0, 1, 198, 18, 0, 0, 0, 0], [5, 0, ...refused5(4)]],
    ["RESOLVE of another address", [5, 1, 0, 5, 0xf0, 0, 1, 192, 0, 2, 1, 0, 0], [5, 0, ...refused5(8)]],
    ["RESOLVE of the clearnet", [5, 1, 0, 5, 0xf0, 0, 3, ...counted("example.com"), 0, 0], [5, 0, ...refused5(2)]],
    ["RESOLVE of no possible name", [5, 1, 0, 5, 0xf0, 0, 3, ...counted("a_b.i2p"), 0, 0], [5, 0, ...refused5(4)]],
    ["SOCKS4a RESOLVE of the clearnet", [4, 0xf0, 0, 0, 0, 0, 0, 1, 0, ...bytesOf("example.com"), 0], refused4()],
    ["RESOLVE_PTR of a free address", [5, 1, 0, 5, 0xf1, 0, 1, 198, 18, 0, 0, 0, 0], [5, 0, ...refused5(4)]],
    ["RESOLVE_PTR of another address", [5, 1, 0, 5, 0xf1, 0, 1, 8, 8, 8, 8, 0, 0], [5, 0, ...refused5(4)]],
    ["RESOLVE_PTR of a name", [5, 1, 0, 5, 0xf1, 0, 3, 11, ...name, 0, 0], [5, 0, ...refused5(8)]],
    ["SOCKS4 RESOLVE_PTR", [4, 0xf1, 0, 0, ...ip, 0], refused4()],
    ["BIND", [5, 1, 0, 5, 2, 0, 3, 11, ...name, 0, 80], [5, 0, ...refused5(7)]],
    ["the command behind them", [5, 1, 0, 5, 0xf2, 0, 3, 11, ...name, 0, 80], [5, 0, ...refused5(7)]],
  ];
  for (const [what, sent, expected] of table) {
    assertEquals(encodeHex(await talk(harness.port, sent)), encodeHex(Uint8Array.from(expected)), what);
  }
  assertEquals(harness.counters.get("resolved"), 1 + 10);
  const refusals = Object.entries(harness.counters.all()).filter(([reason]) => reason.startsWith("refused-"));
  assertEquals(Object.fromEntries(refusals), {
    "refused-address-type": 1,
    "refused-address-unmapped": 3,
    "refused-clearnet": 2,
    "refused-command": 3,
    "refused-ip": 1,
    "refused-malformed-address": 1,
  });
  assertEquals(harness.sent("STREAM CONNECT", "DESTINATION"), [], "the router is not asked");
  assert(!harness.bridge.lines.some((line) => line.startsWith("NAMING")));
});

Deno.test("without --map-names both are refused as any other command", async () => {
  await using harness = await startHarness();
  for (const command of [RESOLVE, RESOLVE_PTR]) {
    for (const [version, expected] of [[5, refused5(7)], [4, refused4()]] as const) {
      assertEquals([...await exchange(harness, command, "service.i2p", { version })], expected);
      assertEquals([...await exchange(harness, command, "198.18.0.1", { version })], expected);
    }
  }
  assertEquals([harness.counters.get("refused-command"), harness.counters.get("resolved")], [8, 0]);
  for (const address of ["198.18.0.1", "198.18.0.2"]) assertEquals(await codeOf(harness, address), 8);
  assertMatch(harness.log.join("\n"), DNS_LEAK);
});

Deno.test("a connection to the address goes to the name, with each version and each way to write it", async () => {
  await using harness = await start();
  const ip = await addressOf(harness, "service.i2p");
  for (const [host, version] of [[ip, 5], [ip, 4], [`0:0:0:0:0:ffff:${hexPairs(ip)}`, 5]] as const) {
    const { reply, conn, early } = await socksConnect(harness.port, host, 80, { version });
    using _conn = conn;
    assertEquals(reply.code, version === 4 ? 0x5a : 0, host);
    await writeAll(conn, bytesOf("echo"));
    const buffer = new Uint8Array(16);
    const count = early.length > 0 ? 0 : await conn.read(buffer) ?? 0;
    assertEquals(concat(early, buffer.subarray(0, count)), bytesOf("echo"));
  }
  assertEquals(harness.sent("STREAM CONNECT", "DESTINATION"), Array(3).fill("service.i2p"));
  assertEquals(await codeOf(harness, "198.18.0.0"), 4);
  assertEquals(await codeOf(harness, "198.18.0.0", { version: 4 }), 0x5b);
  assertEquals(harness.counters.get("refused-address-unmapped"), 2);
  // It has asked, so it is no leak; other addresses still are one.
  assert(!DNS_LEAK.test(harness.log.join("\n")));
  for (const address of ["192.0.2.1", "192.0.2.2"]) assertEquals(await codeOf(harness, address), 8);
  assertMatch(harness.log.join("\n"), DNS_LEAK);
});

Deno.test("an address stands for its name while a stream is open to it, and for an hour after", async () => {
  await using harness = await start({}, { service: waitForEnd });
  using clock = new Clock();
  const ip = await addressOf(harness, "service.i2p");
  const { reply, conn } = await socksConnect(harness.port, ip, 80);
  assertEquals(reply.code, 0);
  await clock.jump(2 * MAPPING_EXPIRY);
  assertEquals(await addressOf(harness, "service.i2p"), ip);
  await clock.jump(2 * MAPPING_EXPIRY);
  await writeAll(conn, bytesOf("end"));
  await readToEnd(conn);
  conn.close();
  await clock.until("the stream has ended", () => harness.proxy.streams === 0);
  await clock.jump(MAPPING_EXPIRY - 60_000);
  assertEquals([...(await exchange(harness, RESOLVE_PTR, ip)).slice(0, 2)], [5, 0]);
  await clock.jump(MAPPING_EXPIRY);
  assertEquals([...await exchange(harness, RESOLVE_PTR, ip)], refused5(4));
  assertEquals(await codeOf(harness, ip), 4);
});

Deno.test("RESOLVE gives an address to a name that nobody has, and the connection tells the truth", async () => {
  await using harness = await start();
  const ip = await addressOf(harness, "nobody.i2p");
  assertEquals(await codeOf(harness, ip), 4);
  const told = harness.log.find((line) => line.includes("reason=name-unknown")) ?? "";
  assertStringIncludes(told, "destination=nobody.i2p:80", "the log tells of it by its name");
  assertEquals(harness.sent("STREAM CONNECT", "DESTINATION"), ["nobody.i2p"]);
});

Deno.test("RESOLVE does not wait for the router", async () => {
  await using harness = await start({}, { ready: false });
  assertEquals(await addressOf(harness, "service.i2p"), await addressOf(harness, "service.i2p"));
});

Deno.test("rules hold for the address as for the name: at the request for it where no port is left, else later", async () => {
  const policy = {
    allow: ["*.i2p:80", "*.i2p:25", "mail.i2p:110"].map(parseRule),
    deny: ["never.i2p", "never2.i2p:0-65535", "service.i2p:25", "half.i2p:0-80", "tail.i2p:81-65535"].map(parseRule),
  };
  await using harness = await start({ policy });
  for (const host of ["never.i2p", "NEVER.i2p", "never2.i2p"]) {
    assertEquals([...await exchange(harness, RESOLVE, host, { port: 80 })], refused5(2), host);
  }
  const ip = await addressOf(harness, "service.i2p");
  assertEquals(await codeOf(harness, ip), 0);
  assertEquals(await codeOf(harness, ip, { port: 25 }), 2);
  assertEquals(await codeOf(harness, ip, { port: 110 }), 2);
  assertEquals(await codeOf(harness, await addressOf(harness, "half.i2p")), 2);
  assertEquals(await codeOf(harness, await addressOf(harness, "tail.i2p")), 4, "nobody has it");
  assertEquals(harness.counters.get("refused-rule"), 6);
  await using narrow = await start({ policy: { allow: [parseRule("service.i2p:80")] } });
  await addressOf(narrow, "service.i2p");
  assertEquals([...await exchange(narrow, RESOLVE, "other.i2p")], refused5(2));
});

Deno.test("names of --hosts and GarliCat's addresses are asked for as they are connected to", async () => {
  const hosts = new Map<string, string>();
  await using harness = await start({}, { hosts });
  hosts.set("mine.i2p", harness.b32);
  hosts.set("aaaqaaqaamaaiaaf.oc.b32.i2p", harness.b32);
  assertEquals(await codeOf(harness, await addressOf(harness, "mine.i2p")), 0);
  assertEquals(await codeOf(harness, await addressOf(harness, "fd60:db4d:ddb5:1:2:3:4:5")), 0);
  assertEquals(harness.sent("STREAM CONNECT", "DESTINATION"), [harness.b32, harness.b32]);
  await using wide = await start({}, { hosts }, "fd00::/8");
  hosts.set("aaaqaaqaamaaiaaf.oc.b32.i2p", wide.b32);
  assertEquals(await codeOf(wide, "fd60:db4d:ddb5:1:2:3:4:5"), 0);
});

Deno.test("an address is of the login that asked for it, and leads nowhere for another", async () => {
  await using harness = await start({ isolation: ["auth"] });
  const ip = await addressOf(harness, "service.i2p", { user: "work" });
  for (const user of ["home", undefined]) {
    assertEquals(await codeOf(harness, ip, { user }), 4);
    assertEquals([...await exchange(harness, RESOLVE_PTR, ip, { user })], refused5(4));
    assertNotEquals(await addressOf(harness, "service.i2p", { user }), ip);
  }
  assertEquals(await codeOf(harness, ip, { user: "work" }), 0);
  // A user id of SOCKS4 is the same group as a user of that name without a password.
  const ip4 = await addressOf(harness, "service.i2p", { version: 4, user: "work" });
  assertEquals(await codeOf(harness, ip4, { version: 4, user: "work" }), 0x5a);
});

Deno.test("an address is of the client's address that asked for it with --isolate client", async () => {
  await using harness = await start({ isolation: ["client"] }, { addresses: ["127.0.0.2", "127.0.0.3"] });
  const [two, three] = [harness.ports["127.0.0.2"] ?? 0, harness.ports["127.0.0.3"] ?? 0];
  const ip = await addressOf(harness, "service.i2p", { at: two });
  assertEquals([await codeOf(harness, ip, { at: three }), await codeOf(harness, ip, { at: two })], [4, 0]);
  assertEquals(await codeOf(harness, ip), 4);
});

Deno.test("identities are chosen by the name and not by its address, whatever sets clients apart", async () => {
  for (const [flag, expected] of [["destination", 1], ["port", 1], ["stream", 2], [undefined, 0]] as const) {
    await using harness = await start({ isolation: flag === undefined ? [] : [flag] });
    const ip = await addressOf(harness, "service.i2p");
    assertEquals(harness.counters.get("identities"), 0, "the request for an address needs none");
    assertEquals(await codeOf(harness, ip), 0);
    assertEquals(await codeOf(harness, "service.i2p"), 0);
    assertEquals(harness.counters.get("identities"), expected, flag);
  }
});

Deno.test("where a login is needed, it is needed for addresses too", async () => {
  const { book } = await LoginBook.parse("me:secret");
  await using harness = await start({ isolation: ["auth"] }, { logins: book });
  assertEquals([...await talk(harness.port, concat(encodeGreeting([0]), request5("service.i2p")))], [5, 0xff]);
  const wrong = concat(encodeGreeting([2]), encodeLogin("me", "guess"), request5("service.i2p"));
  assertEquals([...await talk(harness.port, wrong)], [5, 2, 1, 1]);
  const right = concat(encodeGreeting([2]), encodeLogin("me", "secret"), request5("service.i2p"));
  assertEquals([...await talk(harness.port, right)].slice(0, 8), [5, 2, 1, 0, 5, 0, 0, 1]);
});

Deno.test("IPv6 ranges answer SOCKS5, and SOCKS4 is told that it has no such addresses", async () => {
  await using harness = await start({}, {}, "fd00::/8");
  const answer = await exchange(harness, RESOLVE, "service.i2p");
  assertMatch(encodeHex(answer), /^05000004fd.{30}0000$/);
  const ip = formatIp(answer.slice(4, 20));
  assertEquals(await codeOf(harness, ip), 0);
  assertEquals([...await exchange(harness, RESOLVE_PTR, ip)], [5, 0, 0, 3, ...counted("service.i2p"), 0, 0]);
  assertEquals([...await exchange(harness, RESOLVE, "service.i2p", { version: 4 })], refused4());
  assertStringIncludes(harness.log.join("\n"), "SOCKS4 has no IPv6 addresses");
});

Deno.test("requests for addresses count against the limit of clients", async () => {
  await using harness = await start({ limits: { connections: 1 } });
  const { conn } = await socksConnect(harness.port, "service.i2p", 80);
  using _conn = conn;
  assertEquals([...await exchange(harness, RESOLVE, "service.i2p")], refused5(1));
  assertEquals(harness.counters.get("refused-too-many"), 1);
});

Deno.test("a client that is gone before its answer is no error", async () => {
  await using harness = await start();
  for (let i = 0; i < 20; i++) {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
    await writeAll(conn, concat(encodeGreeting([0]), request5("service.i2p")));
    conn.close();
  }
  await addressOf(harness, "service.i2p");
  assertEquals(harness.counters.get("refused-internal"), 0);
});

/** A service that ends when it has heard something. */
async function waitForEnd(conn: Deno.TcpConn): Promise<void> {
  await conn.read(new Uint8Array(16));
}

function request5(host: string): Uint8Array {
  return encodeRequest5({ host, port: 0, command: RESOLVE });
}

function counted(text: string): number[] {
  return [text.length, ...bytesOf(text)];
}

function refused5(code: number): number[] {
  return [5, code, 0, 1, 0, 0, 0, 0, 0, 0];
}

function refused4(): number[] {
  return [0, 0x5b, 0, 0, 0, 0, 0, 0];
}

/** Sends bytes, and reads all that comes up to the end. */
async function talk(port: number, bytes: Iterable<number>): Promise<Uint8Array> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(conn, Uint8Array.from(bytes));
  return await readToEnd(conn);
}

/** The reply to a request, without what comes before it. */
async function exchange(
  harness: Harness,
  command: number,
  host: string,
  { version = 5, user, port = 0, at = harness.port }: Asking = {},
): Promise<Uint8Array> {
  if (version === 4) return await talk(at, encodeRequest4({ host, port, command, userId: user ?? "" }));
  const request = encodeRequest5({ host, port, command });
  if (user === undefined) return (await talk(at, concat(encodeGreeting([0]), request))).slice(2);
  return (await talk(at, concat(encodeGreeting([2]), encodeLogin(user, ""), request))).slice(4);
}

/** The address that a name is given. */
async function addressOf(harness: Harness, host: string, asking: Asking = {}): Promise<string> {
  const reply = await exchange(harness, RESOLVE, host, asking);
  assertEquals([...reply.slice(0, 2)], asking.version === 4 ? [0, 0x5a] : [5, 0], host);
  return formatIp(reply.slice(4, 8));
}

/** The code that a connection gets, which is closed. */
async function codeOf(
  harness: Harness,
  host: string,
  { version = 5, user, port = 80, at = harness.port }: Asking = {},
): Promise<number> {
  const options: SocksClientOptions = { version, ...(user !== undefined && { login: { user, password: "" } }) };
  const { reply, conn } = await socksConnect(at, host, port, options);
  conn.close();
  return reply.code;
}

/** An IPv4 address as two groups of hex. */
function hexPairs(ip: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = ipBytes(ip) ?? [];
  return `${(a << 8 | b).toString(16)}:${(c << 8 | d).toString(16)}`;
}
