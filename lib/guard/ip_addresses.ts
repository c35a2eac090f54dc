import { formatIp, ipBytes, ipv4Bytes } from "../i2p/ip_address.ts";

/** An IP address in a text. */
export interface FoundAddress {
  /**
   * The address in one spelling: dotted, or eight groups of lower-case hex without leading zeros. An IPv6 address that
   * stands for one of IPv4 is that one.
   */
  readonly address: string;
  /** Where it ends. */
  readonly end: number;
  /** Whether it is one of the internet, and stands there as an address: not as part of a version or of a name. */
  readonly isPublic: boolean;
}

/** Four numbers with dots, or with commas as in PORT of FTP. */
const IPV4 = /(?<![\d.])(\d{1,3})([.,])(\d{1,3})\2(\d{1,3})\2(\d{1,3})(?!\d|\.\d)/g;

/** Groups of hex and colons, also behind the tag that mail has for them. */
const IPV6 = /(?:(?<![\w:.])|(?<=IPv6:))[\da-f]{0,4}:[\da-f]{0,4}:[\da-f:.]*/gi;

/** What makes four numbers behind it a version: `Chrome/120.0.0.0`, `v1.2.3.4`, `"Brand";v="8.0.0.1"`, `version 1.2.3.4`. */
const VERSION_BEFORE =
  /(?:[\w\-\x80-\xff]|(?<!\/|\/ip4)\/|(?<!\\)\\|(?:\b(?:v|ver|release|build)|version)\.?["' :=>]{1,4})$/i;

/** Characters in front of an address, and behind it, that decide whether it is one. */
export const ADDRESS_CONTEXT: Readonly<{ before: number; behind: number }> = { before: 24, behind: 3 };

/** What only addresses have in front: a URL, a mailbox, a bracket, or a word for address or host. */
const ADDRESS_BEFORE = /(?:\/\/|@|\[|\b(?:ip|ipv?4|addr|address|host|for|peer|wan|nat)["']?[ :=("'>]{1,4})$/i;

/** What four numbers behind it are the number of: a section, an object identifier, or a release. */
const NUMBERED_BEFORE = new RegExp(
  "(?:\\xa7+ ?|\\b(?:section|sect|sec|chapter|clause|fig|figure|table|appendix|annex|paragraph|para|article|rule|step|item|oid|" +
    "firmware|kernel|rev|revision|upgraded?|updated?|patch|rv|tag|firefox|chrome|chromium|opera|safari|edge|thunderbird|" +
    "java|jre|jdk|openssl|postgresql|mysql|mariadb|nginx|apache|php|windows|android|ios|macos|wine|bios|driver|plugin|" +
    "library|browser)s?\\b\\.?(?: (?:from|to|is|no\\.))?[\"' :=(>#]{1,4}|(?:[<>~!^]=|==|[~^]) ?|" +
    "\\b(?:upgrad|updat|downgrad|install)\\w*\\b.{0,14}|\\.\\d{1,3} (?:to|->|=>) )$",
  "i",
);

/** A number in front, or a command of a path in SVG: then a list of numbers goes on. */
const NUMBERS_BEFORE = /(?:^|[^\w.:])[a-z]?\d*\.?\d*\.?\d+[ ,;]{1,2}$|(?<![a-z])[MLHVCSQTZ] $/i;

/** Resolvers that everybody may name: who mentions one says nothing of a machine. */
const RESOLVERS: ReadonlySet<string> = new Set([
  ..."1.0.0.1 1.1.1.1 1.1.1.2 1.1.1.3 4.2.2.1 4.2.2.2 4.2.2.3 4.2.2.4 8.8.4.4 8.8.8.8 9.9.9.9 9.9.9.10 9.9.9.11".split(
    " ",
  ),
  ..."149.112.112.112 208.67.220.220 208.67.222.222 64.6.64.6 64.6.65.6 76.76.2.2 76.76.10.2 77.88.8.1 77.88.8.8".split(
    " ",
  ),
  ..."80.80.80.80 80.80.81.81 84.200.69.80 84.200.70.40 94.140.14.14 94.140.15.15 114.114.114.114 119.29.29.29".split(
    " ",
  ),
  ..."185.222.222.222 223.5.5.5 223.6.6.6 194.242.2.2 45.90.28.0 5.9.164.112 91.239.100.100 89.233.43.71".split(" "),
  ..."2606:4700:4700:0:0:0:0:1111 2606:4700:4700:0:0:0:0:1001 2001:4860:4860:0:0:0:0:8888".split(" "),
  ..."2001:4860:4860:0:0:0:0:8844 2620:fe:0:0:0:0:0:fe 2620:fe:0:0:0:0:0:9 2620:119:35:0:0:0:0:35".split(" "),
]);

/** First addresses, as numbers, of what is not the unicast internet (IANA's special-purpose registry). */
const SPECIAL_IPV4: readonly (readonly [first: number, bits: number])[] = ([
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
] as const).map(([first, bits]) => [toNumber(ipv4Bytes(first) ?? new Uint8Array()), bits]);

/** All IP addresses in a text, in linear time. */
export function findAddresses(text: string): FoundAddress[] {
  const found: FoundAddress[] = [];
  if (hasThree(".", text) || hasThree(",", text)) findIpv4(text, found);
  if (hasTwoColons(text)) findIpv6(text, found);
  return found;
}

/**
 * Whether a public address is likely to be somebody's, and not a resolver, a version, the number of a section, an
 * object identifier or part of a list of numbers. Depends on {@linkcode ADDRESS_CONTEXT} characters around it alone.
 */
export function isSomebodys({ address, end, isPublic }: FoundAddress, text: string): boolean {
  if (!isPublic || RESOLVERS.has(address)) return false;
  if (address.includes(":")) return true;
  const start = end - address.length;
  const before = text.slice(Math.max(0, start - ADDRESS_CONTEXT.before), start);
  if (NUMBERED_BEFORE.test(before)) return false;
  if (ADDRESS_BEFORE.test(before) || /^:\d/.test(text.slice(end, end + 2))) return true;
  if (isAmongNumbers(text, start, end) || /^[~+]/.test(text.slice(end, end + 1))) return false;
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  const isIdentifier = (a === 1 && (b === 0 || (b === 3 && (c === 101 || c === 132)))) || (a === 2 && b === 5);
  // Numbers of versions and sections are small, and often zero in the middle.
  return !isIdentifier && Math.max(a, b, c, d) >= (b * c === 0 ? 100 : 32);
}

/** Whether an address of IPv4 is part of a list of numbers, such as a path of SVG. */
export function isAmongNumbers(text: string, start: number, end: number): boolean {
  const before = text.slice(Math.max(0, start - ADDRESS_CONTEXT.before), start);
  return NUMBERS_BEFORE.test(before) || (/[\d.][ ,;]$/.test(before) && /^[ ,;]-?[\d.]/.test(text.slice(end, end + 3)));
}

/** Whether two colons are as near to each other as in an IPv6 address; found faster than one. */
function hasTwoColons(text: string): boolean {
  let last = text.indexOf(":");
  for (let next = text.indexOf(":", last + 1); last >= 0 && next >= 0; next = text.indexOf(":", last + 1)) {
    if (next - last <= 5) return true;
    last = next;
  }
  return false;
}

/** Whether three dots, or commas, are as near to each other as in an IPv4 address; found faster than one. */
function hasThree(separator: string, text: string): boolean {
  let count = 0;
  let last = -5;
  for (let at = text.indexOf(separator); at >= 0; at = text.indexOf(separator, at + 1)) {
    count = at - last <= 4 && at - last > 1 ? count + 1 : 1;
    if (count === 3) return true;
    last = at;
  }
  return false;
}

function findIpv4(text: string, found: FoundAddress[]): void {
  for (const match of text.matchAll(IPV4)) {
    const [whole, a = "", separator, b = "", c = "", d = ""] = match;
    const address = [a, b, c, d].join(".");
    const bytes = ipv4Bytes(address);
    if (bytes === undefined) continue;
    const end = match.index + whole.length;
    const isPlain = separator === "." && !/^[\w\-\x80-\xff]|^\.\w/.test(text.slice(end, end + 2)) &&
      !VERSION_BEFORE.test(text.slice(Math.max(0, match.index - 16), match.index));
    found.push({ address, end, isPublic: isPlain && isPublicIpv4(bytes) });
  }
}

function findIpv6(text: string, found: FoundAddress[]): void {
  for (const match of text.matchAll(IPV6)) {
    const token = match[0].replace(/(?<!\.)\.+$/, "").replace(/([^:]):$/, "$1");
    const end = match.index + token.length;
    const bytes = ipBytes(token);
    if (bytes === undefined || /^[\w\x80-\xff]/.test(text.slice(end, end + 1))) continue;
    const address = formatIp(bytes);
    const isPublic = token.split(":").length > 3 && (bytes.length === 4 ? isPublicIpv4(bytes) : isPublicIpv6(address));
    found.push({ address, end, isPublic });
  }
}

/** An address, with or without its zone (`%eth0`), in the spelling of {@linkcode FoundAddress}; undefined if it is none. */
export function normaliseAddress(text: string): string | undefined {
  const bytes = ipBytes(text.replace(/%.*$/s, ""));
  return bytes && formatIp(bytes);
}

function isPublicIpv4(bytes: Uint8Array): boolean {
  const value = toNumber(bytes);
  // Hosts rarely end in 0; versions often do.
  if (value % 256 === 0) return false;
  return !SPECIAL_IPV4.some(([first, bits]) => value >>> (32 - bits) === first >>> (32 - bits));
}

/** Of global unicast, 2000::/3, all but what is for documents. */
function isPublicIpv6(address: string): boolean {
  return /^[23][\da-f]{3}:/.test(address) && !/^2001:db8:|^3fff:[\da-f]{1,3}:/.test(address);
}

function toNumber([a = 0, b = 0, c = 0, d = 0]: Uint8Array): number {
  return (a << 24 | b << 16 | c << 8 | d) >>> 0;
}
