import { TimeoutError } from "../io/deadline.ts";
import { SamError } from "../sam/error.ts";
import { Reply4, Reply5, SocksError, type SocksProblem } from "../socks/wire.ts";
import { isExhaustion } from "../io/conn.ts";

/** Why a client did not get its stream. */
export type Reason =
  | "clearnet"
  | "ip"
  | "malformed-address"
  | "router-down"
  | "not-ready"
  | "name-unknown"
  | "peer-unreachable"
  | "peer-refused"
  | "timed-out"
  | "rule"
  | "too-many"
  | "too-many-identities"
  | "out-of-descriptors"
  | "command"
  | "address-type"
  | "auth-method"
  | "login-refused"
  | "http"
  | "not-socks"
  | "malformed-request"
  | "handshake-timeout"
  | "client-closed"
  | "stopping"
  | "router-error"
  | "internal";

/** What a reason means for the client and for the log. */
export interface Answer {
  /** SOCKS5 reply code. */
  reply5: Reply5;
  /** SOCKS4 reply code; `rejected` for nearly everything. */
  reply4?: Reply4;
  /** The story for the user, one sentence. */
  story: string;
  /** What to do about it, where that is known. */
  hint?: string;
}

/** The answer to every reason: the one table behind SOCKS replies, log lines and counters. */
export const ANSWERS: Readonly<Record<Reason, Answer>> = {
  "clearnet": { reply5: Reply5.notAllowed, story: "Not an I2P name, and this proxy reaches I2P only" },
  "ip": {
    reply5: Reply5.addressTypeNotSupported,
    story: "An IP address, and I2P has none",
    hint: "If a name was meant, the application resolves names itself: use socks5h or socks4a, or switch remote DNS on",
  },
  "malformed-address": { reply5: Reply5.hostUnreachable, story: "Not a possible I2P address" },
  "router-down": {
    reply5: Reply5.networkUnreachable,
    story: "The router's SAM bridge does not answer",
    hint: "Is the router running, with SAM switched on?",
  },
  "not-ready": { reply5: Reply5.networkUnreachable, story: "No tunnels were ready in time" },
  "name-unknown": { reply5: Reply5.hostUnreachable, story: "The router's address book does not have this name" },
  "peer-unreachable": { reply5: Reply5.hostUnreachable, story: "No lease set was found, or the peer does not answer" },
  "peer-refused": { reply5: Reply5.connectionRefused, story: "The peer refused" },
  "timed-out": { reply5: Reply5.ttlExpired, story: "No answer within the connect timeout" },
  "rule": { reply5: Reply5.notAllowed, story: "Not permitted by --allow and --deny" },
  "too-many-identities": {
    reply5: Reply5.generalFailure,
    story: "A new isolation group, and the identities of all others are in use",
    hint: "The limit is --max-identities",
  },
  "login-refused": {
    reply5: Reply5.generalFailure,
    reply4: Reply4.loginRefused,
    story: "The user name or the password is wrong",
  },
  "too-many": {
    reply5: Reply5.generalFailure,
    story: "Too many connections",
    hint: "The limit is --max-connections",
  },
  "out-of-descriptors": {
    reply5: Reply5.generalFailure,
    story: "No file descriptors are left",
    hint: "Each connection takes two: raise the limit (ulimit -n) or lower --max-connections",
  },
  "command": { reply5: Reply5.commandNotSupported, story: "A SOCKS command other than CONNECT" },
  "address-type": { reply5: Reply5.addressTypeNotSupported, story: "A SOCKS address type that does not exist" },
  "auth-method": { reply5: Reply5.generalFailure, story: "No authentication method in common" },
  "http": { reply5: Reply5.generalFailure, story: "An HTTP request on the SOCKS port" },
  "not-socks": { reply5: Reply5.generalFailure, story: "Not a SOCKS client" },
  "malformed-request": { reply5: Reply5.generalFailure, story: "A malformed SOCKS request" },
  "handshake-timeout": { reply5: Reply5.generalFailure, story: "The client did not finish its handshake in time" },
  "client-closed": { reply5: Reply5.generalFailure, story: "The client closed before its stream was open" },
  "stopping": { reply5: Reply5.generalFailure, story: "The proxy is ending" },
  "router-error": { reply5: Reply5.generalFailure, story: "The router failed" },
  "internal": { reply5: Reply5.generalFailure, story: "An internal error" },
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

const SOCKS_REASONS: Record<SocksProblem, Reason> = {
  closed: "client-closed",
  notSocks: "not-socks",
  http: "http",
  malformed: "malformed-request",
  tooLong: "malformed-request",
  authMethod: "auth-method",
  loginRefused: "login-refused",
  command: "command",
  addressType: "address-type",
};

/**
 * SAM's words for a failed STREAM CONNECT. The specification's list is not all that routers send (CONNECTION_REFUSED is
 * Java I2P's), and two of its words mean "unknown name".
 */
const STREAM_RESULTS: Readonly<Record<string, Reason>> = {
  CANT_REACH_PEER: "peer-unreachable",
  PEER_NOT_FOUND: "peer-unreachable",
  LEASESET_NOT_FOUND: "peer-unreachable",
  CONNECTION_REFUSED: "peer-refused",
  INVALID_KEY: "name-unknown",
  KEY_NOT_FOUND: "name-unknown",
  INVALID_ID: "not-ready",
  TIMEOUT: "timed-out",
};

/**
 * Finds the reason behind anything that was thrown on a client's way.
 *
 * @param byHash whether the target was a base32 address: then no name can be unknown, only its lease set not found.
 */
export function refusalOf(error: unknown, byHash: boolean): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof SocksError) return new Refusal(SOCKS_REASONS[error.problem], error.message, error);
  if (error instanceof TimeoutError) return new Refusal("timed-out");
  if (error instanceof SamError) return samRefusal(error, byHash);
  return new Refusal("internal", error instanceof Error ? `${error.name}: ${error.message}` : String(error), error);
}

function samRefusal(error: SamError, byHash: boolean): Refusal {
  if (isExhaustion(error.cause)) return new Refusal("out-of-descriptors", undefined, error);
  if (error.failure === "unreachable" || error.failure === "silent") {
    return new Refusal("router-down", error.message, error);
  }
  const reason = error.phase === "stream" ? STREAM_RESULTS[error.result ?? ""] ?? "router-error" : "router-error";
  const known = reason === "name-unknown" && byHash ? "peer-unreachable" : reason;
  return new Refusal(known, known === "router-error" ? error.message : undefined, error);
}
