import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import confineScript from "../../lib/templates/setup_confine.sh" with { type: "text" };
import { CLIENTS } from "../../lib/command/setup_clients.ts";
import { ExitCode } from "../../lib/command/exit_code.ts";
import { flagOf, isNegatable, OPTIONS, variableOf, VERBS } from "../../lib/config/options.ts";
import { LEAKS } from "../../lib/guard/leak.ts";
import { LIMITS } from "../../lib/manual/limits.ts";
import { type Block, parseBlocks, renderMarkdown, type Table } from "../../lib/manual/markdown.ts";
import { renderText } from "../../lib/manual/text.ts";
import { PARTS, TABLES, topicBlocks } from "../../lib/manual/tables.ts";
import { topicList, TOPICS } from "../../lib/manual/topics.ts";
import { VERB_HELP } from "../../lib/manual/verbs.ts";
import { CALLER_REFUSALS } from "../../lib/reasons/caller_refusals.ts";
import { DROPS } from "../../lib/reasons/datagram_drops.ts";
import { REASONS } from "../../lib/reasons/reasons.ts";
import { METRICS, PROCESS_METRICS } from "../../lib/status/metrics.ts";
import { PROJECT } from "../support/command.ts";
import { pureTest } from "../support/pure.ts";

/** All prose of the manual by the page that it is in: topics and verbs. */
const PAGES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.entries(TOPICS).map(([name, { page }]) => [name, page])),
  ...Object.fromEntries(VERBS.map((verb) => [verb, VERB_HELP[verb].text])),
};

/** Options of the script that `setup confine` prints. */
const CONFINE_FLAGS: readonly string[] = confineScript.match(/^ {2}--[a-z-]+(?= )/gm)?.map((flag) => flag.trim()) ?? [];

/** Options of other programs that pages name. */
const FOREIGN_FLAGS: readonly string[] = [
  ...["--socks5-hostname", "--socks5", "--socks4", "--socks4a", "--proxy", "--proxy-type", "--proxy-dns"],
  ...["--proxy-auth", "--proxy-server", "--isolate", "--anonymous-inbound", "--tx-proxy", "--cached-only", "--offline"],
  "--now",
  "--allow-net",
  ...CONFINE_FLAGS,
  // Those of the benchmark's task.
  ...["--quick", "--only", "--json", "--svg", "--readme"],
];

function blocksOf(topic: string): Block[] {
  const found = TOPICS[topic];
  assert(found !== undefined, topic);
  return topicBlocks(found);
}

function tablesOf(topic: string): Table[] {
  return blocksOf(topic).filter((block) => block.kind === "table");
}

/** The first cells of all tables of a topic, without marks. */
function namesIn(topic: string): string[] {
  return tablesOf(topic).flatMap(({ rows }) => rows.map(([name = ""]) => name.replaceAll("`", "")));
}

pureTest("each page begins with its title, and each table of the code is in one page", () => {
  const placed: string[] = [];
  for (const [name, { page }] of Object.entries(TOPICS)) {
    const [title] = parseBlocks(page);
    assertEquals(title?.kind === "heading" && title.level, 1, name);
    placed.push(...[...page.matchAll(/^<!-- (.*) -->$/gm)].map(([, table = ""]) => table));
  }
  assertEquals(placed.toSorted(), Object.keys(TABLES).sort());
});

pureTest("every option has its place in the page of options, with its variable and its default", () => {
  const terms = new Map(blocksOf("options").flatMap((block) => block.kind === "terms" ? block.terms : []));
  assertEquals(terms.size, OPTIONS.length);
  for (const option of OPTIONS) {
    const [term, meaning = ""] = [...terms].find(([term]) => term.split(" ").includes(flagOf(option))) ?? [];
    assert(term?.endsWith(option.value ?? flagOf(option)), option.name);
    for (const word of [option.help, option.defaultText ?? "", variableOf(option) ?? ""]) {
      assert(meaning.includes(word), option.name);
    }
  }
});

