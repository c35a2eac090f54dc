import { Reply4, Reply5 } from "../socks/wire.ts";

/** Why a client did not get its stream. */
export type Reason =
  | "clearnet"
  | "rule"
  | "leak"
  | "ip"
  | "address-unmapped"
  | "malformed-address"
  | "router-down"
  | "router-silent"
  | "not-sam"
  | "sam-version"
  | "sam-login"
  | "sam-refused"
  | "session-refused"
  | "datagrams-refused"
  | "key-refused"
  | "identity-in-use"
  | "not-ready"
  | "name-unknown"
  | "garlicat-unknown"
  | "lease-set-not-found"
  | "peer-silent"
  | "peer-unreachable"
  | "incompatible-encryption"
  | "own-address"
  | "peer-refused"
  | "timed-out"
  | "router-error"
  | "router-busy"
  | "login-refused"
  | "too-many"
  | "too-many-per-client"
  | "too-many-identities"
  | "too-many-associations"
  | "client-address"
  | "too-many-names"
  | "out-of-descriptors"
  | "command"
  | "address-type"
  | "auth-method"
  | "http"
  | "not-socks"
  | "malformed-request"
  | "handshake-timeout"
  | "client-closed"
  | "stopping"
  | "internal";

/** What a reason means for the client and for the log. */
export interface Answer {
  /** SOCKS5 reply code (RFC 1928 §6). */
  reply5: Reply5;
  /** SOCKS4 reply code. @default {rejected} */
  reply4?: Reply4;
  /** SOCKS5 reply code with `--extended-errors`, after Tor's proposal 304; `reply5` where there is none. */
  extended?: Extended5;
  /** The story for the user, one sentence. */
  story: string;
  /** What to do about it, where that is known. */
  hint?: string;
}

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

const ROUTER_HINT = "Is the router running, with SAM switched on? i2p-socks check names the first thing that is wrong";

const LATER_HINT = "Sites come and go: try another one, or this one later";

