import { CTCP, IRC, type IrcLine, isMessage, parseIrcLine } from "./irc.ts";
import { fromLatin1, toLatin1 } from "../io/latin1.ts";
import type { LeakKind } from "./leak.ts";
import { MAX_LINE } from "./reader.ts";
import type { Scrubber } from "./stream_guard.ts";

/** What I2P's own IRC tunnel sends for a client that gives no real name. */
const NEUTRAL_USER = "USER user hostname localhost :realname";

/** The text that I2P's own IRC tunnel sends with QUIT and PART. */
const NEUTRAL_TEXT = ":leaving";

/**
 * Takes out of a stream of IRC what identifies the application and its machine, as I2P's own IRC tunnel does: every
 * message of CTCP but ACTION, questions among them as they carry the clock, and every DCC offer. USER and SETNAME are sent
 * with neutral names, QUIT and PART with a neutral text, PING and PONG with their first word. All else passes byte by
 * byte, as does a stream that does not begin as IRC.
 *
 * Only a line that is not whole yet is held back. One that cannot be understood is left out: with a NUL or a bare CR, without
 * a command, or of more than 8 KB, which no server takes.
 */
export class IrcScrubber implements Scrubber {
  readonly #onLeak: (kind: LeakKind) => void;
  /** Beginning of a line. */
  #held = "";
  /** Lines before the first one that only IRC has; undefined once it has come. */
  #opening: string | undefined = "";
  /** Whether the rest of the line is left out. */
  #isDropping = false;
  /** Whether the line before asked for TLS. */
  #mayTurnToTls = false;
  #isDone = false;

  /** @param onLeak takes the reason for which a line is left out. */
  constructor(onLeak: (kind: LeakKind) => void) {
    this.#onLeak = onLeak;
  }

  /** Whether all that follows passes as it is: the stream is not IRC, or has gone over to TLS. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Takes what the application has sent next.
   *
   * @returns what may go on; `bytes` itself where nothing is changed any more.
   */
  push(bytes: Uint8Array): Uint8Array {
    if (this.#isDone) return bytes;
    const text = fromLatin1(bytes);
    const passed: string[] = [];
    let start = 0;
    while (!this.#isDone) {
      const end = text.indexOf("\n", start) + 1;
      this.#take(text.slice(start, end || undefined), end > 0, passed);
      start = end;
      if (end === 0) return toLatin1(passed.join(""));
    }
    passed.push(text.slice(start));
    return toLatin1(passed.join(""));
  }

  /** Ends the stream. @returns the beginning of a line that was held back, without what would have been taken out. */
  end(): Uint8Array {
    const rest = this.#held === "" ? "" : this.#opening === undefined ? this.#scrub(this.#held) : this.#held;
    this.#held = "";
    this.#isDone = true;
    return toLatin1(rest);
  }

  #take(part: string, isEnd: boolean, passed: string[]): void {
    const line = this.#held + part;
    this.#held = "";
    if (this.#isDropping) {
      this.#isDropping = !isEnd;
      return;
    }
    if (this.#opening !== undefined && !this.#mayBeIrc(line, isEnd)) {
      this.#isDone = true;
      passed.push(line);
    } else if (this.#mayTurnToTls && line.startsWith("\x16\x03")) {
      this.#isDone = true;
      passed.push(line);
    } else if (line.length > MAX_LINE) {
      this.#onLeak("irc-unreadable");
      this.#isDropping = !isEnd;
    } else if (isEnd) {
      passed.push(this.#scrub(line));
      this.#mayTurnToTls = /^STARTTLS *\r?\n$/i.test(line);
    } else this.#held = line;
  }

  /** Whether the stream is, or may be, IRC. */
  #mayBeIrc(line: string, isEnd: boolean): boolean {
    const sent = this.#opening + line;
    const isIrc = IRC.recognise({ sent, received: "", host: "" });
    if (isEnd) this.#opening = isIrc === true ? undefined : sent;
    return isIrc !== false;
  }

  /** A line, with its line end, as it may go on: itself, another one, or nothing. */
  #scrub(line: string): string {
    const [content = "", end = ""] = line.split(/(\r?\n$)/, 2);
    if (content === "") return line;
    const parsed = parseIrcLine(content);
    if (parsed === undefined || /[\0\r]/.test(content)) {
      this.#onLeak("irc-unreadable");
      return "";
    }
    const neutral = neutralLine(parsed);
    if (neutral !== undefined) return neutral + end;
    return mayPass(parsed) ? line : "";
  }
}

/** What I2P's own tunnel sends in place of a line; undefined where it sends the line itself, or nothing. */
function neutralLine({ command, params }: IrcLine): string | undefined {
  const [first = ""] = params;
  const [word = ""] = first.split(" ", 1);
  switch (command) {
    case "USER":
      return params.length > 1 ? NEUTRAL_USER : undefined;
    case "SETNAME":
      return "SETNAME :realname";
    case "QUIT":
      return `QUIT ${NEUTRAL_TEXT}`;
    case "PART":
      return params.length > 0 ? `PART ${word} ${NEUTRAL_TEXT}` : undefined;
    case "PING":
    case "PONG":
      return params.length === 0 ? undefined : `${command} ${/^:|^$/.test(word) ? ":" : ""}${word}`;
    default:
      return undefined;
  }
}

/** Commands of which a text may hold the mark of CTCP without being one: it goes to nobody's client as a message. */
const TEXTS: readonly string[] = ["AWAY", "KICK", "TOPIC"];

/** Whether a line is free of CTCP, but one ACTION as its whole text, and of DCC in words. */
function mayPass(line: IrcLine): boolean {
  const { command, params } = line;
  const text = params.at(-1) ?? "";
  // mIRC names its offers in a notice of plain text.
  if (command.endsWith("NOTICE") && /^DCC /i.test(text)) return false;
  const isAllowed = (param: string): boolean => !param.includes(CTCP) || (param === text && isAction(param));
  return params.every(isMessage(line) ? isAllowed : (param) => !param.includes(CTCP) || TEXTS.includes(command));
}

function isAction(text: string): boolean {
  const [before, message = "", after = "", ...more] = text.split(CTCP);
  return before === "" && /^ACTION(?: |$)/i.test(message) && after === "" && more.length === 0;
}
