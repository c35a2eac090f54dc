import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseArguments } from "../../lib/command/arguments.ts";
import { helpText, summaryOf, VERB_HELP } from "../../lib/cli/help.ts";
import { flagOf, OPTIONS, VERBS } from "../../lib/config/options.ts";
import { wrap } from "../../lib/command/wrap.ts";
import { pureTest } from "../support/pure.ts";

pureTest("helpText() is 80 columns wide", () => {
  for (const verb of VERBS) {
    assertEquals(helpText(verb).split("\n").filter((line) => line.length > 80 || /\s$/.test(line)), [], verb);
  }
});

pureTest(
  "helpText() shows options below headings, the basics first, and a heading only with an option below it",
  () => {
    const headings = OPTIONS.flatMap(({ heading }) => heading ?? []);
    assertEquals([headings[0], new Set(headings).size], ["Basics", headings.length]);
    for (const verb of VERBS) {
      const lines = helpText(verb).split("\n");
      const shown = headings.filter((heading) => lines.includes(`${heading}:`));
      assert(shown.includes("About the program"), verb);
      for (const heading of shown) {
        assertMatch(
          lines[lines.indexOf(`${heading}:`) + 1] ?? "",
          /^ {2}-/,
          `${verb}: ${heading}`,
        );
      }
    }
    const text = helpText("serve");
    assertMatch(
      text,
      /\nBasics:\n {2}--listen [\s\S]*\nIdentities:\n {2}--identity [\s\S]*\nLimits:\n {2}--connect-timeout /,
    );
    assertEquals(text.includes("Options of this command:"), false);
  },
);

pureTest("helpText() names the options of its verb, all of them and no others", () => {
  for (const verb of VERBS) {
    const flags = [...helpText(verb).matchAll(/^ {2}(--?[\w-]+)(?= |$)/gm)].map(([, flag]) => flag);
    assertEquals(flags, OPTIONS.filter((option) => option.verbs.includes(verb)).map(flagOf), verb);
  }
});

pureTest("helpText() of serve names every verb with what it is for", () => {
  const text = helpText("serve").replace(/\n {15}/g, " ");
  for (const verb of VERBS) assert(text.includes(`\n  ${verb.padEnd(13)}${summaryOf(verb)}\n`), verb);
});

pureTest("every example of help is a command line of its verb, with options that it takes", () => {
  for (const verb of VERBS) {
    const { examples, usage } = VERB_HELP[verb];
    assert(examples.length > 0, verb);
    assertMatch(usage, new RegExp(`^i2p-socks \\[?${verb}\\b`));
    for (const example of examples) {
      const [, line = ""] = /i2p-socks((?: [^\s<>|)]+)*)/.exec(example) ?? [];
      assertEquals(parseArguments(line.split(" ").filter(Boolean), () => undefined).verb, verb, example);
    }
  }
});

pureTest("wrap() breaks at spaces, and leaves words and columns as they are", () => {
  const long = "x".repeat(90);
  assertEquals(wrap(`a ${long} b`, "  "), `a\n  ${long}\n  b`);
  assertEquals(wrap("  --a      b c"), "  --a      b c");
  assertEquals(wrap(`${"ab ".repeat(26)}cd`), `${"ab ".repeat(26)}cd`);
  assertEquals(wrap(`${"ab ".repeat(26)}cde`), `${"ab ".repeat(26).trimEnd()}\ncde`);
  assertEquals(wrap(""), "");
});
