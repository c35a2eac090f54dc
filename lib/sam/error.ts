import { errorText } from "../io/error_text.ts";

/** The step of the SAM dialogue in which something went wrong. */
export type SamPhase = "connect" | "hello" | "session" | "stream" | "accept" | "naming" | "keys";

/**
 * How a step failed:
 *
 * - `unreachable`: no TCP connection to the bridge
 * - `silent`: the bridge did not answer in time
 * - `closed`: the bridge closed the connection instead of answering
 * - `garbled`: what it answered is not SAM
 * - `refused`: it answered with a RESULT other than OK
 * - `withheld`: it was not asked, for its version does not have what was wanted
 */
export type SamFailure = "unreachable" | "silent" | "closed" | "garbled" | "refused" | "withheld";

/** What was found out about a SAM port where nothing listens. */
export interface Diagnosis {
  /** What it is, a sentence. */
  readonly says: string;
  /** What to do about it, with either router; undefined where there is nothing special. */
  readonly fix?: {
    /** With i2pd. */
    readonly i2pd: string;
    /** With Java I2P. */
    readonly java: string;
  };
}

/** Details of a {@linkcode SamError}. */
export interface SamErrorDetails {
  /** The RESULT word of a refusal, as the router wrote it: routers use words that are not in the specification. */
  result?: string;
  /** The router's own MESSAGE, for people: never to be decided on (SAM 3.3: optional, may be localized). */
  text?: string;
  /** The error of the runtime beneath. */
  cause?: unknown;
  /** Whether another program may have the key of the session, which the router does not say. @default {false} */
  keyMayBeTaken?: boolean;
}

/** What a router says whose SAM bridge is there before the router is (Java I2P, seen with 2.8.0). */
export const ROUTER_STARTS: RegExp = /\bno manager yet\b/i;

/**
 * What Java I2P (seen with 0.9.47 and 2.8.0) says of a session without tunnels: after five minutes, or at once where the
 * router ends it, with the cause behind it in 2.8.0.
 */
export const NO_TUNNELS: RegExp = /\bfailed to build tunnels\b/i;

/** The cause where another program has the key. */
export const KEY_TAKEN: RegExp = /\bduplicate destination\b/i;

/** The cause where the router has too many sessions. */
export const TOO_MANY_SESSIONS: RegExp = /\bsession limit exceeded\b/i;

/** What Java I2P says to a stream of a session that is over, though its control socket may still be open (0.9.47). */
export const SESSION_IS_OVER: RegExp = /^session (was|is) closed/i;

/** Base64 of I2P that is longer than any name or hash: a destination, or a private key, for which a router may blame it. */
const BLOB = /[A-Za-z0-9~=-]{100,}/g;

/** A step of the SAM dialogue failed. */
export class SamError extends Error {
  /** The step that failed. */
  readonly phase: SamPhase;
  /** How it failed. */
  readonly failure: SamFailure;
  /** The RESULT word of a refusal. */
  readonly result: string | undefined;
  /** The router's own words, which may name a destination: not part of the message. No key is left in them. */
  readonly text: string | undefined;
  /** Whether another program may have the key of the session. */
  readonly keyMayBeTaken: boolean;
  /** What was found out about it since, by other ports of the machine. */
  diagnosis: Diagnosis | undefined = undefined;

  /** Composes the message from the parts. */
  constructor(phase: SamPhase, failure: SamFailure, details: SamErrorDetails = {}) {
    super(describe(phase, failure, details), { cause: details.cause });
    this.name = "SamError";
    this.phase = phase;
    this.failure = failure;
    this.result = details.result;
    this.keyMayBeTaken = details.keyMayBeTaken ?? false;
    this.text = details.text?.replace(BLOB, "[redacted]");
  }

  /** Whether it says that the session is over: the router does not know its name, or has closed it. */
  get saysSessionIsOver(): boolean {
    return this.result === "INVALID_ID" || this.result === "I2P_ERROR" && SESSION_IS_OVER.test(this.text ?? "");
  }

  /** The message together with the router's own words. */
  get fullMessage(): string {
    return this.text === undefined ? this.message : `${this.message} (${this.text})`;
  }
}

const STEPS: Record<SamPhase, string> = {
  connect: "Cannot connect to the SAM bridge",
  hello: "Cannot greet the SAM bridge",
  session: "Cannot keep a SAM session",
  stream: "Cannot open a stream",
  accept: "Cannot wait for a caller",
  naming: "Cannot look up a name",
  keys: "Cannot generate a key",
};

function describe(phase: SamPhase, failure: SamFailure, { result, cause }: SamErrorDetails): string {
  const reasons: Record<SamFailure, string> = {
    unreachable: cause instanceof Error ? errorText(cause) : "it is not reachable",
    silent: "it does not answer",
    closed: "the router closed the connection",
    garbled: "its answer is not SAM",
    withheld: "the router was not asked, for it is too old",
    refused: `the router answered ${result ?? "without a result"}`,
  };
  return `${STEPS[phase]}: ${reasons[failure]}`;
}
