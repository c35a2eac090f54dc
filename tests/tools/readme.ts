/** The README. */
export const README: string = new URL("../../README.md", import.meta.url).pathname;

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
