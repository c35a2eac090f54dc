import { SamError } from "./error.ts";
import { formatCommand } from "./message.ts";
import { type SamEndpoint, SamSocket } from "./socket.ts";

/**
 * Asks the router for the destination behind a name or a base32 address (SAM 3.0 NAMING LOOKUP).
 *
 * @returns the destination in I2P base64, or undefined if the router cannot resolve it. Routers use different words
 * for that (KEY_NOT_FOUND, INVALID_KEY), so every refusal counts.
 * @throws {SamError} if the bridge is not reachable or does not answer properly.
 * @throws the signal's reason if it was aborted.
 */
export async function lookupName(
  endpoint: SamEndpoint,
  name: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const socket = await SamSocket.open(endpoint, signal);
  try {
    return (await socket.request(formatCommand("NAMING LOOKUP", { NAME: name }), "naming", "NAMING")).get("VALUE");
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SamError && error.failure === "refused") return undefined;
    throw error;
  } finally {
    socket.close();
  }
}
