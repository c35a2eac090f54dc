import { assertEquals, assertThrows } from "@std/assert";
import { encodeHex } from "@std/encoding/hex";
import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { PrivateKey } from "../../lib/i2p/private_key.ts";
import { concat } from "../support/bytes.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";

/** Bytes of a destination before its certificate, and of its certificate before the payload. */
const [KEYS, HEAD] = [384, 3];

const PUBLIC_ONLY = "Cannot use this as a private key: it is a destination only, the public part";

/** A kind of key. */
interface Kind {
  name: string;
  /** Payload of the key certificate; a null certificate where undefined. */
  certificate?: readonly number[];
  /** Bytes of the encryption private key. */
  encryption: number;
  /** Bytes of the signing private key. */
  signing: number;
  /** Bytes of the whole blob, by the tables of I2P common structures. */
  length: number;
}

const ED25519: Kind = { name: "Ed25519", certificate: [0, 7, 0, 0], encryption: 256, signing: 32, length: 679 };
const X25519: Kind = {
  name: "Ed25519 and X25519",
  certificate: [0, 7, 0, 4],
  encryption: 32,
  signing: 32,
  length: 455,
};

const KINDS: readonly Kind[] = [
  ED25519,
  X25519,
  { name: "DSA with a null certificate", encryption: 256, signing: 20, length: 663 },
  { name: "DSA with a key certificate", certificate: [0, 0, 0, 0], encryption: 256, signing: 20, length: 667 },
  { name: "P-256", certificate: [0, 1, 0, 0], encryption: 256, signing: 32, length: 679 },
  { name: "P-384", certificate: [0, 2, 0, 0], encryption: 256, signing: 48, length: 695 },
  // Public keys of more than 128 bytes go on in the certificate.
  { name: "P-521", certificate: [0, 3, 0, 0, ...zeros(4)], encryption: 256, signing: 66, length: 717 },
  { name: "RSA 2048", certificate: [0, 4, 0, 0, ...zeros(128)], encryption: 256, signing: 512, length: 1287 },
  { name: "RSA 3072", certificate: [0, 5, 0, 0, ...zeros(256)], encryption: 256, signing: 768, length: 1671 },
  { name: "RSA 4096", certificate: [0, 6, 0, 0, ...zeros(384)], encryption: 256, signing: 1024, length: 2055 },
  { name: "RedDSA", certificate: [0, 11, 0, 0], encryption: 256, signing: 32, length: 679 },
  { name: "RedDSA and X25519", certificate: [0, 11, 0, 4], encryption: 32, signing: 32, length: 455 },
];

for (const kind of KINDS) {
  pureTest(`PrivateKey takes a key of ${kind.name}, ${kind.length} bytes`, () => {
    const { blob, destination } = makeBlob(kind);
    assertEquals(blob.length, kind.length);
    const key = new PrivateKey(blob);
    assertEquals(key.expose(), blob);
    assertEquals(key.destination, destination);
  });

  pureTest(`PrivateKey refuses a key of ${kind.name} that a byte is missing from or was added to`, () => {
    const { blob } = makeBlob(kind);
    for (const wrong of [blob.slice(0, -1), concat(blob, Uint8Array.of(0)), concat(blob, Uint8Array.of(1))]) {
      const message = `Cannot use this as a private key: it has ${wrong.length} bytes, ${kind.length} are needed`;
      assertEquals(assertThrows(() => new PrivateKey(wrong), RangeError).message, message);
    }
  });

  pureTest(`PrivateKey refuses every beginning of a key of ${kind.name}`, () => {
    const { blob, destination } = makeBlob(kind);
    for (let length = 0; length < blob.length; length++) {
      const { message } = assertThrows(() => new PrivateKey(blob.subarray(0, length)), RangeError);
      const expected = length < destination.length
        ? `Cannot read a destination: ${length} bytes given, `
        : length === destination.length
        ? PUBLIC_ONLY
        : `Cannot use this as a private key: it has ${length} bytes, ${kind.length} are needed`;
      assertEquals(message.startsWith(expected), true, `${length}: ${message}`);
    }
  });
}

