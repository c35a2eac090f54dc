import { OPTIONS, type OptionSpec } from "./options.ts";
import type { RawOptions, RawValue } from "./raw_options.ts";

/** A setting that holds, with where it comes from. */
export interface Setting {
  /** Its key in a configuration file. */
  key: string;
  /** Its value or values as a file has them; none where there is no value, as without `--identity`. */
  values: readonly string[];
  /** What holds where there is no value, in words. */
  without: string | undefined;
  /** Where it comes from: an option, a variable, a line of a file, or `default`. */
  source: string;
}

/** Keys of I2CP whose values are secrets. */
const SECRET_KEY = /secret|priv|pass/i;

/** What is shown of such a value. */
const HIDDEN = "(not shown)";

/**
 * All settings that a configuration file could hold, for the process or for an application, whether given or not.
 *
 * @param given what was given, as it is laid over one another.
 */
export function effectiveSettings(given: RawOptions, scope: "process" | "application"): Setting[] {
  return OPTIONS.filter((option) => (option.scope ?? "application") === scope).map((option) => {
    const { name, key = name, repeatable } = option;
    const all = given.get(name) ?? [];
    const used = repeatable ? all : all.slice(-1);
    const values = used.length > 0 ? used.map(({ text }) => withoutSecret(name, text)) : defaultOf(option);
    return {
      key,
      values,
      without: values.length > 0 ? undefined : option.defaultText ?? "none",
      source: used.length > 0 ? [...new Set(used.map(placeOf))].join(", ") : "default",
    };
  });
}

/** Settings of a process and its applications as a configuration file, in which each line says where it comes from. */
export function settingsFile(common: readonly Setting[], applications: readonly (readonly Setting[])[]): string {
  const [first = []] = applications;
  const flat = applications.length === 1 ? [...common, ...first] : common;
  const list = applications.length === 1 ? [] : [
    "applications:",
    ...applications.flatMap((one) => aligned(one).map((line, i) => (i === 0 ? "  - " : "    ") + line)),
  ];
  return [...aligned(flat), ...list].join("\n");
}

/** A configuration file to begin with: every option with what it does, switched off by a `#`, except two. */
export function templateFile(): string {
  const lines = [
    "# Configuration of i2p-socks. `i2p-socks serve` reads this file where it lies, if it is given no settings;",
    "# `i2p-socks serve --config FILE` reads any other. `i2p-socks config check` checks it, `i2p-socks config show` prints",
    "# what holds. A line that begins with # is off. Times are 500ms, 10s, 5m or 1h.",
  ];
  let group = "";
  for (const option of OPTIONS) {
    const { name, key = name, heading, scope = "application", help } = option;
    // A group may begin with an option that no file has.
    if (heading !== undefined) group = heading;
    if (!isOfFile(scope)) continue;
    if (group !== "") lines.push("", `## ${group}`);
    group = "";
    const [value] = defaultOf(option);
    const isOn = name === "listen" || name === "sam";
    const shown = name === "listen" ? FIRST_LISTENER : value;
    lines.push("", ...wrapped(`${help}.`));
    lines.push(
      shown === undefined ? `# ${key}: ${option.value ?? ""}` : `${isOn ? "" : "# "}${key}: ${scalar(shown)}`,
    );
  }
  return [...lines, "", ...SEVERAL, ""].join("\n");
}

/** Where the file to begin with has the program listen: its default port, and no other. */
const FIRST_LISTENER = "127.0.0.1:4447";

/** What the file to begin with says of several applications. */
const SEVERAL: readonly string[] = [
  "## Several applications",
  "",
  "# Each has its own port, its own I2P address, and any of the options above that are not for the whole process. With",
  "# such a list, take listen, name and identity out above.",
  "# applications:",
  "#   - name: irc",
  "#     listen: 127.0.0.1:9101",
  "#     identity: irc",
  "#   - name: browser",
  "#     listen: 127.0.0.1:9102",
];

function isOfFile(scope: string): boolean {
  return scope === "application" || scope === "process";
}

/** The value that an option has if none is given, as a file would have it; nothing where that cannot be written. */
function defaultOf({ fallback, defaultText, parse }: OptionSpec): string[] {
  if (typeof fallback === "boolean") return [String(fallback)];
  if (fallback === undefined || defaultText === undefined || (Array.isArray(fallback) && fallback.length === 0)) {
    return [];
  }
  try {
    parse(defaultText);
    return [defaultText];
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return [];
  }
}

function withoutSecret(name: string, text: string): string {
  const [, key = ""] = /^([^=]*)=/.exec(text) ?? [];
  return name === "o" && SECRET_KEY.test(key) ? `${key}=${HIDDEN}` : text;
}

function placeOf({ source, file }: RawValue): string {
  if (file === undefined) return source;
  const [, line] = /\(line (\d+)\)$/.exec(source) ?? [];
  return line === undefined ? file : `${file} line ${line}`;
}

function aligned(settings: readonly Setting[]): string[] {
  const lines = settings.map(lineOf);
  const widths = lines.map(([text]) => text.length).filter((length) => length <= WIDEST);
  const width = Math.max(0, ...widths);
  return lines.map(([text, comment]) => `${text.padEnd(width)}  # ${comment}`);
}

/** Widest line, in characters, after which comments are lined up. */
const WIDEST = 48;

function lineOf({ key, values, without, source }: Setting): [text: string, comment: string] {
  if (without !== undefined) return [`# ${key}: ${without}`, source];
  const isHidden = values.some((value) => value.endsWith(`=${HIDDEN}`));
  const text = values.length === 1 ? scalar(values[0] ?? "") : `[${values.map(scalar).join(", ")}]`;
  return [`${isHidden ? "# " : ""}${key}: ${text}`, source];
}

/** A text as YAML has it: bare where that is plainly the same. */
function scalar(text: string): string {
  return /^[\w.\/~][\w.:\/=,-]*$/.test(text) && !text.endsWith(":") ? text : JSON.stringify(text);
}

/** A text as lines of a comment. */
function wrapped(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = `${lines.at(-1)} ${word}`.trimStart();
    if (line.length > 110) lines.push(word);
    else lines[lines.length - 1] = line;
  }
  return lines.map((line) => `# ${line}`);
}
