/** Sends all of the bytes; a single write of the runtime may send a part of them. */
export async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let sent = 0; sent < bytes.length;) sent += await conn.write(bytes.subarray(sent));
}

/** Closes a connection; one that is closed already is left alone. Pending reads and writes end. */
export function closeQuietly(conn: { close(): void }): void {
  try {
    conn.close();
  } catch {
    // BadResource: closed by another hand.
  }
}

/** Milliseconds for a client to take the last bytes and close, before the connection is closed under it. */
export const LINGER = 2_000;

/**
 * Ends a connection so that the other side receives what was sent: end our side, then read what it still sends until
 * it ends its own. Closing with unread bytes would make the kernel send a reset, which can destroy the last reply.
 *
 * Takes at most {@linkcode LINGER}. The connection is closed in any case.
 */
export async function closeAfterReply(conn: Deno.Conn): Promise<void> {
  const timer = setTimeout(() => closeQuietly(conn), LINGER);
  try {
    await conn.closeWrite();
    const scratch = new Uint8Array(1024);
    while (await conn.read(scratch) !== null);
  } catch {
    // Reset by the other side, or closed by the timer.
  } finally {
    clearTimeout(timer);
    closeQuietly(conn);
  }
}

/** An abort signal that fires after a time, or together with another one. Dispose it to stop its clock. */
export class Deadline implements Disposable {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #parent: AbortSignal | undefined;
  readonly #follow = (): void => this.#controller.abort(this.#parent?.reason);

  /** Starts the clock: `milliseconds` from now, or when `parent` is aborted. */
  constructor(milliseconds: number, parent?: AbortSignal) {
    this.#parent = parent;
    this.#timer = setTimeout(() => this.#controller.abort(new TimeoutError()), milliseconds);
    parent?.addEventListener("abort", this.#follow);
    if (parent?.aborted) this.#follow();
  }

  /** Aborted when the time is over, with a {@linkcode TimeoutError}, or with the reason of the parent. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Stops the clock. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#parent?.removeEventListener("abort", this.#follow);
  }
}

/** The time that was given is over. */
export class TimeoutError extends Error {
  /** Makes the error. */
  constructor() {
    super("The time limit was reached");
    this.name = "TimeoutError";
  }
}
