import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseArguments } from "../../lib/command/arguments.ts";
import { helpText, summaryOf, VERB_HELP } from "../../lib/cli/help.ts";
import { OPTIONS, VERBS } from "../../lib/config/options.ts";
import { wrap } from "../../lib/command/wrap.ts";
import { installProxy, runCommand, runProxy } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { pureTest } from "../support/pure.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { makeScratch } from "../support/scratch.ts";

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

e2eTest("the examples of help run as they stand", ["bash"], async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge();
  await using service = await publishService(bridge.port, 1);
  bridge.setName("stats.i2p", service.destination);
  await installProxy(scratch.dir);
  // What the examples find on the user's machine.
  const before = "i2p-socks keys new own 2>&1 && i2p-socks keys export own eepPriv.dat 2>&1";
  const verbs = ["check", "lookup", "keys", "hash-login", "setup", "completions", "service", "help"] as const;
  // The home folder is the scratch folder, which they run in.
  const examples = verbs.flatMap((verb) => VERB_HELP[verb].examples).map((line) => line.replace("~/", ""));
  const serve = VERB_HELP.serve.examples.map((line) => `${line} --check-config`);
  const script = [
    before,
    "mkdir -p .config/systemd/user",
    ...examples.map((line) => `echo secret | ${line}`.replace(/echo secret \| (source|.*<)/, "$1")),
    ...serve,
  ];
  const env = {
    PATH: `${scratch.dir}:${Deno.env.get("PATH")}`,
    DENO_NO_UPDATE_CHECK: "1",
    I2P_SOCKS_SAM: `127.0.0.1:${bridge.port}`,
    I2P_SOCKS_KEYS_DIR: `${scratch.dir}/keys`,
  };
  const failed = script.map((line) => `{ ${line}\n} >out 2>err || { echo ${JSON.stringify(line)}; cat out err; }`).join(
    "\n",
  );
  const { stdout, stderr } = await runCommand("bash", ["-c", `cd '${scratch.dir}'\n${failed}`], { env });
  assertEquals([stdout, stderr], ["", ""]);
});

pureTest("wrap() breaks at spaces, and leaves words and columns as they are", () => {
  const long = "x".repeat(90);
  assertEquals(wrap(`a ${long} b`, "  "), `a\n  ${long}\n  b`);
  assertEquals(wrap("  --a      b c"), "  --a      b c");
  assertEquals(wrap(`${"ab ".repeat(26)}cd`), `${"ab ".repeat(26)}cd`);
  assertEquals(wrap(`${"ab ".repeat(26)}cde`), `${"ab ".repeat(26).trimEnd()}\ncde`);
  assertEquals(wrap(""), "");
});

Deno.test("a mistyped action of keys, verb of help or key of a file is told which was meant", async () => {
  await using scratch = await makeScratch();
  const file = await scratch.file("config.yaml", "isolat: auth\n");
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["keys", "exprot", "irc"], "hint: Did you mean export?"],
    [["help", "lokup"], "hint: Did you mean lookup?"],
    [["--config", file, "--check-config"], 'Did you mean "isolate"?'],
  ];
  for (const [args, meant] of cases) {
    const { code, stderr } = await runProxy(args);
    assertEquals([code, stderr.includes(meant)], [2, true], stderr);
  }
});
