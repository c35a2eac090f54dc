import { flagOf, OPTIONS, type OptionSpec, variableOf } from "../../lib/config/options.ts";
import { LEAKS } from "../../lib/guard/leak.ts";
import { METRICS, PROCESS_METRICS } from "../../lib/status/metrics.ts";
import { type Reason, type ReasonEntry, REASONS } from "../../lib/reasons/reasons.ts";
import { Reply4, Reply5 } from "../../lib/socks/wire.ts";

/** The README. As a program, this file writes its generated parts: `deno task readme`. */
export const README: string = new URL("../../README.md", import.meta.url).pathname;

/** What a program writes into the README, by the name in the marks around it. */
export const PARTS: Readonly<Record<string, () => string>> = {
  leaks: () => leaksTable(),
  metrics: () => metricsTable(),
  options: () => optionsTable(OPTIONS),
  reasons: () => reasonsTable(REASONS),
};

/**
 * What goes out in place of the codes of the answer table, SOCKS5 and SOCKS4, where there is no request that a code could
 * answer. Empty where nobody is left to answer, or where that version has no such case.
 */
export const INSTEAD: Readonly<Partial<Record<Reason, readonly [string, string]>>> = {
  "login-refused": ["status 0x01", "0x5D"],
  "address-type": ["0x08", ""],
  "auth-method": ["method 0xFF", ""],
  "http": ["HTTP 400", ""],
  "not-socks": ["closed", ""],
  "handshake-timeout": ["closed", "closed"],
  "client-closed": ["", ""],
};

/** The table of options in Markdown, aligned as `deno fmt` aligns it. */
export function optionsTable(options: readonly OptionSpec[]): string {
  return formatTable([
    ["option", "environment", "default", "meaning"],
    ...options.map((option) => [
      code(option.value === undefined ? flagOf(option) : `${flagOf(option)} ${option.value}`),
      code(variableOf(option) ?? ""),
      option.defaultText ?? "",
      option.help,
    ]),
  ]);
}

function leaksTable(): string {
  return formatTable([
    ["leak", "protocol", "what it says", "what to do", "what that costs"],
    ...Object.entries(LEAKS).map((
      [kind, { protocol, message, fix, cost }],
    ) => [code(kind), protocol, message, fix, cost]),
  ]);
}

function metricsTable(): string {
  return formatTable([
    ["metric", "type", "labels", "only with", "what it is"],
    ...Object.entries(PROCESS_METRICS).map((
      [name, { type, labels = [], help }],
    ) => [code(name), type, labels.join(", "), "", help]),
    ...Object.entries(METRICS).map((
      [name, { type, labels = [], needs, help }],
    ) => [code(name), type, ["application", ...labels].join(", "), needs === undefined ? "" : code(needs), help]),
  ]);
}

/** The table of reasons in Markdown, with what a client is told for each. */
export function reasonsTable(answers: Readonly<Record<Reason, ReasonEntry>>): string {
  const rows = Object.entries(answers).map(([reason, { reply5, reply4, extended, message }]) => {
    const [socks5, socks4] = INSTEAD[reason as Reason] ?? [hex(reply5), hex(reply4)];
    return [code(reason), message, socks5, extended === null ? "" : hex(extended), socks4];
  });
  const connected = [code("connected"), "The stream is open", hex(Reply5.succeeded), "", hex(Reply4.granted)];
  return formatTable([["reason", "what happened", "SOCKS5", "extended", "SOCKS4"], connected, ...rows]);
}

/**
 * A part that a program writes, and what it leaves alone in front and behind.
 *
 * @throws {Error} if one of the two marks is missing.
 */
export function splitReadme(readme: string, part: string): { front: string; generated: string; behind: string } {
  const marks = [`\n<!-- ${part} -->\n`, `<!-- /${part} -->\n`] as const;
  const [begin, end] = [readme.indexOf(marks[0]) + marks[0].length, readme.indexOf(marks[1])];
  if (begin < marks[0].length || end < begin) throw new Error(`README.md has no part between ${marks.join(" and ")}`);
  return { front: readme.slice(0, begin), generated: readme.slice(begin, end), behind: readme.slice(end) };
}

/** What is to stand between the marks of a part. */
export function generate(part: string): string {
  return `\n${PARTS[part]?.()}\n`;
}

/** The cells of the table under a heading, without its head. Cells are trimmed; escaped bars are part of a cell. */
export function tableUnder(readme: string, heading: string): string[][] {
  const [, section = ""] = readme.split(`\n## ${heading}\n`);
  const lines = section.split(/\n##+ /, 1)[0]?.split("\n").filter((line) => line.startsWith("|")) ?? [];
  return lines.slice(2).map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
}

/** A table in Markdown, aligned as `deno fmt` aligns it; the first row is its head. */
export function formatTable(rows: readonly string[][]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = (escaped[0] ?? []).map((_, column) => Math.max(...escaped.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  const [head = [], ...body] = escaped;
  return [head, widths.map((width) => "-".repeat(width)), ...body].map(line).join("");
}

/** A text as code; nothing of an empty one. */
function code(text: string): string {
  return text && `\`${text}\``;
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0").toUpperCase()}`;
}

if (import.meta.main) {
  for (const part of Object.keys(PARTS)) {
    const { front, behind } = splitReadme(await Deno.readTextFile(README), part);
    await Deno.writeTextFile(README, front + generate(part) + behind);
  }
}
