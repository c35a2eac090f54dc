import type { Wire } from "./wire.ts";

/** Longest command line of both routers, in bytes. */
export const LINE_LIMIT = 8192;

const LF = 10;

/** A command line as it came in. */
export interface Incoming {
  /** Without its line feed. */
  line: string;
  /** Bytes that came behind the line feed in the same read, and that i2pd throws away. */
  behind: number;
}

/** A parsed command line: `DOMAIN OPCODE key=value ...`. */
export interface Command {
  domain: string;
  opcode: string;
  pairs: Map<string, string>;
}

/** A line was longer than Java I2P takes. */
export class LineTooLong extends Error {
  override readonly name = "LineTooLong";
}

/**
 * Reads as i2pd does: one command a read, what comes behind its line feed is gone. A line may come in pieces, except the
 * first one (`whole`), which is what one read brings, with or without a line feed. A line that fills the buffer is
 * never answered: the socket just hangs. `undefined` at the end.
 */
export async function readSegment(wire: Wire, whole: boolean): Promise<Incoming | undefined> {
  const buffer = new Uint8Array(LINE_LIMIT);
  for (let length = 0; length < LINE_LIMIT;) {
    const chunk = await wire.read(LINE_LIMIT - length);
    if (chunk === null) return undefined;
    buffer.set(chunk, length);
    const end = chunk.indexOf(LF);
    if (end >= 0) return { line: decode(buffer.subarray(0, length + end)), behind: chunk.length - end - 1 };
    length += chunk.length;
    if (whole) return { line: decode(buffer.subarray(0, length)), behind: 0 };
  }
  await wire.drain();
  return undefined;
}

/**
 * Reads as Java I2P does: a line and no byte more, blank lines skipped, CR nowhere. `undefined` at the end.
 *
 * @throws {LineTooLong} instead of reading on without end.
 */
export async function readLine(wire: Wire): Promise<Incoming | undefined> {
  let bytes: number[] = [];
  for (;;) {
    const chunk = await wire.read();
    if (chunk === null) return undefined;
    const end = chunk.indexOf(LF);
    const part = end < 0 ? chunk : chunk.subarray(0, end);
    if (bytes.length + part.length >= LINE_LIMIT) throw new LineTooLong(`Line too long - max ${LINE_LIMIT}`);
    bytes.push(...part);
    if (end < 0) continue;
    wire.unread(chunk.subarray(end + 1));
    const line = decode(new Uint8Array(bytes)).replaceAll("\r", "");
    if (line.trim() !== "") return { line, behind: 0 };
    bytes = [];
  }
}

/**
 * Splits as i2pd does: exactly one space between the two words, then at every space. Quotes are characters like others,
 * a word without `=` counts for nothing, the first of two equal keys wins, or the last. `undefined` without a second word.
 */
export function splitPlain(line: string, winner: "first" | "last" = "first"): Command | undefined {
  const [domain, opcode, ...words] = line.split(" ");
  if (domain === undefined || opcode === undefined) return undefined;
  const pairs = new Map<string, string>();
  for (const word of words) {
    const at = word.indexOf("=");
    if (at >= 0 && (winner === "last" || !pairs.has(word.slice(0, at)))) {
      pairs.set(word.slice(0, at), word.slice(at + 1));
    }
  }
  return { domain, opcode, pairs };
}

/**
 * Splits as Java I2P does: quotes hold spaces together and go, a backslash makes the next character plain (outside
 * quotes too), a key without a value is `true`. The two words may be in lower case.
 *
 * @throws {SyntaxError} on a key that comes twice, and on a quote without its end.
 */
export function splitQuoted(line: string): Command {
  const [domain, opcode, ...words] = quotedWords(line);
  const pairs = new Map<string, string>();
  for (const [key, value = "true"] of words) {
    if (pairs.has(key)) throw new SyntaxError(`Duplicate parameter ${key}`);
    pairs.set(key, value);
  }
  return { domain: domain?.[0].toUpperCase() ?? "", opcode: opcode?.[0].toUpperCase() ?? "", pairs };
}

/** The words of a line, each split at its first `=` outside quotes. */
function quotedWords(line: string): [key: string, value?: string][] {
  const words: [string, string?][] = [];
  let word: [string, string?] | undefined;
  let quoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line.charAt(i);
    if (char === '"') {
      quoted = !quoted;
      word ??= [""];
    } else if (char === " " && !quoted) {
      if (word) words.push(word);
      word = undefined;
    } else if (char === "=" && !quoted && word && word[1] === undefined) {
      word[1] = "";
    } else {
      const plain = char === "\\" ? line.charAt(++i) : char;
      if (!word) word = [plain];
      else if (word[1] === undefined) word[0] += plain;
      else word[1] += plain;
    }
  }
  if (quoted) throw new SyntaxError("Unterminated quote");
  if (word) words.push(word);
  return words;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
