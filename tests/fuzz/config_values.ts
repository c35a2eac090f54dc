import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { addressIn, isInRange, parseAddressRange } from "../../lib/config/address_range.ts";
import { formatDuration, MAX_DURATION, parseDuration } from "../../lib/config/duration.ts";
import { formatEndpoint, parseEndpoint } from "../../lib/config/endpoint.ts";
import { parseRule } from "../../lib/config/rule.ts";
import { suggest } from "../../lib/config/suggest.ts";
import { parseAddress } from "../../lib/i2p/address.ts";
import { formatIp, ipBytes } from "../../lib/i2p/ip_address.ts";
import type { Random } from "../support/random.ts";
import type { Target } from "./engine.ts";
import { mutateText } from "./mutate.ts";

/** Values that are good, and what they are made of. */
const SEEDS = [
  ...["0", "500ms", "10s", "1.5m", "576h", "0.0001s", "9999999999999999999h"],
  ...["4447", "127.0.0.1:4447", "[::1]:0", "localhost:65535", "::1:80", ":80"],
  ...["127.192.0.0/10", "198.18.0.0/15", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "[fe80::]/10", "fd00::1:0/112"],
  ...["stats.i2p", "*.b32.i2p", "irc.*:6667", "*:1-65535", "*a*b*.i2p", "Stats.I2P.:80", "a.i2p.alt", "**"],
];
const TOKENS = [
  "0",
  "1",
  "65536",
  "ms",
  "h",
  ":",
  "-",
  "*",
  ".",
  "[::1]",
  "localhost",
  ".i2p",
  ".alt",
  "e9",
  "00",
  "/",
  "::",
  "1",
];

/** Durations, endpoints, rules and ranges: each text is a value within bounds or a SyntaxError, and a value reads back. */
export const configValues: Target<string> = {
  name: "config-values",
  weight: 10,
  corpus: [
    "",
    "-1s",
    "1e9s",
    ".5s",
    "5.s",
    "0ms",
    "576.0001h",
    "1".repeat(400) + "h",
    "65536",
    "00000000000000000080",
    "127.0.0.1:",
    "127.0.0.1\n:80",
    "[::1]80",
    "LOCALHOST:80",
    "*",
    "*.",
    "*.alt",
    "a.i2p*.i2p",
    "aa*aa*a.i2p",
    "a.i2p:0-0",
    "a.i2p:5-4",
    "a.i2p:99999",
    `${"*a".repeat(60)}*`,
    "127.0.0.0/8",
    "127.192.0.0/010",
    "198.18.0.0/14",
    "fd60:db4d:ddb5::/48",
    "::ffff:10.0.0.0/8",
    "::ffff:10.0.0.0/104",
  ],
  generate: (random) => {
    const [text, other] = [random.pick(SEEDS), random.pick(SEEDS)];
    return random.below(10) === 0 ? text : mutateText(text, random, { tokens: TOKENS, other, maxLength: 120 });
  },
  check: (text, random) => {
    checkDuration(text);
    checkEndpoint(text);
    checkRule(text, random);
    checkRange(text, random);
    const meant = suggest(text, SEEDS);
    assert(meant === undefined || SEEDS.includes(meant));
    if (SEEDS.includes(text)) assertEquals(meant, text, "the word itself is the nearest one");
  },
};

function checkDuration(text: string): void {
  const duration = parsed(parseDuration, text);
  const [, number, unit = ""] = /^(\d+|\d+\.\d+)(ms|s|m|h)$/.exec(text === "0" ? "0ms" : text) ?? [];
  const expected = Number(number) * (new Map([["ms", 1], ["s", 1000], ["m", 60_000], ["h", 3_600_000]]).get(unit) ?? 0);
  const isGood = number !== undefined && Math.round(expected) <= MAX_DURATION;
  assertEquals(duration, isGood ? Math.round(expected) : undefined, "duration");
  if (duration === undefined) return;
  assertEquals(parseDuration(`${duration}ms`), duration);
  checkForPeople(formatDuration(duration), Math.round(duration / 1000));
}

