import { b32Address } from "../../lib/i2p/destination.ts";
import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { type Keys, readDestination, type SignatureType } from "./keys.ts";
import type { Command, Incoming } from "./line.ts";
import type { Call } from "./network.ts";
import type { Wire } from "./wire.ts";

/** Routers whose behaviour was recorded, each in one version. */
export const ROUTERS = ["i2pd 2.45.1", "i2pd 2.58", "java 0.9.47", "java 2.8"] as const;

/** Whose behaviour to imitate; without a version it is the newest. */
export type Manners = typeof ROUTERS[number] | "i2pd" | "java";

/** Who may use a bridge that asks for a login. */
export interface Login {
  user: string;
  password: string;
}

/** What goes back to a client. */
export interface Reply {
  /** Complete, line feed included. */
  text?: string;
  /** Whether the conversation is over. */
  close?: boolean;
}

/** The answer to HELLO; without a version the conversation is over. */
export interface Greeting {
  text?: string;
  version?: string;
}

/** Why a command fails. Each router has its own words for it. */
export type Refusal =
  | "session exists"
  | "no id"
  | "bad id"
  | "duplicated id"
  | "duplicated destination"
  | "taken destination"
  | "no tunnels"
  | "no style"
  | "bad style"
  | "no destination"
  | "bad keys"
  | "bad signature type"
  | "no subsessions"
  | "control socket"
  | "unknown id"
  | "not ready"
  | "no target"
  | "unknown name"
  | "no lease set"
  | "unreachable"
  | "myself"
  | "silent"
  | "refused"
  | "already accepting"
  | "already forwarding"
  | "no stream id"
  | "bad port"
  | "session over"
  | "no port"
  | "not found"
  | "cannot generate"
  | "too long";

/** What a name or an address stands for. */
export interface Target {
  b32: string;
  /** In I2P base64, where it is known without a lease set. */
  destination?: string;
}

/** How a router has sessions within sessions (SAM 3.3). */
export interface PrimaryManners {
  /** Pairs of `SESSION CREATE` that such a session may not have. */
  readonly forbidden: readonly string[];
  /** The reply to one that has. */
  refuseOption(key: string): Reply;
  /** The reply to `SESSION ADD`, where nothing is wrong with it, and where something is. */
  added(id: string, problem?: string): Reply;
  /** The reply to a STREAM command about a session that has no streams, `PRIMARY` itself among them. */
  noStreams(session: { id: string; style: string }, opcode: string): Reply;
  /** The reply to `SESSION REMOVE`, where there is such a subsession, and where there is none. */
  removed(id: string, isThere: boolean): Reply;
}

/** The manners of one router: its grammar, its words, its quirks. */
export interface Router {
  /** Which one it is. */
  readonly kind: "i2pd" | "java";
  /** A session needs an ID, and is the only one of its socket. */
  readonly isStrictWithSessions: boolean;
  /** `STREAM ACCEPT` goes on when its client has closed, and swallows a caller. */
  readonly acceptsForTheGone: boolean;
  /** Milliseconds after which a session without tunnels is refused, where it ever is. */
  readonly tunnelTimeout: number;
  /** What a client that has closed behind HELLO is told, as if it could hear that. */
  readonly farewell: string;
  /** Whether a session that is over keeps its control socket. */
  readonly keepsControl: boolean;
  /** Datagrams to oneself are dropped. */
  readonly dropsOwnDatagrams: boolean;
  /** `STREAM CONNECT` is answered OK before the peer has. */
  readonly connectsBlindly: boolean;
  /** A session can call itself. */
  readonly reachesItself: boolean;
  /**
   * A caller who names no encryption types takes ElGamal where the called destination has it, and its streams are dropped
   * where that one prefers another.
   */
  readonly dropsElGamalCallers: boolean;
  /** A second session with the same keys gets the same destination. */
  readonly sharesDestinations: boolean;
  /** The socket is read while a session's tunnels are built. */
  readonly readsWhileBuilding: boolean;
  /** Bytes behind `STREAM CONNECT` or `STREAM ACCEPT` wait for the stream. */
  readonly keepsEarlyBytes: boolean;
  /** `NAME=ME` without a session means a destination of the router itself. */
  readonly hasSharedDestination: boolean;
  /** `STREAM ACCEPT` beside a `STREAM FORWARD` gets OK, but never a caller. */
  readonly acceptsBesideForward: boolean;
  /** Sessions within sessions, where it has them. */
  readonly primary?: PrimaryManners;
  /** Whether silence on a socket of this version makes the router send PING. */
  pings(version: string): boolean;
  /** Reads the next line; `first` is HELLO. `undefined` at the end. */
  hear(wire: Wire, first: boolean): Promise<Incoming | undefined>;
  /** Answers the first line. */
  greet(line: string, login: Login | undefined): Greeting;
  /** A command for the bridge, or the reply to a line that needs no bridge. */
  parse(line: string): Command | Reply;
  /** The reply to a command that failed. `about` is what the client gave. */
  refuse(refusal: Refusal, about?: string): Reply;
  /** What `SILENT=` means. */
  isSilent(value: string | undefined): boolean;
  /** Whether SILENT silences this refusal too. */
  silences(refusal: Refusal): boolean;
  /** What `SIGNATURE_TYPE=` means; `undefined` if it is refused. */
  signatureType(value: string | undefined): SignatureType | undefined;
  /** Whether a session may have this ID. */
  acceptsId(id: string): boolean;
  /** Reads a private blob; `undefined` if it is refused. */
  readKeys(blob: string): Promise<Keys | undefined>;
  /** The form of a name in the address book. */
  bookName(name: string): string;
  /** What a text stands for; `undefined` if it is no address and not in the address book. */
  locate(text: string, names: ReadonlyMap<string, string>): Promise<Target | undefined>;
  /** The line in front of an accepted stream. */
  callerLine(call: Call, version: string): string;
}

/** The target of a destination in I2P base64, `undefined` if it is none. */
export async function targetOfKey(text: string): Promise<Target | undefined> {
  const destination = readDestination(text);
  return destination && { b32: await b32Address(destination), destination: encodeI2pBase64(destination) };
}
