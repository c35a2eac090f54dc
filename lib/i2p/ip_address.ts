/**
 * The bytes of an IP address: 4, or 16. An IPv6 address may stand in brackets and have an IPv4 part, and one that stands
 * for an IPv4 address (`::ffff:` in front, as a socket of both families writes it) is that.
 *
 * @returns undefined for anything else.
 */
export function ipBytes(text: string): Uint8Array | undefined {
  const ipv4 = ipv4Bytes(text);
  if (ipv4 !== undefined) return ipv4;
  const [, front, dotted = ""] = /^(.*:)([\d.]+\.[\d.]+)$/.exec(unbracketed(text)) ?? [];
  const [a, b = 0, c = 0, d = 0] = ipv4Bytes(dotted) ?? [];
  const bytes = ipv6Bytes(a === undefined ? unbracketed(text) : `${front}${hexGroup(a, b)}:${hexGroup(c, d)}`);
  const isIpv4 = bytes?.subarray(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return isIpv4 ? bytes?.subarray(12) : bytes;
}

/** The 16 bytes of an IPv6 address without an IPv4 part, without brackets; undefined for anything else. */
export function ipv6Bytes(address: string): Uint8Array | undefined {
  const halves = address.split("::").map((half) => half === "" ? [] : half.split(":"));
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

/** Writes 4 or 16 bytes as an address: dotted, or eight groups without leading zeros. */
export function formatIp(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  return Array.from({ length: 8 }, (_, i) => hexGroup(bytes[2 * i] ?? 0, bytes[2 * i + 1] ?? 0)).join(":");
}

function hexGroup(high: number, low: number): string {
  return (high << 8 | low).toString(16);
}

function ipv4Bytes(text: string): Uint8Array | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const parts = text.split(".").map(Number);
  return parts.some((part) => part > 255) ? undefined : Uint8Array.from(parts);
}

function unbracketed(text: string): string {
  return text.replace(/^\[(.*)\]$/, "$1");
}
