import { PrivateKey } from "../../lib/i2p/private_key.ts";

/** Bytes of a private key of signature type 7: 391 of the destination, 256 and 32 of keys. */
const BLOB_LENGTH = 679;

/** A well-formed private key of type 7 that holds a number, so that it can be told from others. Good for storing only. */
export function numberedKey(number: number): PrivateKey {
  const blob = new Uint8Array(BLOB_LENGTH).fill(7);
  const view = new DataView(blob.buffer);
  view.setUint32(0, number);
  // A key certificate of 4 bytes: signature type 7, crypto type 0.
  blob.set([5, 0, 4, 0, 7, 0, 0], 384);
  // The number again at the end: a blob that was torn in the middle has two.
  view.setUint32(BLOB_LENGTH - 4, number);
  return new PrivateKey(blob);
}

/**
 * The number of such a key.
 *
 * @throws {Error} if it is not whole.
 */
export function numberOf(key: PrivateKey): number {
  const view = new DataView(key.expose().buffer);
  const [first, last] = [view.getUint32(0), view.getUint32(BLOB_LENGTH - 4)];
  if (first !== last) throw new Error(`The key is torn: it begins as ${first} and ends as ${last}`);
  return first;
}
