import { formatIpv6 } from "./socks5.ts";
import { latin1, readUint16, Reply5 } from "./wire.ts";

/** The command that asks for an association (RFC 1928 §4); only SOCKS5 has it. */
export const UDP_ASSOCIATE = 3;

/** Bytes in front of the address: two reserved, one fragment number, one address type. */
const HEAD = 4;

/** A datagram between a client and its relay. */
export interface SocksDatagram {
  /** Number of the fragment; 0 is a datagram that stands alone. */
  fragment: number;
  /** Host name, or an IP address as text. Not checked: any bytes below 256. */
  host: string;
  /** 0 to 65535. */
  port: number;
  /** What the datagram carries; a view of the bytes that were parsed. */
  payload: Uint8Array;
}

/**
 * Parses a datagram of a client (RFC 1928 §7). The reserved bytes are not looked at.
 *
 * ```
 * +-----------+------+------+-----------+----------+------+
 * | 0x00 0x00 | FRAG | ATYP | DST.ADDR  | DST.PORT | DATA |
 * +-----------+------+------+-----------+----------+------+
 * |     2     |  1   |  1   | 4 (ATYP 1), 1 + 0 to 255 (ATYP 3), 16 (ATYP 4) |  2  | any |
 * ```
 *
 * @returns undefined if it is too short for its address, or its address type is unknown.
 */
export function parseDatagram(bytes: Uint8Array): SocksDatagram | undefined {
  const [, , fragment, type, first] = bytes;
  if (fragment === undefined || first === undefined) return undefined;
  if (type !== 1 && type !== 3 && type !== 4) return undefined;
  const [start, size] = type === 3 ? [HEAD + 1, first] : [HEAD, type === 1 ? 4 : 16];
  const end = start + size;
  if (bytes.length < end + 2) return undefined;
  const address = bytes.subarray(start, end);
  const host = type === 3 ? latin1(address) : type === 1 ? address.join(".") : formatIpv6(address);
  return { fragment, host, port: readUint16(bytes, end), payload: bytes.subarray(end + 2) };
}

/** Type and address of a datagram that was parsed, as its client wrote them; a view of its bytes. */
export function writtenAddress(bytes: Uint8Array, { payload }: SocksDatagram): Uint8Array {
  return bytes.subarray(HEAD - 1, bytes.length - payload.length - 2);
}

/**
 * Writes a datagram for a client: from a host name (ATYP 3), for a peer of I2P has no IP address; or from the address by
 * which the client knows it, in the bytes of {@linkcode writtenAddress}.
 *
 * @throws {RangeError} if the name does not fit.
 */
export function encodeDatagram(
  { host, port, payload }: { host: string | Uint8Array; port: number; payload: Uint8Array },
): Uint8Array<ArrayBuffer> {
  const header = encodeHeader(host, port);
  const bytes = new Uint8Array(header.length + payload.length);
  bytes.set(header);
  bytes.set(payload, header.length);
  return bytes;
}

/** What {@linkcode encodeDatagram} writes in front of the payload. */
function encodeHeader(host: string | Uint8Array, port: number): Uint8Array<ArrayBuffer> {
  const address = typeof host === "string" ? nameBytes(host) : host;
  return Uint8Array.of(0, 0, 0, ...address, port >> 8, port & 0xff);
}

function nameBytes(name: string): Uint8Array {
  if (name.length > 255) throw new RangeError(`Cannot write a name of ${name.length} characters`);
  return Uint8Array.of(3, name.length, ...Array.from(name, (character) => character.charCodeAt(0)));
}

/** The reply that grants an association (RFC 1928 §6): where the client sends its datagrams to, on loopback. */
export function encodeAssociated(hostname: "127.0.0.1" | "::1", port: number): Uint8Array {
  const address = hostname === "::1" ? [4, ...new Array<number>(15).fill(0), 1] : [1, 127, 0, 0, 1];
  return Uint8Array.of(5, Reply5.succeeded, 0, ...address, port >> 8, port & 0xff);
}
