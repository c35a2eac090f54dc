import { printable } from "./printable.ts";
import type { Repeats } from "./repeats.ts";

/** Levels of a log, the most verbose first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

export type LogLevel = typeof LOG_LEVELS[number];

export const LOG_FORMATS = ["text", "json"] as const;

export type LogFormat = typeof LOG_FORMATS[number];

/** When the log has colours. */
export const COLOR_CHOICES = ["auto", "always", "never"] as const;

export type ColorChoice = typeof COLOR_CHOICES[number];

/** Facts that go with a message. Destinations are left out unless the user asked for them. */
export interface LogFields {
  /** Where an application wanted to go. */
  destination?: string | undefined;
  /** The router's own words, which may name a destination. Left out likewise. */
  routerSaid?: string | undefined;
  /** What to do about it; several pieces of advice are a line each on a terminal. */
  hint?: string | readonly string[] | undefined;
  [key: string]: string | number | readonly string[] | undefined;
}

/** Writes messages for the user, a line each. Only the fields meant for it may name a destination. */
export type Log = Record<LogLevel, (message: string, fields?: LogFields) => void>;

/** One entry of a log, without the fields that are not to be shown. */
export interface LogEntry {
  readonly time: Date;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

export interface LogOptions {
  /** Lowest level that is written. */
  level: LogLevel;
  /** Text, one JSON object a line, or what this makes of an entry: printable characters, lines and colours. */
  format: LogFormat | ((entry: LogEntry) => string);
  /** Whether destinations are written. */
  destinations: boolean;
  /** Folds repeats of a line; each is written where undefined. Lines of debug level are never folded. */
  repeats?: Repeats;
  /** Receives what is written of an entry, without its last line end: one line of text or JSON. */
  write: (line: string) => void;
}

export function createLog(options: LogOptions): Log {
  const at = (level: LogLevel) => (message: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(options.level)) return;
    const { destination: _destination, routerSaid: _routerSaid, ...rest } = fields;
    const shown = options.destinations ? fields : rest;
    if (level === "debug" || options.repeats === undefined) return write(level, message, shown);
    const { hint: _hint, ...facts } = shown;
    const isNew = options.repeats.isNew(
      JSON.stringify([level, message, shown]),
      (count) => write(level, `${count} more like this: ${message}`, facts),
    );
    if (isNew) write(level, message, shown);
  };
  const write = (level: LogLevel, message: string, shown: LogFields): void => {
    const now = new Date();
    if (typeof options.format === "function") {
      return options.write(options.format({ time: now, level, message, fields: shown }));
    }
    const time = now.toISOString();
    const flat = Object.fromEntries(Object.entries(shown).map(([key, value]) => [key, oneLine(value)]));
    const line = options.format === "json"
      ? JSON.stringify({ time, level, message, ...flat })
      : [time, level.padEnd(5), message, ...pairs(flat)].join(" ");
    options.write(printable(line));
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Returns a log that adds fields to each line; a function is called for them with each line. */
export function withFields(log: Log, fields: LogFields | (() => LogFields)): Log {
  const at = (level: LogLevel) => (message: string, more: LogFields = {}): void =>
    log[level](message, { ...(typeof fields === "function" ? fields() : fields), ...more });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** Keys of what lasts, such as a service that is down: it is logged once, and again after it was over. */
export class Once {
  readonly #seen = new Set<string>();

  /** Whether a key comes for the first time, or for the first time since {@linkcode clear}. */
  isNew(key: string): boolean {
    return this.#seen.size < this.#seen.add(key).size;
  }

  clear(key: string): void {
    this.#seen.delete(key);
  }
}

/** A value as one line has it. */
function oneLine(value: LogFields[string]): string | number | undefined {
  if (typeof value !== "object") return value;
  return value.length === 0 ? undefined : value.join("; ");
}

function pairs(fields: LogFields): string[] {
  return Object.entries(fields).filter(([, value]) => value !== undefined).map(([key, value]) => {
    const text = String(value);
    return `${key}=${/^[\w.:\/[\]-]+$/.test(text) ? text : JSON.stringify(text)}`;
  });
}
