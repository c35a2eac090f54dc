/** A piece of a page. Text in it may have `code` and **bold** in it, as Markdown writes them. */
export type Block =
  /** A heading; 1 is the title of a page. */
  | { kind: "heading"; level: number; text: string }
  | { kind: "paragraph"; text: string }
  | { kind: "list"; items: readonly string[] }
  /** Lines that stay as they are. */
  | { kind: "code"; lines: readonly string[] }
  /** Terms, such as options, each with what it means. Pages write them as tables; the code makes these. */
  | { kind: "terms"; terms: readonly Term[] }
  | Table;

/** A term, and what it means. */
export type Term = readonly [term: string, meaning: string];

/** Rows of cells; the first cell of a row names it. */
export interface Table {
  /** Tells it from other blocks. */
  readonly kind: "table";
  /** Names of the columns. */
  readonly head: readonly string[];
  /** The rows, each as long as the head. */
  readonly rows: readonly (readonly string[])[];
}

/**
 * Reads the part of Markdown that pages use: headings, paragraphs, lists with `-`, fenced code, and tables. A list item
 * goes on in lines that are indented.
 */
export function parseBlocks(markdown: string): Block[] {
  const blocks: Block[] = [];
  const lines = markdown.split("\n");
  for (let i = 0; i < lines.length;) {
    const line = lines[i] ?? "";
    const take = (belongs: (line: string) => boolean): string[] => {
      const from = i;
      while (i < lines.length && belongs(lines[i] ?? "")) i++;
      return lines.slice(from, i);
    };
    const heading = /^(#+) (.*)$/.exec(line);
    if (line === "") i++;
    else if (heading !== null) {
      blocks.push({ kind: "heading", level: heading[1]?.length ?? 1, text: heading[2] ?? "" });
      i++;
    } else if (line.startsWith("```")) {
      i++;
      blocks.push({ kind: "code", lines: take((line) => !line.startsWith("```")) });
      i++;
    } else if (line.startsWith("|")) {
      const [head = [], , ...rows] = take((line) => line.startsWith("|")).map(cellsOf);
      blocks.push({ kind: "table", head, rows });
    } else if (line.startsWith("- ")) {
      const items = take((line) => /^(- | {2})/.test(line)).join("\n").split(/^- /m).slice(1);
      blocks.push({ kind: "list", items: items.map((item) => item.split(/\s*\n\s*/).join(" ").trim()) });
    } else {
      blocks.push({ kind: "paragraph", text: take((line) => line !== "" && !/^(#|```|\||- )/.test(line)).join(" ") });
    }
  }
  return blocks;
}

/** Text without the marks of Markdown. */
export function plain(text: string): string {
  return text.replaceAll(/`([^`]*)`/g, "$1").replaceAll(/\*\*([^*]*)\*\*/g, "$1").replaceAll("\\|", "|");
}

function cellsOf(line: string): string[] {
  return line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim());
}

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
