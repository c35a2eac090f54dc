/** Something in an application's settings that will leak. */
export interface Finding {
  /** Line of the file, from 1 on; undefined where the file lacks a setting. */
  readonly line: number | undefined;
  /** The setting's name, as the application has it. */
  readonly setting: string;
  /** What comes of it, one sentence. It repeats no value. */
  readonly message: string;
  /** What to write in its place, or to do. */
  readonly fix: string;
}

/** A setting in a file. */
export interface Entry {
  /** Line of the file, from 1 on. */
  readonly line: number;
  /** Its value, without the quotes around it. */
  readonly value: string;
}

/** Whether a text has a name of this machine or of the system's user in it. */
export type IsOwn = (text: string) => boolean;

/** What a setting must be. */
export interface Rule extends Omit<Finding, "line"> {
  /** Whether nothing leaks with this value; with undefined, where the setting is missing and the default holds. */
  readonly isSafe: (value: string | undefined) => boolean;
}

/** A kind of settings file. Pure. */
export interface SettingsFile {
  /** What it is, for people. */
  readonly title: string;
  /** Whether a file is of this kind, by its name and its text. */
  readonly recognise: (name: string, text: string) => boolean;
  /** What in it will leak. */
  readonly inspect: (text: string, isOwn: IsOwn) => Finding[];
}

/** Holds settings against rules. */
export function applyRules(rules: readonly Rule[], find: (setting: string) => Entry | undefined): Finding[] {
  return rules.flatMap(({ isSafe, setting, message, fix }) => {
    const entry = find(setting);
    return isSafe(entry?.value) ? [] : [{ line: entry?.line, setting, message, fix }];
  });
}

/** Findings in the order of the file, those about what is missing behind them; each once. */
export function sortFindings(findings: readonly Finding[]): Finding[] {
  const once = new Map(findings.map((finding) => [`${finding.line} ${finding.setting} ${finding.message}`, finding]));
  return [...once.values()].sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity) || 0);
}

/** Whether a host is one of I2P, or this machine. */
export function isInI2p(host: string): boolean {
  return isLoopback(host) || /\.i2p\.?$/i.test(host);
}

/** Whether a host is this machine. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/i.test(host);
}

/** Characters of a line that count: no setting that leaks has more, but programs keep lists in one line. */
const MAX_LINE = 4_096;

/** The lines of a file, whatever their ends. */
export function linesOf(text: string): string[] {
  return text.replace(/^\ufeff/, "").split(/\r?\n/).map((line) => line.slice(0, MAX_LINE));
}
