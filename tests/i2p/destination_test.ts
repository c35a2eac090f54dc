import { assertEquals, assertThrows } from "@std/assert";
import { encodeHex } from "@std/encoding/hex";
import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address, publicPart } from "../../lib/i2p/destination.ts";
import { concat } from "../support/bytes.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";

/** 256 bytes of public key and 128 of signing key; any bytes will do. */
const KEYS = Uint8Array.from({ length: 384 }, (_, i) => i * 7 + 3 & 0xff);

/** Key certificate: type 5, 4 bytes, signing type 7 (Ed25519), crypto type 0. */
const KEY_CERTIFICATE = Uint8Array.of(5, 0, 4, 0, 7, 0, 0);

/** Certificate of old destinations: type 0, no bytes. */
const NULL_CERTIFICATE = Uint8Array.of(0, 0, 0);

const ED25519: Uint8Array<ArrayBuffer> = concat(KEYS, KEY_CERTIFICATE);

pureTest("publicPart() gives the destination at the head of a private key blob", () => {
  const secrets = new Random(1).bytes(288);
  assertEquals(publicPart(concat(ED25519, secrets)), ED25519);
  assertEquals(publicPart(concat(KEYS, NULL_CERTIFICATE, secrets)), concat(KEYS, NULL_CERTIFICATE));
});

pureTest("publicPart() gives a whole destination back as it is", () => {
  assertEquals(publicPart(ED25519).length, 391);
  assertEquals(publicPart(ED25519), ED25519);
});

pureTest("publicPart() reads both bytes of the certificate's length", () => {
  const long = concat(KEYS, Uint8Array.of(5, 0x01, 0x02), new Uint8Array(0x102));
  assertEquals(publicPart(concat(long, Uint8Array.of(9, 9, 9))), long);
});

pureTest("publicPart() reads a blob in the middle of a buffer", () => {
  const buffer = concat(Uint8Array.of(1, 2, 3, 4, 5), ED25519, Uint8Array.of(6, 7));
  assertEquals(publicPart(buffer.subarray(5)), ED25519);
});

pureTest("publicPart() makes a copy", () => {
  const blob = concat(ED25519);
  const part = publicPart(blob);
  blob.fill(0);
  assertEquals(part, ED25519);
});

pureTest("publicPart() refuses fewer bytes than the certificate promises", () => {
  for (let length = 0; length < ED25519.length; length++) {
    const needed = length < 387 ? 387 : 391;
    assertThrows(
      () => publicPart(ED25519.subarray(0, length)),
      RangeError,
      `Cannot read a destination: ${length} bytes given, ${needed} needed`,
    );
  }
});

pureTest("b32Address() is the base32 of the SHA-256", async () => {
  // Computed with Python's hashlib and base64.
  assertEquals(await b32Address(ED25519), "caepgktmelgd47vxo3xhcfqr4wdvyd77hfcg4ng2snopukspybta.b32.i2p");
  assertEquals(
    await b32Address(concat(KEYS, NULL_CERTIFICATE)),
    "cvkz73hxqxywmu575qrzu4yjzomhpylanltmvdpfr5u4xxusr4ua.b32.i2p",
  );
});

pureTest("b32Address() agrees with arithmetic on the hash for random destinations", async () => {
  const random = new Random(391);
  for (let i = 0; i < 50; i++) {
    const destination = concat(random.bytes(384), KEY_CERTIFICATE);
    assertEquals(encodeI2pBase64(destination).length, 524);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", destination));
    assertEquals(await b32Address(destination), `${base32OfHash(hash)}.b32.i2p`);
  }
});

/** 256 bits and four zero bits as a number of 52 digits to the base 32. */
function base32OfHash(hash: Uint8Array): string {
  const digits = (BigInt(`0x${encodeHex(hash)}`) << 4n).toString(32).padStart(52, "0");
  return [...digits].map((digit) => "abcdefghijklmnopqrstuvwxyz234567".charAt(parseInt(digit, 32))).join("");
}
