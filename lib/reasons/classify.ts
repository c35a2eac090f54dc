import type { AddressKind } from "../i2p/address.ts";
import { isExhaustion } from "../io/conn.ts";
import { TimeoutError } from "../io/deadline.ts";
import {
  KEY_TAKEN,
  NO_TUNNELS,
  ROUTER_STARTS,
  SamError,
  type SamFailure,
  type SamPhase,
  SESSION_IS_OVER,
  TOO_MANY_SESSIONS,
} from "../sam/error.ts";
import { SocksError, type SocksProblem } from "../socks/wire.ts";
import { type Reason, REASONS } from "./reasons.ts";
import { Refusal } from "./refusal.ts";

const SOCKS_REASONS: Record<SocksProblem, Reason> = {
  closed: "client-closed",
  notSocks: "not-socks",
  http: "http",
  malformed: "malformed-request",
  tooLong: "malformed-request",
  authMethod: "auth-method",
  loginMissing: "login-missing",
  loginRefused: "login-refused",
  command: "command",
  addressType: "address-type",
};

/** A row of {@linkcode SAM_REASONS}: what must be the case, and what it then means. */
interface SamCase {
  /** The step that failed. */
  phase: SamPhase;
  /** How; any way where undefined. */
  failure?: SamFailure;
  /** The RESULT word; any where undefined. */
  result?: RegExp;
  /** The router's own words; any, or none, where undefined. */
  text?: RegExp;
  /** Whether another program may have the key; either where undefined. */
  keyMayBeTaken?: boolean;
  /** What it means. */
  reason: Reason;
}

/** Of i2pd, and of Java I2P: for a base32 address, and for a peer whose lease set has run out. */
const NO_LEASE_SET = /^(destination )?lease ?set (not found|expired)/i;

/** Of i2pd, and of Java I2P. */
const NO_COMMON_ENCRYPTION = /^(incompatible crypto|unsupported encryption)/i;

