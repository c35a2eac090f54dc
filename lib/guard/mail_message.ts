import type { ReaderContext } from "./detector.ts";
import type { Scanner } from "./identifiers.ts";
import type { LeakKind } from "./leak.ts";
import { decodeBase64 } from "./reader.ts";

/** Longest header, with the lines that continue it, that is looked at as a whole, characters. */
const MAX_HEADER = 8_192;

/** Fewest characters of a line that is taken for base64. */
const MIN_BASE64_LINE = 20;

/** Reads a message of mail or news line by line: headers up to an empty line, then a body. */
export class MessageInspector {
  readonly #context: ReaderContext;
  readonly #inspect: (header: string) => readonly LeakKind[];
  readonly #scanner: Scanner;
  /** Of a body with what is quoted in it. */
  readonly #quoted: Scanner;
  /** Of what is decoded. */
  readonly #decoded: Scanner;
  #header = "";
  #isBody = false;
  /** How the line before was encoded, so that this one goes on with it. */
  #encoding: "none" | "quoted-printable" | "base64" = "none";

  /** @param inspect what a header without its end says. */
  constructor(context: ReaderContext, inspect: (header: string) => readonly LeakKind[]) {
    this.#context = context;
    this.#inspect = inspect;
    this.#scanner = context.scan();
    this.#quoted = context.scan({ ignore: "public-address" });
    this.#decoded = context.scan({ ignore: "public-address" });
  }

  /** Takes a line without its end. */
  line(text: string): void {
    if (this.#isBody) this.#takeBody(text);
    else if (/^[ \t]/.test(text) && this.#header.length + text.length < MAX_HEADER) this.#header += `\n${text}`;
    else {
      this.#finishHeader();
      this.#header = text;
      this.#isBody = text === "";
    }
  }

  /** Takes the end of the message. */
  end(): void {
    this.#finishHeader();
    for (const scanner of [this.#scanner, this.#quoted, this.#decoded]) scanner.end();
  }

  #finishHeader(): void {
    const header = this.#header;
    this.#header = "";
    if (header === "" || this.#isBody) return;
    for (const kind of this.#inspect(header)) this.#context.onLeak(kind);
    this.#scanner.push(`${header}\n`);
    for (const [, coding, text = ""] of header.matchAll(/=\?[\w-]{1,32}\?([BQ])\?([^?\s]{0,256})\?=/gi)) {
      const isBase64 = coding?.toUpperCase() === "B";
      this.#context.search(isBase64 ? decodeBase64(text) : decodeQuoted(text.replaceAll("_", " ")));
    }
  }

  #takeBody(text: string): void {
    // What is quoted, or stands in the head of a mail that is passed on, is of others.
    const isQuoted = /^(?:[>|\s]|[\w-]+:\s)/.test(text);
    (isQuoted ? this.#quoted : this.#scanner).push(`${text}\n`);
    const isBase64 = /^[A-Za-z0-9+/]+={0,2}$/.test(text) &&
      (text.length >= MIN_BASE64_LINE ? text.length % 4 === 0 : this.#encoding === "base64");
    if (isBase64) {
      if (this.#encoding !== "base64") this.#decoded.end();
      this.#decoded.push(decodeBase64(text));
      this.#encoding = text.endsWith("=") ? "none" : "base64";
      return;
    }
    const isSoft = text.endsWith("=");
    if (this.#encoding !== "quoted-printable") this.#decoded.end();
    if (isSoft || this.#encoding === "quoted-printable" || /=[\dA-F]{2}/.test(text)) {
      this.#decoded.push(decodeQuoted(isSoft ? text.slice(0, -1) : `${text}\n`));
    }
    this.#encoding = isSoft ? "quoted-printable" : "none";
  }
}

function decodeQuoted(text: string): string {
  return text.replace(/=([\dA-F]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
}