pureTest("PrivateKey refuses what is no key of I2P, and says so", () => {
  for (const bytes of [new Random(350).bytes(2_000, 0x20), new Uint8Array(2_000).fill(0x6f)]) {
    const { message } = assertThrows(() => new PrivateKey(bytes), RangeError);
    assertEquals(message, "Cannot use this as a private key: it is not a key of I2P");
  }
});

pureTest("PrivateKey takes an offline section behind a signing key of zeros", () => {
  // Expiry, type of the transient key, its public key, the signature by the lasting key, its private key: Ed25519.
  const offline = new Random(351).bytes(4 + 2 + 32 + 64 + 32, 1);
  for (const kind of [ED25519, X25519]) {
    const { blob, destination } = makeBlob(kind, (bytes) => bytes.fill(0, -kind.signing));
    const whole = concat(blob, offline);
    const key = new PrivateKey(whole);
    assertEquals([key.expose(), key.destination], [whole, destination]);
  }
});

pureTest("PrivateKey takes nothing behind a signing key that is not all zeros", () => {
  const offline = new Random(352).bytes(4 + 2 + 32 + 64 + 32, 1);
  for (const at of [-1, -16, -ED25519.signing]) {
    const { blob } = makeBlob(ED25519, (bytes) => {
      bytes.fill(0, -ED25519.signing);
      bytes[bytes.length + at] = 1;
    });
    assertThrows(() => new PrivateKey(concat(blob, offline)), RangeError, "it has 813 bytes, 679 are needed", `${at}`);
  }
  // A byte in front of the signing key decides nothing.
  const { blob } = makeBlob(ED25519, (bytes) => {
    bytes.fill(0, -ED25519.signing);
    bytes[bytes.length - ED25519.signing - 1] = 1;
  });
  assertEquals(new PrivateKey(concat(blob, offline)).expose().length, 813);
});

pureTest("PrivateKey lets signature types through that it does not know, but no destination alone", () => {
  for (const type of [[0, 8], [0, 9], [0, 10], [0, 12], [1, 7], [7, 0], [0xff, 0xff]]) {
    const { destination } = makeBlob({ ...ED25519, certificate: [...type, 0, 0] });
    for (const length of [1, 20, 288, 5000]) {
      const blob = concat(destination, new Random(length).bytes(length));
      const key = new PrivateKey(blob);
      assertEquals([key.expose(), key.destination], [blob, destination], `type ${type}`);
    }
    assertEquals(assertThrows(() => new PrivateKey(destination), RangeError).message, PUBLIC_ONLY, `type ${type}`);
  }
});

pureTest("PrivateKey reads types from a key certificate only", () => {
  // A hashcash certificate (1) whose payload would be types of Ed25519: such a destination is DSA.
  const { blob } = makeBlob({ ...ED25519, signing: 20 }, (bytes) => bytes[KEYS] = 1);
  assertEquals(new PrivateKey(blob).expose(), blob);
  const { blob: tooLong } = makeBlob(ED25519, (bytes) => bytes[KEYS] = 1);
  assertThrows(() => new PrivateKey(tooLong), RangeError, "it has 679 bytes, 667 are needed");
});

pureTest("PrivateKey reads a key in the middle of a buffer", () => {
  const { blob, destination } = makeBlob(X25519);
  const buffer = concat(new Uint8Array(7).fill(5), blob, new Uint8Array(3).fill(5));
  const key = new PrivateKey(buffer.subarray(7, 7 + blob.length));
  assertEquals([key.expose(), key.destination], [blob, destination]);
});

pureTest("PrivateKey shares its bytes with nobody", () => {
  const { blob, destination } = makeBlob(ED25519);
  const given = concat(blob);
  const key = new PrivateKey(given);
  given.fill(0);
  key.expose().fill(0);
  key.destination.fill(0);
  assertEquals([key.expose(), key.destination], [blob, destination]);
});

