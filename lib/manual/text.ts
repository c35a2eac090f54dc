import { type Block, plain, type Table } from "./blocks.ts";

/** Narrowest page, in characters: what is narrower wraps in the terminal. */
const MIN_WIDTH = 40;

/** What stands between the columns of a table. */
const GAP = "  ";

/** Renders blocks for a terminal that is `width` characters wide; code is never broken. */
export function renderText(blocks: readonly Block[], width: number): string {
  const columns = Math.max(MIN_WIDTH, width);
  return blocks.map((block) => renderBlock(block, columns)).join("\n\n");
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
    case "table":
      return renderTable(block, width);
  }
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
  return cells.map(([name = "", ...rest]) =>
    [
      fill(name, width),
      ...rest.flatMap((cell, i) => cell === "" ? [] : [`  ${fill(`${head[i + 1]}: ${cell}`, width - 2, "    ")}`]),
    ].join("\n")
  ).join("\n\n");
}
