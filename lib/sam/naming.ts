import type { Signal } from "../io/signal.ts";
import { decodeI2pBase64 } from "../i2p/base64.ts";
import { publicPart } from "../i2p/destination.ts";
import { SamError } from "./error.ts";
import { formatCommand } from "./message.ts";
import { type SamEndpoint, SamSocket } from "./socket.ts";

/** Milliseconds for the router to resolve one name for a verb. Routers give up earlier. */
export const LOOKUP_TIMEOUT = 60_000;

/**
 * Milliseconds for the router to find the lease set of a new session, where `check` has more to try. i2pd (seen with
 * 2.45.1) looks for it through tunnels of its own, not those of the session: streams may open without it.
 */
export const OWN_ADDRESS_TIMEOUT = 30_000;

/** What routers answer where a name leads nowhere. Any other refusal says nothing about the name. */
const NOT_FOUND: readonly (string | undefined)[] = ["KEY_NOT_FOUND", "INVALID_KEY", "LEASESET_NOT_FOUND"];

/**
 * Asks the router for the destination behind a name or a base32 address (SAM 3.0 NAMING LOOKUP).
 *
 * @returns the destination, or undefined if the router cannot resolve it.
 * @throws {SamError} if the bridge is not reachable, does not answer properly, or cannot look up anything now.
 * @throws the signal's reason if it was aborted.
 */
export async function lookupName(
  endpoint: SamEndpoint,
  name: string,
  signal: Signal,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const socket = await SamSocket.open(endpoint, signal);
  try {
    const values = await socket.request(formatCommand("NAMING LOOKUP", { NAME: name }), "naming", "NAMING");
    return parseDestination(values.get("VALUE") ?? "");
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof SamError && NOT_FOUND.includes(error.result)) return undefined;
    throw error;
  } finally {
    socket.close();
  }
}

function parseDestination(text: string): Uint8Array<ArrayBuffer> {
  try {
    return publicPart(decodeI2pBase64(text));
  } catch (error) {
    throw new SamError("naming", "garbled", { cause: error });
  }
}
