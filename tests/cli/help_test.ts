import { assert, assertEquals, assertMatch } from "@std/assert";
import { parseArguments } from "../../lib/command/arguments.ts";
import { summaryOf, VERB_HELP } from "../../lib/cli/help.ts";
import { parseConfigFile } from "../../lib/config/file.ts";
import { flagOf, OPTIONS, OWN_OPTIONS, type Verb, VERBS } from "../../lib/config/options.ts";
import { fullBlocks, shortBlocks, verbBlocks } from "../../lib/manual/help.ts";
import { renderText } from "../../lib/manual/text.ts";
import { TOPICS } from "../../lib/manual/topics.ts";
import { wrap } from "../../lib/command/wrap.ts";
import { installProxy, runCommand, runProxy } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { pureTest } from "../support/pure.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { makeScratch } from "../support/scratch.ts";

/** What `help VERB` prints on a terminal that is `width` characters wide. */
function helpOf(verb: Verb, width = 80): string {
  return renderText(verbBlocks(verb, VERB_HELP[verb]), width);
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
    assertEquals(all, verb === "audit" || verb === "service", verb);
    if (!all) assertEquals(flags.toSorted(), own.toSorted(), verb);
    assert(verb === "serve" || lines.length <= 100, `${verb}: ${lines.length} lines`);
  }
});

pureTest("-h is one screen, of what exists", () => {
  const lines = renderText(shortBlocks(VERB_HELP), 80).split("\n");
  assert(lines.length <= 40, `${lines.length} lines`);
  assertEquals(lines.filter((line) => line.length > 80), []);
  const listed = lines.flatMap((line) => /^ {2}([a-z][a-z-]*) {2}/.exec(line)?.[1] ?? []);
  assertEquals([listed.length, listed.filter((verb) => !VERBS.some((one) => one === verb))], [8, []]);
  const flags = lines.flatMap((line) => line.startsWith("  -") ? line.split(/ {2,}/)[1] ?? [] : []);
  assertEquals(flags.length, 11, "ten of serve, and those about the program");
  for (const flag of flags.slice(0, 10)) {
    const option = OPTIONS.find((one) => flagOf(one) === flag.split(" ")[0]);
    assertEquals([`${flag.split(" ")[0]}${option?.value === undefined ? "" : ` ${option.value}`}`], [flag]);
    assert(option?.verbs.includes("serve"), flag);
  }
  const examples = lines.slice(lines.indexOf("Examples:") + 1).filter((line) => line.startsWith("  "));
  assertEquals(examples.length, 3);
  for (const example of examples) parseArguments(example.trim().split(" ").slice(1), () => undefined);
  for (const words of ["help VERB", "help TOPIC", "help topics", "--help"]) {
    assert(lines.join(" ").includes(words), words);
  }
});

pureTest("--help names every verb, every option and every topic", () => {
  const text = renderText(fullBlocks(VERB_HELP), 100);
  for (const verb of VERBS) {
    assert(text.includes(`  ${VERB_HELP[verb].usage}\n`), verb);
    assertMatch(text.replaceAll(/\n {4,}/g, " "), new RegExp(`\n {2}${verb} +${RegExp.escape(summaryOf(verb))}`), verb);
  }
  for (const option of OPTIONS) assertMatch(text, new RegExp(`^ {2}(-\\w, )?${flagOf(option)}( |$)`, "m"), option.name);
  for (const topic of Object.keys(TOPICS)) assertMatch(text, new RegExp(`^ {2}${topic} `, "m"), topic);
});

Deno.test("-h, --help and help of a verb, a topic and a name are told apart", async () => {
  const first = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await runProxy(args);
    assertEquals([code, stderr], [0, ""], args.join(" "));
    return stdout;
  };
  const screen = await first("-h");
  assert(screen.split("\n").length <= 41, screen);
  assertEquals(await first("help"), screen);
  const all = await first("--help");
  assertEquals(all, `${renderText(fullBlocks(VERB_HELP), 80)}\n`);
  for (const args of [["check", "-h"], ["check", "--help"], ["help", "check"]]) {
    assertEquals(await first(...args), `${helpOf("check")}\n`);
  }
  assertMatch(await first("help", "reasons", "router-down"), /^ROUTER-DOWN\n/);
  assertMatch(await first("help", "udp", "--markdown"), /^# UDP\n/);
  assertMatch(await first("help", "udp", "--man"), /^\.TH "I2P-SOCKS-UDP" 7 /);
  assertMatch(await first("help", "--man"), /^\.TH "I2P-SOCKS" 1 /);
  assertMatch(await first("help", "--markdown"), /^## Name\n/);
  assertMatch(await first("help", "clients", "firefox"), /network\.proxy\.socks_remote_dns/);
});

Deno.test("what help does not know gets a suggestion", async () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["reson"], "Did you mean reasons?"],
    [["chek"], "Did you mean check?"],
    [["reasons", "peer-unreachble"], "Did you mean peer-unreachable?"],
    [["leaks", "irc-dc"], "Did you mean irc-dcc?"],
    [["clients", "crul"], "Did you mean curl?"],
    [["toString"], "See i2p-socks help topics"],
    [["reasons", "valueOf"], "See i2p-socks help reasons"],
    [["udp", "datagram"], 'help udp takes nothing more, but got "datagram"'],
    [["reasons", "rule", "ip"], 'help reasons takes nothing more, but got "ip"'],
  ];
  for (const [args, says] of cases) {
    const { code, stdout, stderr } = await runProxy(["help", ...args]);
    assertEquals([code, stdout, stderr.includes(says)], [2, "", true], stderr);
  }
});

Deno.test("the file in help config is one that the program accepts", async () => {
  await using scratch = await makeScratch();
  const files = ["config", "forward"].flatMap((topic) =>
    [...(TOPICS[topic]?.page ?? "").matchAll(/^```yaml\n([^]*?)^```$/gm)].map(([, text = ""]) => text)
  );
  assertEquals(files.length, 2);
  const [complete = "", forward = ""] = files;
  const address = `${"a".repeat(52)}.b32.i2p`;
  for (const text of [complete, forward.replace("ADDRESS.b32.i2p", address)]) {
    const file = await scratch.file("i2p-socks.yaml", text);
    const { code, stderr } = await runProxy(["--config", file, "--check-config"]);
    assertEquals([code, stderr], [0, `Valid configuration: ${text === complete ? 3 : 1} application(s)\n`]);
  }
  // The comments are about options that exist: the file has many of them.
  const given = parseConfigFile(complete, []);
  assert(given.common.size + given.applications.reduce((sum, one) => sum + one.size, 0) > 25);
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