/** What people are told of a duration is within its smaller unit of the seconds. */
function checkForPeople(told: string, seconds: number): void {
  const units: Record<string, number> = { s: 1, min: 60, h: 3_600, d: 86_400 };
  const parts = [...told.matchAll(/(\d+) (\w+)/g)].map(([, count, unit = ""]) => ({ count, size: units[unit] ?? NaN }));
  const sum = parts.reduce((total, { count, size }) => total + Number(count) * size, 0);
  const smallest = parts.at(-1)?.size ?? NaN;
  assert(sum <= seconds && seconds - sum < smallest, told);
  assert(parts.length <= 2 && parts.every(({ count }, i) => i === 0 || Number(count) < 60), told);
}

function checkEndpoint(text: string): void {
  const endpoint = parsed(parseEndpoint, text);
  const [, host = "127.0.0.1", port] = /^(?:(127\.0\.0\.1|localhost|\[::1\]):)?(\d+)$/i.exec(text) ?? [];
  const hostname = host === "[::1]" ? "::1" : "127.0.0.1";
  const isGood = port !== undefined && Number(port) <= 65_535;
  assertEquals(endpoint, isGood ? { hostname, port: Number(port) } : undefined, "endpoint");
  if (endpoint !== undefined) assertEquals(parseEndpoint(formatEndpoint(endpoint)), endpoint);
}

/** A range reads back, and holds what it is asked for and nothing that is the internet's or this machine's. */
function checkRange(text: string, random: Random): void {
  const range = parsed(parseAddressRange, text);
  if (range === undefined) return;
  assertEquals(parseAddressRange(range.text), range);
  const address = addressIn(range, random.bytes(range.first.length));
  assert(isInRange(address, range), `${formatIp(address)} is not of ${range.text}`);
  assertEquals(ipBytes(formatIp(address)), address);
  const [a = 0, b = 0] = address;
  const isPrivate = a === 10 || a === 172 && b >> 4 === 1 || a === 192 && b === 168 || a === 198 && b >> 1 === 9;
  const isLocal = a === 127 && b > 0 || a >> 1 === 0xfc >> 1 || a === 0xfe && b >> 6 === 2;
  assert(address.length === 4 ? isPrivate || isLocal : isLocal, formatIp(address));
}

function checkRule(text: string, random: Random): void {
  const rule = parsed(parseRule, text);
  const [pattern = "", ports] = text.split(":");
  const [low = 0, high = low] = ports?.split("-").map(Number) ?? [0, 65_535];
  const normal = pattern.toLowerCase().replace(/\.$/, "").replace(/\.i2p\.alt$/, ".i2p");
  const isGood = /^[a-z0-9.*-]+(:\d{1,5}(-\d{1,5})?)?$/i.test(text) && /(\*|\.i2p)$/.test(normal);
  assertEquals(rule?.text, isGood && low <= high && high <= 65_535 ? text : undefined, "rule");
  if (rule === undefined) return;
  const filled = normal.replaceAll("*", () => random.pick(["", "a", ".", "b.i2p", "*"]));
  const parts = normal.split("*");
  // The first and the last part alone may overlap.
  const hosts = [normal, filled, parts[0] ?? "", parts.at(-1) ?? "", random.pick(SEEDS), "a.b32.i2p", `x${filled}`];
  for (const host of hosts) {
    for (const port of [0, low, high, Math.max(0, low - 1), high + 1]) {
      const expected = globMatches(normal, host) && port >= low && port <= high;
      assertEquals(rule.matches(host, port), expected, `${host}:${port}`);
    }
  }
  const { kind, host } = parseAddress(pattern);
  if (["name", "b32", "b33"].includes(kind)) assert(rule.matches(host, low), "a host does not match its own rule");
}

/** Whether a pattern matches, one character of it after the other: `matched[i]` stands for the first i of the text. */
function globMatches(pattern: string, text: string): boolean {
  let matched = [true, ...Array<boolean>(text.length).fill(false)];
  for (const character of pattern) {
    const from = matched.indexOf(true);
    matched = matched.map((_, i) =>
      character === "*" ? from >= 0 && i >= from : i > 0 && matched[i - 1] === true && text[i - 1] === character
    );
  }
  return matched.at(-1) === true;
}

function parsed<T>(parse: (text: string) => T, text: string): T | undefined {
  try {
    return parse(text);
  } catch (error) {
    assertInstanceOf(error, SyntaxError);
    return undefined;
  }
}
