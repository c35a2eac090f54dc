import type { Head, Inspection, Protocol } from "./detector.ts";
import type { LeakKind } from "./leak.ts";
import { decodeBase64, LineReader } from "./reader.ts";
import { namesSystem } from "./system_words.ts";

/** A line of IRC in its parts (RFC 1459 §2.3.1, with IRCv3's tags). */
export interface IrcLine {
  /** The command in upper case. */
  readonly command: string;
  /** Its parameters; the last one may hold spaces. */
  readonly params: readonly string[];
}

/** Mark around a message of CTCP inside PRIVMSG and NOTICE. */
export const CTCP = "\x01";

/** Lines that a client may send before the first one that only IRC has. */
const MAX_OPENERS = 8;

/** Commands of {@linkcode MAX_OPENERS}, which other protocols have too. */
const OPENERS: readonly string[] = ["PASS", "PROTOCTL", "WEBIRC", "STARTTLS", "IRCX", "PING", "PONG"];

/** All commands that a stream of IRC may begin with. */
const FIRST: readonly string[] = [...OPENERS, "CAP", "NICK", "USER"];

/** Bytes of a first line, above which it is none of IRC. */
const MAX_FIRST = 1_024;

/** Answers of CTCP that say nothing of the client or its machine. */
const QUIET_ANSWERS: readonly string[] = ["", "PING", "ACTION", "DCC", "ERRMSG"];

/**
 * IRC.
 *
 * In `USER <user> <mode> <unused> :<real name>` a host name in place of the mode is a leak, and a real name of several
 * words or in the shape of First_Last. One short word is what clients send that were given no name. The user itself is
 * not looked at here: whether it is the system's is known only where the identifiers of this machine are.
 *
 * Questions of CTCP are no leak, answers are. A DCC offer is one if it has an address; loopback addresses and those
 * that clients put into passive offers do not count. Not seen: what is said in words, such as where somebody lives.
 */
export const IRC: Protocol = {
  recognise,
  beginsWithText: true,
  open: (context) => new LineReader(new IrcInspector(context)),
};

/** Looks at the lines of a stream. */
class IrcInspector {
  readonly #context: Inspection;
  readonly #scanner: ReturnType<Inspection["scan"]>;
  #mayTurnToTls = false;

  constructor(context: Inspection) {
    this.#context = context;
    this.#scanner = context.scan();
  }

  line(text: string): void {
    this.#scanner.push(`${text}\n`);
    for (const kind of inspectIrcLine(text)) {
      this.#context.onLeak(kind);
      if (kind === "irc-quit" || kind === "irc-ctcp") this.#context.onTrait("software", text);
    }
    this.#mayTurnToTls = /^STARTTLS *$/i.test(text);
    // A login of SASL.
    const [, token = ""] = /^AUTHENTICATE ([A-Za-z0-9+/]+=*)$/i.exec(text) ?? [];
    this.#context.search(decodeBase64(token));
  }

  more(text: string): void {
    this.#scanner.push(text);
  }

  get mayTurnToTls(): boolean {
    return this.#mayTurnToTls;
  }
}

/** Takes a line without its line end apart; undefined if it has no command. */
export function parseIrcLine(line: string): IrcLine | undefined {
  const match = /^ *(?:@[^ ]* +)?(?::[^ ]* +)?([A-Za-z]+)(?: +(.*))?$/s.exec(
    line.endsWith("\r") ? line.slice(0, -1) : line,
  );
  if (match === null) return undefined;
  const [, command = "", rest = ""] = match;
  const colon = rest.startsWith(":") ? 0 : rest.indexOf(" :");
  const middle = (colon < 0 ? rest : rest.slice(0, colon)).split(" ").filter((param) => param !== "");
  const trailing = colon < 0 ? [] : [rest.slice(rest.indexOf(":", colon) + 1)];
  return { command: command.toUpperCase(), params: [...middle, ...trailing] };
}

/**
 * Whether a line of IRC carries a message of a user to others: one of PRIVMSG and NOTICE, of their variants with a
 * channel, to a service, to operators, and of IRCv3's relays and tags.
 */
