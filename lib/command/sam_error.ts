import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";
import { fixLines, REASONS } from "../reasons/reasons.ts";
import { refusalOf } from "../reasons/classify.ts";
import { SamError } from "../sam/error.ts";
import { CliError } from "./exit_code.ts";

/** Turns a failure of the SAM bridge into an error that says what to do; anything else stays as it is. */
export function adviseOn(error: unknown, endpoint: Endpoint): unknown {
  if (!(error instanceof SamError)) return error;
  const { reason } = refusalOf(error);
  const { exitCode, fix } = REASONS[reason];
  return new CliError(exitCode, describeSamError(error, endpoint), fix === null ? [] : fixLines(fix), reason);
}

/** What a failure of the SAM bridge says to people. */
export function describeSamError(error: SamError, endpoint: Endpoint): string {
  const where = formatEndpoint(endpoint);
  const { phase, failure } = error;
  if (phase === "connect") return `Nothing answers at ${where}: no SAM bridge (${rootCause(error)})`;
  if (phase === "hello" && failure !== "refused") {
    const what = {
      unreachable: "has gone",
      silent: "does not answer",
      closed: "closed the connection",
      garbled: "gave an unexpected reply",
    };
    return `${where} is not a SAM bridge: it ${what[failure]}`;
  }
  if (phase === "session" && failure === "closed") return `${error.message} before tunnels were ready`;
  return error.fullMessage;
}

function rootCause({ cause, failure }: SamError): string {
  if (failure === "silent") return "it does not accept connections";
  return cause instanceof Deno.errors.ConnectionRefused ? "connection refused" : String(cause);
}
