import { encodeI2pBase32 } from "../../lib/i2p/base32.ts";

/** What stands in front of the key of a blinded address. */
export interface BlindedHead {
  /**
   * Bit 0: two-byte types, bit 1: secret needed, bit 2: client authentication needed.
   *
   * @default {0}
   */
  flags?: number;
  /**
   * Signature type of the destination.
   *
   * @default {7}
   */
  type?: number;
  /**
   * Signature type of the blinded key.
   *
   * @default {11}
   */
  blindedType?: number;
}

/**
 * The label of a blinded address, without its `.b32.i2p`: `flags | type | blinded type | key`, the first three bytes
 * XORed with the low three bytes of the CRC-32 of the key, lowest first.
 */
export function blindedLabel(key: Uint8Array, { flags = 0, type = 7, blindedType = 11 }: BlindedHead = {}): string {
  const crc = crc32ByDivision(key);
  return encodeI2pBase32(
    Uint8Array.of(flags ^ crc & 0xff, type ^ crc >>> 8 & 0xff, blindedType ^ crc >>> 16 & 0xff, ...key),
  );
}

/**
 * CRC-32 as the remainder of a division of polynomials, most significant bit first: slow, and unlike the one of the
 * program in every line.
 */
export function crc32ByDivision(bytes: Uint8Array): number {
  const reversed = (value: number, width: number): string =>
    value.toString(2).padStart(width, "0").split("").reverse().join("");
  const bits = BigInt(`0b0${Array.from(bytes, (byte) => reversed(byte, 8)).join("")}`) << 32n;
  const length = BigInt(8 * bytes.length);
  let remainder = bits ^ 0xffffffffn << length;
  for (let bit = length + 31n; bit >= 32n; bit--) {
    if (remainder >> bit & 1n) remainder ^= 0x104c11db7n << bit - 32n;
  }
  return parseInt(reversed(Number(remainder ^ 0xffffffffn), 32), 2);
}