pureTest("PrivateKey is [redacted] as text", () => {
  const key = new PrivateKey(makeBlob(ED25519).blob);
  assertEquals([String(key), `${key}`, "" + key, key.toString()], Array(4).fill("[redacted]"));
  assertEquals(JSON.stringify(key), '"[redacted]"');
  assertEquals(
    JSON.stringify({ identity: { key }, list: [key] }),
    '{"identity":{"key":"[redacted]"},"list":["[redacted]"]}',
  );
});

pureTest("PrivateKey prints no byte of it, whatever prints it", () => {
  const { blob } = makeBlob(ED25519);
  const key = new PrivateKey(blob);
  const holder = { name: "app", key, map: new Map([["app", key]]), set: new Set([key]), list: [key] };
  const everything = { depth: 10, showHidden: true, getters: true, iterableLimit: 10_000, strAbbreviateSize: 100_000 };
  for (const value of [key, holder, new Error("failed", { cause: key }), Object.assign(new Error("x"), { key })]) {
    const printed = [
      String(value),
      JSON.stringify(value),
      JSON.stringify(Object.entries(value)),
      Deno.inspect(value),
      ...logged(value),
    ];
    for (const text of printed) {
      assertNoSecret(text, blob);
      assertEquals(/\d+,\s*\d+,\s*\d+/.test(text), false, `Bytes are in: ${text}`);
    }
    // Getters may show the public part.
    assertNoSecret(Deno.inspect(value, everything), blob);
  }
  assertEquals([Object.keys(key), Object.getOwnPropertyNames(key), Object.entries(structuredClone(key))], [[], [], []]);
});

pureTest("PrivateKey keeps its bytes out of the errors that refuse them", () => {
  const { blob } = makeBlob(ED25519);
  const error = assertThrows(() => new PrivateKey(blob.subarray(0, -1)), RangeError);
  for (const text of [String(error), error.stack ?? "", Deno.inspect(error)]) assertNoSecret(text, blob);
});

/** A blob of random bytes but for its certificate, with its public part; `change` may alter it first. */
function makeBlob(
  { certificate, encryption, signing }: Kind,
  change: (blob: Uint8Array<ArrayBuffer>) => void = () => {},
): { blob: Uint8Array<ArrayBuffer>; destination: Uint8Array<ArrayBuffer> } {
  const payload = certificate ?? [];
  const length = KEYS + HEAD + payload.length;
  // No byte is zero, so that no key looks like the zeros that an offline section follows.
  const blob = new Random(length + signing).bytes(length + encryption + signing, 1);
  blob.set([certificate === undefined ? 0 : 5, payload.length >> 8, payload.length & 0xff, ...payload], KEYS);
  change(blob);
  return { blob, destination: blob.slice(0, length) };
}

/** What the console writes, its format strings included. */
function logged(value: unknown): string[] {
  const lines: string[] = [];
  const real = console.log;
  const write = (...args: unknown[]): void => {
    lines.push(args.map((arg) => typeof arg === "string" ? arg : Deno.inspect(arg)).join(" "));
  };
  console.log = write;
  try {
    console.log("Key", value);
    console.log(`${value}`, { value });
  } finally {
    console.log = real;
  }
  return lines;
}

/** Looks for a part of the key in every form that bytes are written in. */
function assertNoSecret(text: string, blob: Uint8Array): void {
  // Long arrays are printed in columns.
  const oneLine = text.replace(/\s+/g, " ");
  for (let at = 400; at + 12 <= blob.length; at += 12) {
    const part = blob.subarray(at, at + 12);
    const forms = [part.join(), part.join(", "), encodeHex(part), encodeI2pBase64(part), String.fromCharCode(...part)];
    for (const form of forms) {
      assertEquals(text.includes(form) || oneLine.includes(form), false, `Bytes from ${at} on are in: ${text}`);
    }
  }
}

function zeros(length: number): number[] {
  return Array(length).fill(0);
}
