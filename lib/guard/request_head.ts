/** A header field of a request. Offsets are those in the text that it was read from. */
export interface HeaderField {
  /** Its name, lower case. */
  readonly name: string;
  /** Its value, without white space around it; lines that continue it are joined by a space. */
  readonly value: string;
  /** Where its line begins. */
  readonly start: number;
  /** Where its value begins, white space left out. */
  readonly valueStart: number;
  /** Where its last line's text ends. */
  readonly valueEnd: number;
  /** Where the next line begins. */
  readonly end: number;
}

/** The head of an HTTP/1 request (RFC 9112), as far as it has come: all its lines but an unfinished one. */
export interface RequestHead {
  /** `GET` and the like. */
  readonly method: string;
  /** What is asked for: a path, an absolute URL, or for CONNECT an authority. */
  readonly target: string;
  /** 1 for HTTP/1.1. */
  readonly minorVersion: number;
  /** Its header fields in order. */
  readonly fields: readonly HeaderField[];
  /** Where the body begins; undefined while the head is not complete. */
  readonly end: number | undefined;
  /** Whether every line but the first is a header field as the standard wants it, or goes on with one. */
  readonly isStrict: boolean;
}

/**
 * Reads the head of a request.
 *
 * @param text Latin-1.
 * @returns `partial` if what there is may be the beginning of a request line, `alien` if it is no request of HTTP/1.
 */
export function readRequestHead(text: string, start = 0): RequestHead | "partial" | "alien" {
  const first = readLine(text, start);
  if (first === undefined) return mayBeRequestLine(text.slice(start)) ? "partial" : "alien";
  const [, method, target, minor] = REQUEST_LINE.exec(first.text) ?? [];
  if (method === undefined || target === undefined) return "alien";
  return { method, target, minorVersion: Number(minor), ...readFields(text, first.end) };
}

/** The values of all fields of a name, which is lower case. */
export function valuesOf(head: RequestHead, name: string): string[] {
  return head.fields.filter((field) => field.name === name).map(({ value }) => value);
}

const REQUEST_LINE = /^([A-Z][A-Z_-]{0,23}) ([!-~\x80-\xff]+) HTTP\/1\.(\d)$/;

const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)([ \t]*):([ \t]*)/;

interface Line {
  /** Without its end. */
  text: string;
  start: number;
  /** Where the next line begins. */
  end: number;
}

function readLine(text: string, start: number): Line | undefined {
  const end = text.indexOf("\n", start) + 1;
  if (end === 0) return undefined;
  const hasReturn = end - 2 >= start && text[end - 2] === "\r";
  return { text: text.slice(start, end - (hasReturn ? 2 : 1)), start, end };
}

function readFields(text: string, start: number): Pick<RequestHead, "fields" | "end" | "isStrict"> {
  const fields: HeaderField[] = [];
  let isStrict = true;
  let last: Omit<HeaderField, "value"> | undefined;
  const finish = (): void => {
    if (last !== undefined) fields.push({ ...last, value: unfold(text.slice(last.valueStart, last.valueEnd)) });
    last = undefined;
  };
  for (let line = readLine(text, start); line !== undefined; line = readLine(text, line.end)) {
    if (line.text === "") {
      finish();
      return { fields, end: line.end, isStrict };
    }
    if (last !== undefined && /^[ \t]/.test(line.text)) {
      last = { ...last, valueEnd: line.start + line.text.length, end: line.end };
      continue;
    }
    finish();
    last = readField(line);
    isStrict &&= last !== undefined && text[last.start + last.name.length] === ":";
  }
  finish();
  return { fields, end: undefined, isStrict };
}

function readField({ text, start, end }: Line): Omit<HeaderField, "value"> | undefined {
  const [all, name] = FIELD.exec(text) ?? [];
  if (all === undefined || name === undefined) return undefined;
  return { name: name.toLowerCase(), start, valueStart: start + all.length, valueEnd: start + text.length, end };
}

function unfold(raw: string): string {
  return raw.replace(/\r?\n[ \t]+/g, " ").trim();
}

/** Whether a line without its end can become a request line. */
function mayBeRequestLine(text: string): boolean {
  const [method = "", target, version, ...more] = text.split(" ", 4);
  if (target === undefined) return text === "" || /^[A-Z][A-Z_-]{0,23}$/.test(method);
  if (version === undefined) return REQUEST_LINE.test(`${method} ${target || "/"} HTTP/1.1`);
  return more.length === 0 && REQUEST_LINE.test(`${method} ${target} HTTP/1.1`) &&
    ("HTTP/1.".startsWith(version) || /^HTTP\/1\.\d\r?$/.test(version));
}
