import type { Random } from "../support/random.ts";

/** What a mutation may draw on. */
export interface MutationOptions<T> {
  /**
   * Pieces that mean something to the parser.
   *
   * @default {[]}
   */
  tokens?: readonly T[];
  /**
   * Another input, to take a part from.
   *
   * @default {the input itself}
   */
  other?: T;
  /**
   * Most bytes or characters of the result.
   *
   * @default {4096}
   */
  maxLength?: number;
}

/** Bytes that parsers treat apart: ends, quotes, separators, versions, and the limits of length fields. */
const SPECIAL = [0, 1, 2, 3, 4, 5, 7, 9, 10, 13, 32, 34, 35, 45, 46, 58, 61, 92, 0x7f, 0x80, 0xfe, 0xff] as const;

/** Characters beyond bytes that text is not always ready for: separators, marks, look-alikes, halves of pairs. */
const SPECIAL_CHARACTERS = [0x85, 0xa0, 0x130, 0x17f, 0x2028, 0x202e, 0x212a, 0x3000, 0xd800, 0xdc00, 0xfeff, 0xfffd];

/** How many changes: most inputs stay near to a good one, and get past the first lines of a parser. */
const TIMES = [1, 1, 1, 2, 4];

/** Changes bytes in one to four places. */
export function mutateBytes(
  bytes: Uint8Array,
  random: Random,
  { tokens = [], other = bytes, maxLength = 4096 }: MutationOptions<Uint8Array> = {},
): Uint8Array<ArrayBuffer> {
  const units = [...bytes];
  for (let times = random.pick(TIMES); times > 0; times--) {
    change(units, random, SPECIAL, other, () => tokens.length > 0 ? random.pick(tokens) : other);
  }
  return Uint8Array.from(units.slice(0, maxLength));
}

/** Changes a text in one to four places. */
export function mutateText(
  text: string,
  random: Random,
  { tokens = [], other = text, maxLength = 4096 }: MutationOptions<string> = {},
): string {
  const units = unitsOf(text);
  const special = random.below(4) === 0 ? SPECIAL_CHARACTERS : SPECIAL;
  const otherUnits = unitsOf(other);
  for (let times = random.pick(TIMES); times > 0; times--) {
    change(units, random, special, otherUnits, () => tokens.length > 0 ? unitsOf(random.pick(tokens)) : otherUnits);
  }
  return String.fromCharCode(...units.slice(0, maxLength));
}

/** Where to cut a stream into fragments: few or many pieces, the last one included. */
export function fragments(bytes: Uint8Array, random: Random): Uint8Array[] {
  const cuts = Array.from({ length: 1 + random.below(6) }, () => random.below(bytes.length + 1)).sort((a, b) => a - b);
  return [0, ...cuts].map((cut, i) => bytes.subarray(cut, cuts[i] ?? bytes.length));
}

/** One change in place, of bytes or of UTF-16 units. */
function change(
  units: number[],
  random: Random,
  special: readonly number[],
  other: ArrayLike<number>,
  pickToken: () => ArrayLike<number>,
): void {
  const at = random.below(units.length + 1);
  const length = random.below(random.below(4) === 0 ? units.length - at + 1 : 9);
  const piece = (from: ArrayLike<number>): number[] => {
    const start = random.below(from.length + 1);
    return Array.from(from).slice(start, start + 1 + length);
  };
  switch (random.below(10)) {
    case 0: // Flip a bit.
      if (at < units.length) units[at] = (units[at] ?? 0) ^ 1 << random.below(8);
      break;
    case 1: // Put something special in place of another.
      units.splice(at, 1, random.pick(special));
      break;
    case 2: // A length field of two bytes at its limits.
      units.splice(at, 2, ...random.pick([[0, 0], [0, 1], [0, 0xff], [1, 0], [0x7f, 0xff], [0xff, 0xff]]));
      break;
    case 3: // Special ones more.
      units.splice(at, 0, ...Array.from({ length: 1 + length }, () => random.pick(special)));
      break;
    case 4: // Any ones more.
      units.splice(at, 0, ...random.bytes(1 + length));
      break;
    case 5: // Some less.
      units.splice(at, 1 + length);
      break;
    case 6: // Twice, or many times.
      for (let times = random.below(3) === 0 ? random.below(40) : 1; times >= 0; times--) {
        units.splice(at, 0, ...units.slice(at, at + 1 + length));
      }
      break;
    case 7: // A part of another input.
      units.splice(at, 0, ...piece(other));
      break;
    case 8: // From here on another input.
      units.splice(at, units.length, ...Array.from(other).slice(random.below(other.length + 1)));
      break;
    default: // A token, more or in place of some.
      units.splice(at, random.below(2) * length, ...Array.from(pickToken()));
  }
}

function unitsOf(text: string): number[] {
  return Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
}
