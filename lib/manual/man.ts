import { type Block, plain, type Table } from "./markdown.ts";
import { fill } from "./text.ts";

/** What the head and the foot of a page say. */
export interface ManPage {
  /** Name of the page, such as i2p-socks. */
  readonly name: string;
  /** Section of the manual; 1 is for commands. */
  readonly section: number;
  /** The program and its version. */
  readonly source: string;
  /** The day that it is about, as YYYY-MM-DD. */
  readonly date: string;
}

/** Renders blocks as a page in the man(7) macros, which groff and mandoc take. */
export function renderMan({ name, section, source, date }: ManPage, blocks: readonly Block[]): string {
  // Without hyphenation and justification, which make options hard to find, and with one space behind a sentence that ends
  // a line of the source.
  const head = `.TH ${quote(name.toUpperCase())} ${section} ${quote(date)} ${quote(source)}\n.ss 12 0\n.nh\n.ad l`;
  const body = blocks.map(renderBlock).join("\n");
  // A section begins a paragraph by itself.
  return `${head}\n${body.replaceAll(/^(\.S[HS] .*\n)\.PP\n/gm, "$1")}\n`;
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case "heading":
      return block.level <= 2 ? `.SH ${quote(escape(block.text).toUpperCase())}` : `.SS ${quote(escape(block.text))}`;
    case "paragraph":
      return `.PP\n${inline(block.text)}`;
    case "list":
      return block.items.map((item) => `.IP \\(bu 2\n${inline(item)}`).join("\n");
    case "code":
      return [".PP", ".nf", ".RS 4", ...block.lines.map((line) => protect(escape(line))), ".RE", ".fi"].join("\n");
    case "terms":
      return block.terms.map(([term, meaning]) => `.TP\n${bold(term)}\n${inline(meaning)}`).join("\n");
    case "table":
      return renderTable(block);
  }
}

/** A row is a tagged paragraph: tables wrap badly in man pages. */
function renderTable({ head, rows }: Table): string {
  return rows.map(([name = "", ...rest]) => {
    const cells = rest.flatMap((cell, i) => cell === "" ? [] : [head.length > 2 ? `${head[i + 1]}: ${cell}` : cell]);
    // A tag is the one line behind its request.
    return `.TP\n${protect(marked(name))}\n${cells.map(inline).join("\n.br\n") || "\\&"}`;
  }).join("\n");
}

function bold(text: string): string {
  return protect(`\\fB${escape(plain(text))}\\fR`);
}

/** Longest line of text in the source, in bytes: mandoc asks for it, and man fills lines by itself. */
const MAX_LINE = 80;

/** Text with its code in bold, in lines of the source. */
function inline(text: string): string {
  return fill(marked(text), MAX_LINE - "\\&".length).split("\n").map(protect).join("\n");
}

/** Text with its code in bold. */
function marked(text: string): string {
  return escape(text.replaceAll("\\|", "|"))
    .replaceAll(/`([^`]*)`/g, "\\fB$1\\fR")
    .replaceAll(/\*\*([^*]*)\*\*/g, "\\fB$1\\fR");
}

/** Characters that roff takes for its own. */
function escape(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replaceAll(
    /[^\x20-\x7e]/g,
    (char) => `\\[u${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}]`,
  );
}

/** A line must not begin with a dot or a quotation mark, or it is a request. */
function protect(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

function quote(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
