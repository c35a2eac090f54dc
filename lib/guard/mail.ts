import type { Head, Inspection, Protocol } from "./detector.ts";
import type { Scanner } from "./identifiers.ts";
import type { LeakKind } from "./leak.ts";
import { decodeBase64, LineReader } from "./reader.ts";

/** Bytes of a first line, above which it is none of a mail protocol. */
const MAX_FIRST = 1_024;

/** A protocol of mail. */
interface MailProtocol {
  /** How its server greets. */
  greeting: RegExp;
  /** What its client says first. */
  first: RegExp;
}

const PROTOCOLS: readonly MailProtocol[] = [
  { greeting: /^220[ -]/, first: /^(?:EHLO|HELO|LHLO|NOOP|QUIT|RSET|STARTTLS)\b/i },
  { greeting: /^\+OK\b/, first: /^(?:APOP|AUTH|CAPA|NOOP|PASS|QUIT|STLS|USER)\b/i },
  { greeting: /^\* (?:OK|PREAUTH)\b/, first: /^[A-Z\d.]{1,32} [A-Z]/i },
  {
    greeting: /^20[01][ -]/,
    first:
      /^(?!.* HTTP\/)(?:ARTICLE|AUTHINFO|BODY|CAPABILITIES|DATE|GROUP|HDR|HEAD|HELP|IHAVE|LAST|LIST|LISTGROUP|MODE|NEWGROUPS|NEWNEWS|NEXT|OVER|POST|QUIT|SLAVE|STARTTLS|STAT|TAKETHIS|XHDR|XOVER|XZVER)\b/i,
  },
];

/** What servers begin with. */
const GREETINGS: readonly string[] = ["200", "201", "220", "+OK", "* OK", "* PREAUTH"];

/** Commands that clients of SMTP and LMTP, of IMAP, or of NNTP, begin with before they have read anything. */
const CLIENT_FIRST =
  /^(?:(?:EHLO|HELO|LHLO) |MODE READER\r?$|[A-Z\d.]{1,32} (?:AUTHENTICATE |CAPABILITY\r?$|ID |LOGIN |STARTTLS\r?$))/i;

/** The name of a program, in a header of a mail or of an article. */
const MAILER = /^(?:X-Mailer|User-Agent|X-MimeOLE|X-Newsreader|X-Operating-System|X-Posting-Agent|X-Editor): *[^ \r]/i;

/** An address, in a header or command that names who sends. */
const SENDER =
  /^(?:From|Sender|Reply-To|Return-Path|Resent-From|Resent-Sender|Errors-To|Disposition-Notification-To|X-Sender|Originator|MAIL FROM): *(.*)/is;

/** A header in which news clients and servers write where an article comes from. */
const POSTING_HOST =
  /^(?:NNTP-Posting-Host|X-Trace|Injection-Info|X-Complaints-To|X-Postfilter|X-NNTP-Posting-Host): *([^ \r\n;]+)|^Path: *([^ \r\n]+)/i;

/** A date with its zone, in a header or with APPEND of IMAP. */
const DATE =
  /^(?:(?:Resent-)?Date:|[A-Za-z\d.]{1,32} APPEND )[^\r\n]*?\d{4} \d{1,2}:\d\d(?::\d\d)? *([+-]\d{4}|[A-Z]{1,5})?/i;

/** The program and often the system, in IMAP (RFC 2971). */
const IMAP_ID = /^[A-Za-z\d.]{1,32} ID \( *[^ )]/i;

/** An address, in one of the headers that programs in front of a mail server add. */
const ORIGINATING_IP =
  /^X-(?:(?:Originating|Sender|Sending|Source|Submission|Client|Remote|Real|User)-?IP|Forwarded-For): *\[?([^ \r\]]+)/i;

/**
 * Mail and news as clients send and fetch them: SMTP and LMTP, IMAP, POP, NNTP.
 *
 * Headers are looked at where a message has them: behind DATA, BDAT, POST and IHAVE, and in an APPEND of IMAP, with the
 * lines that continue them. Bodies are searched for identifiers, also in quoted-printable and base64; of lines that quote
 * another mail, or its headers, public addresses do not count. Not seen: what follows STARTTLS, attachments that are
 * compressed, and what a person writes in words.
 *
 * Names of I2P and of loopback are neutral everywhere.
 */
