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

/** What no text without IPv4 addresses is likely to have, found faster than they are. */
const TWO_NUMBERS = /\d[.,]\d/;

/** Groups of hex and colons, also behind the tag that mail has for them. */
const IPV6 = /(?:(?<![\w:.])|(?<=IPv6:))[\da-f]{0,4}:[\da-f]{0,4}:[\da-f:.]*/gi;

/** What no text without IPv6 addresses is likely to have, found faster than they are. */
const TWO_COLONS = /:[\da-f]{0,4}:/i;

/** What makes four numbers behind it a version: `Chrome/120.0.0.0`, `v1.2.3.4`, `"Brand";v="8.0.0.1"`, `version 1.2.3.4`. */
const VERSION_BEFORE = /(?:[\w\-\x80-\xff]|(?<!\/|\/ip4)\/|\b(?:v|ver|version|release|build)\.?["' :=]{1,4})$/i;

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
  if (TWO_NUMBERS.test(text)) findIpv4(text, found);
  if (TWO_COLONS.test(text)) findIpv6(text, found);
  return found;
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
