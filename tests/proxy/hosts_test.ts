import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Hosts, parseHosts } from "../../lib/config/hosts.ts";
import { parseRule } from "../../lib/config/rule.ts";
import { publishService } from "../sam_bridge/bridge.ts";
import { type Harness, type SomeSettings, startHarness } from "../support/harness.ts";
import { type SocksClientOptions, socksConnect } from "../clients/socks_client.ts";

/** An address of GarliCat and the name behind it. */
const GARLICAT = { ip: "fd60:db4d:ddb5:1:2:3:4:5", name: "aaaqaaqaamaaiaaf.oc.b32.i2p" };

/** A harness whose hosts file has been read from a text in which `SERVICE` is the service's base32 address. */
async function startWithHosts(text: string, policy: SomeSettings["policy"] = {}): Promise<Harness> {
  const hosts = new Map<string, string>();
  const harness = await startHarness({ hosts, settings: { policy } });
  const read: Hosts = await parseHosts(text.replaceAll("SERVICE", harness.b32));
  for (const [name, address] of read) hosts.set(name, address);
  return harness;
}

/** The reply to a client, which leaves. */
async function ask(harness: Harness, host: string, options: SocksClientOptions = {}): Promise<number> {
  const { reply, conn } = await socksConnect(harness.port, host, 80, options);
  conn.close();
  return reply.code;
}

Deno.test("a name of the file goes to its address, and the router is not asked for the name", async () => {
  await using harness = await startWithHosts("mine.i2p SERVICE\n");
  for (const version of [4, 5] as const) {
    for (const host of ["mine.i2p", "MINE.i2p.", "mine.i2p.alt"]) {
      assertEquals(await ask(harness, host, { version }), version === 4 ? 0x5a : 0, host);
    }
  }
  assertEquals(new Set(harness.sent("STREAM CONNECT", "DESTINATION")), new Set([harness.b32]));
  assert(!harness.bridge.lines.some((line) => line.includes("mine.i2p")));
});

Deno.test("a name of the file wins over the router's address book, and others are left to the book", async () => {
  await using harness = await startWithHosts(`service.i2p ${"a".repeat(52)}.b32.i2p\nmine.i2p SERVICE\n`);
  // A hash that nobody has: no lease set.
  assertEquals(await ask(harness, "service.i2p"), 4);
  assertEquals(harness.counters.get("refused-name-unknown"), 0);
  assertEquals(await ask(harness, "other.i2p"), 4);
  assertEquals(harness.counters.get("refused-name-unknown"), 1);
  assertEquals(await ask(harness, harness.b32), 0);
});

Deno.test("GarliCat's IPv6 address and its name reach the service that the file has under the name", async () => {
  await using harness = await startWithHosts(`${GARLICAT.name} SERVICE\n`);
  assertEquals(await ask(harness, GARLICAT.ip), 0);
  assertEquals(await ask(harness, GARLICAT.name), 0);
  assertEquals(await ask(harness, GARLICAT.name.toUpperCase(), { version: 4 }), 0x5a);
  // OnionCat leaves the second label out.
  assertEquals(await ask(harness, GARLICAT.name.replace(".oc.", "."), { version: 4 }), 0x5a);
  assertEquals(harness.sent("STREAM CONNECT", "DESTINATION"), Array(4).fill(harness.b32));
});

Deno.test("GarliCat's address goes to the router's address book where the file does not have it, Java I2P", async () => {
  // i2pd takes whatever ends with .b32.i2p for a hash, and never looks into its book.
  await using harness = await startHarness({ bridge: { manners: "java" } });
  await using service = await publishService(harness.bridge.port, harness.port);
  harness.bridge.setName(GARLICAT.name, service.destination);
  assertEquals(await ask(harness, GARLICAT.ip), 0);
  assertEquals(harness.sent("STREAM CONNECT", "DESTINATION"), [GARLICAT.name]);
});

Deno.test("an unknown GarliCat address is 0x04 with a line to add, any other IPv6 address 0x08", async () => {
  await using harness = await startWithHosts("mine.i2p SERVICE\n");
  for (const [host, version, code] of [[GARLICAT.ip, 5, 4], [GARLICAT.name, 5, 4], [GARLICAT.name, 4, 0x5b]] as const) {
    assertEquals(await ask(harness, host, { version }), code, host);
  }
  assertEquals(harness.counters.get("refused-garlicat-unknown"), 3);
  const told = harness.log.find((line) => line.includes("reason=garlicat-unknown")) ?? "";
  assertStringIncludes(told, "add a line to the --hosts file: NAME.oc.b32.i2p");
  for (const host of ["fd60:db4d:ddb6::1", "fd61:db4d:ddb5::1", "2001:db8::1", "::1"]) {
    assertEquals(await ask(harness, host), 8, host);
  }
  assertEquals([harness.counters.get("refused-garlicat-unknown"), harness.counters.get("refused-ip")], [3, 4]);
});

Deno.test("--allow and --deny see the name that was asked for, not the address behind it", async () => {
  const text = `mine.i2p SERVICE\nyours.i2p SERVICE\n${GARLICAT.name} SERVICE\n`;
  const allow = ["mine.i2p", "*.oc.b32.i2p"].map(parseRule);
  await using allowing = await startWithHosts(text, { allow });
  const codes = async (harness: Harness): Promise<number[]> =>
    await Promise.all(["mine.i2p", "yours.i2p", GARLICAT.ip, harness.b32].map((host) => ask(harness, host)));
  assertEquals(await codes(allowing), [0, 2, 0, 2]);
  const deny = ["mine.i2p", GARLICAT.name].map(parseRule);
  await using denying = await startWithHosts(text, { deny });
  assertEquals(await codes(denying), [2, 0, 2, 0]);
});
