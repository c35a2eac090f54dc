import { onAbort, type Signal } from "./signal.ts";
import { startTimer, type Timer } from "./timer.ts";

/** Milliseconds for a client to take the last bytes and close, before the connection is closed under it. */
export const LINGER = 2_000;

/** Milliseconds at most for a client that goes on sending while it takes the last bytes. */
export const LONGEST_LINGER = 60_000;

/** Sends all of the bytes; a single write of the runtime may send a part of them. */
export async function writeAll(conn: Pick<Deno.Conn, "write">, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) {
    const sent = await conn.write(rest);
    if (sent === rest.length) return;
    rest = rest.subarray(sent);
  }
}

/**
 * Connects to a literal address.
 *
 * @throws what `Deno.connect` throws.
 * @throws the signal's reason if it was aborted.
 */
export async function connectTcp(
  { hostname, port }: { hostname: string; port: number },
  signal: Signal,
): Promise<Deno.TcpConn> {
  signal.throwIfAborted();
  const controller = new AbortController();
  // Deno 2.9.6 asks this signal once more when the connection stands, and where it throws, the connection is neither
  // returned nor closed.
  Object.defineProperty(controller.signal, "throwIfAborted", { value: () => {} });
  const abort = (): void => controller.abort(signal.reason);
  signal.addEventListener("abort", abort);
  try {
    const conn = await Deno.connect({ hostname, port, signal: controller.signal });
    if (!signal.aborted) return conn;
    conn.close();
    throw signal.reason;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

/**
 * Marks what was closed here: an attempt to close it again would cost an exception, and there are several on every way
 * out. A mark on the thing itself costs less than a set of things, which each collection of garbage has to look through.
 */
const CLOSED: unique symbol = Symbol("closed");

/** What can be closed, and may have been. */
interface Closable {
  close(): void;
  [CLOSED]?: true;
}

/** Closes a connection or listener; one that is closed already is left alone. Pending reads and writes end. */
export function closeQuietly(resource: Closable): void {
  if (resource[CLOSED] === true) return;
  resource[CLOSED] = true;
  try {
    resource.close();
  } catch {
    // BadResource: closed by another hand.
  }
}

/**
 * Closes a connection when a signal is aborted, now if it is.
 *
 * @returns what removes the listener.
 */
export function closeOnAbort(conn: { close(): void }, signal: Signal): () => void {
  return onAbort(signal, () => closeQuietly(conn));
}

/**
 * Ends a connection so that the other side receives what was sent: end our side, then read what it still sends until it
 * ends its own. Closing with unread bytes would make the kernel send a reset, which destroys what is on its way.
 *
 * Ends after {@linkcode LINGER}, or, where `patient`, after as long without a byte and a minute in all.
 * The connection is closed in any case.
 */
export async function closeAfterReply(conn: Deno.Conn, patient = false): Promise<void> {
  const close = (): void => closeQuietly(conn);
  const last = startTimer(patient ? LONGEST_LINGER : LINGER, close);
  let silence: Timer | undefined;
  try {
    await conn.closeWrite();
    const scratch = new Uint8Array(4096);
    do {
      if (!patient) continue;
      silence?.stop();
      silence = startTimer(LINGER, close);
    } while (await conn.read(scratch) !== null);
  } catch {
    // Reset by the other side, or closed by a timer.
  } finally {
    last.stop();
    silence?.stop();
    closeQuietly(conn);
  }
}

/**
 * Whether an error is one of the runtime or the system, as reading and writing throw them. Anything else is a mistake of this
 * program.
 */
export function isOfRuntime(error: unknown): boolean {
  // Rare ones have no class of their own, but a code.
  return Object.values(Deno.errors).some((type) => error instanceof type) ||
    error instanceof Error && "code" in error && typeof error.code === "string";
}

/** Whether an error says that the process or the system is out of file descriptors or memory: it passes. */
export function isExhaustion(error: unknown): boolean {
  return error instanceof Error && "code" in error && ["EMFILE", "ENFILE", "ENOMEM"].includes(String(error.code));
}
