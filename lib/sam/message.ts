/** The values of a SAM message by key. */
export type SamValues = ReadonlyMap<string, string>;

/** A line of SAM, taken apart: `HELLO REPLY RESULT=OK VERSION=3.1` has topic HELLO and kind REPLY. */
export interface SamMessage {
  /** First word. */
  topic: string;
  /** Second word; empty where the line has one word only. */
  kind: string;
  /** The `KEY=VALUE` pairs that follow. A key without a value stands for "true", the first of two equal keys counts. */
  values: SamValues;
}

/** Characters of a line that is remembered, at most: none that has a key in it is. */
const MAX_REMEMBERED = 64;

/** The first few short lines, taken apart: bridges answer most requests alike. */
const remembered = new Map<string, SamMessage>();

/**
 * Takes a line of the bridge apart, without its line end.
 *
 * Every router's manner is accepted: quoted values with backslash escapes (Java I2P), values that hold `=` (base64),
 * text behind an unclosed quote. Pure, and never throws: a line that makes no sense gets a topic that nobody expects.
 */
export function parseMessage(line: string): SamMessage {
  const known = remembered.get(line);
  if (known !== undefined) return known;
  const message = takeApart(line);
  if (line.length <= MAX_REMEMBERED && remembered.size < 8) remembered.set(line, message);
  return message;
}

function takeApart(line: string): SamMessage {
  const words = /^\s*(\S*)\s*([^\s=]*)(?=\s|$)/.exec(line);
  const values = new Map<string, string>();
  for (
    const [, key = "", value] of line.slice(words?.[0].length ?? 0).matchAll(/([^\s=]+)(?:=("(?:[^"\\]|\\.)*"|\S*))?/g)
  ) {
    if (!values.has(key)) values.set(key, value === undefined ? "true" : unquote(value));
  }
  return { topic: words?.[1] ?? "", kind: words?.[2] ?? "", values };
}

function unquote(value: string): string {
  return /^".*"$/s.test(value) ? value.slice(1, -1).replace(/\\(.)/gs, "$1") : value;
}

/**
 * Writes a command line, line end included.
 *
 * Only the portable subset of SAM's syntax: one space between tokens, no quotes, one line. Values that would need
 * more are refused, for i2pd splits quoted values at their spaces. `login` values alone are quoted where needed:
 * only Java I2P reads them.
 *
 * @throws {TypeError} if a key or a value cannot be written so.
 */
export function formatCommand(
  words: string,
  values: Record<string, string>,
  login: Record<string, string> = {},
): string {
  let line = words;
  for (const key of Object.keys(values)) {
    const value = values[key] ?? "";
    if (!isPlain(key) || key.includes("=") || !isPlain(value)) {
      throw new TypeError(`Cannot write SAM option "${key}=${value}": SAM takes no spaces, quotes or backslashes here`);
    }
    line += ` ${key}=${value}`;
  }
  for (const [key, value] of Object.entries(login)) line += ` ${key}=${quote(key, value)}`;
  return `${line}\n`;
}

/** Whether a text can stand in a SAM line of any router without quotes: printable, no space, quote or backslash. */
export function isPlain(text: string): boolean {
  return /^[^\s"\\\p{Cc}]+$/u.test(text);
}

function quote(key: string, value: string): string {
  if (/\p{Cc}/u.test(value)) throw new TypeError(`Cannot write SAM ${key}: it has a control character`);
  return isPlain(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`;
}
