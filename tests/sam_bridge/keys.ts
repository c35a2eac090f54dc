import { decodeI2pBase64, encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address, publicPart } from "../../lib/i2p/destination.ts";

/** Signature types that the bridge makes: DSA_SHA1, the routers' old default, and EdDSA_SHA512_Ed25519. */
export type SignatureType = 0 | 7;

/** A destination with its private keys. */
export interface Keys {
  /** All of it in I2P base64: what `SESSION STATUS DESTINATION=` and `DEST REPLY PRIV=` carry. */
  blob: string;
  /** The public part in I2P base64. */
  destination: string;
  b32: string;
}

/** Bytes of the public and signing key fields, before the certificate. */
const FIELDS_LENGTH = 384;

/** Bytes of an encryption private key of crypto type 0; the bytes are never used. */
const ENCRYPTION_LENGTH = 256;

/** Bytes of a signing private key by signature type (I2P common structures). */
const SIGNING_LENGTH: Record<number, number> = { 0: 20, 1: 32, 2: 48, 3: 66, 7: 32, 11: 32 };

/** Certificates: none, and a key certificate (5) of four bytes: signature type 7, crypto type 0. */
const CERTIFICATES: Record<SignatureType, number[]> = { 0: [0, 0, 0], 7: [5, 0, 4, 0, 7, 0, 0] };

/** Makes keys of random bytes, well formed but good for no signature. */
export async function makeKeys(type: SignatureType): Promise<Keys> {
  const certificate = CERTIFICATES[type];
  const signing = SIGNING_LENGTH[type] ?? 0;
  const blob = new Uint8Array(FIELDS_LENGTH + certificate.length + ENCRYPTION_LENGTH + signing);
  crypto.getRandomValues(blob);
  blob.set(certificate, FIELDS_LENGTH);
  return await keysOf(blob);
}

/**
 * Reads a private blob in I2P base64. `undefined` unless it is a destination followed by private keys of the lengths
 * that its certificate asks for, which a public key alone is not.
 *
 * @param exact whether bytes behind the keys are refused, as Java I2P does.
 */
export async function readKeys(text: string, exact: boolean): Promise<Keys | undefined> {
  const blob = decodeOrNothing(text);
  const destination = readDestination(text);
  if (!blob || !destination) return undefined;
  const needed = destination.length + privateLength(destination);
  return blob.length < needed || exact && blob.length > needed ? undefined : await keysOf(blob.subarray(0, needed));
}

/** Reads a destination in I2P base64; private keys behind it are cut off. `undefined` if it is none. */
export function readDestination(text: string): Uint8Array<ArrayBuffer> | undefined {
  const bytes = decodeOrNothing(text);
  try {
    return bytes && publicPart(bytes);
  } catch {
    return undefined;
  }
}

async function keysOf(blob: Uint8Array): Promise<Keys> {
  const destination = publicPart(blob);
  return {
    blob: encodeI2pBase64(blob),
    destination: encodeI2pBase64(destination),
    b32: await b32Address(destination),
  };
}

function privateLength(destination: Uint8Array): number {
  const keyCertificate = destination[FIELDS_LENGTH] === 5;
  const signatureType = keyCertificate ? destination[FIELDS_LENGTH + 4] ?? 0 : 0;
  const cryptoType = keyCertificate ? destination[FIELDS_LENGTH + 6] ?? 0 : 0;
  return (cryptoType === 0 ? ENCRYPTION_LENGTH : 32) + (SIGNING_LENGTH[signatureType] ?? 0);
}

function decodeOrNothing(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return decodeI2pBase64(text);
  } catch {
    return undefined;
  }
}
