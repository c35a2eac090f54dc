import { assert, assertEquals } from "@std/assert";
import { parseConfigFile } from "../../lib/config/file.ts";
import { randomEntries } from "./config_entries.ts";
import { checkSettings } from "./config_settings.ts";
import { writeConfigFile } from "./config_writer.ts";
import type { Target } from "./engine.ts";
import { mutateText } from "./mutate.ts";

/** Pieces of YAML. */
const TOKENS = [
  ...["\n", "\n  ", "\n- ", ": ", "applications:\n", "- ", "{", "}", "[", "]", "&a ", "*a", "!!str ", "|\n", ">-\n"],
  ...["? ", "---\n", "...\n", "%YAML 1.2\n", "# ", "\t", "'", '"', "\\x", "\\u", "<<: ", "~", "name: ", "__proto__: "],
];

/** Problems of a file as a whole, which leave nothing of it. */
const OF_FILE = /^The file is (not valid YAML: [^\n]*|(empty|not a mapping): it needs options[^\n]*)$/;

/** An unknown key, which can be any text. */
const UNKNOWN_KEY =
  /^Unknown option "(?:applications\[\d+\]\.)?(.*?)"(?: \(line (\d+)\))?(?:\. Did you mean "[a-z-]+"\?)?$/s;

/** Problems of the list of applications itself. */
const OF_APPLICATIONS: readonly string[] = [
  '"applications" must be a list of mappings',
  '"applications" is empty: name an application, or leave "applications" out',
];

/** Problems of one key, behind its place. */
const OF_KEY =
  /^(?:applications\[\d+\]\.)?(.*?)(?: \(line (\d+)\))? (?:is not a value or a list of values|takes one value, not \d+|applies to all applications: put it at the top of the file)$/s;

/** Any text: problems have one of the known forms, name a key of the file, and on the line that they name it stands. */
export const configText: Target<string> = {
  name: "config-text",
  weight: 8,
  corpus: [
    "",
    "\0",
    "a",
    "- a",
    "applications:",
    "applications: []",
    "applications: [{}, 1]",
    "applications: {name: x}",
    "name: &a [*a]",
    "name: &a {<<: *a}",
    "&a : *a",
    "? [name]\n: x",
    "? {name: x}\n: x",
    '"name\\nlisten": x',
    "name: |\n  listen: 1\n listen: 2",
    'name: "a\nlisten: 1"',
    "name: a\n---\nname: b",
    "%YAML 1.2\n---\nname: !!binary AA==",
    "applications:\n- - name: x",
    "applications:\n-\n  name: x\n -\n",
    "applications:\n- # one\n  nome: x\n- \n  nome: y\n",
    `name: ${"[".repeat(3000)}`,
    `${"a".repeat(3000)}: x`,
    "\ufeffname: x",
    "name: x\r\nlisten: 1\r\n",
    "applications: [{name: x, name: y}]",
  ],
  generate: (random) => {
    const write = (): string => {
      const applications = Array.from({ length: random.below(3) }, () => randomEntries(random));
      return writeConfigFile(randomEntries(random), applications, random).text;
    };
    return mutateText(write(), random, { tokens: TOKENS, other: write() });
  },
  check: (text) => {
    const problems: string[] = [];
    const file = parseConfigFile(text, problems);
    if (problems.some((problem) => problem.startsWith("The file "))) {
      assert(problems.length === 1 && problems.every((problem) => OF_FILE.test(problem)), problems.join("\n"));
      assertEquals(file, { common: new Map(), applications: [] });
      return;
    }
    const lines = text.split("\n");
    for (const problem of problems) {
      if (OF_APPLICATIONS.includes(problem)) continue;
      const [form, key = "", line] = UNKNOWN_KEY.exec(problem) ?? OF_KEY.exec(problem) ?? [];
      assertEquals(form, problem, "a problem of no known form");
      // Keys that are written with escapes, folded or built of other values look otherwise.
      assert(text.includes(key) || /[\\'"?[{]/.test(text), `${problem}: no such key is there`);
      if (line !== undefined) assert(lines[Number(line) - 1]?.includes(key), `${problem}: it does not stand there`);
    }
    if (problems.length === 0) checkSettings(file);
  },
};