/** Of i2pd, and of Java I2P since 2.5.0, which says more behind it. */
const MYSELF = /^(can't connect to myself|local loopback denied)/i;

/** Of Java I2P until 0.9.50 or so, its later versions (after 333 s), and both where the acknowledgement is missing. */
const SILENT_PEER = /timed out|^timeout|^connection failed/i;

/**
 * What a failure of the SAM dialogue means; the first row that fits counts.
 *
 * RESULT words are those of the specification and those that routers send in addition: `CONNECTION_REFUSED` is of Java I2P,
 * `DUPLICATE_DEST` of emissary, and two words mean "unknown name". Rows with a `text` tell apart what one word covers; the
 * texts are those of i2pd 2.45–2.58 and Java I2P 0.9.47–2.8. As routers may change them or translate them (Java I2P does, some),
 * what is not recognised falls to the row of the bare word, which says less but nothing wrong.
 */
const SAM_REASONS: readonly SamCase[] = [
  { phase: "connect", failure: "silent", reason: "router-silent" },
  { phase: "connect", reason: "router-down" },

  { phase: "hello", failure: "silent", reason: "router-silent" },
  { phase: "hello", failure: "closed", reason: "router-silent" },
  { phase: "hello", failure: "garbled", reason: "not-sam" },
  { phase: "hello", result: /^NOVERSION$/, reason: "sam-version" },
  { phase: "hello", text: /authori[sz]|password/i, reason: "sam-login" },
  { phase: "hello", reason: "sam-refused" },

  { phase: "session", failure: "silent", reason: "not-ready" },
  { phase: "session", failure: "closed", reason: "router-down" },
  { phase: "session", failure: "withheld", reason: "encryption-unsupported" },
  { phase: "session", result: /^DUPLICATED?_DEST$/, reason: "identity-in-use" },
  { phase: "session", result: /^TIMEOUT$/, reason: "not-ready" },
  { phase: "session", result: /^INVALID_KEY$/, reason: "key-refused" },
  { phase: "session", result: /^I2P_ERROR$/, text: ROUTER_STARTS, reason: "router-starting" },
  { phase: "session", result: /^I2P_ERROR$/, text: KEY_TAKEN, reason: "identity-in-use" },
  { phase: "session", result: /^I2P_ERROR$/, text: TOO_MANY_SESSIONS, reason: "session-refused" },
  { phase: "session", result: /^I2P_ERROR$/, text: NO_TUNNELS, keyMayBeTaken: true, reason: "session-failed" },
  { phase: "session", result: /^I2P_ERROR$/, text: NO_TUNNELS, reason: "not-ready" },
  // STREAM is a style that every router has.
  { phase: "session", result: /^I2P_ERROR$/, text: /\bstyle\b/i, reason: "datagrams-refused" },
  { phase: "session", reason: "session-refused" },

  { phase: "stream", result: /^CANT_REACH_PEER$/, text: NO_LEASE_SET, reason: "lease-set-not-found" },
  { phase: "stream", result: /^CANT_REACH_PEER$/, text: NO_COMMON_ENCRYPTION, reason: "incompatible-encryption" },
  { phase: "stream", result: /^CANT_REACH_PEER$/, text: MYSELF, reason: "own-address" },
  { phase: "stream", result: /^CANT_REACH_PEER$/, text: SILENT_PEER, reason: "peer-silent" },
  { phase: "stream", result: /^CANT_REACH_PEER$/, text: /^connection re(set|fused)/i, reason: "peer-refused" },
  { phase: "stream", result: /^(CANT_REACH_PEER|PEER_NOT_FOUND)$/, reason: "peer-unreachable" },
  { phase: "stream", result: /^LEASESET_NOT_FOUND$/, reason: "lease-set-not-found" },
  { phase: "stream", result: /^CONNECTION_REFUSED$/, reason: "peer-refused" },
  { phase: "stream", result: /^INVALID_KEY$/, text: NO_LEASE_SET, reason: "lease-set-not-found" },
  { phase: "stream", result: /^(INVALID_KEY|KEY_NOT_FOUND)$/, reason: "name-unknown" },
  { phase: "stream", result: /^INVALID_ID$/, reason: "not-ready" },
  { phase: "accept", result: /^INVALID_ID$/, reason: "not-ready" },
  { phase: "stream", result: /^TIMEOUT$/, reason: "timed-out" },
  { phase: "stream", result: /^I2P_ERROR$/, text: SESSION_IS_OVER, reason: "not-ready" },
  { phase: "accept", result: /^I2P_ERROR$/, text: SESSION_IS_OVER, reason: "not-ready" },
  { phase: "stream", result: /^I2P_ERROR$/, text: /^too many streams/i, reason: "router-busy" },
];

/** What an unknown name means for other kinds of addresses. */
const UNKNOWN: Partial<Record<AddressKind, Reason>> = {
  b32: "lease-set-not-found",
  b33: "lease-set-not-found",
  garlicat: "garlicat-unknown",
};

/** Why there is no stream to an address that the router cannot resolve: a base32 address has no name that could be unknown. */
export function unknownReason(kind: AddressKind): Reason {
  return UNKNOWN[kind] ?? "name-unknown";
}

/**
 * Finds the reason behind anything that was thrown on a client's way.
 *
 * @param kind what the target was: for a base32 address no name can be unknown, only its lease set not found.
 */
export function refusalOf(error: unknown, kind?: AddressKind): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof SocksError) return new Refusal(SOCKS_REASONS[error.problem], error.message, error);
  if (error instanceof TimeoutError) return new Refusal("timed-out");
  if (error instanceof SamError) return samRefusal(error, kind);
  // Whatever was to be opened: an association binds a port.
  if (isExhaustion(error)) return new Refusal("out-of-descriptors", undefined, error);
  return new Refusal("internal", error instanceof Error ? `${error.name}: ${error.message}` : String(error), error);
}

function samRefusal(error: SamError, kind: AddressKind | undefined): Refusal {
  if (isExhaustion(error.cause)) return new Refusal("out-of-descriptors", undefined, error);
  const fitting = SAM_REASONS.find(({ phase, failure, result, text, keyMayBeTaken }) =>
    phase === error.phase && (failure === undefined || failure === error.failure) &&
    (keyMayBeTaken === undefined || keyMayBeTaken === error.keyMayBeTaken) &&
    (result === undefined || result.test(error.result ?? "")) && (text === undefined || text.test(error.text ?? ""))
  );
  const bare = fitting?.reason ?? "router-error";
  const reason = bare === "name-unknown" ? unknownReason(kind ?? "name") : bare;
  const quotesRouter = error.failure !== "refused" || REASONS[reason].quotesRouter;
  return new Refusal(reason, quotesRouter ? error.message : undefined, error);
}
