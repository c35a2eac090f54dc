import { assert, assertEquals } from "@std/assert";
import { parseBlocks, renderMarkdown } from "../../lib/manual/markdown.ts";
import { renderText } from "../../lib/manual/text.ts";
import { pureTest } from "../support/pure.ts";
import { PAGE } from "./page.ts";

pureTest("parseBlocks() reads headings, paragraphs, lists, code and tables", () => {
  const kinds = parseBlocks(PAGE).map(({ kind }) => kind);
  assertEquals(kinds, ["heading", "paragraph", "heading", "list", "code", "table"]);
  const [, , , list, , table] = parseBlocks(PAGE);
  assertEquals(list, { kind: "list", items: ["one", "two, which goes on in the next line"] });
  assertEquals(table?.kind === "table" ? table.rows : [], [["`--a`", "A \\| B", "1"], ["`--b`", "Something", ""]]);
});

pureTest("renderText() keeps prose within the width, at any width, and code as it is", () => {
  for (const width of [40, 60, 80, 120]) {
    const lines = renderText(parseBlocks(PAGE), width).split("\n");
    const code = lines.filter((line) => line.startsWith("  i2p-socks") || line.startsWith("  .not"));
    assertEquals(code.length, 2);
    assertEquals(lines.filter((line) => line.length > width && !code.includes(line)), [], `${width}`);
    assert(lines.includes("A section") && lines.includes("A PAGE"));
    assert(!lines.join("").includes("`"));
  }
});

pureTest("renderText() has a table in columns where they fit, and else a paragraph for each row", () => {
  const wide = renderText(parseBlocks(PAGE), 80);
  assert(
    wide.includes("name  what it is  default\n----  ----------  -------\n--a   A | B       1\n--b   Something"),
    wide,
  );
  const long = parseBlocks(`| a | b | c |\n| - | - | - |\n| x | ${"word ".repeat(20).trim()} | y |\n`);
  assertEquals(renderText(long, 40).split("\n").slice(0, 2), ["x", "  b: word word word word word word word"]);
});

pureTest("renderText() has terms beside what they mean, close to their heading", () => {
  const terms = [["`--a`", "Short"], ["--a-long-option-that-needs-a-line", "word ".repeat(9).trim()]] as const;
  const blocks = [{ kind: "heading", level: 2, text: "Options" }, { kind: "terms", terms }] as const;
  assertEquals(renderText(blocks, 60).split("\n"), [
    "Options:",
    `  --a${" ".repeat(25)}Short`,
    "  --a-long-option-that-needs-a-line",
    `${" ".repeat(30)}word word word word word word`,
    `${" ".repeat(30)}word word word`,
  ]);
  const [first] = renderMarkdown(blocks.slice(1)).split("\n");
  assertEquals(first, "- `--a`: Short");
});

pureTest("renderText() drops the names of two columns that do not fit", () => {
  const rows = [["what is limited, in many words ".repeat(3).trim(), "10 bytes"]];
  const table = { kind: "table", head: ["limit", "value"], rows } as const;
  assertEquals(renderText([table], 60).split("\n").at(-1), "  10 bytes");
});

pureTest("renderMarkdown() writes what it was made of", () => {
  assertEquals(parseBlocks(renderMarkdown(parseBlocks(PAGE))), parseBlocks(PAGE));
});
