import { closeAfterReply, closeOnAbort, closeQuietly, writeAll } from "../io/conn.ts";
import { Deadline } from "../io/deadline.ts";
import { acceptAll } from "../io/accept.ts";
import { headLength, parseRequestHead } from "./http_request.ts";
import type { Snapshot } from "./snapshot.ts";
import { answerStatus, encodeAnswer, type HttpAnswer, plain } from "./routes.ts";

/** Longest head of a request, in bytes. */
export const MAX_STATUS_HEAD = 8_192;

/** Milliseconds for a request and its answer. */
export const STATUS_TIMEOUT = 5_000;

/** Connections at once that have not been answered; above that the one that has waited longest gives way. */
export const MAX_STATUS_REQUESTS = 16;

/** Answered connections at once whose client has not closed yet; above that the oldest is closed. */
export const MAX_STATUS_ANSWERED = 16;

/**
 * Serves the status over HTTP/1.1: one request a connection, GET or HEAD, no body.
 *
 * Not `Deno.serve`, which keeps a connection open that never ends its request (Deno 2.9: for more than 40 s), and has no
 * limits on heads and connections.
 */
export class StatusServer {
  readonly #listener: Deno.TcpListener;
  readonly #snapshot: () => Snapshot;
  readonly #stop = new AbortController();
  readonly #serving = new Set<Promise<void>>();
  /** Connections without a request, the oldest first. */
  readonly #silent = new Set<Deno.TcpConn>();
  /** Connections whose answer is being written, likewise. */
  readonly #asking = new Set<Deno.TcpConn>();
  /** Connections that have their answer, likewise. */
  readonly #answered = new Set<Deno.TcpConn>();
  readonly #accepting: Promise<void>;

  /** Begins to serve. The listener is closed with the server, and needs no permission any more. */
  constructor(listener: Deno.TcpListener, snapshot: () => Snapshot) {
    this.#listener = listener;
    this.#snapshot = snapshot;
    // Failed accepts are not logged: a client that asked for the status asks again.
    this.#accepting = acceptAll(listener, (conn) => this.#accept(conn), () => {}, () => Promise.resolve());
  }

  /** Ends everything at once, and resolves when it has ended. */
  async close(): Promise<void> {
    closeQuietly(this.#listener);
    this.#stop.abort(new Error("The status server ends"));
    await this.#accepting;
    await Promise.all(this.#serving);
  }

  #accept(conn: Deno.TcpConn): void {
    // One that asked and does not take its answer goes only where nobody is silent.
    if (this.#silent.size + this.#asking.size >= MAX_STATUS_REQUESTS) closeOldest(this.#silent, this.#asking);
    this.#silent.add(conn);
    const served = this.#serve(conn).finally(() => this.#serving.delete(served));
    this.#serving.add(served);
  }

  async #serve(conn: Deno.TcpConn): Promise<void> {
    using deadline = new Deadline(STATUS_TIMEOUT, this.#stop.signal);
    closeOnAbort(conn, deadline);
    try {
      const head = await readHead(conn);
      if (head === undefined) return;
      this.#silent.delete(conn);
      this.#asking.add(conn);
      await writeAll(conn, await encodeAnswer(this.#answer(head)));
      this.#asking.delete(conn);
      if (this.#answered.size >= MAX_STATUS_ANSWERED) closeOldest(this.#answered);
      this.#answered.add(conn);
      await closeAfterReply(conn);
    } catch {
      // The client is gone, had to give way, or its time is over: nobody is left to answer.
    } finally {
      for (const conns of [this.#silent, this.#asking, this.#answered]) conns.delete(conn);
      closeQuietly(conn);
    }
  }

  #answer(head: Uint8Array): HttpAnswer {
    if (head.length > MAX_STATUS_HEAD) return plain(431, `The head of a request has at most ${MAX_STATUS_HEAD} bytes`);
    const request = parseRequestHead(head);
    if (request === undefined) {
      return plain(400, "This is the status of i2p-socks, and that was not an HTTP/1.1 request");
    }
    return answerStatus(request, this.#listener.addr.port, this.#snapshot);
  }
}

/** Closes the oldest connection of the first set that has one. */
function closeOldest(...sets: readonly Set<Deno.TcpConn>[]): void {
  for (const conns of sets) {
    for (const conn of conns) {
      conns.delete(conn);
      return closeQuietly(conn);
    }
  }
}

/** Reads the head of a request; more than {@linkcode MAX_STATUS_HEAD} bytes if it is longer, undefined if it never ends. */
async function readHead(conn: Deno.Conn): Promise<Uint8Array | undefined> {
  const buffer = new Uint8Array(MAX_STATUS_HEAD + 1);
  for (let length = 0; length < buffer.length;) {
    const count = await conn.read(buffer.subarray(length));
    if (count === null) return undefined;
    length += count;
    const end = headLength(buffer.subarray(0, length));
    if (end !== undefined) return buffer.subarray(0, end);
  }
  return buffer;
}
