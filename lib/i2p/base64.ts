import { decodeBase64, encodeBase64 } from "@std/encoding/base64";

/**
 * Encodes bytes in I2P's base64: RFC 4648 with `-` and `~` for `+` and `/`, padding kept.
 *
 * Source: I2P common structures, as used in SAM 3.0 `DESTINATION=` values.
 */
export function encodeI2pBase64(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll("+", "-").replaceAll("/", "~");
}

/**
 * Decodes I2P's base64 ({@linkcode encodeI2pBase64}).
 *
 * @throws {SyntaxError} on characters outside the alphabet or a wrong length.
 */
export function decodeI2pBase64(text: string): Uint8Array<ArrayBuffer> {
  if (!/^[A-Za-z0-9~-]*={0,2}$/.test(text)) {
    throw new SyntaxError("Cannot decode I2P base64: a character is outside its alphabet");
  }
  if (text.length % 4 !== 0) {
    throw new SyntaxError(`Cannot decode I2P base64: a length of ${text.length} characters is not possible`);
  }
  return decodeBase64(text.replaceAll("-", "+").replaceAll("~", "/"));
}
