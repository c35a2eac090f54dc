import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { PROJECT } from "../support/command.ts";
import { pureTest } from "../support/pure.ts";
import { makeScratch } from "../support/scratch.ts";
import { formatScript, parseScript, runScript, splitWords } from "./script.ts";

const FOLDER = `${PROJECT}tests/scripts/`;

/** `deno task scripts --update` writes what `cmp` saw into the scripts. */
const UPDATE = Deno.args.includes("--update");

const names = [...Deno.readDirSync(FOLDER)].map(({ name }) => name).filter((name) => name.endsWith(".txt")).sort();
for (const name of names) {
  Deno.test(`script ${name}`, async () => {
    const text = await runScript(FOLDER + name, UPDATE);
    if (UPDATE) await Deno.writeTextFile(FOLDER + name, text);
  });
}

Deno.test("a script that does not come out fails with its line and what was seen, whatever does not", async (t) => {
  await using scratch = await makeScratch();
  const wrong: Record<string, string> = {
    "exec false": "It ended with 1",
    "! exec true": "It ended with 0",
    "code 3": "It ended with 1",
    "stdout seen": "No match of /seen/m",
    "! stderr told": "A match of /told/m",
    "cmp stdout file": "stdout is not file",
    "! exists file": "It is there",
    "mode 777 file": "Its mode is 6",
    "stdout 'said": "A quote has no end",
    "nonsense": 'There is no command "nonsense"',
  };
  for (const [line, reason] of Object.entries(wrong)) {
    await t.step(line, async () => {
      const path = await scratch.file(
        "wrong.txt",
        `! exec sh -c 'echo said; echo told >&2; exit 1'\n${line}\n-- file --\n`,
      );
      const { message } = await assertRejects(() => runScript(path, false), Error);
      assertStringIncludes(message, `wrong.txt:2: ${line}\n${reason}`);
      assertStringIncludes(message, "--- stderr\n");
    });
  }
});

Deno.test("with --update a script gets what cmp saw, with variables in place of their values", async () => {
  await using scratch = await makeScratch();
  const path = await scratch.file("old.txt", "sam i2pd\nexec echo at $SAM\ncmp stdout file\n-- file --\nold\n");
  assertEquals(await runScript(path, true), "sam i2pd\nexec echo at $SAM\ncmp stdout file\n-- file --\nat $SAM\n");
});

pureTest("parseScript() takes commands and files apart, and formatScript() puts them together", () => {
  const text = "# What it shows.\nexec a\n\ncode 0\n-- one --\n1\n-- two --\n";
  const { lines, files } = parseScript(text);
  assertEquals(lines, [{ number: 2, text: "exec a" }, { number: 4, text: "code 0" }]);
  assertEquals([...files], [["one", "1\n"], ["two", ""]]);
  assertEquals(formatScript(text, files), text);
});

pureTest("splitWords() knows quotes and variables", () => {
  const values = new Map([["SAM", "1.2"]]);
  assertEquals(splitWords("a  'b c'd '' 'it''s' x=$SAM '$SAM$' $NONE", (name) => values.get(name)), [
    ...["a", "b cd", "", "it's", "x=1.2", "1.2$", "$NONE"],
  ]);
});
