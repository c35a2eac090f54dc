import { isExhaustion } from "./conn.ts";

/** Milliseconds to wait where file descriptors have run out: that lasts until some connection ends. */
const ACCEPT_RETRY = 100;

/**
 * Clients accepted in one turn of the event loop. The runtime carries out at most 128 operations a turn, and those of
 * new clients come first: when 256 clients opened streams as fast as they could, some waited ten times as long as most.
 * The others are better off in the kernel's queue, which is fair.
 */
export const ACCEPTED_A_TURN = 32;

/**
 * Accepts clients until the listener is closed.
 *
 * A failed accept does not end the loop: a client that resets at once causes one, and so do missing file descriptors.
 *
 * @param failed called with each failed accept.
 * @param turn resolves when everything else had its turn.
 * @param room resolves when there is room for the one that was accepted, undefined where there is; others wait in the
 * kernel's queue until then.
 */
export async function acceptAll<C>(
  listener: { accept(): Promise<C> },
  accepted: (conn: C) => void,
  failed: (error: unknown) => void,
  turn: () => Promise<void>,
  room?: () => Promise<void> | undefined,
): Promise<void> {
  for (let count = 1;; count++) {
    try {
      const conn = await listener.accept();
      const waiting = room?.();
      if (waiting !== undefined) await waiting;
      accepted(conn);
      if (count % ACCEPTED_A_TURN === 0) await turn();
    } catch (error) {
      // What accept throws when the listener is closed, before and while it waits.
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
      failed(error);
      if (isExhaustion(error)) await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY));
    }
  }
}
