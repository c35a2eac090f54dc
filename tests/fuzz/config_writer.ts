import type { Random } from "../support/random.ts";
import type { Entry } from "./config_entries.ts";

/** A configuration file in YAML, and the lines that its keys stand on, counted from 1. */
export interface WrittenFile {
  text: string;
  /** Lines of the common keys. */
  common: number[];
  /** Lines of each application's keys; undefined where it stands in braces. */
  applications: (number | undefined)[][];
}

/**
 * Writes a file in block style, in one of the many ways that YAML has: quotes or none, lists in brackets or with
 * dashes, indented or not, with comments and empty lines between them, common keys in front of the applications or
 * behind.
 */
export function writeConfigFile(
  common: readonly Entry[],
  applications: readonly (readonly Entry[])[],
  random: Random,
): WrittenFile {
  const lines: string[] = [];
  const found: WrittenFile = { text: "", common: [], applications: [] };
  const writeCommon = (): void => common.forEach((entry) => found.common.push(writeEntry(lines, entry, "", 0, random)));
  const isCommonFirst = random.below(2) === 0;
  if (isCommonFirst) writeCommon();
  if (applications.length > 0) {
    pad(lines, random);
    lines.push(`${quoted("applications", random)}:${random.pick(["", " ", " # all of them"])}`);
    const margin = " ".repeat(random.below(4));
    found.applications = applications.map((entries) => writeApplication(lines, entries, margin, random));
  }
  if (!isCommonFirst) writeCommon();
  pad(lines, random);
  // A file that has nothing is a mapping all the same.
  const isEmpty = common.length + applications.length === 0;
  return { ...found, text: [...lines, ...(isEmpty ? ["{}"] : [])].join("\n") + random.pick(["", "\n"]) };
}

/** An item of the list: its keys begin behind the dash, or on a line of their own. */
function writeApplication(
  lines: string[],
  entries: readonly Entry[],
  margin: string,
  random: Random,
): (number | undefined)[] {
  pad(lines, random);
  if (entries.length === 0 || random.below(6) === 0) {
    const pairs = entries.map(({ key, texts }) => `${quoted(key, random)}: ${listed(texts, random)}`);
    lines.push(`${margin}- {${pairs.join(", ")}}`);
    return entries.map(() => undefined);
  }
  const gap = " ".repeat(1 + random.below(3));
  const isDashAlone = random.below(3) === 0;
  if (isDashAlone) lines.push(`${margin}-${random.pick(["", " ", " # one"])}`);
  const column = margin.length + 1 + gap.length;
  return entries.map((entry, i) => {
    const dash = i === 0 && !isDashAlone ? `${margin}-${gap}` : "";
    return writeEntry(lines, entry, dash, column, random);
  });
}

/** Writes a key at a column, behind a dash or blanks; returns its line. */
function writeEntry(lines: string[], { key, texts }: Entry, dash: string, column: number, random: Random): number {
  if (dash === "") pad(lines, random);
  const head = `${dash === "" ? " ".repeat(column) : dash}${quoted(key, random)}:`;
  const comment = random.pick(["", "", " # name: x"]);
  const line = lines.length + 1;
  const pairs = new Map(texts.map((text) => [text.replace(/=.*/s, ""), text]));
  const isMapping = key === "options" && pairs.size === texts.length && texts.every((text) => /^[a-z_.]+=/.test(text));
  if (texts.length === 0 || random.below(2) === 0) lines.push(`${head} ${listed(texts, random)}${comment}`);
  else {
    lines.push(`${head}${comment}`);
    const margin = " ".repeat(column + random.below(3));
    for (const text of texts) {
      pad(lines, random);
      const [name = "", value = ""] = text.split(/=(.*)/s);
      if (isMapping) lines.push(`${margin} ${quoted(name, random)}: ${quoted(value, random)}`);
      else lines.push(`${margin}- ${quoted(text, random)}`);
    }
  }
  return line;
}

/** One text as it is, or a list in brackets. */
function listed(texts: readonly string[], random: Random): string {
  const [first = "", ...others] = texts.map((text) => quoted(text, random));
  return texts.length === 1 && random.below(2) === 0 ? first : `[${[first, ...others].join(", ")}]`;
}

/** A text as a scalar: plain where that is possible, or in quotes. */
function quoted(text: string, random: Random): string {
  const style = random.below(3);
  if (style === 0 && /^[a-z0-9][a-z0-9.-]*$/i.test(text)) return text;
  if (style === 1 && /^[ -~]+$/.test(text)) return `'${text.replaceAll("'", "''")}'`;
  const escaped = text.replace(/[^ !#-[\]-~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `"${escaped}"`;
}

/** Lines that mean nothing. */
function pad(lines: string[], random: Random): void {
  if (random.below(3) > 0) return;
  lines.push(random.pick(["", "# name: x", "   # - listen: 1", "#", "  "]));
}
