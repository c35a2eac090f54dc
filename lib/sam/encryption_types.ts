import type { Signal } from "../io/signal.ts";
import { SamError } from "./error.ts";
import { type SamEndpoint, SamSocket } from "./socket.ts";

/** The option that names the encryption types of a lease set (I2CP). */
const OPTION = "i2cp.leaseSetEncType";

/** Types that every router of SAM 3.1 documents: ElGamal, ECIES-P256 and ECIES-X25519. */
const DOCUMENTED: readonly string[] = ["0", "1", "4"];

/** What old releases of i2pd answer where no version is asked for: 2.45.1 does, 2.58 says 3.0. */
const OLD_I2PD = "3.1";

/** Encryption types that the options of a session name and not every router has. */
export function laterEncryptionTypes(options: Readonly<Record<string, string>>): string[] {
  return (options[OPTION] ?? "").split(",").filter((type) => type !== "" && !DOCUMENTED.includes(type));
}

/**
 * Keeps encryption types from an i2pd that is too old for them: it does not refuse what it does not document. Others refuse
 * it in words.
 *
 * @throws {SamError} `withheld` if the router is such an i2pd.
 * @throws what {@linkcode SamSocket.open} does.
 */
export async function requireEncryptionTypes(
  endpoint: SamEndpoint,
  types: readonly string[],
  signal: Signal,
): Promise<void> {
  const socket = await SamSocket.open(endpoint, signal, "any");
  socket.close();
  if (socket.version !== OLD_I2PD) return;
  throw new SamError("session", "withheld", { text: `it has no encryption type ${types.join(" or ")}` });
}
