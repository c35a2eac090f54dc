import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { CLIENTS } from "../../lib/command/setup_clients.ts";
import { parseArguments } from "../../lib/command/arguments.ts";
import { ExitCode } from "../../lib/command/exit_code.ts";
import { flagOf, OPTIONS, VERBS } from "../../lib/config/options.ts";
import { PARTS } from "../../lib/manual/tables.ts";
import { TOPICS } from "../../lib/manual/topics.ts";
import { PROJECT } from "../support/command.ts";
import { README, tableUnder } from "../tools/readme.ts";

const readme = await Deno.readTextFile(README);

/** Lines of all blocks of shell. */
const commands = [...readme.matchAll(/^```sh\n([^]*?)^```$/gm)].flatMap(([, block = ""]) =>
  block.trimEnd().split("\n")
);

Deno.test("the README has at most 350 lines, none wider than 120 characters", () => {
  const lines = readme.trimEnd().split("\n");
  assert(lines.length <= 350, `${lines.length} lines`);
  assertEquals(lines.filter((line) => line.length > 120), []);
});

Deno.test("the README begins with the demo and the tests, and names tasks that exist", () => {
  assertEquals(commands.slice(0, 2), ["npx -y deno@2.9.6 task demo", "npx -y deno@2.9.6 task test"]);
  const tasks = [...readme.matchAll(/\btask ([a-z][a-z:-]*)/g)].map(([, task = ""]) => task);
  const known = [...Object.keys(config.tasks), "i2p-socks"];
  assert(tasks.length > 6);
  assertEquals(tasks.filter((task) => !known.includes(task)), []);
  const [, more = ""] = /More tasks: ([^.]*)/.exec(readme) ?? [];
  const listed = [...more.matchAll(/`([^`]+)`/g)].map(([, task = ""]) => task);
  assertEquals([listed.length > 4, listed.filter((task) => !known.includes(task))], [true, []]);
});

Deno.test("every command of i2p-socks in the README is one that the program takes", () => {
  const own = [...commands, ...readme.matchAll(/`([^`\n]+)`/g).map(([, code = ""]) => code)]
    .flatMap((line) => /(?:^|<\()(?:i2p-socks) ([^)>]*)/.exec(line.replace(/ {2,}#.*/, ""))?.[1] ?? [])
    .map((line) => line.trim().split(" "));
  assert(own.length > 20, `${own.length}`);
  for (const words of own) {
    const { verb, operands } = parseArguments(words, () => undefined);
    const [topic = "", name = ""] = operands;
    if (verb === "setup" && topic !== "" && topic !== "NAME") assert(Object.hasOwn(CLIENTS, topic), topic);
    if (verb !== "help" || topic === "TOPIC") continue;
    assert([...VERBS, "topics", ...Object.keys(TOPICS)].includes(topic), topic);
    if (name !== "" && name !== "NAME") assert(PARTS[topic]?.names.includes(name), name);
  }
  for (const [, topic = ""] of readme.matchAll(/`help ([a-z-]+)(?: NAME)?`/g)) {
    assert(Object.hasOwn(TOPICS, topic), topic);
  }
  for (const [, client = ""] of readme.matchAll(/`setup ([a-z]+)`/g)) assert(Object.hasOwn(CLIENTS, client), client);
});

Deno.test("the README's options exist, and its twelve have the defaults of the code", () => {
  const rows = tableUnder(readme, "Options that matter");
  assertEquals(rows.length, 12);
  for (const [cell = "", fallback] of rows) {
    const typed = cell.replaceAll("`", "").replaceAll("\\|", "|");
    const option = OPTIONS.find((one) => flagOf(one) === typed.split(" ")[0]);
    assertEquals([typed, fallback], [
      option && `${flagOf(option)}${option.value === undefined ? "" : ` ${option.value}`}`,
      option?.defaultText,
    ]);
  }
  const foreign = ["--ignore-missing", "--socks5-hostname", "--offline", "--quiet", "--help", "--version"];
  const known = [...OPTIONS.map(flagOf), ...foreign];
  assertEquals(
    [...readme.matchAll(/(?<![\w-])--[a-z][\w-]*/g)].map(([flag]) => flag).filter((f) => !known.includes(f)),
    [],
  );
});

Deno.test("the README lists every topic, and exit codes that exist", () => {
  const [, list = ""] = /Topics are ([^.]*)\./.exec(readme) ?? [];
  assertEquals([...list.matchAll(/`([a-z-]+)`/g)].map(([, topic]) => topic), Object.keys(TOPICS));
  const [, sentence = ""] = /It exits with ([^.]*)\./.exec(readme) ?? [];
  const codes = [...sentence.matchAll(/\d+/g)].map(Number);
  assertEquals([codes.length, codes.filter((code) => !Object.values<number>(ExitCode).includes(code))], [5, []]);
});

Deno.test("the README's pictures are there, and it names no host of a package registry", async () => {
  const pictures = [...readme.matchAll(/!\[([^\]]+)\]\(([^)]+)\)/g)];
  assertEquals(pictures.length, 2);
  for (const [, , path] of pictures) await Deno.stat(`${PROJECT}${path}`);
  assertEquals(/\b(npmjs\.|registry\.|jsr\.io|deno\.land|pypi\.|crates\.io)/.exec(readme), null);
  const hosts = [...readme.matchAll(/https?:\/\/([^/\s)>`]+)/g)].map(([, host = ""]) => host);
  const allowed = /^(127\.0\.0\.1(:\d+)?|[\w.-]+\.i2p|NAME\.i2p|geti2p\.net|nodejs\.org|deno\.com)$/;
  assertEquals(hosts.filter((host) => !allowed.test(host)), []);
});
