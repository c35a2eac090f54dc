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
 */
export type SamFailure = "unreachable" | "silent" | "closed" | "garbled" | "refused";

/** Details of a {@linkcode SamError}. */
export interface SamErrorDetails {
  /** The RESULT word of a refusal, as the router wrote it: routers use words that are not in the specification. */
  result?: string;
  /** The router's own MESSAGE, for people: never to be decided on (SAM 3.3: optional, may be localized). */
  text?: string;
  /** The error of the runtime beneath. */
  cause?: unknown;
}

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

  /** Makes the error; its message is composed from the parts. */
  constructor(phase: SamPhase, failure: SamFailure, details: SamErrorDetails = {}) {
    super(describe(phase, failure, details), { cause: details.cause });
    this.name = "SamError";
    this.phase = phase;
    this.failure = failure;
    this.result = details.result;
    this.text = details.text?.replace(BLOB, "[redacted]");
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
    refused: `the router answered ${result ?? "without a result"}`,
  };
  return `${STEPS[phase]}: ${reasons[failure]}`;
}
