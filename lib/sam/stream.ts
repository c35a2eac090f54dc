import type { Signal } from "../io/signal.ts";
import { SamError } from "./error.ts";
import { formatCommand } from "./message.ts";
import { type SamEndpoint, SamSocket } from "./socket.ts";
import type { WarmSockets } from "./warm_sockets.ts";

/** An open stream: from here on the connection carries the application's bytes, without any framing. */
export interface SamStream {
  /** The connection to the bridge. */
  conn: Deno.TcpConn;
  /** Bytes of the peer that arrived together with the bridge's answer. */
  early: Uint8Array;
  /** What the bridge's answer was read into: nobody needs it any more. */
  buffer: Uint8Array<ArrayBuffer>;
}

/** Whom to connect to. */
export interface StreamTarget {
  /** Base32 address or name, as the router takes it. */
  host: string;
  /** I2P port, 0 to 65535; 0 is "no port". i2pd ignores it over SAM. */
  port: number;
}

/**
 * Opens a stream from a session's destination (SAM 3.0 STREAM CONNECT; TO_PORT is of SAM 3.2, and other versions of
 * the bridge ignore or take it).
 *
 * What success means is the router's choice: Java I2P answers when the peer has, i2pd as soon as it has the peer's
 * lease set. No byte may be sent before: i2pd would send the peer something else in its place.
 *
 * @param warm where a socket may be that has said HELLO already. If the router closes it without an answer, the request
 * is repeated on a fresh one: a router that has taken up the request answers before it closes.
 * @throws {SamError} if the bridge is not reachable, does not greet in time, or refuses.
 * @throws the signal's reason if it was aborted.
 */
export async function connectStream(
  endpoint: SamEndpoint,
  sessionId: string,
  { host, port }: StreamTarget,
  signal: Signal,
  warm?: WarmSockets,
): Promise<SamStream> {
  const command = formatCommand("STREAM CONNECT", {
    ID: sessionId,
    DESTINATION: host,
    ...(port === 0 ? {} : { TO_PORT: String(port) }),
  });
  for (let waiting = warm?.take(signal);; waiting = undefined) {
    const socket = waiting ?? await (warm === undefined ? SamSocket.open(endpoint, signal) : warm.open(signal));
    try {
      await socket.request(command, "stream", "STREAM");
      signal.throwIfAborted();
      return socket.detach();
    } catch (error) {
      socket.close();
      signal.throwIfAborted();
      if (waiting === undefined || !(error instanceof SamError) || error.failure !== "closed") throw error;
      warm?.clear();
    }
  }
}
