import type { Login } from "../../lib/socks/wire.ts";

/**
 * A login from texts, a byte a character.
 *
 * @param user characters below 256, as is `password`.
 */
export function loginOf(user: string, password = ""): Login {
  return { user: bytesOf(user), password: bytesOf(password) };
}

/** The bytes of a text of characters below 256. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
