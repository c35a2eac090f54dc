import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseArguments } from "../../lib/command/arguments.ts";
import { flagOf, OPTIONS, OWN_OPTIONS, type Verb, VERBS } from "../../lib/config/options.ts";
import { fullBlocks, shortBlocks, verbBlocks } from "../../lib/manual/help.ts";
import { renderText } from "../../lib/manual/text.ts";
import { topicBlocks } from "../../lib/manual/tables.ts";
import { TOPICS } from "../../lib/manual/topics.ts";
import { summaryOf, VERB_HELP } from "../../lib/manual/verbs.ts";
import { pureTest } from "../support/pure.ts";

/** What `help VERB` prints on a terminal that is `width` characters wide. */
function helpOf(verb: Verb, width = 80): string {
  return renderText(verbBlocks(verb), width);
}

pureTest("help of every verb fits the width, and begins with its usage", () => {
  for (const verb of VERBS) {
    for (const width of [60, 80, 120]) {
      const wide = helpOf(verb, width).split("\n").filter((line) =>
        line.length > width && !/^ {2}(i2p-socks|ssh|git)/.test(line)
      );
      assertEquals(wide, [], verb);
      assertEquals(helpOf(verb, width).split("\n").filter((line) => /\s$/.test(line)), [], verb);
    }
    assertEquals(helpOf(verb).split("\n").slice(0, 2), ["Usage:", `  ${VERB_HELP[verb].usage}`]);
  }
});

pureTest("help of every topic fits 80 columns, what is to be typed and what is shown included", () => {
  for (const [name, topic] of Object.entries(TOPICS)) {
    assertEquals(renderText(topicBlocks(topic), 80).split("\n").filter((line) => line.length > 80), [], name);
  }
});

pureTest("help of every verb has its options below headings, its own first, and no others", () => {
  const headings = OPTIONS.flatMap(({ heading }) => heading ?? []);
  assertEquals([headings[0], new Set(headings).size], ["Basics", headings.length]);
  for (const verb of VERBS) {
    const lines = helpOf(verb).split("\n");
    const shown = lines.filter((line) => line.endsWith(":")).map((line) => line.slice(0, -1));
    const groups = shown.filter((line) => headings.includes(line));
    assertEquals(groups.length, new Set(groups).size, verb);
    if (groups.includes(OWN_OPTIONS)) assertEquals(groups[0], OWN_OPTIONS, verb);
    assertEquals(groups.at(-1), "About the program", verb);
    const flags = lines.flatMap((line) => /^ {2}(?:-\w, )?(--?[\w-]+)/.exec(line)?.[1] ?? []);
    const own = OPTIONS.filter(({ verbs }) => verbs.includes(verb)).map(flagOf);
    assertEquals(flags.filter((flag) => !own.includes(flag)), [], verb);
    // What takes nearly all options of serve says so.
    const all = lines.join(" ").includes("It takes all options of serve");
    assertEquals(all, ["audit", "config", "report"].includes(verb), verb);
    if (!all) assertEquals(flags.toSorted(), own.toSorted(), verb);
    assert(verb === "serve" || lines.length <= 100, `${verb}: ${lines.length} lines`);
  }
});

pureTest("-h is one screen, of what exists", () => {
  const lines = renderText(shortBlocks(), 80).trimEnd().split("\n");
  // With the prompt below it, on the smallest terminal.
  assert(lines.length <= 23, `${lines.length} lines`);
  assertEquals(lines.filter((line) => line.length > 80), []);
  const listed = lines.flatMap((line) => /^ {2}([a-z][a-z-]*) {2}/.exec(line)?.[1] ?? []);
  assertEquals([listed.length, listed.filter((verb) => !VERBS.some((one) => one === verb))], [8, []]);
  const flags = lines.flatMap((line) => line.startsWith("  -") ? line.split(/ {2,}/)[1] ?? [] : []);
  assertEquals(flags.length, 6);
  for (const flag of flags) {
    const option = OPTIONS.find((one) => flagOf(one) === flag.split(" ")[0]);
    assertEquals([`${flag.split(" ")[0]}${option?.value === undefined ? "" : ` ${option.value}`}`], [flag]);
    assert(option?.verbs.includes("serve"), flag);
  }
  const [, example = ""] = /for example i2p-socks (.*)/.exec(lines.join("\n")) ?? [];
  assertEquals(parseArguments(example.split(" "), () => undefined).given.has("listen"), true, example);
  for (const words of ["help VERB", "help TOPIC", "help topics", "--help"]) {
    assert(lines.join(" ").includes(words), words);
  }
});

pureTest("--help names every verb, every option and every topic", () => {
  const text = renderText(fullBlocks(), 100);
  for (const verb of VERBS) {
    assert(text.includes(`  ${VERB_HELP[verb].usage}\n`), verb);
    assertMatch(text.replaceAll(/\n {4,}/g, " "), new RegExp(`\n {2}${verb} +${RegExp.escape(summaryOf(verb))}`), verb);
  }
  for (const option of OPTIONS) assertMatch(text, new RegExp(`^ {2}(-\\w, )?${flagOf(option)}( |$)`, "m"), option.name);
  for (const topic of Object.keys(TOPICS)) assertMatch(text, new RegExp(`^ {2}${topic} `, "m"), topic);
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
