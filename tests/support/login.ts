import type { Login } from "../../lib/socks/wire.ts";
import { bytesOf } from "./bytes.ts";

/**
 * A login from texts, a byte a character.
 *
 * @param user characters below 256, as is `password`.
 */
export function loginOf(user: string, password = ""): Login {
  return { user: bytesOf(user), password: bytesOf(password) };
}