export function isMessage({ command }: IrcLine): boolean {
  return /^(?:C?PRIVMSG|C?NOTICE|SQUERY|RELAYMSG|TAGMSG|WALL(?:OPS|CHOPS|VOICES|HOPS|USERS)|ONOTICE|OMSG|[SG]NOTICE)$/
    .test(command);
}

function recognise({ sent, received }: Head): boolean | undefined {
  const byServer = recogniseServer(received);
  // Servers of IRC begin with other words than NOTICE, too.
  const mayBeIrc = byServer === false && received.startsWith(":");
  return recogniseClient(sent) ?? (mayBeIrc ? undefined : byServer);
}

function recogniseClient(sent: string): boolean | undefined {
  const lines = sent.slice(0, MAX_OPENERS * MAX_FIRST).split("\n", MAX_OPENERS + 1);
  const last = lines.pop() ?? "";
  for (const line of lines) {
    const verdict = recogniseFirst(line);
    if (verdict !== undefined) return verdict;
  }
  if (lines.length === MAX_OPENERS || last.length > MAX_FIRST) return false;
  return recogniseBeginning(last);
}

/** Looks at a whole line; undefined if it may begin IRC as well as something else. */
function recogniseFirst(line: string): boolean | undefined {
  const parsed = parseIrcLine(line);
  if (parsed === undefined) return line.replace("\r", "") === "" ? undefined : false;
  const { command, params } = parsed;
  if (command === "NICK") return params.length > 0;
  // POP's and FTP's USER has one parameter.
  if (command === "USER") return params.length >= 4;
  if (command === "CAP") return /^(?:LS|LIST|REQ|END)$/i.test(params[0] ?? "");
  return OPENERS.includes(command) ? undefined : false;
}

/** Looks at a line that is not whole yet: false as soon as it cannot be one of {@linkcode FIRST}. */
function recogniseBeginning(line: string): false | undefined {
  if (/^ *(?:[@:]|\r?$)/.test(line)) return undefined;
  const word = /^ *([A-Za-z]+)( |\r?$)/.exec(line);
  if (word === null) return false;
  const [, letters = "", end] = word;
  const isFirst = FIRST.some((command) =>
    end === " " ? command === letters.toUpperCase() : command.startsWith(letters.toUpperCase())
  );
  return isFirst ? undefined : false;
}

/** Servers greet with `:server NOTICE * :…`, old ones with `NOTICE AUTH :…`. */
function recogniseServer(received: string): boolean | undefined {
  if (/^(?::[^ \r\n]{1,255} )?NOTICE (?:AUTH|\*) /.test(received)) return true;
  if (received.includes("\n") || received.length > 300) return false;
  const isBeginning = /^:[^ ]*(?: |$)/.test(received) || "NOTICE AUTH :".startsWith(received);
  return isBeginning ? undefined : false;
}

/** Which leaks a line without its end has. Pure. */
export function inspectIrcLine(line: string): readonly LeakKind[] {
  const parsed = parseIrcLine(line);
  if (parsed === undefined) return [];
  const { command, params } = parsed;
  switch (command) {
    case "USER":
      return namesSomebody(params) ? ["irc-user"] : [];
    case "SETNAME":
      return isRealName(params.join(" ")) ? ["irc-user"] : [];
    case "QUIT":
    case "AWAY":
      return namesProgram(params.join(" ")) ? ["irc-quit"] : [];
    case "PART":
      return namesProgram(params.slice(1).join(" ")) ? ["irc-quit"] : [];
    default:
      return isMessage(parsed) ? inspectMessage(parsed) : [];
  }
}

/** Clients of IRC, and bouncers, which name themselves in the texts that come with them. */
const CLIENT = new RegExp(
  "(?:^|[^a-z])(?:adiirc|androirc|bitchx|chatzilla|colloquy|ezbounce|gaim|gamja|goguma|halloy|hexchat|hydrairc|icechat|" +
    "irccloud|ircii|irssi|jircii|kiwiirc|konversation|ksirc|kvirc|matrix-appservice|mibbit|mirc|nettalk|psybnc|quassel|rcirc|" +
    "riece|smuxi|srain|tinyirc|weechat|x-?chat|yaaic|znc)(?![a-z])",
  "i",
);

