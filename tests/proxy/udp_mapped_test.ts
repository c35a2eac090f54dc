import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { parseAddressRange } from "../../lib/config/address_range.ts";
import { parseRule } from "../../lib/config/rule.ts";
import { formatIp } from "../../lib/i2p/ip_address.ts";
import { MappingLeases, MAX_MAPPING_LEASES } from "../../lib/proxy/mapping_leases.ts";
import { MAPPING_EXPIRY, MAX_MAPPED_NAMES, NameMap } from "../../lib/proxy/name_map.ts";
import { bytesOf, concat } from "../support/bytes.ts";
import { Clock } from "../support/clock.ts";
import { pureTest } from "../support/pure.ts";
import { resolveName } from "../clients/socks_resolve.ts";
import { associate, encodeUdp } from "../clients/socks_udp.ts";
import { startUdpStage } from "./udp_stage.ts";
import { until } from "../support/wait.ts";

const mapNames = parseAddressRange("127.192.0.0/10");

/** A datagram behind its address, in bytes: FRAG is 0. */
function datagram(address: readonly number[], port: number, text: string): Uint8Array {
  return concat(Uint8Array.of(0, 0, 0, ...address, port >> 8, port & 0xff), bytesOf(text));
}

Deno.test("a datagram to an address that stands for a name goes to the name, and the answer comes from the address", async () => {
  await using stage = await startUdpStage({ settings: { mapNames } });
  const { harness, echo } = stage;
  const ip = await resolveName(harness.port, "udp.i2p");
  using client = await associate(harness.port);
  const text = bytesOf(formatIp(ip));
  const ways: readonly (readonly number[])[] = [
    [1, ...ip],
    [4, ...new Uint8Array(10), 255, 255, ...ip],
    [3, text.length, ...text],
    [1, ...ip],
  ];
  for (const [index, address] of ways.entries()) {
    const bytes = datagram(address, 53 + index, `by way ${index}`);
    await client.sendRaw(bytes);
    assertEquals(await client.receiveRaw(), bytes, `${address}`);
  }
  assertEquals(echo.received.map(({ text }) => text), ways.map((_, index) => `by way ${index}`));
  // It is the last one that counts: one client may have both.
  await client.send("udp.i2p", 1, "by name");
  assertEquals(await client.receive(), { host: echo.b32, port: 1, text: "by name" });
  await echo.send(echo.received[0]?.from ?? "", "by itself");
  assertEquals(await client.receive(), { host: echo.b32, port: 1, text: "by itself" });
  assertEquals(harness.bridge.lines.filter((line) => line === "NAMING LOOKUP NAME=udp.i2p").length, 1);
  assertEquals(harness.counters.get("udp-sent"), ways.length + 1);
});

Deno.test("an address of IPv6 that stands for a name is answered from as well, and so is one of GarliCat", async () => {
  const hosts = new Map<string, string>();
  await using stage = await startUdpStage({ hosts, settings: { mapNames: parseAddressRange("fd00::/16") } });
  const { harness, echo } = stage;
  hosts.set("aaaqaaqaamaaiaaf.oc.b32.i2p", echo.b32);
  const ip = await resolveName(harness.port, "udp.i2p");
  const garlicat = [0xfd, 0x60, 0xdb, 0x4d, 0xdd, 0xb5, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5];
  using client = await associate(harness.port);
  for (const address of [ip, garlicat]) {
    const bytes = datagram([4, ...address], 53, "six");
    await client.sendRaw(bytes);
    assertEquals(await client.receiveRaw(), bytes);
  }
});

Deno.test("an address that stands for nothing is dropped, counted, and explained once; without --map-names all are", async () => {
  await using stage = await startUdpStage({ settings: { mapNames } });
  const { harness, echo } = stage;
  const dropped = (reason: string): number => harness.counters.get(`udp-dropped-${reason}`);
  using client = await associate(harness.port);
  for (let i = 1; i <= 3; i++) {
    await client.send("127.192.0.0", 53, "x");
    await until("it is counted", () => dropped("address-unmapped") === i);
  }
  await client.send("127.0.0.1", 53, "x");
  await until("it is counted", () => dropped("ip") === 1);
  const told = harness.log.filter((line) => line.includes("reason=address-unmapped"));
  assertEquals(told.filter((line) => /info {2}.*hint=.*--map-names/.test(line)).length, 1, told.join(""));
  assertMatch(told[0] ?? "", /destination=127\.192\.0\.0:53\b/);
  assertEquals(echo.received, []);
  await using without = await startUdpStage();
  using plain = await associate(without.harness.port);
  await plain.send("127.192.0.0", 53, "x");
  await until("it is counted", () => without.harness.counters.get("udp-dropped-ip") === 1);
});

