import { assert, assertEquals } from "@std/assert";
import { parseBlocks } from "../../lib/manual/markdown.ts";
import { renderMan } from "../../lib/manual/man.ts";
import { manPage, manPageOf } from "../../lib/manual/man_page.ts";
import { topicBlocks } from "../../lib/manual/tables.ts";
import { TOPICS } from "../../lib/manual/topics.ts";
import { PAGE } from "../manual/page.ts";
import { runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { makeScratch } from "../support/scratch.ts";

e2eTest("renderMan() writes a page that man shows and mandoc finds nothing wrong with", ["man", "mandoc"], async () => {
  await using scratch = await makeScratch();
  const head = { name: "i2p-socks", section: 1, source: "i2p-socks 0.1.0", date: "2026-01-02" };
  const blocks = [
    { kind: "heading", level: 2, text: "Name" } as const,
    { kind: "paragraph", text: "i2p-socks - a proxy – with a dash that ASCII does not have" } as const,
    ...parseBlocks(PAGE),
    { kind: "terms", terms: [["-.dotted 'term'", "What it means"]] } as const,
  ];
  const file = await scratch.file("i2p-socks.1", renderMan(head, blocks));
  const lint = await runCommand("mandoc", ["-Tlint", file]);
  assertEquals([lint.code, lint.stdout, lint.stderr], [0, "", ""]);
  const shown = await runCommand("man", ["-l", file], { env: { MANWIDTH: "80", LC_ALL: "C.UTF-8" } });
  assertEquals([shown.code, shown.stderr], [0, ""]);
  for (
    const words of ["--an-option", ".not a request, and back\\slash", "A | B", "a proxy – with", "-.dotted 'term'"]
  ) {
    assert(shown.stdout.includes(words), shown.stdout);
  }
});

e2eTest("i2p-socks(1) has all its sections, and neither man nor mandoc complains", ["man", "mandoc"], async () => {
  await using scratch = await makeScratch();
  const pages = Object.entries(TOPICS).map(([name, topic]) => manPageOf(name, topic.summary, topicBlocks(topic)));
  for (const [i, page] of [manPage(), ...pages].entries()) {
    const file = await scratch.file(`page.${i === 0 ? 1 : 7}`, page);
    const lint = await runCommand("mandoc", ["-Tlint", file]);
    assertEquals([lint.code, lint.stdout, lint.stderr], [0, "", ""], Object.keys(TOPICS)[i - 1]);
  }
  const file = await scratch.file("i2p-socks.1", manPage());
  const shown = await runCommand("man", ["--warnings", "-l", file], { env: { MANWIDTH: "80", LC_ALL: "C.UTF-8" } });
  assertEquals([shown.code, shown.stderr], [0, ""]);
  const sections = shown.stdout.split("\n").filter((line) => /^[A-Z][A-Z -]+$/.test(line));
  const first = ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS"];
  const last = ["EXIT STATUS", "FILES", "ENVIRONMENT", "SEE ALSO"];
  assertEquals([sections.slice(0, 5), sections.slice(-4)], [first, last]);
  const topics = Object.keys(TOPICS).filter((name) => name !== "options" && name !== "exit-codes");
  assertEquals(sections.slice(5, -4), topics.map((name) => name.toUpperCase()));
});