export const MAIL: Protocol = {
  recognise,
  beginsWithText: true,
  open: (context) => new LineReader(new MailInspector(context)),
};

/** Commands that a client of SMTP sends next where the server refuses a message. */
const NEXT_COMMAND = /^(?:RSET|QUIT|NOOP|EHLO .*|HELO .*|(?:MAIL FROM|RCPT TO):.*)$/i;

/** Looks at commands, and hands messages on. */
class MailInspector {
  readonly #context: Inspection;
  readonly #scanner: Scanner;
  /** The message under way. */
  #message: MessageInspector | undefined;
  /** Bytes of it that are to come, where its length is known; else a line with a dot ends it. */
  #length: number | undefined;
  /** Whether a message may follow, or a command if the server has refused it. */
  #mayRefuse = false;
  #mayTurnToTls = false;
  #isOver = false;

  constructor(context: Inspection) {
    this.#context = context;
    this.#scanner = context.scan();
  }

  line(text: string): void {
    this.#mayTurnToTls = false;
    if (this.#message !== undefined && this.#mayRefuse && NEXT_COMMAND.test(text)) this.#endMessage();
    this.#mayRefuse = false;
    if (this.#message !== undefined) this.#takeMessage(text);
    else this.#command(text);
  }

  more(text: string): void {
    this.#scanner.push(text);
    if (this.#length !== undefined) this.#length -= text.length;
  }

  get mayTurnToTls(): boolean {
    return this.#mayTurnToTls;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  #takeMessage(text: string): void {
    if (this.#length === undefined) {
      if (text === ".") this.#endMessage();
      else this.#message?.line(text.startsWith("..") ? text.slice(1) : text);
      return;
    }
    const rest = text.slice(Math.max(0, this.#length));
    this.#message?.line(text.slice(0, Math.max(0, this.#length)));
    // Lines end with two characters, or one.
    this.#length -= text.length + 2;
    if (this.#length > 0) return;
    this.#endMessage();
    if (rest !== "") this.#command(rest);
  }

  #endMessage(): void {
    this.#message?.end();
    this.#message = undefined;
    this.#length = undefined;
  }

  #command(text: string): void {
    this.#scanner.push(`${text}\n`);
    for (const kind of inspectMailLine(text)) this.#context.onLeak(kind);
    this.#mayTurnToTls = /^(?:[A-Z\d.]{1,32} )?(?:STARTTLS|STLS) *$/i.test(text);
    if (/^(?:[A-Z\d.]{1,32} )?COMPRESS DEFLATE *$/i.test(text)) {
      this.#context.onLeak("mail-unreadable");
      this.#isOver = true;
    }
    // A login of SASL, with its command or on a line of its own.
    const [, token = ""] =
      /^(?:(?:[A-Z\d.]{1,32} )?AUTH(?:ENTICATE|INFO SASL)? "?[A-Z\d_-]+"? |)"?([A-Za-z0-9+/]{8,}=*)"?$/i.exec(text) ??
        [];
    this.#context.search(decodeBase64(token));
    const [, length] = /^BDAT (\d{1,12})\b/i.exec(text) ?? /^[A-Z\d.]{1,32} APPEND .*\{(\d{1,12})\+?\}$/i.exec(text) ??
      [];
    if (length === undefined && !/^(?:DATA|POST|IHAVE <.*>)$/i.test(text.trimEnd())) return;
    this.#message = new MessageInspector(this.#context, inspectMailLine);
    this.#length = length === undefined ? undefined : Number(length);
    this.#mayRefuse = length === undefined;
  }
}

function recognise({ sent, received }: Head): boolean | undefined {
  const line = firstLine(sent);
  if (line !== undefined && CLIENT_FIRST.test(line)) return true;
  const server = PROTOCOLS.filter(({ greeting }) => greeting.test(received));
  const isEarly = server.length === 0 && GREETINGS.some((greeting) => greeting.startsWith(received));
  const protocols = isEarly ? PROTOCOLS : server;
  const mayBegin = line === undefined
    ? /^(?:[A-Z\d.]{1,32}(?: .{0,1000})?\r?)?$/i.test(sent)
    : protocols.some(({ first }) => first.test(line));
  if (protocols.length === 0 || !mayBegin) return false;
  if (isEarly) return undefined;
  if (line !== undefined) return true;
  // FTP greets with 220 as well.
  return sent === "" && /^(?!220)|^.*(?:SMTP|LMTP)\b/.test(received) ? true : undefined;
}

function firstLine(text: string): string | undefined {
  const end = text.indexOf("\n");
  return end < 0 || end > MAX_FIRST ? undefined : text.slice(0, end);
}

/** Which leaks a command, or a header with the lines that continue it, has. Pure. */
export function inspectMailLine(line: string): readonly LeakKind[] {
  const hello = /^(?:EHLO|HELO|LHLO) +([^ \r]+) *\r?$/i.exec(line);
  if (hello !== null) return isNeutral(hello[1] ?? "") ? [] : ["mail-hello"];
  if (/^Received: *(?:from|by|with|id|\()/i.test(line)) return namesMachine(line) ? ["mail-received"] : [];
  const messageId = /^Message-ID:\s*<[^<>@]*@([^<>@]*)>/i.exec(line);
  if (messageId !== null) return isNeutral(messageId[1] ?? "") ? [] : ["mail-message-id"];
  if (MAILER.test(line) || IMAP_ID.test(line)) return ["mail-mailer"];
  const [, sender] = SENDER.exec(line) ?? [];
  if (sender !== undefined) return namesForeignSender(sender) ? ["mail-from"] : [];
  if (/^Organi[sz]ation: *[^ \r]/i.test(line)) return ["mail-organization"];
  const [, zone] = DATE.exec(line) ?? [];
  if (zone !== undefined) return /^(?:[+-]0000|GMT|UTC?|Z)$/i.test(zone) ? [] : ["mail-date"];
  const [, host, path] = POSTING_HOST.exec(line) ?? [];
  if (host !== undefined) return isNeutral(host) ? [] : ["news-posting-host"];
  if (path !== undefined) return namesHost(path) ? ["news-posting-host"] : [];
  const address = ORIGINATING_IP.exec(line)?.[1];
  return address === undefined || isNeutral(address) ? [] : ["mail-originating-ip"];
}

/** Whether an address in a header is at a domain that is not of I2P. Reserved names are nobody's. */
function namesForeignSender(header: string): boolean {
  const domains = [...header.slice(0, 2_000).matchAll(/@((?:[\w-]+\.)*[\w-]+|\[[^\]]*\])/g)].map(([, domain = ""]) =>
    domain
  );
  return domains.some((domain) => !isNeutral(domain) && !/(?:^|\.)(?:invalid|test)$/i.test(domain));
}

/** Whether one of the machines in a path of news is not of I2P; the last part of it is the user. */
function namesHost(path: string): boolean {
  return path.split("!").slice(0, -1).some((host) => !isNeutral(host) && !/^\.|^not-for-mail$/i.test(host));
}

/** Whether a host, or an address with or without its brackets, says nothing of the machine. */
function isNeutral(host: string): boolean {
  return /^(?:localhost(?:\.localdomain)?|(?:[\w-]+\.)*i2p|i2pmail\.org|\[?127\.0\.0\.1\]?|\[?(?:IPv6:)?::1\]?)\.?$/i
    .test(host);
}

/** Whether a Received header names a host that is not of I2P: behind from and by, or any with a dot before the date. */
function namesMachine(line: string): boolean {
  const [route = ""] = line.slice(0, 2_000).split(";", 1);
  const named = [...route.matchAll(/\b(?:from|by) +([^ \r]+)/gi)].map(([, host = ""]) => host);
  const dotted = route.match(/(?<![\w.-])[\w-]+(?:\.[\w-]+)+/g) ?? [];
  const hosts = dotted.filter((word) => /^\d+(?:\.\d+){3}$/.test(word) || /[a-z]$/i.test(word));
  return [...named, ...hosts].some((host) => !isNeutral(host));
}

/** Longest header, with the lines that continue it, that is looked at as a whole, characters. */
const MAX_HEADER = 8_192;

/** Fewest characters of a line that is taken for base64. */
const MIN_BASE64_LINE = 20;

/** Reads a message of mail or news line by line: headers up to an empty line, then a body. */
class MessageInspector {
  readonly #context: Inspection;
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
  constructor(context: Inspection, inspect: (header: string) => readonly LeakKind[]) {
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
