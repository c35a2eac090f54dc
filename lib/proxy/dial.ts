import { Deadline, sleep } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { SamError } from "../sam/error.ts";
import type { SamSession } from "../sam/session.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { connectStream, type SamStream, type StreamTarget } from "../sam/stream.ts";
import type { WarmSockets } from "../sam/warm_sockets.ts";
import type { IdentityLease } from "../identity/identity_groups.ts";

/** Milliseconds for the loss of a session to show itself, when a stream on it could not be opened. */
const LOSS_DELAY = 250;

/** Through what a stream is opened. */
export interface Bridge {
  /** The SAM bridge. */
  endpoint: SamEndpoint;
  /** Sockets of the bridge that wait for a stream. */
  warm: WarmSockets;
}

/** A stream, and the session that it is of. */
export interface DialledStream {
  /** The stream. */
  stream: SamStream;
  /** Aborted when the session of the stream is lost. */
  sessionEnded: Signal;
}

/**
 * Opens a stream; once more on the next session, where the first one turns out to be lost.
 *
 * @throws {SamError} if the router refuses, or cannot be reached.
 * @throws the signal's reason if it was aborted.
 */
export async function dial(
  bridge: Bridge,
  identity: IdentityLease,
  target: StreamTarget,
  signal: Signal,
): Promise<DialledStream> {
  const session = await identity.session(signal);
  try {
    return await dialOn(session, bridge, target, signal);
  } catch (error) {
    if (signal.aborted || !await isLost(session, error, signal)) throw error;
    return await dialOn(await identity.session(signal), bridge, target, signal);
  }
}

async function dialOn(
  { id, ended }: SamSession,
  { endpoint, warm }: Bridge,
  target: StreamTarget,
  signal: Signal,
): Promise<DialledStream> {
  using attempt = new Deadline(Infinity, signal, ended);
  return { stream: await connectStream(endpoint, id, target, attempt.signal, warm), sessionEnded: ended };
}

/** Whether a stream could not be opened because its session is lost: nothing was sent then, so another try is safe. */
async function isLost(session: SamSession, error: unknown, signal: Signal): Promise<boolean> {
  if (session.ended.aborted) return true;
  if (!(error instanceof SamError)) return false;
  if (error.result === "INVALID_ID") {
    // The router has forgotten the session, and its end is about to be noticed.
    session.close(error);
    await session.lost;
    return true;
  }
  const isSign = error.failure === "closed" || error.failure === "unreachable" ||
    error.result === "I2P_ERROR" || error.result === "TIMEOUT";
  if (!isSign) return false;
  // A router that ends closes its connections one after the other, in any order.
  using patience = new Deadline(Infinity, signal, session.ended);
  await sleep(LOSS_DELAY, patience.signal);
  return session.ended.aborted;
}
