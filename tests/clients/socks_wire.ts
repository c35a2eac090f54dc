/**
 * The client's side of SOCKS 4, 4a and 5: messages to bytes, replies from bytes. Written from the wire formats, apart
 * from lib/socks, so that each checks the other.
 */

/** What a client asks for. */
export interface ClientRequest {
  /** IPv4 address, IPv6 address without brackets, or a host name of bytes below 256. */
  host: string;
  /** 0 to 65535. */
  port: number;
  /**
   * 1 CONNECT, 2 BIND, 3 UDP ASSOCIATE, or any other byte.
   *
   * @default {1}
   */
  command?: number;
}

/** What a client asks for with SOCKS5. */
export interface ClientRequest5 extends ClientRequest {
  /**
   * How the host is written.
   *
   * @default {what it looks like}
   */
  as?: "ipv4" | "name" | "ipv6";
}

/** What a client asks for with SOCKS 4 or 4a. */
export interface ClientRequest4 extends ClientRequest {
  /**
   * Who asks; without NUL.
   *
   * @default {""}
   */
  userId?: string;
  /**
   * Whether the host stands as an address (SOCKS4) or as a name (SOCKS4a).
   *
   * @default {what it looks like}
   */
  as?: "ipv4" | "name";
}

/** A server's reply to a request. */
export interface ServerReply {
  /** 0x00 (SOCKS5) or 0x5a (SOCKS4) where the request was granted. */
  code: number;
  /** The address behind the code, as text. */
  host: string;
  /** The port behind the code. */
  port: number;
}

const CONNECT = 1;

/** Greeting (RFC 1928 §3): `05 | number | methods`. */
export function encodeGreeting(methods: readonly number[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(5, ...counted(methods));
}

/** User name and password (RFC 1929 §2): `01 | length | user | length | password`. */
export function encodeLogin(user: string, password: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(1, ...counted(charCodes(user)), ...counted(charCodes(password)));
}

/** Request of SOCKS5 (RFC 1928 §4): `05 | command | 00 | address type | address | port`. */
export function encodeRequest5(request: ClientRequest5): Uint8Array<ArrayBuffer> {
  const { host, port, command = CONNECT, as = isIpv4(host) ? "ipv4" : host.includes(":") ? "ipv6" : "name" } = request;
  const address = {
    ipv4: (): number[] => [1, ...ipv4Bytes(host)],
    name: (): number[] => [3, ...counted(charCodes(host))],
    ipv6: (): number[] => [4, ...ipv6Bytes(host)],
  }[as]();
  return Uint8Array.of(5, command, 0, ...address, ...uint16(port));
}

/**
 * Request of SOCKS4 or 4a: `04 | command | port | address | user id | 00`, and `name | 00` with 4a, where the address is
 * 0.0.0.1.
 */
export function encodeRequest4(request: ClientRequest4): Uint8Array<ArrayBuffer> {
  const { host, port, command = CONNECT, userId = "", as = isIpv4(host) ? "ipv4" : "name" } = request;
  const [address, name] = as === "ipv4" ? [ipv4Bytes(host), []] : [[0, 0, 0, 1], [...charCodes(host), 0]];
  return Uint8Array.of(4, command, ...uint16(port), ...address, ...charCodes(userId), 0, ...name);
}

/**
 * Reads a reply of SOCKS5 (RFC 1928 §6) from the beginning of some bytes.
 *
 * @returns undefined while more bytes are needed.
 * @throws {SyntaxError} if it is no such reply.
 */
export function parseReply5(bytes: Uint8Array): { value: ServerReply; length: number } | undefined {
  const [version, code, reserved, type, first] = bytes;
  if ((version ?? 5) !== 5) throw new SyntaxError(`Cannot read SOCKS5 reply: its version is ${version}`);
  if ((reserved ?? 0) !== 0) throw new SyntaxError(`Cannot read SOCKS5 reply: its reserved byte is ${reserved}`);
  if (code === undefined || type === undefined || first === undefined) return undefined;
  const size = new Map([[1, 4], [3, 1 + first], [4, 16]]).get(type);
  if (size === undefined) throw new SyntaxError(`Cannot read SOCKS5 reply: its address type is ${type}`);
  const length = 4 + size + 2;
  if (bytes.length < length) return undefined;
  const address = bytes.subarray(4, 4 + size);
  const host = type === 1
    ? address.join(".")
    : type === 3
    ? String.fromCharCode(...address.subarray(1))
    : Array.from({ length: 8 }, (_, i) => readPort(address, 2 * i).toString(16)).join(":");
  return { value: { code, host, port: readPort(bytes, 4 + size) }, length };
}

/**
 * Reads a reply of SOCKS 4 or 4a from the beginning of some bytes: `00 | code | port | address`.
 *
 * @returns undefined while more bytes are needed.
 * @throws {SyntaxError} if it is no such reply.
 */
export function parseReply4(bytes: Uint8Array): { value: ServerReply; length: number } | undefined {
  const [version, code] = bytes;
  if ((version ?? 0) !== 0) throw new SyntaxError(`Cannot read SOCKS4 reply: its first byte is ${version}`);
  if (code === undefined || bytes.length < 8) return undefined;
  return { value: { code, host: bytes.subarray(4, 8).join("."), port: readPort(bytes, 2) }, length: 8 };
}

function isIpv4(host: string): boolean {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host);
}

function ipv4Bytes(host: string): number[] {
  return host.split(".").map(Number);
}

function ipv6Bytes(host: string): number[] {
  const [head = [], tail = []] = host.split("::").map((half) => half === "" ? [] : half.split(":"));
  const zeros = Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...zeros, ...tail].flatMap((group) => uint16(parseInt(group, 16)));
}

function counted(bytes: readonly number[]): number[] {
  if (bytes.length > 255) throw new RangeError(`Cannot write a field of ${bytes.length} bytes: its length is one byte`);
  return [bytes.length, ...bytes];
}

function charCodes(text: string): number[] {
  return Array.from(text, (character) => character.charCodeAt(0));
}

function uint16(number: number): [number, number] {
  return [number >> 8, number & 0xff];
}

function readPort(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint16(at);
}
