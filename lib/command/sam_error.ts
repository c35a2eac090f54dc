import type { Endpoint } from "../config/endpoint.ts";
import { samErrorAdvice, samErrorText } from "../reasons/advice.ts";
import { refusalOf } from "../reasons/classify.ts";
import { REASONS } from "../reasons/reasons.ts";
import { SamError } from "../sam/error.ts";
import { CliError } from "./exit_code.ts";

/** Turns a failure of the SAM bridge into an error that says what to do; anything else stays as it is. */
export function adviseOn(error: unknown, endpoint: Endpoint): unknown {
  if (!(error instanceof SamError)) return error;
  const { reason } = refusalOf(error);
  const advice = samErrorAdvice(error, endpoint);
  return new CliError(REASONS[reason].exitCode, describeSamError(error, endpoint), advice, reason);
}

/** What a failure of the SAM bridge says to the user of this command, with the router's own words. */
export function describeSamError(error: SamError, endpoint: Endpoint): string {
  const { phase, failure, text } = error;
  if (phase === "session" && failure === "closed") return `${error.message} before tunnels were ready`;
  const says = samErrorText(error, endpoint);
  return text === undefined ? says : `${says} (${text})`;
}