Deno.test("an address is of the login that asked for it, for datagrams too", async () => {
  await using stage = await startUdpStage({ settings: { mapNames, isolation: ["auth"] } });
  const { harness } = stage;
  const ip = await resolveName(harness.port, "udp.i2p", "alice");
  using alice = await associate(harness.port, { login: { user: "alice", password: "" } });
  using bob = await associate(harness.port, { login: { user: "bob", password: "" } });
  using plain = await associate(harness.port);
  for (const [index, client] of [bob, plain].entries()) {
    await client.send(formatIp(ip), 53, "x");
    await until("it is dropped", () => harness.counters.get("udp-dropped-address-unmapped") === index + 1);
  }
  const bytes = datagram([1, ...ip], 53, "mine");
  await alice.sendRaw(bytes);
  assertEquals(await alice.receiveRaw(), bytes);
});

Deno.test("rules are about the name behind an address, and the log tells of it by its name", async () => {
  const policy = { deny: [parseRule("udp.i2p:25")] };
  await using stage = await startUdpStage({ settings: { mapNames, policy } });
  const { harness } = stage;
  const ip = formatIp(await resolveName(harness.port, "udp.i2p"));
  const nobody = formatIp(await resolveName(harness.port, "nobody.i2p"));
  using client = await associate(harness.port);
  await client.send(ip, 25, "x");
  await until("it is dropped", () => harness.counters.get("udp-dropped-rule") === 1);
  await client.send(nobody, 53, "x");
  await until("it is dropped", () => harness.counters.get("udp-dropped-name-unknown") === 1);
  const told = harness.log.join("\n");
  assertMatch(told, /reason=rule hint=.* destination=udp\.i2p:25\b/);
  assertMatch(told, /reason=name-unknown .*destination=nobody\.i2p:53\b/);
});

Deno.test("an address stands for its name as long as the association that uses it, and for an hour after", async () => {
  await using stage = await startUdpStage({ settings: { mapNames } });
  const { harness } = stage;
  using clock = new Clock();
  const ip = await resolveName(harness.port, "udp.i2p");
  using client = await associate(harness.port);
  const bytes = datagram([1, ...ip], 53, "x");
  for (let i = 0; i < 2; i++) {
    await client.sendRaw(bytes);
    assertEquals(await client.receiveRaw(), bytes);
    await clock.jump(2 * MAPPING_EXPIRY);
  }
  assertEquals(await resolveName(harness.port, "udp.i2p"), ip);
  client.conn.close();
  await clock.until("the association has ended", () => harness.proxy.connections === 0);
  await clock.jump(MAPPING_EXPIRY - 60_000);
  assertEquals(await resolveName(harness.port, "udp.i2p"), ip);
  await clock.jump(MAPPING_EXPIRY);
  using next = await associate(harness.port);
  await next.sendRaw(encodeUdp(formatIp(ip), 53, "x"));
  await clock.until("it is dropped", () => harness.counters.get("udp-dropped-address-unmapped") === 1);
  assertNotEquals(await resolveName(harness.port, "udp.i2p"), ip);
});

pureTest(`an association keeps the last ${MAX_MAPPING_LEASES} addresses in use, and lets the others give way`, () => {
  const names = new NameMap(mapNames);
  const held = new MappingLeases(names, "");
  const address = (host: string): string => formatIp(names.addressOf("", host));
  const all = Array.from({ length: MAX_MAPPING_LEASES + 2 }, (_, i) => address(`${i}.i2p`));
  for (const ip of all.slice(0, MAX_MAPPING_LEASES)) held.nameOf(ip);
  assertEquals(held.nameOf(all[0] ?? ""), "0.i2p");
  for (const ip of all.slice(MAX_MAPPING_LEASES)) held.nameOf(ip);
  for (let i = 0; i < MAX_MAPPED_NAMES; i++) names.addressOf("", `more-${i}.i2p`);
  const left = all.filter((ip) => names.nameOf("", ip) !== undefined);
  assertEquals(left, all.filter((_, i) => i !== 1 && i !== 2));
  held.release();
  for (let i = 0; i < MAX_MAPPED_NAMES; i++) names.addressOf("", `most-${i}.i2p`);
  assertEquals(all.filter((ip) => names.nameOf("", ip) !== undefined), []);
});
