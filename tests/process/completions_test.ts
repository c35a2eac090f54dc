import { assert, assertEquals, assertThrows } from "@std/assert";
import { candidatesFor } from "../../lib/cli/complete.ts";
import { completions, SHELLS } from "../../lib/cli/completions.ts";
import { CliError, ExitCode } from "../../lib/command/exit_code.ts";
import { KEY_ACTIONS } from "../../lib/command/actions.ts";
import { CLIENTS } from "../../lib/command/setup_clients.ts";
import { flagOf, OPTIONS, VERBS } from "../../lib/config/options.ts";
import { TOPICS } from "../../lib/manual/topics.ts";
import { KINDS } from "../../lib/cli/service.ts";
import { Terminal } from "../../lib/command/terminal.ts";
import { PROJECT, runProxy } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { pureTest } from "../support/pure.ts";
import { makeScratch } from "../support/scratch.ts";
import { complete } from "./shell_completions.ts";

for (const shell of ["bash", "zsh", "fish"] as const) {
  e2eTest(`${shell} offers the options of each verb, all of them and no others`, [shell], async () => {
    await using scratch = await makeScratch();
    const folder = scratch.dir;
    const offered = await complete(shell, folder, VERBS.map((verb) => `i2p-socks ${verb} -`));
    // The leading hyphens are completed one after the other: what -- hides in fish is there behind --.
    const long = await complete(shell, folder, VERBS.map((verb) => `i2p-socks ${verb} --`));
    for (const [i, verb] of VERBS.entries()) {
      const flags = new Set(
        [...offered[i] ?? [], ...long[i] ?? []].map(wordOf).filter((flag) => flag.startsWith("-")),
      );
      const options = OPTIONS.filter(({ verbs }) => verbs.includes(verb));
      assertEquals([...flags].sort(), options.map(flagOf).sort(), `${shell} ${verb}`);
    }
    if (shell === "bash") return;
    for (const { help } of OPTIONS.filter(({ verbs }) => verbs.includes("serve"))) {
      assert(offered[0]?.some((line) => line.includes(help)), `${shell}: ${help}`);
    }
  });

  e2eTest(`${shell} offers verbs, operands, and values that are known`, [shell], async () => {
    await using scratch = await makeScratch();
    const folder = scratch.dir;
    await Deno.mkdir(`${folder}/papers`);
    await Deno.writeTextFile(`${folder}/papers.yaml`, "");
    const expected: readonly (readonly [string, readonly string[]])[] = [
      ["", VERBS],
      ["se", ["serve", "service", "setup"]],
      ["--sam 127.0.0.1:7656 ", VERBS],
      ["help ", [...new Set([...VERBS, "topics", ...Object.keys(TOPICS)])]],
      ["keys ", Object.keys(KEY_ACTIONS)],
      ["keys --sam 127.0.0.1:7656 ex", ["export"]],
      ["keys show ", ["irc", "mail"]],
      ["--identity ", ["irc", "mail"]],
      ["setup ", Object.keys(CLIENTS)],
      ["completions ", SHELLS],
      ["service ", Object.keys(KINDS)],
      ["--leaks ", ["off", "warn", "block"]],
      ["audit --log-level ", ["debug", "info", "warn", "error"]],
      ["--log-format ", ["text", "json"]],
      ["--isolate cl", ["client"]],
      [`--config ${folder}/pap`, ["papers", "papers.yaml"]],
      [`--config=${folder}/pap`, ["papers", "papers.yaml"]],
      [`keys import irc ${folder}/pap`, ["papers", "papers.yaml"]],
      [`--keys-dir ${folder}/pap`, ["papers"]],
      [`--keys-dir=${folder}/pap`, ["papers"]],
      ["--name ", []],
    ];
    const offered = await complete(shell, folder, expected.map(([line]) => `i2p-socks ${line}`));
    for (const [i, [line, words]] of expected.entries()) {
      assertEquals((offered[i] ?? []).map(wordOf).sort(), [...words].sort(), `${shell}: i2p-socks ${line}`);
    }
    // HOME is the folder: programs are called by whole paths, too.
    const lines = ["i2p-socks --leaks=w", "i2p-socks --isolate auth,dest", "~/i2p-socks --scrub=irc,h"];
    const joined = (await complete(shell, folder, lines)).map((found) => found.map(wordOf));
    // Bash has cut off what is in front of "=".
    const front = (prefix: string): string => shell === "bash" ? "" : prefix;
    assertEquals(joined, [[front("--leaks=") + "warn"], ["auth,destination"], [front("--scrub=") + "irc,http"]]);
  });
}

