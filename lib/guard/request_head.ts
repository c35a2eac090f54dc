/** A header field of a request. */
export interface HeaderField {
  /** Its name, lower case. */
  readonly name: string;
  /** Its value, without white space around it; lines that continue it are joined by a space. */
  readonly value: string;
}

/** The first line of an HTTP/1 request (RFC 9112 §3). */
export interface RequestLine {
  /** `GET` and the like. */
  readonly method: string;
  /** What is asked for: a path, an absolute URL, or for CONNECT an authority. */
  readonly target: string;
  /** 1 for HTTP/1.1. */
  readonly minorVersion: number;
}

const REQUEST_LINE = /^([A-Z][A-Z_-]{0,23}) ([!-~\x80-\xff]+) HTTP\/1\.(\d)$/;

const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)([ \t]*):/;

/** Takes a request line, without its end, apart; undefined if it is none of HTTP/1. */
export function parseRequestLine(line: string): RequestLine | undefined {
  const [, method, target, minor] = REQUEST_LINE.exec(line) ?? [];
  return method === undefined || target === undefined ? undefined : { method, target, minorVersion: Number(minor) };
}

/** Whether a line without its end can become a request line. */
export function mayBeRequestLine(text: string): boolean {
  const [method = "", target, version, ...more] = text.split(" ", 4);
  if (target === undefined) return text === "" || /^[A-Z][A-Z_-]{0,23}$/.test(method);
  if (version === undefined) return REQUEST_LINE.test(`${method} ${target || "/"} HTTP/1.1`);
  return more.length === 0 && REQUEST_LINE.test(`${method} ${target} HTTP/1.1`) &&
    ("HTTP/1.".startsWith(version) || /^HTTP\/1\.\d\r?$/.test(version));
}

/**
 * Takes a header field, with the lines that continue it but without the last line's end, apart.
 *
 * @returns undefined if it is none; `isStrict` is false if there is white space in front of the colon.
 */
export function parseField(text: string): HeaderField & { isStrict: boolean } | undefined {
  const [all, name, space] = FIELD.exec(text) ?? [];
  if (all === undefined || name === undefined) return undefined;
  const raw = text.slice(all.length);
  const value = (raw.includes("\n") ? raw.replace(/\r?\n[ \t]+/g, " ") : raw).trim();
  return { name: name.toLowerCase(), value, isStrict: space === "" };
}
