import { NO_TUNNELS, SamError } from "../sam/error.ts";
import { refusalOf } from "../reasons/classify.ts";

/** Milliseconds between attempts at a session that the router cannot have yet. */
export const SESSION_RETRY = 3_000;

/**
 * Whether a session is to be asked for again, because the router only needs time: it is starting, or has given up after
 * five minutes without tunnels, as Java I2P does, where a fresh one needs up to ten.
 */
export function needsTime(error: unknown): error is SamError {
  if (!(error instanceof SamError)) return false;
  const { reason } = refusalOf(error);
  return reason === "router-starting" || reason === "not-ready" && NO_TUNNELS.test(error.text ?? "");
}

/** Whether the router still has a session of the same key, and knows it as one of SAM: it forgets that in time. */
export function isInUse(error: unknown): error is SamError {
  return error instanceof SamError && error.result !== "I2P_ERROR" && refusalOf(error).reason === "identity-in-use";
}

/**
 * Whether another program has the key, or may have it. With Java I2P 0.9.47 each attempt takes that off the air as well, in
 * silence.
 */
export function isTaken(error: unknown): error is SamError {
  return error instanceof SamError && !isInUse(error) &&
    ["identity-in-use", "session-failed"].includes(refusalOf(error).reason);
}
