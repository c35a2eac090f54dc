import { flagOf, OPTIONS, type OptionSpec } from "../../lib/cli/options.ts";

/** The README. As a program, this file writes the table of options into it: `deno task readme`. */
export const README: string = new URL("../../README.md", import.meta.url).pathname;

const BEGIN = "\n<!-- options -->\n";
const END = "<!-- /options -->\n";

/** The table of options in Markdown, aligned as `deno fmt` aligns it. */
export function optionsTable(options: readonly OptionSpec[]): string {
  return formatTable([
    ["option", "environment", "default", "meaning"],
    ...options.map((option) => [
      code(option.value === undefined ? flagOf(option) : `${flagOf(option)} ${option.value}`),
      option.env === undefined ? "" : code(option.env),
      option.fallback ?? "",
      option.help,
    ]),
  ]);
}

/**
 * What a program makes of the README, and what it leaves alone in front and behind.
 *
 * @throws {Error} if one of the two marks is missing.
 */
export function splitReadme(readme: string): { front: string; generated: string; behind: string } {
  const [begin, end] = [readme.indexOf(BEGIN) + BEGIN.length, readme.indexOf(END)];
  if (begin < BEGIN.length || end < begin) throw new Error(`README.md has no part between ${BEGIN} and ${END}`);
  return { front: readme.slice(0, begin), generated: readme.slice(begin, end), behind: readme.slice(end) };
}

/** What is to stand between the marks. */
export function generate(): string {
  return `\n${optionsTable(OPTIONS)}\n`;
}

/** The cells of the table under a heading, without its head. Cells are trimmed; escaped bars are part of a cell. */
export function tableUnder(readme: string, heading: string): string[][] {
  const [, section = ""] = readme.split(`\n## ${heading}\n`);
  const lines = section.split("\n## ", 1)[0]?.split("\n").filter((line) => line.startsWith("|")) ?? [];
  return lines.slice(2).map((line) => line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim()));
}

function formatTable(rows: readonly string[][]): string {
  const escaped = rows.map((row) => row.map((cell) => cell.replaceAll("|", "\\|")));
  const widths = (escaped[0] ?? []).map((_, column) => Math.max(...escaped.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |\n`;
  const [head = [], ...body] = escaped;
  return [head, widths.map((width) => "-".repeat(width)), ...body].map(line).join("");
}

function code(text: string): string {
  return `\`${text}\``;
}

if (import.meta.main) {
  const { front, behind } = splitReadme(await Deno.readTextFile(README));
  await Deno.writeTextFile(README, front + generate() + behind);
}
