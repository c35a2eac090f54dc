import { decodeI2pBase32 } from "./base32.ts";

/** Bytes of a blinded (b33) address with one-byte signature types and an Ed25519-sized key: 3 head, 32 key. */
const BLINDED_LENGTH = 35;

/** Flag bits that are defined: two-byte types (0), lookup secret needed (1), client authentication needed (2). */
const KNOWN_FLAGS = 0b111;

/** Signature types whose keys can be blinded today: EdDSA_SHA512_Ed25519, RedDSA_SHA512_Ed25519. */
const UNBLINDED_TYPES = [7, 11];

/** RedDSA_SHA512_Ed25519, the one type of a blinded key. */
const BLINDED_TYPE = 11;

/**
 * Checks the label of a blinded address ("b33", the address of an encrypted lease set), without its `.b32.i2p`.
 *
 * Layout (I2P "B32 for Encrypted Leasesets"): `flags | signature type | blinded signature type | public key`, the first
 * three bytes XORed with the CRC-32 of the rest, low byte first.
 *
 * @throws {SyntaxError} if the label is no base32, has another length, a wrong checksum, or types that do not exist.
 */
export function checkBlindedLabel(label: string): void {
  const bytes = decodeI2pBase32(label);
  if (bytes.length !== BLINDED_LENGTH) {
    throw new SyntaxError(`an encrypted lease set's label has 56 characters, this one has ${label.length}`);
  }
  const checksum = crc32(bytes.subarray(3));
  const [flags, unblinded, blinded] = [0, 1, 2].map((i) => (bytes[i] ?? 0) ^ (checksum >>> (8 * i) & 0xff)) as [
    number,
    number,
    number,
  ];
  if (flags & ~KNOWN_FLAGS || flags & 1 || !UNBLINDED_TYPES.includes(unblinded) || blinded !== BLINDED_TYPE) {
    throw new SyntaxError("its checksum is wrong: a character was lost or changed");
  }
}

/** CRC-32 as in IEEE 802.3 and RFC 1952 §8, bit by bit: the input is 32 bytes, once a connection. */
export function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  return ~crc >>> 0;
}
