import { encodeI2pBase32 } from "./base32.ts";

/** Bytes of a destination before its certificate: 256 public key, 128 signing key (I2P common structures). */
const KEYS_LENGTH = 384;

/** Bytes of a certificate's head: 1 type, 2 length, big-endian. */
const CERTIFICATE_HEAD = 3;

/**
 * The public part of a private key blob (or of a destination): its leading destination, certificate included.
 *
 * A blob as SAM's `SESSION STATUS DESTINATION=` carries it is the destination followed by private keys. Nothing but the
 * certificate's length is read, so blobs of any signature type and of any router work.
 *
 * @throws {RangeError} if there are fewer bytes than the certificate promises.
 */
export function publicPart(blob: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = KEYS_LENGTH + CERTIFICATE_HEAD;
  const length = blob.length < head
    ? head
    : head + new DataView(blob.buffer, blob.byteOffset).getUint16(KEYS_LENGTH + 1);
  if (blob.length < length) {
    throw new RangeError(`Cannot read a destination: ${blob.length} bytes given, ${length} needed`);
  }
  return blob.slice(0, length);
}

/**
 * The address of a destination: base32 of its SHA-256, followed by `.b32.i2p` (60 characters).
 *
 * @param destination the public part ({@linkcode publicPart}), never a whole private blob.
 */
export async function b32Address(destination: Uint8Array<ArrayBuffer>): Promise<string> {
  return hashAddress(new Uint8Array(await crypto.subtle.digest("SHA-256", destination)));
}

/** The address of the destination that has this SHA-256, of 32 bytes. */
export function hashAddress(hash: Uint8Array): string {
  return `${encodeI2pBase32(hash)}.b32.i2p`;
}
