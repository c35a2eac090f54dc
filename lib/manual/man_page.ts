import config from "../../deno.json" with { type: "json" };
import { flagOf, OPTIONS, type Verb, VERBS } from "../config/options.ts";
import { type Block, parseBlocks } from "./markdown.ts";
import { renderMan } from "./man.ts";
import { optionBlocks, topicBlocks } from "./tables.ts";
import { TOPICS } from "./topics.ts";
import { summaryOf, VERB_HELP } from "./verbs.ts";

/** The day of the last change that readers of the man page would notice. */
const DATE = "2026-11-30";

/** The topics that have sections of the page under other names. */
const ELSEWHERE: readonly string[] = ["options", "exit-codes"];

/** The whole manual: what the man page i2p-socks(1) says, and the manual in Markdown. */
export function manualBlocks(): Block[] {
  const exitCodes = TOPICS["exit-codes"];
  return [
    section("Name"),
    paragraph("i2p-socks - SOCKS proxy that connects one application to I2P"),
    section("Synopsis"),
    { kind: "code", lines: VERBS.map((verb) => VERB_HELP[verb].usage) },
    section("Description"),
    ...parseBlocks(VERB_HELP.serve.text),
    section("Commands"),
    ...VERBS.flatMap((verb) => commandBlocks(verb)),
    section("Options"),
    ...optionBlocks(OPTIONS, { everywhere: true }).map(lowered),
    ...Object.entries(TOPICS).filter(([name]) => !ELSEWHERE.includes(name)).flatMap(([name, topic]) => [
      section(name),
      ...topicBlocks(topic).slice(1).map(lowered),
    ]),
    section("Exit status"),
    ...(exitCodes === undefined ? [] : topicBlocks(exitCodes).slice(1)),
    section("Files"),
    {
      kind: "terms",
      terms: [
        ["~/.local/share/i2p-socks/keys/NAME.dat", "The key of the persistent identity NAME. See keys."],
        ["FILE of --config", "The configuration file. See CONFIG."],
      ],
    },
    section("Environment"),
    paragraph(
      "Each setting has a variable, which OPTIONS names. The command line wins over the environment, and the " +
        "environment over the file. Besides:",
    ),
    {
      kind: "terms",
      terms: [
        ["HOME, XDG_DATA_HOME, LOCALAPPDATA", "Where keys are stored if --keys-dir is not given."],
        ["HOME, XDG_CONFIG_HOME, LOCALAPPDATA", "Where the configuration file is looked for if --config is not given."],
        ["USER, LOGNAME, USERNAME, USERPROFILE", "What the leak guard looks for; without them it asks /etc/passwd."],
      ],
    },
    section("See also"),
    paragraph("i2pd(1), ssh_config(5), curl(1), torsocks(1), proxychains4(1)"),
  ];
}

/** The man page i2p-socks(1). */
export function manPage(): string {
  return renderMan(headOf("i2p-socks", 1), manualBlocks());
}

/** A man page of a topic or a verb. */
export function manPageOf(name: string, summary: string, blocks: readonly Block[]): string {
  const [first, ...rest] = blocks;
  const body = first?.kind === "heading" && first.level === 1 ? rest : blocks;
  return renderMan(headOf(`i2p-socks-${name}`, 7), [
    section("Name"),
    paragraph(`i2p-socks-${name} - ${summary}`),
    ...(body[0]?.kind === "heading" ? [] : [section("Description")]),
    ...body,
  ]);
}

function headOf(name: string, number: number): Parameters<typeof renderMan>[0] {
  return { name, section: number, source: `i2p-socks ${config.version}`, date: DATE };
}

function commandBlocks(verb: Verb): Block[] {
  const spec = VERB_HELP[verb];
  const own = OPTIONS.filter(({ verbs }) => verbs.includes(verb) && !verbs.includes("serve"));
  const text = parseBlocks(spec.text);
  return [
    { kind: "heading", level: 3, text: verb },
    { kind: "code", lines: [spec.usage] },
    // DESCRIPTION has that of serve.
    ...(verb === "serve" ? [paragraph(`${summaryOf(verb)}. This is the default.`)] : text),
    ...(own.length === 0
      ? []
      : [paragraph(`Its own options are ${own.map((one) => `\`${flagOf(one)}\``).join(", ")}.`)]),
    paragraph("Examples:"),
    { kind: "code", lines: spec.examples },
  ];
}

function section(text: string): Block {
  return { kind: "heading", level: 2, text };
}

function paragraph(text: string): Block {
  return { kind: "paragraph", text };
}

/** A heading of a page as one below a section. */
function lowered(block: Block): Block {
  return block.kind === "heading" ? { ...block, level: block.level + 1 } : block;
}