Deno.test("completions prints the script of a shell", async () => {
  for (const shell of SHELLS) {
    const { code, stdout, stderr } = await runProxy(["completions", shell]);
    assertEquals([code, stderr], [0, ""]);
    assertEquals(stdout, await Deno.readTextFile(`${PROJECT}lib/templates/completions.${shell}`));
  }
});

pureTest("candidatesFor() knows where the cursor is", () => {
  const cases: Record<string, readonly string[]> = {
    "": ["word", ...VERBS],
    "se": ["word", ...VERBS],
    "--name x ": ["word", ...VERBS],
    "--name=x ": ["word", ...VERBS],
    "--udp ": ["word", ...VERBS],
    "nonsense ": ["word"],
    "nonsense -": ["word"],
    "serve ": ["word"],
    "lookup a.i2p ": ["word"],
    "keys ": ["word", ...Object.keys(KEY_ACTIONS)],
    "keys --sam 127.0.0.1:1 ": ["word", ...Object.keys(KEY_ACTIONS)],
    "keys import ": ["identity"],
    "keys import irc ./": ["file"],
    "keys import irc file ": ["word"],
    "--leaks ": ["word", "off", "warn", "block"],
    "--leaks=w": ["word", "--leaks=off", "--leaks=warn", "--leaks=block"],
    "--scrub ": ["list", "irc", "http"],
    "--scrub=irc,h": ["list", "--scrub=irc,irc", "--scrub=irc,http"],
    "--name ": ["word"],
    "status --name ": ["application"],
    "setup firefox --name ": ["application"],
    "--config ": ["file"],
    "--config=/etc/": ["file"],
    "--keys-dir ": ["folder"],
    "connect --identity ": ["identity"],
    "-o ": ["word"],
  };
  for (const [line, expected] of Object.entries(cases)) {
    const { kind, words } = candidatesFor(line.split(" "));
    assertEquals([kind, ...words.map(([word]) => word)], expected, line);
  }
  assertEquals(candidatesFor([]).words.length, VERBS.length);
});

pureTest("candidatesFor() offers the options of a verb with their help, those of serve where there is none", () => {
  for (const verb of VERBS) {
    const expected = OPTIONS.filter(({ verbs }) => verbs.includes(verb)).map((option) => [flagOf(option), option.help]);
    assertEquals(candidatesFor([verb, "-"]).words, expected as [string, string][]);
  }
  assertEquals(candidatesFor(["--"]), candidatesFor(["serve", "--sam", "127.0.0.1:7656", "--l"]));
});

pureTest("completions() refuses what is no shell, and says which was meant", () => {
  const refused = (...operands: string[]): readonly string[] => {
    const { code, message, hints } = assertThrows(() => completions(operands, new Map(), new Terminal()), CliError);
    assertEquals(code, ExitCode.usage);
    return [message, ...hints];
  };
  const usage = "i2p-socks completions bash|zsh|fish";
  assertEquals(refused(), ["The name of a shell is missing", usage]);
  assertEquals(refused("fihs"), ['There are no completions for "fihs"', "Did you mean fish?", usage]);
  assertEquals(refused("powershell"), ['There are no completions for "powershell"', usage]);
  assertEquals(refused("zsh", "bash"), ["completions takes one shell only", usage]);
});

/** The word that would be put in, without the folder in front of a path and the sign of a folder behind it. */
function wordOf(line: string): string {
  const [word = ""] = line.split(/\t| +-- /);
  return word.trim().replace(/\/$/, "").replace(/.*\//, "");
}
