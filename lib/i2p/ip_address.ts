/** Longest spelling of an IPv6 address, in characters: with an IPv4 part, and in brackets. */
const LONGEST = 47;

/**
 * The bytes of an IP address: 4, or 16. An IPv6 address may stand in brackets and have an IPv4 part, and one that stands
 * for an IPv4 address (`::ffff:` in front, as a socket of both families writes it) is that. Decimal parts have no zeros in
 * front: some programs read those as octal (RFC 6943 §3.1.1).
 *
 * @returns undefined for anything else.
 */
export function ipBytes(text: string): Uint8Array | undefined {
  if (text.length > LONGEST) return undefined;
  const ipv4 = ipv4Bytes(text);
  if (ipv4 !== undefined) return ipv4;
  const bytes = ipv6Bytes(text.replace(/^\[(.*)\]$/, "$1"));
  const isIpv4 = bytes?.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return isIpv4 ? bytes?.subarray(12) : bytes;
}

/** The 4 bytes of an IPv4 address in decimal; undefined for anything else. */
export function ipv4Bytes(text: string): Uint8Array | undefined {
  if (!/^(?:0|[1-9]\d{0,2})(?:\.(?:0|[1-9]\d{0,2})){3}$/.test(text)) return undefined;
  const parts = text.split(".").map(Number);
  return parts.some((part) => part > 255) ? undefined : Uint8Array.from(parts);
}

function ipv6Bytes(address: string): Uint8Array | undefined {
  const halves = inHex(address).split("::").map((half) => half === "" ? [] : half.split(":"));
  const [head = [], tail = []] = halves;
  const missing = 8 - head.length - tail.length;
  if (halves.length > 2 || (halves.length === 2 ? missing < 1 : missing !== 0)) return undefined;
  const groups = [...head, ...Array<string>(missing).fill("0"), ...tail];
  if (!groups.every((group) => /^[\da-f]{1,4}$/i.test(group))) return undefined;
  return Uint8Array.from(groups.flatMap((group) => {
    const value = parseInt(group, 16);
    return [value >> 8, value & 0xff];
  }));
}

/** An IPv6 address whose last two groups are hex as well, should they be dotted. */
function inHex(address: string): string {
  const colon = address.lastIndexOf(":") + 1;
  const [a, b = 0, c = 0, d = 0] = ipv4Bytes(address.slice(colon)) ?? [];
  return a === undefined ? address : `${address.slice(0, colon)}${hexGroup(a, b)}:${hexGroup(c, d)}`;
}

/** Writes 4 or 16 bytes as an address: dotted, or eight groups without leading zeros. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  return Array.from({ length: 8 }, (_, i) => hexGroup(bytes[2 * i] ?? 0, bytes[2 * i + 1] ?? 0)).join(":");
}

function hexGroup(high: number, low: number): string {
  return (high << 8 | low).toString(16);
}
