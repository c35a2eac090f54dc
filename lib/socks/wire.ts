/**
 * What a parser of the beginning of a byte stream finds: a value and the bytes it took, or undefined while more bytes
 * are needed. Parsers start over when more bytes came: no message is longer than 600 bytes.
 */
export type Parsed<T> = { value: T; length: number } | undefined;

/** The command to open a stream (RFC 1928 §4, and SOCKS4): the one that is always served. */
export const CONNECT = 1;

/** The command to wait for a caller (RFC 1928 §4, and SOCKS4). */
export const BIND = 2;

/** A user name and password (RFC 1929), as they came: any bytes, 0 to 255 of each. */
export interface Login {
  /** User name; of SOCKS 4 and 4a the user id. */
  user: Uint8Array;
  /** Password; empty with SOCKS 4 and 4a. */
  password: Uint8Array;
}

/** What a client asks for. */
export interface SocksRequest {
  /** Version of SOCKS; 4 stands for 4a too. */
  version: 4 | 5;
  /** {@linkcode CONNECT}, or any other byte. */
  command: number;
  /** Host name, or an IP address as text. Not checked: any bytes below 256. */
  host: string;
  /** 0 to 65535. */
  port: number;
  /** Who it says it is; undefined where it went without a login. */
  login?: Login;
  /** Whether it wants to be told the reason of a refusal by name. */
  wantsReason?: true;
}

/** Reply codes of SOCKS5 (RFC 1928 §6). */
export const Reply5 = {
  succeeded: 0x00,
  generalFailure: 0x01,
  notAllowed: 0x02,
  networkUnreachable: 0x03,
  hostUnreachable: 0x04,
  connectionRefused: 0x05,
  ttlExpired: 0x06,
  commandNotSupported: 0x07,
  addressTypeNotSupported: 0x08,
} as const;

/** One of {@linkcode Reply5}. */
export type Reply5 = typeof Reply5[keyof typeof Reply5];

/**
 * The extended SOCKS5 reply codes in use (Tor proposal 304). Tor's words are about onion services: a descriptor is what
 * I2P calls a lease set, and a failed rendezvous is a peer that cannot be reached.
 */
export const Extended5 = {
  leaseSetNotFound: 0xf0,
  peerUnreachable: 0xf3,
  malformedAddress: 0xf6,
  timedOut: 0xf7,
} as const;

/** One of {@linkcode Extended5}. */
export type Extended5 = typeof Extended5[keyof typeof Extended5];

/** Reply codes of SOCKS4. */
export const Reply4 = { granted: 0x5a, rejected: 0x5b, loginRefused: 0x5d } as const;

/** One of {@linkcode Reply4}. */
export type Reply4 = typeof Reply4[keyof typeof Reply4];

/** Why a client's handshake cannot go on. */
export type SocksProblem =
  | "closed"
  | "notSocks"
  | "http"
  | "malformed"
  | "tooLong"
  | "authMethod"
  | "loginMissing"
  | "loginRefused"
  | "command"
  | "addressType";

/** A client's handshake cannot go on. */
export class SocksError extends Error {
  /** What is wrong. */
  readonly problem: SocksProblem;
  /** In which version a reply is still to be written; undefined where no reply is possible or it is written already. */
  readonly version: 4 | 5 | undefined;

  /** What the client had sent, where that is no SOCKS; empty otherwise. */
  readonly sent: string;

  /** Takes the version in which a reply is still due, what was sent, and the error behind it. */
  constructor(
    problem: SocksProblem,
    message: string,
    version?: 4 | 5,
    { sent = "", cause }: { sent?: string; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.name = "SocksError";
    this.problem = problem;
    this.version = version;
    this.sent = sent;
  }
}

/** Host names as bytes become text one to one; what is no ASCII is refused later, where addresses are judged. */
export function latin1(bytes: Uint8Array): string {
  return Reflect.apply(String.fromCharCode, undefined, bytes);
}

/** The big-endian number of two bytes. */
export function readUint16(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) << 8 | (bytes[at + 1] ?? 0);
}
