import type { Head, LineProtocol } from "./detector.ts";
import type { LeakKind } from "./leak.ts";

/** Bytes of a first line, above which it is none of a mail protocol. */
const MAX_FIRST = 1_024;

/** A protocol of mail. */
interface Protocol {
  /** How its server greets. */
  greeting: RegExp;
  /** What its client says first. */
  first: RegExp;
}

const PROTOCOLS: readonly Protocol[] = [
  { greeting: /^220[ -]/, first: /^(?:EHLO|HELO|LHLO|NOOP|QUIT|RSET|STARTTLS)\b/i },
  { greeting: /^\+OK\b/, first: /^(?:APOP|AUTH|CAPA|NOOP|PASS|QUIT|STLS|USER)\b/i },
  { greeting: /^\* (?:OK|PREAUTH)\b/, first: /^[A-Z\d.]{1,32} [A-Z]/i },
];

/** What servers begin with. */
const GREETINGS: readonly string[] = ["220", "+OK", "* OK", "* PREAUTH"];

/** Commands that clients of SMTP and LMTP, or of IMAP, begin with before they have read anything. */
const CLIENT_FIRST =
  /^(?:(?:EHLO|HELO|LHLO) |[A-Z\d.]{1,32} (?:AUTHENTICATE |CAPABILITY\r?$|ID |LOGIN |STARTTLS\r?$))/i;

/** The name of a program, in a header of a mail or of an article. */
const MAILER = /^(?:X-Mailer|User-Agent|X-MimeOLE|X-Newsreader): *[^ \r]/i;

/** The program and often the system, in IMAP (RFC 2971). */
const IMAP_ID = /^[A-Za-z\d.]{1,32} ID \( *[^ )]/i;

/** An address, in one of the headers that programs in front of a mail server add. */
const ORIGINATING_IP =
  /^X-(?:(?:Originating|Sender|Sending|Source|Submission|Client|Remote|Real|User)-?IP|Forwarded-For): *\[?([^ \r\]]+)/i;

/**
 * Mail as clients send and fetch it: SMTP and LMTP, IMAP, POP.
 *
 * Lines are looked at one by one, whether they are commands, headers or text, as they come after DATA or in an APPEND of
 * IMAP. So a line of a mail's text that begins as such a header does is taken for one, as in a mail that quotes another
 * one with its headers; and what is folded into the line below a header is not seen.
 *
 * Names of I2P and of loopback are neutral everywhere.
 */
export const MAIL: LineProtocol = { recognise, inspect };

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

function inspect(line: string): readonly LeakKind[] {
  const hello = /^(?:EHLO|HELO|LHLO) +([^ \r]+) *\r?$/i.exec(line);
  if (hello !== null) return isNeutral(hello[1] ?? "") ? [] : ["mail-hello"];
  if (/^Received: *(?:from|by|with|id|\()/i.test(line)) return namesMachine(line) ? ["mail-received"] : [];
  const messageId = /^Message-ID: *<[^<>@]*@([^<>@]*)>/i.exec(line);
  if (messageId !== null) return isNeutral(messageId[1] ?? "") ? [] : ["mail-message-id"];
  if (MAILER.test(line) || IMAP_ID.test(line)) return ["mail-mailer"];
  const address = ORIGINATING_IP.exec(line)?.[1];
  return address === undefined || isNeutral(address) ? [] : ["mail-originating-ip"];
}

/** Whether a host, or an address with or without its brackets, tells nothing of the machine. */
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
