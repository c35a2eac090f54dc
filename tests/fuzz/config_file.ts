import { assertEquals } from "@std/assert";
import { type ConfigFile, parseConfigFile } from "../../lib/config/file.ts";
import type { RawOptions, RawValue } from "../../lib/config/raw_options.ts";
import { Random } from "../support/random.ts";
import { type Entry, KNOWN_OPTIONS, randomEntries } from "./config_entries.ts";
import { checkSettings } from "./config_settings.ts";
import { writeConfigFile } from "./config_writer.ts";
import type { Target } from "./engine.ts";

/** What a file is to say, and the layout that it is written in. */
interface Meaning {
  common: Entry[];
  applications: Entry[][];
  layout: number;
}

const COMMA_LISTS = ["isolate", "scrub", "lease-set-encryption"];
const REPEATABLE = ["listen", "allow", "deny", "forward", "allow-caller", "deny-caller", "o"];
const PROCESS_OPTIONS = ["quiet", "log-level", "log-format", "color", "log-destinations", "status"];

/** Files that are good YAML: each value and each problem comes with the line that it stands on, in every layout. */
export const configFile: Target<Meaning> = {
  name: "config-file",
  weight: 4,
  corpus: [
    { common: [], applications: [[]], layout: 0 },
    { common: [{ key: "name", texts: [] }], applications: [[{ key: "log-level", texts: ["info"] }]], layout: 1 },
    { common: [{ key: "__proto__", texts: ["name"] }], applications: [], layout: 2 },
    // A dash with a comment behind it, and braces above a mapping that has the same key.
    { common: [], applications: [[{ key: "name", texts: ["x"] }]], layout: 2 },
    { common: [{ key: "options", texts: ["name=1"] }], applications: [[{ key: "name", texts: ["x"] }]], layout: 83 },
    { common: [], applications: [[{ key: "name", texts: ["a"] }], [{ key: "name", texts: ["name: b"] }]], layout: 3 },
  ],
  generate: (random) => ({
    common: randomEntries(random),
    applications: Array.from({ length: random.below(4) }, () => randomEntries(random)),
    layout: random.below(2 ** 32),
  }),
  check: (meaning) => {
    const [common, ...applications] = [meaning.common, ...meaning.applications].map(withoutTwins);
    const written = writeConfigFile(common ?? [], applications, new Random(meaning.layout));
    const expected = {
      common: valuesOf(common ?? [], (i, key) => `${key} (line ${written.common[i]})`, false),
      applications: applications.map((list, app) =>
        valuesOf(list, (i, key) => `applications[${app}].${key}${lineOf(written.applications[app]?.[i])}`, true)
      ),
    };
    const problems: string[] = [];
    const file = parseConfigFile(written.text, problems);
    const lists = [expected.common, ...expected.applications];
    assertEquals(problems.map(withoutGuess), lists.flatMap((list) => list.problems), written.text);
    const values: ConfigFile = {
      common: expected.common.values,
      applications: expected.applications.map((list) => list.values),
    };
    assertEquals(file, values, written.text);
    checkSettings(file);
  },
};

/** What the entries of one mapping come to. */
function valuesOf(
  list: readonly Entry[],
  place: (index: number, key: string) => string,
  isApplication: boolean,
): { values: RawOptions; problems: string[] } {
  const values = new Map<string, RawValue[]>();
  const problems: string[] = [];
  for (const [i, { key, texts }] of list.entries()) {
    const source = place(i, key);
    const name = key === "options" ? "o" : key;
    if (key === "o" || !KNOWN_OPTIONS.includes(name)) {
      problems.push(`Unknown option "${source.replace(/( \(line \d+\))?$/, '"$1')}`);
    } else if (isApplication && PROCESS_OPTIONS.includes(name)) {
      problems.push(`${source} applies to all applications: put it at the top of the file`);
    } else if (texts.length === 0) problems.push(`${source} is not a value or a list of values`);
    else if (COMMA_LISTS.includes(name)) values.set(name, [{ text: texts.join(","), source }]);
    else if (texts.length > 1 && !REPEATABLE.includes(name)) {
      problems.push(`${source} takes one value, not ${texts.length}`);
    } else values.set(name, texts.map((text) => ({ text, source })));
  }
  return { values, problems };
}

/** YAML has no key twice, and none that is empty. */
function withoutTwins(list: readonly Entry[]): Entry[] {
  return list.filter(({ key }, i) => key !== "" && list.findIndex((other) => other.key === key) === i);
}

function lineOf(line: number | undefined): string {
  return line === undefined ? "" : ` (line ${line})`;
}

function withoutGuess(problem: string): string {
  return problem.replace(/\. Did you mean "[a-z-]+"\?$/, "");
}