pureTest("every reason, leak, drop and metric has its row, and none besides", () => {
  assertEquals(namesIn("reasons"), ["connected", ...Object.keys(REASONS)]);
  assertEquals(namesIn("leaks"), Object.keys(LEAKS));
  assertEquals(namesIn("metrics"), [...Object.keys(PROCESS_METRICS), ...Object.keys(METRICS)]);
  assertEquals(namesIn("udp").slice(-Object.keys(DROPS).length), Object.keys(DROPS));
});

pureTest("every limit has its row, those of options too", () => {
  const rows = tablesOf("limits").flatMap((table) => table.rows);
  assertEquals(rows, Object.values(LIMITS).flat());
  assert(rows.length > 60 && rows.every(([what, value]) => what !== "" && value !== ""));
  const options = OPTIONS.filter(({ name, verbs }) => verbs.includes("serve") && /^max-|timeout$|-idle$/.test(name));
  for (const option of options) {
    assert(rows.some(([, value = ""]) => value.includes(`\`${flagOf(option)}\``)), option.name);
  }
  const twice = rows.map(([what]) => what).filter((what, i, all) => all.indexOf(what) < i);
  assertEquals(twice, []);
});

Deno.test("no limit of the code is missing in the page of limits", async () => {
  // Constants that bound what others can do, by the names that such constants have.
  const isLimit = /^export const (MAX_\w+|MIN_\w+|\w+_TIMEOUT|\w+_AGE|\w+_EXPIRY)\b/gm;
  const table = await Deno.readTextFile(`${PROJECT}lib/manual/limits.ts`);
  const missing: string[] = [];
  for await (const { name: room, isDirectory } of Deno.readDir(`${PROJECT}lib`)) {
    if (!isDirectory || room === "manual") continue;
    for await (const { name } of Deno.readDir(`${PROJECT}lib/${room}`)) {
      if (!name.endsWith(".ts")) continue;
      const code = await Deno.readTextFile(`${PROJECT}lib/${room}/${name}`);
      missing.push(...[...code.matchAll(isLimit)].flatMap(([, limit = ""]) => table.includes(limit) ? [] : [limit]));
    }
  }
  assertEquals(missing, []);
});

pureTest("exit codes are those of the code", () => {
  assertEquals(namesIn("exit-codes").flatMap((code) => code.split("/")).map(Number), Object.values(ExitCode));
});

pureTest("the sandbox has a row for each permission of deno.json, and for those that nobody has", () => {
  const named = namesIn("sandbox");
  assertEquals(named.slice(0, -1).toSorted(), Object.keys(config.permissions.default).sort());
  assertEquals(named.at(-1), "run, ffi");
});

