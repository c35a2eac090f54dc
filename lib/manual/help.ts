import { flagOf, OPTIONS, type OptionSpec, variableOf, type Verb, VERBS } from "../config/options.ts";
import { type Block, parseBlocks, type Term } from "./markdown.ts";
import { optionBlocks } from "./tables.ts";
import { topicList } from "./topics.ts";
import { summaryOf, VERB_HELP } from "./verbs.ts";

/** Verbs that `-h` lists: those that most users need. */
const COMMON_VERBS: readonly Verb[] = ["serve", "check", "setup", "status", "audit", "connect", "keys", "help"];

/** Options that `-h` lists, in a few words each. */
const COMMON_OPTIONS: readonly Term[] = [
  ["--listen [HOST:]PORT", "Serve SOCKS here [default: 127.0.0.1:4447]"],
  ["--sam HOST:PORT", "The router's SAM bridge [default: 127.0.0.1:7656]"],
  ["--identity NAME", "Keep the same I2P address, under this name"],
  ["--leaks off|warn|block", "What to do about leaks [default: warn]"],
  ["--config FILE", "YAML with one or more applications"],
  ["--status HOST:PORT", "Serve the status page and metrics here"],
];

/** Help on one screen, with room for a prompt: 23 lines of 80 columns at most. */
export function shortBlocks(): Block[] {
  return [
    {
      kind: "paragraph",
      text: "Serve SOCKS on localhost to one application, and reach I2P and nothing else.",
    },
    { kind: "paragraph", text: "Usage: i2p-socks [VERB] [OPTIONS], for example i2p-socks --listen 127.0.0.1:9100" },
    { kind: "heading", level: 2, text: "Verbs" },
    { kind: "terms", terms: verbTerms(COMMON_VERBS) },
    { kind: "heading", level: 2, text: "Options of serve" },
    { kind: "terms", terms: COMMON_OPTIONS },
    {
      kind: "paragraph",
      text: "All verbs and options: --help. See also help VERB, help TOPIC, help topics.",
    },
  ];
}

/** Help with every verb and every option. */
export function fullBlocks(): Block[] {
  const [topics, list, ...rest] = topicList();
  return [
    ...parseBlocks(VERB_HELP.serve.text),
    { kind: "heading", level: 2, text: "Usage" },
    { kind: "code", lines: VERBS.map((verb) => VERB_HELP[verb].usage) },
    { kind: "heading", level: 2, text: "Verbs" },
    { kind: "terms", terms: verbTerms(VERBS) },
    ...optionBlocks(OPTIONS),
    { kind: "paragraph", text: settingsText("serve") },
    ...(topics?.kind === "heading" ? [{ ...topics, level: 2 }] : []),
    ...(list === undefined ? [] : [list]),
    ...rest,
    { kind: "heading", level: 2, text: "Examples" },
    { kind: "code", lines: VERB_HELP.serve.examples },
  ];
}

/** Help of a verb: its usage, its text, and its options, those first that it has alone. */
export function verbBlocks(verb: Verb): Block[] {
  const { usage, text, examples } = VERB_HELP[verb];
  const { own, shared } = splitOptions(verb);
  const ofServe = OPTIONS.filter(({ name, verbs }) => verbs.includes("serve") && !own.some((one) => one.name === name));
  const left = ofServe.filter((option) => !shared.includes(option)).map(flagOf);
  // A verb that takes nearly all options of serve need not repeat them.
  const takesAll = verb !== "serve" && left.length < shared.length / 4;
  const others = takesAll ? optionBlocks(shared.filter(isAboutProgram), { verb }) : optionBlocks(shared, { verb });
  return [
    { kind: "heading", level: 2, text: "Usage" },
    { kind: "code", lines: [usage] },
    ...parseBlocks(text),
    ...optionBlocks(own, { verb }),
    ...(takesAll
      ? [{ kind: "paragraph", text: `It takes all options of serve${except(left)}: see \`help serve\`.` } as const]
      : []),
    ...others,
    { kind: "paragraph", text: settingsText(verb) },
    { kind: "heading", level: 2, text: "Examples" },
    { kind: "code", lines: examples },
  ];
}

/** The options of a verb: those that serve does not have, and the others. */
function splitOptions(verb: Verb): { own: OptionSpec[]; shared: OptionSpec[] } {
  const taken = OPTIONS.filter(({ verbs }) => verbs.includes(verb));
  const isOwn = ({ verbs }: OptionSpec): boolean => !verbs.includes("serve");
  return { own: taken.filter(isOwn), shared: taken.filter((option) => !isOwn(option)) };
}

function isAboutProgram({ name }: OptionSpec): boolean {
  return name === "help" || name === "version";
}

function except(flags: readonly string[]): string {
  if (flags.length === 0) return "";
  return ` except ${[flags.slice(0, -1).join(", "), flags.at(-1)].filter(Boolean).join(" and ")}`;
}

function verbTerms(verbs: readonly Verb[]): Term[] {
  return verbs.map((verb) => [verb, summaryOf(verb)]);
}

/** How to write values, and where else than on the command line a verb finds them. */
function settingsText(verb: Verb): string {
  const durations = "Durations are 500ms, 10s, 5m, 1h.";
  const option = OPTIONS.find((one) => one.verbs.includes(verb) && variableOf(one) !== undefined);
  if (option === undefined) return durations;
  return `${durations} Settings can also be environment variables, ${variableOf(option)} for ${flagOf(option)}; the ` +
    "command line wins. --no-NAME switches off what a variable or a file has switched on.";
}
