/** An IP address in a text. */
export interface FoundAddress {
  /** The address in one spelling: dotted, or eight groups of lower-case hex without leading zeros. */
  readonly address: string;
  /** Where it ends. */
  readonly end: number;
  /** Whether it is one of the internet, and stands there as an address: not as part of a version or of a name. */
  readonly isPublic: boolean;
}

/** Four numbers with dots, or with commas as in PORT of FTP. */
const IPV4 = /(?<![\d.])(\d{1,3})([.,])(\d{1,3})\2(\d{1,3})\2(\d{1,3})(?!\d|\.\d)/g;

/** What no text without IPv4 addresses is likely to have, found faster than they are. */
const TWO_NUMBERS = /\d[.,]\d/;

/** Groups of hex and colons, also behind the tag that mail has for them. */
const IPV6 = /(?:(?<![\w:.])|(?<=IPv6:))[\da-f]{0,4}:[\da-f]{0,4}:[\da-f:.]*/gi;

/** What no text without IPv6 addresses is likely to have, found faster than they are. */
const TWO_COLONS = /:[\da-f]{0,4}:/i;

/** What makes four numbers behind it a version: `Chrome/120.0.0.0`, `v1.2.3.4`, `"Brand";v="8.0.0.1"`, `version 1.2.3.4`. */
const VERSION_BEFORE = /(?:[\w\-\x80-\xff]|(?<!\/|\/ip4)\/|\b(?:v|ver|version|release|build)\.?["' :=]{1,4})$/i;

/** First and last addresses of what is not the unicast internet (IANA's special-purpose registry), as numbers. */
const SPECIAL_IPV4: readonly (readonly [first: string, bits: number])[] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
];

/** All IP addresses in a text, in linear time. */
export function findAddresses(text: string): FoundAddress[] {
  const found: FoundAddress[] = [];
  if (TWO_NUMBERS.test(text)) findIpv4(text, found);
  if (TWO_COLONS.test(text)) findIpv6(text, found);
  return found;
}

function findIpv4(text: string, found: FoundAddress[]): void {
  for (const match of text.matchAll(IPV4)) {
    const [whole, a = "", separator, b = "", c = "", d = ""] = match;
    const address = [a, b, c, d].join(".");
    if (toNumber(address) === undefined) continue;
    const end = match.index + whole.length;
    const isPlain = separator === "." && !/^[\w\-\x80-\xff]|^\.\w/.test(text.slice(end, end + 2)) &&
      !VERSION_BEFORE.test(text.slice(Math.max(0, match.index - 16), match.index));
    found.push({ address, end, isPublic: isPlain && isPublicIpv4(address) });
  }
}

function findIpv6(text: string, found: FoundAddress[]): void {
  for (const match of text.matchAll(IPV6)) {
    const token = match[0].replace(/(?<!\.)\.+$/, "").replace(/([^:]):$/, "$1");
    const end = match.index + token.length;
    const address = normaliseIpv6(token);
    if (address === undefined || /^[\w\x80-\xff]/.test(text.slice(end, end + 1))) continue;
    found.push({ address, end, isPublic: token.split(":").length > 3 && isPublicIpv6(address) });
  }
}

/** An address, with or without its zone (`%eth0`), in the spelling of {@linkcode FoundAddress}; undefined if it is none. */
export function normaliseAddress(text: string): string | undefined {
  const bare = text.replace(/%.*$/s, "");
  return bare.includes(":") ? normaliseIpv6(bare) : toNumber(bare) === undefined ? undefined : bare;
}

function isPublicIpv4(address: string): boolean {
  const value = toNumber(address);
  // Hosts rarely end in 0; versions often do.
  if (value === undefined || value % 256 === 0) return false;
  return !SPECIAL_IPV4.some(([first, bits]) => value >>> (32 - bits) === (toNumber(first) ?? 0) >>> (32 - bits));
}

/** Of global unicast, 2000::/3, all but what is for documents. */
function isPublicIpv6(address: string): boolean {
  return /^[23][\da-f]{3}:/.test(address) && !/^2001:db8:|^3fff:[\da-f]{1,3}:/.test(address);
}

function toNumber(dotted: string): number | undefined {
  const parts = dotted.split(".");
  const isAddress = parts.length === 4 &&
    parts.every((part) => /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256);
  return isAddress ? parts.reduce((value, part) => value * 256 + Number(part), 0) : undefined;
}

function normaliseIpv6(text: string): string | undefined {
  if (text.length > 45) return undefined;
  const hex = withoutDots(text);
  const halves = hex?.split("::") ?? [];
  const [head = [], tail = []] = halves.map((half) => half === "" ? [] : half.split(":"));
  const missing = 8 - head.length - tail.length;
  if (halves.length === 0 || halves.length > 2 || (halves.length === 2 ? missing < 1 : missing !== 0)) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...tail];
  if (!groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return undefined;
  return groups.map((group) => parseInt(group, 16).toString(16)).join(":");
}

/** An IPv6 address whose last two groups are hex as well, should they be dotted. */
function withoutDots(text: string): string | undefined {
  if (!text.includes(".")) return text;
  const colon = text.lastIndexOf(":") + 1;
  const value = toNumber(text.slice(colon));
  return value === undefined
    ? undefined
    : `${text.slice(0, colon)}${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`;
}
