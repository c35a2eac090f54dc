import { latin1, type Parsed, readUint16, type Reply4, SocksError, type SocksRequest } from "./wire.ts";

/** Longest user id and longest host name, in bytes. Neither SOCKS4 nor 4a names a limit; SOCKS5 allows as much. */
export const MAX_SOCKS4_FIELD = 255;

/** Where the user id begins. */
const USER_ID = 8;

/**
 * Parses a request of SOCKS 4 or 4a. In 4a the address is 0.0.0.x, x not 0, and a host name follows the user id.
 *
 * ```
 * +-----+-----+---------+-------+---------+------+----------+------+
 * | 0x04|  CD | DSTPORT | DSTIP | USERID  | 0x00 | HOSTNAME | 0x00 |
 * +-----+-----+---------+-------+---------+------+----------+------+
 * |  1  |  1  |    2    |   4   | 0 to 255|   1  | 4a only: 0 to 255, 1 |
 * ```
 *
 * @throws {SocksError} if the user id or the host name is longer than {@linkcode MAX_SOCKS4_FIELD}.
 */
export function parseRequest4(bytes: Uint8Array): Parsed<SocksRequest> {
  const userEnd = fieldEnd(bytes, USER_ID, "user id");
  const command = bytes[1];
  if (userEnd === undefined || command === undefined) return undefined;
  const login = { user: bytes.slice(USER_ID, userEnd), password: new Uint8Array() };
  const request = { version: 4, command, port: readUint16(bytes, 2), login } as const;
  const ip = bytes.subarray(4, USER_ID);
  if (ip[0] || ip[1] || ip[2] || !ip[3]) {
    return { value: { ...request, host: ip.join(".") }, length: userEnd + 1 };
  }
  const hostEnd = fieldEnd(bytes, userEnd + 1, "host name");
  if (hostEnd === undefined) return undefined;
  return { value: { ...request, host: latin1(bytes.subarray(userEnd + 1, hostEnd)) }, length: hostEnd + 1 };
}

/** The reply to a request of SOCKS 4 or 4a: 8 bytes, the first one 0. Address and port mean nothing after CONNECT. */
export function encodeReply4(code: Reply4): Uint8Array {
  return Uint8Array.of(0, code, 0, 0, 0, 0, 0, 0);
}

/**
 * The reply to a BIND that was granted: its port, and the 4 bytes of the address by which the client knows the caller; zeros
 * where there is none, for SOCKS4 has no names in replies.
 */
export function encodeBound4(port: number, address: Uint8Array = NO_ADDRESS): Uint8Array {
  return Uint8Array.of(0, 0x5a, port >> 8, port & 0xff, ...address);
}

const NO_ADDRESS = new Uint8Array(4);

function fieldEnd(bytes: Uint8Array, start: number, what: string): number | undefined {
  const end = bytes.indexOf(0, start);
  if ((end < 0 ? bytes.length : end) - start > MAX_SOCKS4_FIELD) {
    throw new SocksError("tooLong", `The ${what} has more than ${MAX_SOCKS4_FIELD} bytes`, 4);
  }
  return end < 0 ? undefined : end;
}
