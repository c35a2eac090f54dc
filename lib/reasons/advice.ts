import { formatEndpoint } from "../config/endpoint.ts";
import { errorText } from "../io/error_text.ts";
import type { SamError } from "../sam/error.ts";
import { refusalOf } from "./classify.ts";
import { fixLines, type Reason, REASONS } from "./reasons.ts";

/** Where a SAM bridge is. */
type Where = Parameters<typeof formatEndpoint>[0];

/**
 * What a failure of the SAM bridge says to people, wherever it is shown: where it has gone, with its address. Names no
 * destination.
 */
export function samErrorText(error: SamError, endpoint: Where): string {
  const where = formatEndpoint(endpoint);
  const { phase, failure } = error;
  if (error.diagnosis !== undefined) return error.diagnosis.says;
  if (phase === "connect") return `Nothing answers at ${where}: no SAM bridge (${rootCause(error)})`;
  if (phase !== "hello" || failure === "refused") return error.message;
  const what = {
    unreachable: "has gone",
    withheld: "was not asked",
    silent: "does not answer",
    closed: "closed the connection",
    garbled: "gave an unexpected reply",
  };
  return `${where} is not a SAM bridge: it ${what[failure]}`;
}

/**
 * What to do about a failure of the SAM bridge, a line each: with the router, or with either where it is not known, and,
 * where no session was even asked for and the cause is not known, a command that says more.
 */
export function samErrorAdvice(error: SamError, endpoint: Where, router?: string): string[] {
  const fix = error.diagnosis?.fix ?? REASONS[refusalOf(error).reason].fix;
  // What the command would find has been found.
  const hasCommand = error.diagnosis === undefined && (error.phase === "connect" || error.phase === "hello");
  return [
    ...(fix === null ? [] : fixLines(fix, router)),
    ...(hasCommand ? [`${checkCommand(formatEndpoint(endpoint))} looks for the cause`] : []),
  ];
}

/**
 * What to do about a reason, a line each: the fix for the router, or for each where that is unknown; else in general. A
 * command that says more comes last.
 *
 * @param sam the address of the bridge, HOST:PORT.
 */
export function reasonAdvice(reason: Reason, sam: string, router?: string): string[] {
  const { fix, hint } = REASONS[reason];
  const complete = completeHint(hint, sam);
  const isCommand = hint !== complete;
  return [
    ...(fix === null ? [] : fixLines(fix, router)),
    ...(complete !== null && (fix === null || isCommand) ? [complete] : []),
  ];
}

/** A hint of the table, with the complete command where it names one. */
export function completeHint(hint: string | null, sam: string): string | null {
  return hint?.replace("i2p-socks check", checkCommand(sam)) ?? null;
}

function checkCommand(sam: string): string {
  return `i2p-socks check --sam ${sam}`;
}

function rootCause({ cause, failure }: SamError): string {
  if (failure === "silent") return "it does not accept connections";
  return cause === undefined ? "it is not reachable" : errorText(cause);
}