Deno.test("the page about serving names all that is counted of callers and BIND, and nothing else", async () => {
  const counted = Object.keys(CALLER_REFUSALS).map((reason) => `inbound-${reason}`);
  for (const room of ["proxy", "identity"]) {
    for await (const { name } of Deno.readDir(`${PROJECT}lib/${room}`)) {
      const code = await Deno.readTextFile(`${PROJECT}lib/${room}/${name}`);
      counted.push(...[...code.matchAll(/counters\.\w+\("((?:inbound|bind)-[a-z-]+)"/g)].map(([, name = ""]) => name));
    }
  }
  const named = namesIn("forward").flatMap((cell) => cell.split(", ")).filter((name) => /^(inbound|bind)-/.test(name));
  assertEquals(named.toSorted(), [...new Set(counted)].sort());
});

pureTest("what pages name exists: options, variables, reasons, leaks, verbs and topics", () => {
  const flags = [
    ...OPTIONS.map(flagOf),
    ...OPTIONS.filter(isNegatable).map(({ name }) => `--no-${name}`),
    ...FOREIGN_FLAGS,
  ];
  const variables = [...OPTIONS.map(variableOf), "I2P_SOCKS_", "I2P_SOCKS_PORT", "I2P_SOCKS_BENCH_EXECUTABLES"];
  for (const [page, text] of Object.entries(PAGES)) {
    const strange = [...text.matchAll(/(?<![\w<-])--[a-z][\w-]*/g)].map(([flag]) => flag)
      .filter((flag) => !flags.includes(flag) && flag !== "--no-");
    assertEquals(strange, [], page);
    const unset = [...text.matchAll(/\bI2P_SOCKS_\w*/g)].map(([name]) => name).filter((name) =>
      !variables.includes(name)
    );
    assertEquals(unset, [], page);
    for (const [, word = "", name] of text.matchAll(/`(?:i2p-socks )?help\s([a-z-]+)(?:\s([a-z-]+))?`/g)) {
      assert([...VERBS, "topics", ...Object.keys(TOPICS)].includes(word), `${page}: help ${word}`);
      if (name !== undefined) assert(PARTS[word]?.names.includes(name), `${page}: help ${word} ${name}`);
    }
    const lines = parseBlocks(text).flatMap((block) => block.kind === "code" ? block.lines : []);
    for (const [, verb = ""] of lines.join("\n").matchAll(/^i2p-socks ([a-z][a-z-]*)/gm)) {
      assert(VERBS.some((one) => one === verb), `${page}: i2p-socks ${verb}`);
    }
  }
  const words = [...(TOPICS["reasons"]?.page ?? "").matchAll(/^- `([a-z-]+)`:/gm)].map(([, word = ""]) => word);
  assertEquals([words.length, words.filter((word) => !Object.hasOwn(REASONS, word))], [6, []]);
});

pureTest("the page about confining has each option of the script", () => {
  const named = namesIn("confine").map((cell) => cell.split(" ")[0] ?? "").filter((cell) => cell.startsWith("--"));
  assertEquals(named, CONFINE_FLAGS);
});

pureTest("pages are in plain words, and one thing has one word", () => {
  const dialect =
    /\b(anew|fares|throw-away|thrown away|lasting|for it is|(?<!there )is no (?!longer)|(?<!there )are no (?!longer)|in place of|a session of its own|whoever wants)\b/i;
  for (const [page, text] of Object.entries(PAGES)) assertEquals(dialect.exec(text)?.[0], undefined, page);
});

pureTest("reasons and leaks have pages of their own, which say what to do", () => {
  assertEquals((PARTS["reasons"]?.names ?? []).filter((name) => describe("reasons", name).length < 2), []);
  assertEquals((PARTS["leaks"]?.names ?? []).filter((name) => describe("leaks", name).length < 4), []);
  for (const [topic, names] of [["reasons", ["", "toString", "REASONS"]], ["leaks", ["", "valueOf"]]] as const) {
    for (const name of names) assertEquals(describe(topic, name), [], name);
  }
  const text = renderText(describe("reasons", "name-unknown"), 80);
  for (
    const words of [REASONS["name-unknown"].message, "i2pd: use the base32", "Java I2P: use", "0x04 (host unreach"]
  ) {
    assert(text.includes(words), text);
  }
  assert(renderText(describe("reasons", "peer-unreachable"), 80).includes("--extended-errors: 0xF3"));
  assert(renderText(describe("reasons", "not-socks"), 80).includes("SOCKS5: closed"));
  assert(renderText(describe("reasons", "service-down"), 80).includes("Is it running"));
  assert(renderText(describe("reasons", "fragment"), 80).includes("not reassembled"));
});

pureTest("every application of setup has its section among the clients", () => {
  assertEquals(Object.keys(CLIENTS).filter((name) => describe("clients", name).length < 2), []);
  assertEquals(describe("clients", "http"), []);
});

pureTest("every page fits the width, and says the same as Markdown", () => {
  for (const [name, topic] of [...Object.entries(TOPICS)]) {
    const blocks = topicBlocks(topic);
    for (const width of [60, 80, 120]) {
      // Code, and words without a space, stay whole.
      const wide = renderText(blocks, width).split("\n").filter((line) =>
        line.length > width && !line.startsWith("  ") && line.includes(" ")
      );
      assertEquals(wide, [], `${name} at ${width}`);
    }
    const again = parseBlocks(renderMarkdown(blocks));
    assertEquals(again.filter(({ kind }) => kind === "table").length, tablesOf(name).length, name);
  }
});

pureTest("the list of topics has all of them", () => {
  const terms = topicList().flatMap((block) => block.kind === "terms" ? block.terms : []);
  assertEquals(terms.map(([term]) => term.replace(" [NAME]", "")), Object.keys(TOPICS));
});

function describe(topic: string, name: string): Block[] {
  return PARTS[topic]?.describe(name) ?? [];
}
