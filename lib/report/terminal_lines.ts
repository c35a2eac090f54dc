import { printable } from "./printable.ts";
import type { LogEntry, LogFields, LogLevel } from "./log.ts";

/** How log entries look on a terminal. */
export interface TerminalStyle {
  /** Width of the terminal, in characters. */
  columns: number;
  /** Whether colours are written. */
  color: boolean;
}

/** Least width that lines are broken at: narrower windows break them themselves. */
const LEAST_COLUMNS = 40;

/** Columns of the time and the sign in front of a message. */
const MARGIN = 11;

/** What stands in front of a message, and its colour as ANSI has it. */
const SIGNS: Readonly<Record<LogLevel | "outcome", readonly [sign: string, color: string]>> = {
  debug: ["·", "2"],
  info: [" ", "0"],
  outcome: ["✗", "33"],
  warn: ["!", "33"],
  error: ["✗", "31"],
};

/** Fields that are shown in other ways, or say what the message says. */
const SPECIAL: readonly string[] = ["application", "hint", "fix", "reason", "leak", "group", "groups"];

/**
 * Writes a log entry for people who watch a terminal: local time, a sign, the application, the message with its facts in
 * brackets, and what to do about it below. Breaks lines at spaces. Everything but colours is printable.
 */
export function terminalLines(entry: LogEntry, { columns, color }: TerminalStyle): string {
  const { time, level, message, fields } = entry;
  const [sign, signColor] = SIGNS[level === "info" && fields["reason"] !== undefined ? "outcome" : level];
  const { application, hint, fix } = fields;
  const text = printable(`${application === undefined ? "" : `${application}: `}${message}${factsOf(fields)}`);
  const width = Math.max(columns, LEAST_COLUMNS) - MARGIN;
  const [first = "", ...more] = wrapWords(text, width);
  const advice = [fix, hint].flatMap((one) => one === undefined ? [] : Array.isArray(one) ? one : [String(one)])
    .flatMap((one, _, all) => adviceLines(printable(one), width, all.length > 1));
  const paint = (code: string, part: string): string => color ? `\x1b[${code}m${part}\x1b[0m` : part;
  const indent = " ".repeat(MARGIN);
  return [
    `${paint("2", clockOf(time))} ${paint(signColor, sign)} ${first}`,
    ...more.map((line) => indent + line),
    ...advice.map((line) => indent + paint("2", line)),
  ].join("\n");
}

/** The lines of a piece of advice; of several, each begins further left than it goes on. */
function adviceLines(text: string, width: number, isOneOfSeveral: boolean): string[] {
  if (!isOneOfSeveral) return wrapWords(text, width);
  const [first = "", ...more] = wrapWords(text, width - 2);
  return [first, ...more.map((line) => `  ${line}`)];
}

/** Breaks a line at spaces for a terminal of some columns; what follows is indented `hang` further. */
export function foldLine(text: string, columns: number, hang = 2): string[] {
  const indent = /^ */.exec(text)?.[0] ?? "";
  const width = Math.max(columns - indent.length, 8);
  const [first = "", ...rest] = wrapWords(text.slice(indent.length), width);
  // What follows has less room.
  const more = rest.length === 0 ? [] : wrapWords(rest.join(" "), Math.max(width - hang, 8));
  return [indent + first, ...more.map((line) => indent + " ".repeat(hang) + line)].map((line) => line.trimEnd());
}

/** Breaks a text at spaces into lines of at most `width` characters; a longer word is a line of its own. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const isFull = line !== "" && line.length + 1 + word.length > width;
    if (isFull) lines.push(line);
    line = isFull || line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function factsOf(fields: LogFields): string {
  const facts = [fields["reason"], fields["leak"]].filter((name) => name !== undefined).map(String);
  for (const [key, value] of Object.entries(fields)) {
    if (value !== undefined && !SPECIAL.includes(key)) facts.push(`${key}=${value}`);
  }
  return facts.length === 0 ? "" : ` (${facts.join(", ")})`;
}

function clockOf(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
