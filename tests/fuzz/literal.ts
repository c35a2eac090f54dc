import { encodeHex } from "@std/encoding/hex";

/** Bytes from hexadecimal digits, which blanks may part: how the corpus writes them. */
export function hex(digits: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(digits.match(/[\da-f]{2}/gi) ?? [], (pair) => parseInt(pair, 16));
}

/** Writes an input as the corpus has it: JSON, with bytes as {@linkcode hex}. */
export function literal(value: unknown): string {
  if (value instanceof Uint8Array) return `hex("${encodeHex(value)}")`;
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "string") return JSON.stringify(value).replace(/[^ -~]/g, escapeUnit);
  if (typeof value !== "object" || value === null) return String(value);
  return `{ ${Object.entries(value).map(([key, part]) => `${key}: ${literal(part)}`).join(", ")} }`;
}

/** Characters that cannot be told from others in print. */
function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
