import { isExhaustion } from "../io/conn.ts";

/** Milliseconds to wait where file descriptors have run out: that lasts until some connection ends. */
const ACCEPT_RETRY = 100;

/**
 * Accepts clients until the listener is closed.
 *
 * A failed accept is no end: a client that resets at once makes one fail, and so does a lack of file descriptors.
 *
 * @param failed is told of each failed accept.
 */
export async function acceptAll(
  listener: Deno.TcpListener,
  accepted: (conn: Deno.TcpConn) => void,
  failed: (error: unknown) => void,
): Promise<void> {
  for (;;) {
    try {
      accepted(await listener.accept());
    } catch (error) {
      // What accept throws when the listener is closed, before and while it waits.
      if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return;
      failed(error);
      if (isExhaustion(error)) await new Promise((resolve) => setTimeout(resolve, ACCEPT_RETRY));
    }
  }
}
