import { CTCP, IRC, type IrcLine, isMessage, parseIrcLine } from "./irc.ts";

/** Bytes of the longest line that is looked at; tags of IRCv3 have up to 4096, the message behind them 512. */
const MAX_LINE = 8_192;

/** What I2P's own IRC tunnel sends for a client that gives no real name. */
const NEUTRAL_USER = "USER user hostname localhost :realname";

/** First byte of TLS, which a client of IRC may go over to. */
const TLS = 0x16;

const NOTHING: Uint8Array = new Uint8Array();

/**
 * Takes out of a stream of IRC what gives away the application and its machine, as I2P's own IRC tunnel does: every
 * message of CTCP but ACTION, questions among them as they carry the clock, and every DCC offer. USER is sent with
 * neutral names. All else passes byte by byte, as does a stream that does not begin as IRC.
 *
 * Only a line that is not whole yet is held back.
 */
export class IrcScrubber {
  /** Beginning of a line. */
  #held = NOTHING;
  /** Lines before the first one that only IRC has; undefined once it has come. */
  #opening: string | undefined = "";
  #isDone = false;

  /** Whether all that follows passes as it is: the stream is no IRC, has gone over to TLS, or has an endless line. */
  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Takes what the application has sent next.
   *
   * @returns what may go on; part of `bytes` itself, or a copy.
   */
  push(bytes: Uint8Array): Uint8Array {
    if (this.#isDone) return bytes;
    const data = concat([this.#held, bytes]);
    const passed: Uint8Array[] = [];
    let start = 0;
    let end = data.indexOf(0x0a, this.#held.length) + 1;
    while (end > 0 && !this.#isEnd(data.subarray(start, end))) {
      passed.push(scrub(data.subarray(start, end)));
      start = end;
      end = data.indexOf(0x0a, start) + 1;
    }
    const rest = data.subarray(start);
    this.#isDone ||= this.#isEnd(rest);
    this.#held = this.#isDone ? NOTHING : rest.slice();
    return concat(this.#isDone ? [...passed, rest] : passed);
  }

  /** Ends the stream. @returns the beginning of a line that was held back, without what would have been taken out. */
  end(): Uint8Array {
    const rest = scrub(this.#held);
    this.#held = NOTHING;
    this.#isDone = true;
    return rest;
  }

  /** Whether a line, or the beginning of one, is where scrubbing ends. */
  #isEnd(line: Uint8Array): boolean {
    if (line[0] === TLS || line.length > MAX_LINE) return true;
    if (this.#opening === undefined) return false;
    const sent = this.#opening + decode(line);
    const verdict = IRC.recognise({ sent, received: "", host: "" });
    if (line.at(-1) === 0x0a) this.#opening = verdict === true ? undefined : sent;
    return verdict === false;
  }
}

/** A line, with its line end, as it may go on: itself, another one, or nothing. */
function scrub(line: Uint8Array): Uint8Array {
  const text = decode(line);
  const [content = "", end = ""] = text.split(/(\r?\n$)/, 2);
  const parsed = parseIrcLine(content);
  if (parsed === undefined) return line;
  if (parsed.command === "USER" && parsed.params.length > 1) return encode(NEUTRAL_USER + end);
  return isMessage(parsed) && !mayPass(parsed) ? NOTHING : line;
}

/** Whether a message is free of CTCP, but one ACTION as its whole text, and of DCC in words. */
function mayPass({ command, params }: IrcLine): boolean {
  const text = params.at(-1) ?? "";
  // mIRC tells of its offers in a notice of plain text.
  if (command.endsWith("NOTICE") && /^DCC /i.test(text)) return false;
  return params.every((param) => !param.includes(CTCP) || (param === text && isAction(param)));
}

function isAction(text: string): boolean {
  const [before, message = "", after = "", ...more] = text.split(CTCP);
  return before === "" && /^ACTION(?: |$)/i.test(message) && after === "" && more.length === 0;
}

function decode(line: Uint8Array): string {
  return String.fromCharCode(...line);
}

function encode(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = parts.filter((part) => part.length > 0);
  if (bytes.length < 2) return bytes[0] ?? NOTHING;
  const all = new Uint8Array(bytes.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of bytes) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}
