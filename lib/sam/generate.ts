import { decodeI2pBase64 } from "../i2p/base64.ts";
import { PrivateKey } from "../i2p/private_key.ts";
import { SamError } from "./error.ts";
import { formatCommand } from "./message.ts";
import { SIGNATURE_TYPE } from "./session.ts";
import { type SamEndpoint, SamSocket } from "./socket.ts";

/**
 * Has the router make a private key (SAM 3.1 DEST GENERATE): at once, without tunnels. It is not used until a session is
 * created with it.
 *
 * @throws {SamError} if the bridge is not reachable, refuses, or sends what is no key.
 * @throws the signal's reason if it was aborted.
 */
export async function generateKey(endpoint: SamEndpoint, signal: AbortSignal): Promise<PrivateKey> {
  const socket = await SamSocket.open(endpoint, signal);
  try {
    const values = await socket.request(formatCommand("DEST GENERATE", { SIGNATURE_TYPE }), "keys", "DEST");
    return toKey(values.get("PRIV") ?? "");
  } catch (error) {
    signal.throwIfAborted();
    throw error;
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
