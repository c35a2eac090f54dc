import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";
import type { Reason } from "../reasons/refusals.ts";
import { refusalOf } from "../reasons/classify.ts";
import { SamError } from "../sam/error.ts";
import { CliError, ExitCode } from "./exit_code.ts";
import { fixLines, fixOf } from "../reasons/fixes.ts";

/** How the program ends for a failure of the SAM bridge; for any other reason it is a failure like others. */
const EXIT_CODES: Partial<Record<Reason, ExitCode>> = {
  "router-down": ExitCode.samUnreachable,
  "router-silent": ExitCode.samUnreachable,
  "not-sam": ExitCode.samUnreachable,
  "sam-version": ExitCode.samUnreachable,
  "sam-login": ExitCode.samUnreachable,
  "sam-refused": ExitCode.samUnreachable,
  "identity-in-use": ExitCode.notReady,
  "not-ready": ExitCode.notReady,
};

/** How the program ends for a reason. */
export function exitCodeOf(reason: Reason): ExitCode {
  return EXIT_CODES[reason] ?? ExitCode.failure;
}

/** Turns a failure of the SAM bridge into an error that says what to do; anything else stays as it is. */
export function adviseOn(error: unknown, endpoint: Endpoint): unknown {
  if (!(error instanceof SamError)) return error;
  const { reason } = refusalOf(error);
  const fix = fixOf(reason);
  return new CliError(exitCodeOf(reason), describeSamError(error, endpoint), fix === undefined ? [] : fixLines(fix));
}

/** What a failure of the SAM bridge says to people. */
export function describeSamError(error: SamError, endpoint: Endpoint): string {
  const where = formatEndpoint(endpoint);
  const { phase, failure } = error;
  if (phase === "connect") return `Nothing answers at ${where}: no SAM bridge (${rootCause(error)})`;
  if (phase === "hello" && failure !== "refused") {
    const what = {
      unreachable: "is gone",
      silent: "does not say anything",
      closed: "closes the connection",
      garbled: "speaks something else",
    };
    return `What listens at ${where} is no SAM bridge: it ${what[failure]}`;
  }
  if (phase === "session" && failure === "closed") return `${error.message} before tunnels were ready`;
  return error.fullMessage;
}

function rootCause({ cause, failure }: SamError): string {
  if (failure === "silent") return "it does not accept connections";
  return cause instanceof Deno.errors.ConnectionRefused ? "connection refused" : String(cause);
}
