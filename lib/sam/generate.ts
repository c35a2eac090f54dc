import type { Signal } from "../io/signal.ts";
import { decodeI2pBase64 } from "../i2p/base64.ts";
import { PrivateKey } from "../i2p/private_key.ts";
import { Deadline } from "../io/deadline.ts";
import { SamError } from "./error.ts";
import { formatCommand } from "./message.ts";
import { SIGNATURE_TYPE } from "./session.ts";
import { type SamEndpoint, SamSocket } from "./socket.ts";

/** Milliseconds for a router to make a key: it needs neither tunnels nor the network for it. */
export const GENERATE_TIMEOUT = 30_000;

/**
 * Has the router make a private key (SAM 3.1 DEST GENERATE): at once, without tunnels. It is not used until a session is
 * created with it.
 *
 * @throws {SamError} if the bridge is not reachable, refuses, sends something that is not a key, or takes {@linkcode GENERATE_TIMEOUT}.
 * @throws the signal's reason if it was aborted.
 */
export async function generateKey(endpoint: SamEndpoint, signal?: Signal): Promise<PrivateKey> {
  using deadline = new Deadline(GENERATE_TIMEOUT, signal);
  const socket = await SamSocket.open(endpoint, deadline);
  try {
    const values = await socket.request(formatCommand("DEST GENERATE", { SIGNATURE_TYPE }), "keys", "DEST");
    return toKey(values.get("PRIV") ?? "");
  } catch (error) {
    signal?.throwIfAborted();
    throw deadline.aborted ? new SamError("keys", "silent") : error;
  } finally {
    socket.close();
  }
}

function toKey(text: string): PrivateKey {
  try {
    return new PrivateKey(decodeI2pBase64(text));
  } catch (error) {
    throw new SamError("keys", "garbled", { cause: error });
  }
}
