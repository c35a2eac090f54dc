/** Most tries for one input: some take milliseconds each. */
const MAX_TRIES = 5000;

/**
 * Makes a failing input smaller as long as it still fails: by leaving out bytes, characters and items, large pieces
 * first, and by taking numbers towards 0. Its shape stays: objects keep their fields.
 */
export async function shrink<T>(input: T, fails: (smaller: T) => Promise<boolean>): Promise<T> {
  let smallest = input;
  let tries = 0;
  for (;;) {
    let found: { smaller: T } | undefined;
    for (const smaller of smallerOnes(smallest)) {
      if (++tries > MAX_TRIES) return smallest;
      if (!await fails(smaller)) continue;
      found = { smaller };
      break;
    }
    if (found === undefined) return smallest;
    smallest = found.smaller;
  }
}

/** Inputs that are one step smaller, of the same type. */
function* smallerOnes<T>(value: T): Generator<T> {
  for (const smaller of smallerParts(value)) yield smaller as T;
}

function* smallerParts(value: unknown): Generator<unknown> {
  if (typeof value === "number") {
    if (value > 0) yield* new Set([0, Math.floor(value / 2), value - 1]);
  } else if (typeof value === "string") {
    for (const [from, to] of gaps(value.length)) yield value.slice(0, from) + value.slice(to);
  } else if (value instanceof Uint8Array) {
    for (const [from, to] of gaps(value.length)) yield value.filter((_, i) => i < from || i >= to);
  } else if (Array.isArray(value)) {
    for (const [from, to] of gaps(value.length)) yield value.toSpliced(from, to - from);
    for (const [i, item] of value.entries()) for (const smaller of smallerParts(item)) yield value.with(i, smaller);
  } else if (typeof value === "object" && value !== null) {
    for (const [key, part] of Object.entries(value)) {
      for (const smaller of smallerParts(part)) yield { ...value, [key]: smaller };
    }
  }
}

/** What can be left out of a length, from all of it down to one. */
function* gaps(length: number): Generator<[from: number, to: number]> {
  for (let size = length; size >= 1; size = size >> 1) {
    for (let from = 0; from < length; from += size) yield [from, Math.min(from + size, length)];
  }
}
