import { latin1, type Login, type Parsed, readUint16, SocksError, type SocksRequest } from "./wire.ts";

/**
 * Authentication methods (RFC 1928 §3). `reasons` is one of those for private use, and never chosen: a client of this
 * program offers it to be told reasons by name ({@linkcode encodeReason5}). Other proxies pass over it.
 */
export const Method = { none: 0x00, userPassword: 0x02, reasons: 0xe2, noneAcceptable: 0xff } as const;

/**
 * Parses a greeting: the methods that a client offers (RFC 1928 §3).
 *
 * ```
 * +-----+----------+----------+
 * | 0x05| NMETHODS | METHODS  |
 * +-----+----------+----------+
 * |  1  |    1     | 0 to 255 |
 * ```
 */
export function parseGreeting(bytes: Uint8Array): Parsed<Uint8Array> {
  const count = bytes[1];
  if (count === undefined || bytes.length < 2 + count) return undefined;
  return { value: bytes.slice(2, 2 + count), length: 2 + count };
}

/** The answer to a greeting: the method chosen, or `Method.noneAcceptable`. */
export function encodeMethod(method: number): Uint8Array {
  return Uint8Array.of(5, method);
}

/**
 * Parses a user name and password (RFC 1929 §2). Empty fields, which the RFC leaves out, are sent by real clients.
 *
 * ```
 * +-----+------+----------+------+----------+
 * | 0x01| ULEN |  UNAME   | PLEN |  PASSWD  |
 * +-----+------+----------+------+----------+
 * |  1  |  1   | 0 to 255 |  1   | 0 to 255 |
 * ```
 *
 * @throws {SocksError} if the version of this subnegotiation is not 1.
 */
export function parseLogin(bytes: Uint8Array): Parsed<Login> {
  const version = bytes[0];
  const userLength = bytes[1];
  if (version !== undefined && version !== 1) {
    throw new SocksError("malformed", `The version of a login must be 1, not ${version}`);
  }
  if (userLength === undefined) return undefined;
  const passwordLength = bytes[2 + userLength];
  if (passwordLength === undefined) return undefined;
  const passwordStart = 3 + userLength;
  const length = passwordStart + passwordLength;
  if (bytes.length < length) return undefined;
  return { value: { user: bytes.slice(2, 2 + userLength), password: bytes.slice(passwordStart, length) }, length };
}

/** The answer to a login (RFC 1929 §2). */
export function encodeLoginStatus(accepted: boolean): Uint8Array {
  return Uint8Array.of(1, accepted ? 0 : 1);
}

/**
 * Parses a request (RFC 1928 §4). The reserved byte is not looked at.
 *
 * ```
 * +-----+-----+-------+------+-----------+----------+
 * | 0x05| CMD |  RSV  | ATYP | DST.ADDR  | DST.PORT |
 * +-----+-----+-------+------+-----------+----------+
 * |  1  |  1  |   1   |  1   | 4 (ATYP 1), 1 + 0 to 255 (ATYP 3), 16 (ATYP 4) |  2 |
 * ```
 *
 * @throws {SocksError} if the version is not 5 or the address type is unknown.
 */
export function parseRequest5(bytes: Uint8Array): Parsed<SocksRequest> {
  const version = bytes[0];
  const command = bytes[1];
  const type = bytes[3];
  const first = bytes[4];
  if (version !== undefined && version !== 5) {
    throw new SocksError("malformed", `The version of a request after a SOCKS5 greeting must be 5, not ${version}`, 5);
  }
  if (command === undefined || type === undefined) return undefined;
  if (type !== 1 && type !== 3 && type !== 4) {
    throw new SocksError("addressType", `Address type ${type} does not exist`, 5);
  }
  if (first === undefined) return undefined;
  const start = type === 3 ? 5 : 4;
  const size = type === 3 ? first : type === 1 ? 4 : 16;
  const length = start + size + 2;
  if (bytes.length < length) return undefined;
  const address = bytes.subarray(start, start + size);
  const host = type === 3 ? latin1(address) : type === 1 ? address.join(".") : formatIpv6(address);
  return { value: { version: 5, command, host, port: readUint16(bytes, start + size) }, length };
}

/**
 * The reply to a request (RFC 1928 §6); `code` is one of `Reply5`, or of a private extension. The bound address is
 * always zeros: a stream of I2P has no IP address.
 */
export function encodeReply5(code: number): Uint8Array {
  return Uint8Array.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0);
}

/**
 * The reply to a request that was granted, with a name as the bound address (ATYP 3), or the 4 or 16 bytes of an IP address
 * (ATYP 1 and 4): BIND says who waits, and who came.
 */
export function encodeBound5(host: string | Uint8Array, port: number): Uint8Array {
  const address = typeof host === "string"
    ? [3, host.length, ...new TextEncoder().encode(host)]
    : [host.length === 4 ? 1 : 4, ...host];
  return Uint8Array.of(5, 0, 0, ...address, port >> 8, port & 0xff);
}

/** The reply of a refusal to a client that wants its reason: in place of a bound address it has some words (ATYP 3). */
export function encodeReason5(code: number, words: string): Uint8Array {
  const bytes = new TextEncoder().encode(words).subarray(0, 255);
  return Uint8Array.of(5, code, 0, 3, bytes.length, ...bytes, 0, 0);
}

/** The text of an IPv6 address of 16 bytes, not shortened. */
export function formatIpv6(address: Uint8Array): string {
  return Array.from({ length: 8 }, (_, i) => readUint16(address, 2 * i).toString(16)).join(":");
}
