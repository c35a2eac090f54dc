import { type Block, plain, type Table, type Term } from "./markdown.ts";

/** Narrowest page, in characters: what is narrower wraps in the terminal. */
const MIN_WIDTH = 40;

/** What stands between the columns of a table. */
const GAP = "  ";

/** Widest column of terms, in characters: what they mean begins behind it, or in the next line. */
const TERM_WIDTH = 30;

/** Renders blocks for a terminal that is `width` characters wide; code is never broken. */
export function renderText(blocks: readonly Block[], width: number): string {
  const columns = Math.max(MIN_WIDTH, width);
  let text = "";
  for (const [i, block] of blocks.entries()) {
    // What is indented belongs to the heading above it.
    const isIndented = block.kind === "terms" || block.kind === "code";
    const gap = isIndented && blocks[i - 1]?.kind === "heading" ? ":\n" : "\n\n";
    text += (i === 0 ? "" : gap) + renderBlock(block, columns);
  }
  return text;
}

/**
 * Breaks a text at its spaces into lines of at most `width` characters. Longer words stay whole.
 *
 * @param indent what every line but the first begins with.
 */
export function fill(text: string, width: number, indent = ""): string {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && longer.length > width) {
      lines.push(line);
      line = indent + word;
    } else line = longer;
  }
  return [...lines, line].join("\n");
}

function renderBlock(block: Block, width: number): string {
  switch (block.kind) {
    case "heading":
      return block.level === 1 ? plain(block.text).toUpperCase() : plain(block.text);
    case "paragraph":
      return fill(plain(block.text), width);
    case "list":
      return block.items.map((item) => fill(`- ${plain(item)}`, width, "  ")).join("\n");
    case "code":
      return block.lines.map((line) => line === "" ? "" : `  ${line}`).join("\n");
    case "terms":
      return renderTerms(block.terms, width);
    case "table":
      return renderTable(block, width);
  }
}

/** Terms in a column of their own, and what they mean beside it. */
function renderTerms(terms: readonly Term[], width: number): string {
  const shown = terms.map(([term, meaning]) => [`  ${plain(term)}`, plain(meaning)] as const);
  const column = Math.min(TERM_WIDTH, Math.max(0, ...shown.map(([term]) => term.length + GAP.length)));
  const indent = " ".repeat(column);
  return shown.map(([term, meaning]) => {
    const lines = fill(meaning, width - column).replaceAll("\n", `\n${indent}`);
    return term.length + GAP.length <= column ? term.padEnd(column) + lines : `${term}\n${indent}${lines}`;
  }).join("\n");
}

/** In columns where they fit; the last one may wrap. Else each row is a paragraph of its own. */
function renderTable({ head, rows }: Table, width: number): string {
  const cells = rows.map((row) => row.map(plain));
  const widths = head.map((name, i) => Math.max(name.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const fixed = widths.slice(0, -1).reduce((sum, w) => sum + w + GAP.length, 0);
  const last = widths.at(-1) ?? 0;
  if (fixed + Math.min(last, Math.floor(width / 2)) <= width) {
    const line = (row: readonly string[]): string => {
      const front = row.slice(0, -1).map((cell, i) => cell.padEnd(widths[i] ?? 0) + GAP).join("");
      return (front + fill(row.at(-1) ?? "", width - fixed).replaceAll("\n", `\n${" ".repeat(fixed)}`)).trimEnd();
    };
    return [line(head), line(widths.map((w) => "-".repeat(Math.min(w, width - fixed)))), ...cells.map(line)].join("\n");
  }
  // With two columns the names of the columns say nothing new.
  const label = (i: number): string => head.length > 2 ? `${head[i + 1]}: ` : "";
  return cells.map(([name = "", ...rest]) =>
    [
      fill(name, width),
      ...rest.flatMap((cell, i) => cell === "" ? [] : [`  ${fill(label(i) + cell, width - 2, "    ")}`]),
    ].join("\n")
  ).join(head.length > 2 ? "\n\n" : "\n");
}
