import { decodeBase32, encodeBase32 } from "@std/encoding/base32";

/**
 * Encodes bytes in I2P's base32: RFC 4648 §6 in lower case, without padding.
 */
export function encodeI2pBase32(bytes: Uint8Array): string {
  return encodeBase32(bytes).replace(/=+$/, "").toLowerCase();
}

/**
 * Decodes I2P's base32 ({@linkcode encodeI2pBase32}).
 *
 * @throws {SyntaxError} on other characters, an impossible length, or unused bits that are not zero: such a text is
 * not what {@linkcode encodeI2pBase32} makes of any bytes, so two texts would name one address.
 */
export function decodeI2pBase32(text: string): Uint8Array<ArrayBuffer> {
  const padded = text.toUpperCase().padEnd(Math.ceil(text.length / 8) * 8, "=");
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = decodeBase32(padded);
  } catch {
    throw new SyntaxError("base32 has only a to z and 2 to 7, in certain lengths");
  }
  if (encodeI2pBase32(bytes) !== text) {
    throw new SyntaxError("no bytes have this base32: its last character is wrong");
  }
  return bytes;
}
