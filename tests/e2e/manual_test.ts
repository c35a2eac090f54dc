import { assert, assertEquals } from "@std/assert";
import { parseBlocks } from "../../lib/manual/blocks.ts";
import { renderMan } from "../../lib/manual/man.ts";
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
