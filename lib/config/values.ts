import { isIdentityName, MAX_IDENTITY_NAME } from "../keys/key_store.ts";
import { DATAGRAM_STYLES, type DatagramStyle } from "../sam/datagrams.ts";
import { isPlain } from "../sam/message.ts";
import { parseDuration } from "./duration.ts";
import { type Endpoint, parseEndpoint } from "./endpoint.ts";
import { ISOLATION_FLAGS, type IsolationFlag, SCRUB_PROTOCOLS, type ScrubProtocol } from "./choices.ts";

/*
 * Parsers of the values of options. Each throws a SyntaxError, with a clause that says what is wrong.
 */

/** Longest `--name`, in characters. */
export const MAX_LABEL = 64;

/** An address to connect to. */
export function parseSamEndpoint(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (endpoint.port === 0) throw new SyntaxError("port 0 cannot be connected to");
  return endpoint;
}

/** A running proxy: its address, or its label, which does not look like one. */
export function parseVia(text: string): Endpoint | string {
  return /^\d+$|:/.test(text) ? parseSamEndpoint(text) : parseLabel(text);
}

/** Any text. */
export function parseText(text: string): string {
  return text;
}

/** A time limit that cannot be switched off, in milliseconds. */
export function parseLimit(text: string): number {
  const limit = parseDuration(text);
  if (limit === 0) throw new SyntaxError("this limit cannot be switched off");
  return limit;
}

/** The mode of a socket, three octal digits. Its owner can read and write in any case. */
export function parseMode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text)) throw new SyntaxError("a mode is three octal digits, such as 600 or 660");
  const mode = parseInt(text, 8);
  if ((mode & 0o600) !== 0o600) throw new SyntaxError("without 6 for the owner nobody could use the socket");
  return mode;
}

/** Writes a mode as {@linkcode parseMode} reads it. */
export function formatMode(mode: number): string {
  return mode.toString(8).padStart(3, "0");
}

/** A user name for the SAM bridge. */
export function parseUser(text: string): string {
  if (/\p{Cc}/u.test(text)) throw new SyntaxError("a user name has no control characters");
  return text;
}

/** The name of a lasting identity. */
export function parseIdentity(text: string): string {
  if (isIdentityName(text)) return text;
  throw new SyntaxError(`the name of an identity has letters, digits, "-" and "_", ${MAX_IDENTITY_NAME} at most`);
}

/** What sets clients apart: words with commas, or `none`. */
export function parseIsolation(text: string): IsolationFlag[] {
  const words = text.split(",");
  if (words.length === 1 && words[0] === "none") return [];
  const parse = oneOf([...ISOLATION_FLAGS, "none"]);
  const flags = words.map((word) => {
    const flag = parse(word);
    if (flag === "none") throw new SyntaxError('"none" stands alone');
    return flag;
  });
  return ISOLATION_FLAGS.filter((flag) => flags.includes(flag));
}

/** Protocols to rewrite, with commas. */
export function parseScrub(text: string): ScrubProtocol[] {
  const protocols = text.split(",").map(oneOf(SCRUB_PROTOCOLS));
  return SCRUB_PROTOCOLS.filter((protocol) => protocols.includes(protocol));
}

/** Encryption types of a lease set: numbers with commas. */
export function parseEncryption(text: string): string {
  if (!/^\d{1,3}(,\d{1,3})*$/.test(text)) {
    throw new SyntaxError("encryption types are numbers with commas, such as 6,4");
  }
  return text;
}

/** The words for kinds of datagrams. */
export const UDP_STYLES: readonly string[] = DATAGRAM_STYLES.map((style) => style.toLowerCase());

/** A kind of datagrams. */
export function parseDatagramStyle(text: string): DatagramStyle {
  const word = oneOf(UDP_STYLES)(text);
  return DATAGRAM_STYLES[UDP_STYLES.indexOf(word)] ?? "DATAGRAM";
}

/** A label of tunnels. */
export function parseLabel(text: string): string {
  if (!isPlain(text)) throw new SyntaxError("SAM takes no spaces, quotes or backslashes in a name");
  if (text.length > MAX_LABEL) throw new SyntaxError(`a name has at most ${MAX_LABEL} characters`);
  return text;
}

/** An option of I2CP or streaming, `KEY=VALUE`. */
export function parseOption(text: string): [string, string] {
  const [, key = "", value = ""] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (!isPlain(key) || !isPlain(value)) throw new SyntaxError("an option is KEY=VALUE, without spaces or quotes");
  if (/^[A-Z_]+$/.test(key)) throw new SyntaxError(`"${key}" is SAM's own word, not an option of I2CP or streaming`);
  return [key, value];
}

/** Makes a parser of whole numbers in a range. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^-?\d+$/.test(text) || number < min || number > max) {
      throw new SyntaxError(`a whole number from ${min} to ${max} is needed`);
    }
    return number;
  };
}

/** Makes a parser of a few words. */
export function oneOf<const T extends readonly string[]>(words: T): (text: string) => T[number] {
  return (text) => {
    const word = words.find((w) => w === text);
    if (word === undefined) throw new SyntaxError(`it must be one of ${words.join(", ")}`);
    return word;
  };
}
