import { assert, assertEquals } from "@std/assert";
import { parseBlocks } from "../../lib/manual/blocks.ts";
import { renderMan } from "../../lib/manual/man.ts";
import { renderMarkdown } from "../../lib/manual/markdown.ts";
import { renderText } from "../../lib/manual/text.ts";
import { runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { pureTest } from "../support/pure.ts";
import { makeScratch } from "../support/scratch.ts";

const PAGE = `# A page

A paragraph that is long enough to wrap, with \`--an-option\` and **something
important** in it.

## A section

- one
- two, which goes on
  in the next line

\`\`\`
i2p-socks --listen 127.0.0.1:9100   # a command that is much longer than a narrow page
.not a request, and back\\slash
\`\`\`

| name      | what it is    | default |
| --------- | ------------- | ------- |
| \`--a\`     | A \\| B        | 1       |
| \`--b\`     | Something     |         |
`;

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

pureTest("renderMarkdown() writes what it was made of", () => {
  assertEquals(parseBlocks(renderMarkdown(parseBlocks(PAGE))), parseBlocks(PAGE));
});

e2eTest("renderMan() writes a page that man shows and mandoc finds nothing wrong with", ["man", "mandoc"], async () => {
  await using scratch = await makeScratch();
  const head = { name: "i2p-socks", section: 1, source: "i2p-socks 0.1.0", date: "2026-01-02" };
  const blocks = [
    { kind: "heading", level: 2, text: "Name" } as const,
    { kind: "paragraph", text: "i2p-socks - a proxy – with a dash that ASCII does not have" } as const,
    ...parseBlocks(PAGE),
  ];
  const file = await scratch.file("i2p-socks.1", renderMan(head, blocks));
  const lint = await runCommand("mandoc", ["-Tlint", "-Wwarning", file]);
  assertEquals([lint.code, lint.stdout, lint.stderr], [0, "", ""]);
  const shown = await runCommand("man", ["-l", file], { env: { MANWIDTH: "80", LC_ALL: "C.UTF-8" } });
  assertEquals([shown.code, shown.stderr], [0, ""]);
  for (const words of ["--an-option", ".not a request, and back\\slash", "A | B", "a proxy – with"]) {
    assert(shown.stdout.includes(words), shown.stdout);
  }
});
