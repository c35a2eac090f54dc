import { publicPart } from "./destination.ts";

/** Certificate type of a destination that names its signature and crypto types (I2P common structures). */
const KEY_CERTIFICATE = 5;

/** Bytes of a signing private key by signature type; types that are not here cannot be checked and are let through. */
const SIGNING_KEY_LENGTHS: Readonly<Record<number, number>> = {
  0: 20, // DSA_SHA1
  1: 32, // ECDSA_SHA256_P256
  2: 48, // ECDSA_SHA384_P384
  3: 66, // ECDSA_SHA512_P521
  4: 512, // RSA_SHA256_2048
  5: 768, // RSA_SHA384_3072
  6: 1024, // RSA_SHA512_4096
  7: 32, // EdDSA_SHA512_Ed25519
  11: 32, // RedDSA_SHA512_Ed25519
};

/** Bytes of the (unused) encryption private key: 256, or 32 where the certificate names X25519. */
const ENCRYPTION_KEY_LENGTH = 256;
const X25519 = 4;

/** Bytes of a certificate that is longer than any known kind: that of a key has 4 to 388. */
const LONGEST_CERTIFICATE = 1024;

/** Least bytes of an offline section: expiry, type, a key of 32, a signature of 40, a private key of 20. */
const MIN_OFFLINE = 4 + 2 + 32 + 40 + 20;

/**
 * A private key as a secret: as text and as JSON it is `[redacted]`, inspected it is empty, and it hands out its bytes only
 * to who asks for them by name.
 */
export class PrivateKey {
  readonly #bytes: Uint8Array<ArrayBuffer>;

  /**
   * Takes a private key blob: destination, encryption private key, signing private key, and an offline signature where
   * there is one. It is the file format of i2pd (`.dat`) and of Java I2P (`privKeyFile`), and what SAM sends.
   *
   * @throws {RangeError} if it is too short or too long for what its certificate says.
   */
  constructor(blob: Uint8Array) {
    const bytes = blob.slice();
    checkLength(bytes);
    this.#bytes = bytes;
  }

  /** The destination that belongs to it. */
  get destination(): Uint8Array<ArrayBuffer> {
    return publicPart(this.#bytes);
  }

  /** The secret bytes. */
  expose(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice();
  }

  /** Not the key. */
  toString(): string {
    return "[redacted]";
  }

  /** Not the key. */
  toJSON(): string {
    return "[redacted]";
  }
}

function checkLength(bytes: Uint8Array<ArrayBuffer>): void {
  // A certificate that no router has made: such a file is something else altogether.
  if ((bytes[384] ?? 0) > KEY_CERTIFICATE || (bytes[385] ?? 0) > LONGEST_CERTIFICATE >> 8) {
    throw new RangeError("Cannot use this as a private key: it is not a key of I2P");
  }
  const destination = publicPart(bytes);
  const view = new DataView(destination.buffer);
  const hasTypes = destination[384] === KEY_CERTIFICATE && destination.length >= 391;
  const [signatureType, cryptoType] = hasTypes ? [view.getUint16(387), view.getUint16(389)] : [0, 0];
  const signingKey = SIGNING_KEY_LENGTHS[signatureType];
  const rest = bytes.length - destination.length;
  if (signingKey === undefined) {
    if (rest > 0) return;
    throw new RangeError("Cannot use this as a private key: it is a destination only, the public part");
  }
  const expected = (cryptoType === X25519 ? 32 : ENCRYPTION_KEY_LENGTH) + signingKey;
  if (rest === 0) throw new RangeError("Cannot use this as a private key: it is a destination only, the public part");
  // An offline signature follows a signing key of zeros; its length depends on a type of its own.
  const offline = rest >= expected + MIN_OFFLINE &&
    bytes.subarray(destination.length + expected - signingKey, destination.length + expected)
      .every((byte) => byte === 0);
  if (rest !== expected && !offline) {
    throw new RangeError(
      `Cannot use this as a private key: it has ${bytes.length} bytes, ${destination.length + expected} are needed`,
    );
  }
}