/** The answer to every reason: the one table behind SOCKS replies, log lines, counters and the README. */
export const ANSWERS: Readonly<Record<Reason, Answer>> = {
  "clearnet": { reply5: Reply5.notAllowed, story: "Not an I2P name, and this proxy reaches I2P only" },
  "rule": {
    reply5: Reply5.notAllowed,
    story: "Not permitted by --allow and --deny",
    hint: "With --log-destinations the log has what was asked for",
  },
  "leak": {
    reply5: Reply5.notAllowed,
    story: "The bytes behind the request give something away",
    hint: "The log has the kind of leak and its fix; see --leaks",
  },
  "ip": {
    reply5: Reply5.addressTypeNotSupported,
    story: "An IP address, and I2P has none",
    hint: "If a name was meant, the application resolves names itself: use socks5h or socks4a, or switch remote DNS on",
  },
  "address-unmapped": {
    reply5: Reply5.hostUnreachable,
    story: "An IP address that stands for no name of this client, or no longer",
    hint: "The application has to ask for the name again: it may have kept the address for too long, see --map-names",
  },
  "malformed-address": {
    reply5: Reply5.hostUnreachable,
    extended: Extended5.malformedAddress,
    story: "Not a possible I2P address",
    hint: "Was it cut? An address in base32 has 52 characters before .b32.i2p",
  },
  "router-down": {
    reply5: Reply5.networkUnreachable,
    story: "The router's SAM bridge cannot be connected to",
    hint: ROUTER_HINT,
  },
  "router-silent": {
    reply5: Reply5.networkUnreachable,
    story: "The router's SAM bridge does not answer",
    hint: ROUTER_HINT,
  },
  "not-sam": {
    reply5: Reply5.networkUnreachable,
    story: "What listens at the port of the SAM bridge speaks something else",
    hint: "The bridge's port is 7656 unless it was changed",
  },
  "sam-version": {
    reply5: Reply5.networkUnreachable,
    story: "The SAM bridge does not speak version 3.1",
    hint: "The router is too old, or no router",
  },
  "sam-login": {
    reply5: Reply5.networkUnreachable,
    story: "The SAM bridge wants another login",
    hint: "See --sam-user and --sam-password-file",
  },
  "sam-refused": {
    reply5: Reply5.networkUnreachable,
    story: "The SAM bridge refuses to talk",
    hint: "The log has its words",
  },
  "session-refused": {
    reply5: Reply5.networkUnreachable,
    story: "The router refuses to create a session",
    hint: "The log has its words",
  },
  "datagrams-refused": {
    reply5: Reply5.networkUnreachable,
    story: "The router has no datagrams, or none of the kind that --udp-style names",
    hint: "Most routers have the kind of --udp-style datagram; check --udp names those of this one",
  },
  "key-refused": {
    reply5: Reply5.networkUnreachable,
    story: "The router does not take the key of this identity",
    hint: "The key file was not touched: another kind of router, or an earlier version, may have made the key",
  },
  "identity-in-use": {
    reply5: Reply5.networkUnreachable,
    story: "The router says that this identity is in use",
    hint: "Routers forget a destination some seconds late; or another program has the same key",
  },
  "not-ready": {
    reply5: Reply5.networkUnreachable,
    story: "No tunnels were ready in time",
    hint: "After its first start a router needs up to 10 minutes; i2p-socks check waits for it",
  },
  "name-unknown": {
    reply5: Reply5.hostUnreachable,
    story: "The router's address book does not have this name",
    hint: "Subscribe the router's address book to more lists, or use the base32 address",
  },
  "garlicat-unknown": {
    reply5: Reply5.hostUnreachable,
    story: "A GarliCat address that neither --hosts nor the router's address book has",
    hint: "Add a line to the file of --hosts: NAME.oc.b32.i2p ADDRESS.b32.i2p",
  },
  "lease-set-not-found": {
    reply5: Reply5.hostUnreachable,
    extended: Extended5.leaseSetNotFound,
    story: "No lease set was found: the destination is offline or does not exist",
    hint: "Right after the router's start it may only be that its tunnels are not ready",
  },
  "peer-silent": {
    reply5: Reply5.hostUnreachable,
    extended: Extended5.peerUnreachable,
    story: "The peer does not answer: it is offline, or too slow",
    hint: LATER_HINT,
  },
  "peer-unreachable": {
    reply5: Reply5.hostUnreachable,
    extended: Extended5.peerUnreachable,
    story: "The router cannot reach the peer; when i2pd says so, it has found no lease set",
    hint: LATER_HINT,
  },
  "incompatible-encryption": {
    reply5: Reply5.hostUnreachable,
    extended: Extended5.peerUnreachable,
    story: "The peer's lease set has no encryption type in common with ours",
    hint: "See --lease-set-encryption",
  },
  "own-address": {
    reply5: Reply5.hostUnreachable,
    extended: Extended5.peerUnreachable,
    story: "It is the application's own address, which i2pd does not connect to",
    hint: "A service on this machine can be reached without I2P",
  },
  "peer-refused": {
    reply5: Reply5.connectionRefused,
    story: "The peer refused",
    hint: "It is online: is it the right port?",
  },
  "timed-out": {
    reply5: Reply5.ttlExpired,
    extended: Extended5.timedOut,
    story: "No answer in time",
    hint: "See --connect-timeout",
  },
  "router-error": { reply5: Reply5.generalFailure, story: "The router failed", hint: "The log has its words" },
  "router-busy": {
    reply5: Reply5.generalFailure,
    story: "The router has too many streams",
    hint: "A lower --max-connections leaves some to other programs",
  },
  "login-refused": {
    reply5: Reply5.generalFailure,
    reply4: Reply4.loginRefused,
    story: "The user name or the password is wrong",
    hint: "Those that may connect are in the file of --auth-file",
  },
  "too-many": { reply5: Reply5.generalFailure, story: "Too many connections", hint: "The limit is --max-connections" },
  "too-many-per-client": {
    reply5: Reply5.generalFailure,
    story: "Too many connections from one client address",
    hint: "The limit is --max-per-client",
  },
  "too-many-identities": {
    reply5: Reply5.generalFailure,
    story: "A new isolation group, and the identities of all others are in use",
    hint: "The limit is --max-identities",
  },
  "too-many-associations": {
    reply5: Reply5.generalFailure,
    story: "Too many UDP associations",
    hint: "An association ends with its TCP connection: does the application close those that it no longer needs?",
  },
  "client-address": {
    reply5: Reply5.notAllowed,
    story: "A UDP client that is not at 127.0.0.1 or ::1: nothing can be sent to it",
    hint: "Have it connect from one of these; a login or a user id sets clients apart as well, see --isolate",
  },
  "too-many-names": {
    reply5: Reply5.generalFailure,
    story: "A new name for --map-names, and the addresses of all others are in use",
    hint: "The address of another name is free again when its streams and associations have ended",
  },
  "out-of-descriptors": {
    reply5: Reply5.generalFailure,
    story: "No file descriptors are left",
    hint: "Each connection takes two: raise the limit (ulimit -n) or lower --max-connections",
  },
  "command": {
    reply5: Reply5.commandNotSupported,
    story: "A SOCKS command that is not served",
    hint:
      "BIND needs --bind, and a login where another client waits; UDP ASSOCIATE --udp; RESOLVE (torsocks) --map-names RANGE",
  },
  "address-type": { reply5: Reply5.addressTypeNotSupported, story: "A SOCKS address type that does not exist" },
  "auth-method": {
    reply5: Reply5.generalFailure,
    story: "No authentication method in common",
    hint: "With --auth-file an application has to send a user name and a password",
  },
  "http": {
    reply5: Reply5.generalFailure,
    story: "An HTTP request on the SOCKS port",
    hint: "The application has it as its HTTP proxy: set it as SOCKS5 host instead",
  },
  "not-socks": {
    reply5: Reply5.generalFailure,
    story: "Not a SOCKS client",
    hint: "The port speaks SOCKS 4, 4a and 5; i2p-socks setup has the settings of applications",
  },
  "malformed-request": { reply5: Reply5.generalFailure, story: "A malformed SOCKS request" },
  "handshake-timeout": {
    reply5: Reply5.generalFailure,
    story: "The client did not finish its handshake in time",
    hint: "See --handshake-timeout",
  },
  "client-closed": { reply5: Reply5.generalFailure, story: "The client closed before its stream was open" },
  "stopping": { reply5: Reply5.generalFailure, story: "The proxy is ending" },
  "internal": {
    reply5: Reply5.generalFailure,
    story: "An internal error",
    hint: "The log has it: please report it",
  },
};

/** A client does not get its stream. */
export class Refusal extends Error {
  /** Why. */
  readonly reason: Reason;

  /** Makes the error; `detail` replaces the table's story. */
  constructor(reason: Reason, detail?: string, cause?: unknown) {
    super(detail ?? ANSWERS[reason].story, { cause });
    this.name = "Refusal";
    this.reason = reason;
  }
}
