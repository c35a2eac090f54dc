import { closeQuietly, isExhaustion } from "../io/conn.ts";
import { Deadline } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { SamError } from "../sam/error.ts";
import { connectBridge, type SamEndpoint } from "../sam/socket.ts";

/** Milliseconds for a look at whether the router has gone, and between two of them. */
export const GONE_PROBE = 250;

/** Whether nothing listens at the port of the SAM bridge; one that does not answer in time is there. */
export async function isBridgeGone(endpoint: SamEndpoint, signal: Signal): Promise<boolean> {
  using deadline = new Deadline(GONE_PROBE, signal);
  try {
    closeQuietly(await connectBridge(endpoint, deadline));
    return false;
  } catch (error) {
    return error instanceof SamError && isGone(error);
  }
}

/** Whether nobody was there to be bothered; a lack of file descriptors of our own says nothing of that. */
export function isGone({ failure, cause }: SamError): boolean {
  return failure === "unreachable" && !isExhaustion(cause);
}
