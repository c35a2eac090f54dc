import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { encodeI2pBase32 } from "../../lib/i2p/base32.ts";
import { checkBlindedLabel, crc32 } from "../../lib/i2p/blinded.ts";
import { blindedLabel, crc32ByDivision } from "../support/blinded_label.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";

/** 1, 2, … 32. */
const KEY = Uint8Array.from({ length: 32 }, (_, i) => i + 1);

/** The label of {@linkcode KEY} with flags 0 and types 7 and 11, computed with Python's zlib and base64. */
const LABEL = "exv62aicamcakbqhbaequcymbuha6earcijrifiwc4mbsgq3dqor4hza";

pureTest("crc32() has the check value", () => {
  assertEquals(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assertEquals(crc32(new Uint8Array()), 0);
  assertEquals(crc32(new TextEncoder().encode("a")), 0xe8b7be43);
  assertEquals(crc32(KEY), 0x87e6ec25);
});

pureTest("crc32() agrees with a division of polynomials for random bytes", () => {
  const random = new Random(32);
  for (let length = 0; length < 40; length++) {
    const bytes = random.bytes(length);
    assertEquals(crc32(bytes), crc32ByDivision(bytes));
  }
});

pureTest("checkBlindedLabel() accepts the label that i2pd 2.45.1 gave an encrypted lease set", () => {
  checkBlindedLabel("xqiqurftrhnveehbqomzfzm5co3bqun6q3i3wvphfrswfdqnw7invzhv");
});

pureTest("checkBlindedLabel() accepts labels made by the layout", () => {
  assertEquals(blindedLabel(KEY), LABEL);
  checkBlindedLabel(LABEL);
  const random = new Random(33);
  for (let i = 0; i < 100; i++) {
    checkBlindedLabel(
      blindedLabel(random.bytes(32), { flags: random.pick([0, 2, 4, 6]), type: random.pick([7, 11]), blindedType: 11 }),
    );
  }
});

pureTest("checkBlindedLabel() refuses every other flag and type", () => {
  const accepted = { flags: [] as number[], type: [] as number[], blindedType: [] as number[] };
  for (const field of ["flags", "type", "blindedType"] as const) {
    for (let value = 0; value < 256; value++) {
      if (isAccepted(blindedLabel(KEY, { [field]: value }))) accepted[field].push(value);
    }
  }
  assertEquals(accepted, { flags: [0, 2, 4, 6], type: [7, 11], blindedType: [11] });
});

pureTest("checkBlindedLabel() refuses every character changed but those that make another valid head", () => {
  // The checksum is of the key alone. A character that turns one permitted flag or type into another cannot be told:
  // flags 0 to 2, 4, 6, and type 7 to 11.
  const undetectable = [{ flags: 2 }, { flags: 4 }, { flags: 6 }, { type: 11 }].map((head) => blindedLabel(KEY, head));
  const accepted: string[] = [];
  let refused = 0;
  for (let at = 0; at < LABEL.length; at++) {
    for (const character of ALPHABET.replace(LABEL.charAt(at), "")) {
      const changed = LABEL.slice(0, at) + character + LABEL.slice(at + 1);
      assertNotEquals(changed, LABEL);
      if (isAccepted(changed)) accepted.push(changed);
      else refused++;
    }
  }
  assertEquals(accepted.sort(), undetectable.sort());
  assertEquals(refused, 56 * 31 - 4);
});

pureTest("checkBlindedLabel() refuses two neighbours swapped", () => {
  for (let at = 0; at < LABEL.length - 1; at++) {
    const swapped = LABEL.slice(0, at) + LABEL.charAt(at + 1) + LABEL.charAt(at) + LABEL.slice(at + 2);
    if (swapped !== LABEL) assertEquals(isAccepted(swapped), false, swapped);
  }
});

pureTest("checkBlindedLabel() says that a checksum is wrong", () => {
  assertThrows(() => checkBlindedLabel("a".repeat(56)), SyntaxError, "its checksum is wrong");
  assertThrows(() => checkBlindedLabel(`${LABEL.slice(0, 30)}aaaa${LABEL.slice(34)}`), SyntaxError, "its checksum");
});

pureTest("checkBlindedLabel() refuses other lengths", () => {
  for (const bytes of [0, 3, 32, 33, 34, 36, 37, 40]) {
    const label = encodeI2pBase32(new Uint8Array(bytes));
    const message = `an encrypted lease set's label has 56 characters, this one has ${label.length}`;
    assertThrows(() => checkBlindedLabel(label), SyntaxError, message);
  }
  assertThrows(() => checkBlindedLabel(LABEL.slice(0, -1)), SyntaxError);
  assertThrows(() => checkBlindedLabel(`${LABEL}a`), SyntaxError);
});

pureTest("checkBlindedLabel() refuses what is no base32", () => {
  assertThrows(() => checkBlindedLabel(`1${LABEL.slice(1)}`), SyntaxError, "base32 has only a to z and 2 to 7");
});

function isAccepted(label: string): boolean {
  try {
    checkBlindedLabel(label);
    return true;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
}
