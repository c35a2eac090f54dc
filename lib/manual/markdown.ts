import { type Block, plain } from "./blocks.ts";

/** Renders blocks as Markdown, as `deno fmt` would write it but for the length of lines. */
export function renderMarkdown(blocks: readonly Block[]): string {
  return blocks.map(renderBlock).join("\n\n") + "\n";
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `${"#".repeat(block.level)} ${block.text}`;
    case "paragraph":
      return block.text;
    case "list":
      return block.items.map((item) => `- ${item}`).join("\n");
    case "code":
      return ["```", ...block.lines, "```"].join("\n");
    case "terms":
      return block.terms.map(([term, meaning]) => `- \`${plain(term)}\`: ${meaning}`).join("\n");
    case "table": {
      const rows = [block.head, ...block.rows];
      const widths = block.head.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
      const line = (cells: readonly string[]): string =>
        `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
      return [line(block.head), line(widths.map((width) => "-".repeat(width))), ...block.rows.map(line)].join("\n");
    }
  }
}