/** Those whose names are other words as well: with a version, or with what they are. */
const CLIENT_AND_VERSION =
  /(?:^|[^a-z])(?:atomic|circe|epic|erc|igloo|lounge|miranda|palaver|pidgin|revolution|shout|snak|textual|trillian|vision)(?:[^a-z]{1,3}v?\d|[^a-z]{1,2}irc\b)/i;

/** Longest text in which the name of a client alone is not talk. */
const MAX_SIGNATURE = 40;

/** Whether a text names a client or a system: by name and with a version or a URL, or in few words. */
function namesProgram(text: string): boolean {
  const isSignature = text.length < MAX_SIGNATURE || /\d|https?:/.test(text);
  return (CLIENT.test(text) && isSignature) || CLIENT_AND_VERSION.test(text) || (namesSystem(text) && /\d/.test(text));
}

function namesSomebody([user, mode, server, realName]: readonly string[]): boolean {
  if (mode === undefined || realName === undefined) return false;
  const host = mode.replaceAll('"', "");
  const isNeutralHost = host === user || host === server || host.toLowerCase().endsWith(".i2p") ||
    /^(?:\d{0,2}|\*|[+-]\w*|localhost(?:\.localdomain)?|127\.0\.0\.1|hostname|host|user|unknown)$/i.test(host);
  return !isNeutralHost || isRealName(realName);
}

function isRealName(text: string): boolean {
  const name = text.replace(/^ +|(?<! ) +$/g, "");
  if (/^cool guy$/i.test(name)) return false;
  return name.length > 20 || /[ @]/.test(name) || /^[A-Z][a-z\x80-\xff]+[._-][A-Z][a-z\x80-\xff]+$/.test(name);
}

function inspectMessage({ command, params }: IrcLine): readonly LeakKind[] {
  const text = params.at(-1) ?? "";
  const isNotice = command.endsWith("NOTICE");
  const messages = text.split(CTCP).filter((_, index) => index % 2 === 1);
  const leaks = new Set<LeakKind>();
  if (isNotice && messages.some((message) => !QUIET_ANSWERS.includes(firstWord(message)))) leaks.add("irc-ctcp");
  // mIRC says what it sends in words as well, as a notice of its own.
  if ((isNotice && /^DCC .*\((?:\d{1,3}\.){3}\d{1,3}\)/i.test(text)) || messages.some(hasAddress)) leaks.add("irc-dcc");
  return [...leaks];
}

function firstWord(message: string): string {
  return message.slice(0, 32).split(" ", 1).join().toUpperCase();
}

/** Whether a message of CTCP is of DCC and has an address: decimal, dotted, or of IPv6, and the port behind it. */
function hasAddress(message: string): boolean {
  const [dcc, kind = "", ...words] = message.split(" ", 100);
  if (dcc?.toUpperCase() !== "DCC") return false;
  // `RESUME file port position` has two numbers too.
  const hasDecimal = !/^(?:RESUME|ACCEPT)$/i.test(kind);
  return words.some((word, index) => {
    const port = words[index + 1] ?? "";
    if (!/^\d{1,5}$/.test(port)) return false;
    if (/^(?:\d{1,3}\.){3}\d{1,3}$/.test(word)) return !/^(?:127|0)\./.test(word);
    if (/^[\da-f]*:[\da-f]*:[\da-f:.]*$/i.test(word)) return word !== "::1" && word !== "::";
    if (!hasDecimal || !/^\d{8,10}$/.test(word)) return false;
    const value = Number(word);
    const isPassive = value === 0x01010101 && port === "0";
    return value >= 2 ** 24 && value < 2 ** 32 && value >>> 24 !== 127 && !isPassive;
  });
}
