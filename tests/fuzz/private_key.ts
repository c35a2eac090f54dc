import { assert, assertEquals, assertThrows } from "@std/assert";
import { decodeI2pBase64, encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { publicPart } from "../../lib/i2p/destination.ts";
import { PrivateKey } from "../../lib/i2p/private_key.ts";
import { isIdentityName, MAX_IDENTITY_NAME } from "../../lib/keys/key_store.ts";
import { concat } from "../support/bytes.ts";
import type { Random } from "../support/random.ts";
import type { Target } from "./engine.ts";
import { mutateBytes } from "./mutate.ts";

/** Bytes of the signing private key by signature type (I2P common structures). */
const SIGNING_KEYS = new Map([[0, 20], [1, 32], [2, 48], [3, 66], [4, 512], [5, 768], [6, 1024], [7, 32], [11, 32]]);

/** A key in parts. */
interface Parts {
  /** Signature type; one without a length in the table is not checked by length. */
  signature: number;
  /** Crypto type: 4 has a key of 32 bytes, any other one of 256. */
  crypto: number;
  /** Certificate bytes behind the types; undefined types (a null certificate) where it is negative. */
  more: number;
  /** Bytes too many (above 100) or too few (below) at the end. */
  length: number;
  /** Bytes of an offline section behind a signing key of zeros; 0 for none. */
  offline: number;
  /** The name of its identity. */
  name: string;
}

/** Key files that are right, and such as have some bytes too few or too many. */
export const keyFile: Target<Parts> = {
  name: "key-file",
  weight: 4,
  corpus: [
    ...[...SIGNING_KEYS.keys(), 8, 65_535].flatMap((signature) =>
      [99, 100, 101].map((length) => partsOf({ signature, length }))
    ),
    partsOf({ more: -1, signature: 0 }),
    partsOf({ crypto: 4, more: 3 }),
    partsOf({ offline: 98 }),
    partsOf({ offline: 97 }),
    partsOf({ name: "a".repeat(64) }),
    partsOf({ name: "a\n" }),
  ],
  generate: (random) => ({
    signature: random.pick([...SIGNING_KEYS.keys(), 8, 9, 65_535]),
    crypto: random.pick([0, 4, 1]),
    more: random.below(10) - 1,
    length: random.pick([100, 100, 90 + random.below(20), 198, 100 + random.below(400)]),
    offline: random.pick([0, 0, 0, 97, 98, 200]),
    name: random.pick([random.latin1(random.below(5)), "irc", "A-b_9", "../x", "a.b", "a".repeat(random.below(70))]),
  }),
  check: (parts, random) => {
    const { destination, blob, isRight } = build(parts, random);
    const key = keyOf(blob);
    assertEquals(key !== undefined, isRight);
    if (key !== undefined) assertEquals(key.destination, destination);
    assertEquals(keyOf(destination), undefined, "a destination was taken for a private key");
    assertEquals(publicPart(concat(destination, blob)), destination);
    const { name } = parts;
    assertEquals(isIdentityName(name), /^[\w-]+$/.test(name) && name.length <= MAX_IDENTITY_NAME);
  },
};

/** Any bytes: a key or a RangeError, and nothing of a key in print. */
export const keyBytes: Target<Uint8Array> = {
  name: "key-bytes",
  weight: 4,
  corpus: [
    ...[0, 386, 387, 391, 679].flatMap((length) => [0, 5, 255].map((byte) => new Uint8Array(length).fill(byte))),
    // A key certificate that ends within its types.
    ...[0, 1, 2, 3].map((length) => concat(new Uint8Array(384), Uint8Array.of(5, 0, length), new Uint8Array(300))),
  ],
  generate: (random) => {
    const { blob } = build(keyFile.generate(random), random);
    // At the certificate, where lengths and types are.
    const at = 384 + random.below(8);
    const changed = concat(blob.subarray(0, at), mutateBytes(blob.subarray(at), random, { maxLength: 3000 }));
    return random.below(4) === 0 ? mutateBytes(changed, random, { maxLength: 3000 }) : changed;
  },
  check: (bytes) => {
    const given = bytes.slice();
    const key = keyOf(given);
    const needed = bytes.length < 387 ? 387 : 387 + (bytes[385] ?? 0) * 256 + (bytes[386] ?? 0);
    if (bytes.length < needed) {
      assertEquals(key, undefined);
      assertThrows(() => publicPart(bytes), RangeError, "Cannot ");
    } else assertEquals(publicPart(bytes), bytes.slice(0, needed));
    if (key === undefined) return;
    const { destination } = key;
    assertEquals(destination, bytes.slice(0, needed));
    assert(needed < bytes.length, "there is no private part");
    given.fill(0xaa);
    key.expose().fill(0xaa);
    assertEquals(key.expose(), bytes.slice(), "its bytes were changed from outside");
    assertEquals(keyOf(decodeI2pBase64(encodeI2pBase64(bytes)))?.destination, destination);
    assertEquals([`${key}`, JSON.stringify({ key })], ["[redacted]", '{"key":"[redacted]"}']);
    assertEquals(Deno.inspect(key), "PrivateKey {}");
  },
};

/** A key by its parts, and whether its length is right. */
function build(
  { signature, crypto, more, length, offline }: Parts,
  random: Random,
): { destination: Uint8Array<ArrayBuffer>; blob: Uint8Array; isRight: boolean } {
  const hasTypes = more >= 0;
  const types = hasTypes ? Uint8Array.of(signature >> 8, signature & 0xff, crypto >> 8, crypto & 0xff) : [];
  const certificate = concat(Uint8Array.from(types), random.bytes(Math.max(0, more)));
  const head = Uint8Array.of(hasTypes ? 5 : random.pick([0, 1, 5]), 0, certificate.length);
  const destination = concat(random.bytes(384), head, certificate);
  const signing = SIGNING_KEYS.get(hasTypes ? signature : 0);
  const encryption = random.bytes(hasTypes && crypto === 4 ? 32 : 256);
  // A key of zeros would be that of an offline signature.
  const signingKey = new Uint8Array(signing ?? 32);
  if (offline === 0) signingKey[random.below(signingKey.length)] = 1;
  const keys = concat(encryption, signingKey);
  const whole = concat(destination, keys, random.bytes(offline));
  const blob = length <= 100
    ? whole.subarray(0, whole.length - 100 + length)
    : concat(whole, random.bytes(length - 100));
  const isChecked = signing !== undefined;
  const isLongEnough = blob.length > destination.length;
  const isWhole = blob.length === destination.length + keys.length;
  const hasOffline = offline > 0 && blob.length >= destination.length + keys.length + 98;
  return { destination, blob, isRight: isChecked ? isWhole || hasOffline : isLongEnough };
}

function keyOf(bytes: Uint8Array): PrivateKey | undefined {
  try {
    return new PrivateKey(bytes);
  } catch (error) {
    // One of its own, not one of the runtime.
    assert(error instanceof RangeError && error.message.startsWith("Cannot "), String(error));
    return undefined;
  }
}

function partsOf(parts: Partial<Parts>): Parts {
  return { signature: 7, crypto: 0, more: 0, length: 100, offline: 0, name: "irc", ...parts };
}
