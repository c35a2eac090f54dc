import { latin1, type Login, type Parsed, SocksError } from "./wire.ts";
import { Method } from "./socks5.ts";

/**
 * The client's side of SOCKS5, as far as a program needs it that connects through a proxy on its own machine.
 *
 * A greeting that offers one method (RFC 1928 §3), and asks for reasons by name.
 */
export function encodeGreeting(method: number): Uint8Array {
  return Uint8Array.of(5, 2, method, Method.reasons);
}

/**
 * A user name and password (RFC 1929 §2).
 *
 * @throws {RangeError} if one of them has more than 255 bytes.
 */
export function encodeLogin({ user, password }: Login): Uint8Array {
  if (user.length > 255 || password.length > 255) throw new RangeError("A field of a login has at most 255 bytes");
  return Uint8Array.of(1, user.length, ...user, password.length, ...password);
}

/**
 * A request to connect to a host by its name (RFC 1928 §4); it is the proxy that resolves it.
 *
 * @throws {RangeError} if the name is empty, has more than 255 characters, or one that is not ASCII.
 */
export function encodeConnect(host: string, port: number): Uint8Array {
  if (!/^[\x21-\x7e]{1,255}$/.test(host)) throw new RangeError("A host name has 1 to 255 characters of ASCII");
  return Uint8Array.of(5, 1, 0, 3, host.length, ...new TextEncoder().encode(host), port >> 8, port & 0xff);
}

/**
 * Parses the proxy's choice of a method (RFC 1928 §3): the method, or `Method.noneAcceptable`.
 *
 * @throws {SocksError} if it is not a SOCKS5 answer.
 */
export function parseMethod([version, method]: Uint8Array): Parsed<number> {
  if (version !== undefined && version !== 5) throw notSocks(version);
  return method === undefined ? undefined : { value: method, length: 2 };
}

/** Parses the answer to a login (RFC 1929 §2): whether it was accepted. */
export function parseLoginStatus([version, status]: Uint8Array): Parsed<boolean> {
  return version === undefined || status === undefined ? undefined : { value: status === 0, length: 2 };
}

/**
 * Parses the reply to a request (RFC 1928 §6): its code, and the words of a bound address that is a name. Others are
 * skipped.
 *
 * ```
 * +-----+-----+-------+------+----------+----------+
 * | 0x05| REP |  RSV  | ATYP | BND.ADDR | BND.PORT |
 * +-----+-----+-------+------+----------+----------+
 * ```
 *
 * @throws {SocksError} if it is not a SOCKS5 reply.
 */
export function parseReply5(bytes: Uint8Array): Parsed<{ code: number; words: string }> {
  const [version, code, , type, first] = bytes;
  if (version !== undefined && version !== 5) throw notSocks(version);
  if (code === undefined || type === undefined || first === undefined) return undefined;
  const sizes: Partial<Record<number, number>> = { 1: 4, 3: 1 + first, 4: 16 };
  const size = sizes[type];
  if (size === undefined) throw new SocksError("malformed", `Address type ${type} does not exist`);
  const length = 4 + size + 2;
  if (bytes.length < length) return undefined;
  return { value: { code, words: type === 3 ? latin1(bytes.subarray(5, 5 + first)) : "" }, length };
}

/** The method that a client with a login, or without one, offers. */
export function methodFor(login: Login | undefined): number {
  return login === undefined ? Method.none : Method.userPassword;
}

function notSocks(version: number): SocksError {
  return new SocksError("notSocks", `An answer of SOCKS5 begins with 5, not ${version}`);
}
