import { assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { parseAddressRange } from "../../lib/config/address_range.ts";
import type { IsolationFlag } from "../../lib/config/choices.ts";
import { formatIp } from "../../lib/i2p/ip_address.ts";
import { Refusal } from "../../lib/reasons/refusal.ts";
import { MAPPING_EXPIRY, MAX_MAPPED_NAMES, MAX_MAPPING_GROUPS, NameMap } from "../../lib/proxy/name_map.ts";
import { mappingGroup } from "../../lib/identity/isolation.ts";
import type { SocksRequest } from "../../lib/socks/wire.ts";
import { Clock } from "../support/clock.ts";
import { loginOf } from "../support/login.ts";
import { pureTest } from "../support/pure.ts";

/** The smallest range that there may be. */
const SMALL = parseAddressRange("198.18.0.0/16");

pureTest("NameMap gives a name the same address again, and the address leads back to the name", () => {
  const names = new NameMap(parseAddressRange("127.192.0.0/10"));
  const [a, b] = [ask(names, "a.i2p"), ask(names, "b.i2p")];
  assertNotEquals(a, b);
  assertEquals([ask(names, "a.i2p"), ask(names, "b.i2p"), names.size], [a, b, 2]);
  assertEquals([names.nameOf("", a), names.nameOf("", b)], ["a.i2p", "b.i2p"]);
  assertEquals([a, b].every((address) => names.covers(address)), true);
  // A socket of both families writes an IPv4 address like this.
  assertEquals(names.nameOf("", `::ffff:${a}`), "a.i2p");
  for (const host of ["127.191.255.255", "128.0.0.0", "a.i2p", "::1", ""]) {
    assertEquals(names.covers(host), false, host);
  }
});

pureTest("NameMap gives IPv6 addresses, which are found in any spelling", () => {
  const names = new NameMap(parseAddressRange("fd00::/112"));
  const address = ask(names, "a.i2p");
  const last = address.replace(/^.*:/, "");
  assertEquals(names.nameOf("", `fd00::${last}`), "a.i2p");
  assertEquals(names.nameOf("", `[FD00:0::${last.toUpperCase()}]`), "a.i2p");
});

pureTest("NameMap leaves GarliCat's addresses to GarliCat where its range has them in it", () => {
  // Of which they are one half.
  const names = new NameMap(parseAddressRange("fd60:db4d:ddb4::/47"));
  for (let i = 0; i < 64; i++) assertMatch(ask(names, `${i}.i2p`), /^fd60:db4d:ddb4:/);
  assertEquals(names.covers("fd60:db4d:ddb4:1:2:3:4:5"), true);
  assertEquals(names.covers("fd60:db4d:ddb5:1:2:3:4:5"), false);
});

pureTest("a group finds nothing of another, and its addresses are its own", () => {
  const names = new NameMap(parseAddressRange("127.192.0.0/10"));
  const [mine, theirs] = [ask(names, "a.i2p", "me"), ask(names, "a.i2p", "them")];
  assertNotEquals(mine, theirs);
  assertEquals(
    [names.nameOf("me", theirs), names.acquire("me", theirs), names.nameOf("", mine)],
    Array(3).fill(undefined),
  );
  assertEquals([names.nameOf("me", mine), names.nameOf("them", theirs)], ["a.i2p", "a.i2p"]);
});

pureTest("an address expires by its last use, whichever way it was used", async () => {
  const names = new NameMap(SMALL);
  using clock = new Clock({ runs: false });
  const uses: readonly ((address: string) => unknown)[] = [
    () => ask(names, "a.i2p"),
    (address) => names.nameOf("", address),
    (address) => names.acquire("", address)?.[Symbol.dispose](),
  ];
  for (const use of uses) {
    const address = ask(names, "a.i2p");
    await clock.jump(MAPPING_EXPIRY - 1);
    use(address);
    await clock.jump(MAPPING_EXPIRY - 1);
    assertEquals(names.nameOf("", address), "a.i2p");
    await clock.jump(MAPPING_EXPIRY);
    assertEquals([names.nameOf("", address), names.acquire("", address)], [undefined, undefined]);
    assertEquals([names.size, names.groups], [0, 0]);
  }
});

pureTest("an address stands for its name while a stream is open, and for its time after", async () => {
  const names = new NameMap(SMALL);
  using clock = new Clock({ runs: false });
  const address = ask(names, "a.i2p");
  const [first, second] = [names.acquire("", address), names.acquire("", address)];
  assertEquals([first?.host, second?.host], ["a.i2p", "a.i2p"]);
  first?.[Symbol.dispose]();
  first?.[Symbol.dispose]();
  await clock.jump(10 * MAPPING_EXPIRY);
  assertEquals([ask(names, "a.i2p"), names.nameOf("", address)], [address, "a.i2p"]);
  await clock.jump(10 * MAPPING_EXPIRY);
  second?.[Symbol.dispose]();
  await clock.jump(MAPPING_EXPIRY - 1);
  assertEquals(names.acquire("", address)?.host, "a.i2p");
});

pureTest("at the bound of a group the least recently used name goes, never one with a stream", () => {
  const names = new NameMap(SMALL);
  const other = ask(names, "a.i2p", "other");
  const [held, used, oldest] = ["held.i2p", "used.i2p", "oldest.i2p"].map((host) => ask(names, host));
  using _stream = names.acquire("", held ?? "");
  fill(names, MAX_MAPPED_NAMES - 3);
  names.nameOf("", used ?? "");
  ask(names, "one-more.i2p");
  assertEquals([held, used, oldest].map((address) => names.nameOf("", address ?? "")), [
    "held.i2p",
    "used.i2p",
    undefined,
  ]);
  assertEquals([names.nameOf("other", other), names.size], ["a.i2p", MAX_MAPPED_NAMES + 1]);
  fill(names, 3 * MAX_MAPPED_NAMES, "again");
  assertEquals([names.nameOf("", held ?? ""), names.size], ["held.i2p", MAX_MAPPED_NAMES + 1]);
});

pureTest("where all names of a group have streams, a new one is refused", () => {
  const names = new NameMap(SMALL);
  const addresses = fill(names, MAX_MAPPED_NAMES);
  const streams = addresses.map((address) => names.acquire("", address));
  assertEquals(assertThrows(() => ask(names, "new.i2p"), Refusal).reason, "too-many-names");
  assertEquals(ask(names, "n0.i2p"), addresses[0]);
  streams[7]?.[Symbol.dispose]();
  ask(names, "new.i2p");
  assertEquals([names.nameOf("", addresses[7] ?? ""), names.nameOf("", addresses[8] ?? "")], [undefined, "n8.i2p"]);
});

pureTest("at the bound of groups the least recently used one goes, never one with a stream", () => {
  const names = new NameMap(SMALL);
  const groups = Array.from({ length: MAX_MAPPING_GROUPS }, (_, i) => `group ${i}`);
  const addresses = groups.map((group) => ask(names, "a.i2p", group));
  const streams = groups.map((group, i) => names.acquire(group, addresses[i] ?? ""));
  assertEquals(assertThrows(() => ask(names, "a.i2p", "new"), Refusal).reason, "too-many-names");
  assertEquals(names.size, MAX_MAPPING_GROUPS);
  streams[5]?.[Symbol.dispose]();
  streams[3]?.[Symbol.dispose]();
  ask(names, "a.i2p", "new");
  assertEquals(groups.filter((group, i) => names.nameOf(group, addresses[i] ?? "") === undefined), ["group 5"]);
});

pureTest("an address is not given to another name within its time, though it gave way early", () => {
  const names = new NameMap(SMALL);
  // A fifth of the smallest range, most of which gives way: drawn with repetition, some would certainly come twice.
  const addresses = fill(names, 13_000);
  assertEquals(new Set(addresses).size, addresses.length);
  assertEquals(names.size, MAX_MAPPED_NAMES);
  assertEquals(addresses.filter((address) => /\.(0|255)$/.test(address)), []);
});

pureTest("the smallest range has an address left after more names than it has addresses", () => {
  const names = new NameMap(SMALL);
  fill(names, 70_000);
  assertEquals(names.size, MAX_MAPPED_NAMES);
});

pureTest("mappingGroup() goes by who asks, and not by what for", () => {
  const group = (
    flags: readonly IsolationFlag[],
    { login }: Pick<Partial<SocksRequest>, "login">,
    clientAddress = "127.0.0.1",
  ): string => mappingGroup(flags, { login, clientAddress });
  const [work, home] = [{ login: loginOf("work") }, { login: loginOf("home") }];
  for (const flags of [[], ["destination"], ["port"], ["stream"], ["destination", "port", "stream"]] as const) {
    assertEquals(group(flags, work), group(flags, home, "127.0.0.2"), `${flags}`);
  }
  assertNotEquals(group(["auth", "destination"], work), group(["auth", "destination"], home));
  assertEquals(group(["auth", "stream"], work), group(["auth"], work));
  assertNotEquals(group(["client"], {}, "127.0.0.2"), group(["client"], {}, "127.0.0.3"));
  assertNotEquals(group(["auth"], work), group(["auth"], {}));
});

function ask(names: NameMap, host: string, group = ""): string {
  return formatIp(names.addressOf(group, host));
}

function fill(names: NameMap, count: number, word = "n"): string[] {
  return Array.from({ length: count }, (_, i) => ask(names, `${word}${i}.i2p`));
}
