import { assert, assertEquals, assertThrows } from "@std/assert";
import { completions } from "../../lib/cli/completions.ts";
import { CliError, ExitCode } from "../../lib/command/exit_code.ts";
import { KEY_ACTIONS } from "../../lib/cli/key_actions.ts";
import { CLIENTS } from "../../lib/cli/setup_clients.ts";
import { flagOf, OPTIONS, VERBS } from "../../lib/config/options.ts";
import { KINDS } from "../../lib/cli/service.ts";
import { SHELLS } from "../../lib/cli/completion_shells.ts";
import { Terminal } from "../../lib/command/terminal.ts";
import { runProxy } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { pureTest } from "../support/pure.ts";
import { makeScratch } from "../support/scratch.ts";
import { complete } from "../support/shell_completions.ts";

for (const shell of SHELLS) {
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
      ["help ", VERBS],
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
      [`keys import irc ${folder}/pap`, ["papers", "papers.yaml"]],
      [`--keys-dir ${folder}/pap`, ["papers"]],
      ["--name ", []],
    ];
    const offered = await complete(shell, folder, expected.map(([line]) => `i2p-socks ${line}`));
    for (const [i, [line, words]] of expected.entries()) {
      assertEquals((offered[i] ?? []).map(wordOf).sort(), [...words].sort(), `${shell}: i2p-socks ${line}`);
    }
    const [joined, list] = await complete(shell, folder, ["i2p-socks --leaks=w", "i2p-socks --isolate auth,dest"]);
    assertEquals(joined?.map((line) => wordOf(line).replace("--leaks=", "")), ["warn"]);
    assertEquals(list?.map((line) => wordOf(line).replace("auth,", "")), ["destination"]);
  });
}

Deno.test("completions prints the script of a shell", async () => {
  for (const shell of SHELLS) {
    const { code, stdout, stderr } = await runProxy(["completions", shell]);
    assertEquals([code, stderr], [0, ""]);
    assert(stdout.includes("--sam-password-file") || stdout.includes("-l sam-password-file"), shell);
  }
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
