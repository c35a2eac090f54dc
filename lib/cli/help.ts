import type { RawOptions } from "../config/raw_options.ts";
import { type Client, CLIENTS } from "./setup_clients.ts";
import { didYouMean } from "../config/suggest.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { KEY_ACTIONS } from "./key_actions.ts";
import { OPTION_TABLE, type Verb, VERBS } from "../config/options.ts";
import { KINDS } from "./service.ts";
import { SHELLS } from "./completion_shells.ts";
import type { Terminal } from "../command/terminal.ts";
import type { Block } from "../manual/blocks.ts";
import check from "../manual/check.md" with { type: "text" };
import connect from "../manual/connect.md" with { type: "text" };
import { fullBlocks, shortBlocks, summaryOf as summaryOfSpec, verbBlocks, type VerbSpec } from "../manual/help.ts";
import keys from "../manual/keys.md" with { type: "text" };
import { manPage, manPageOf, manualBlocks } from "../manual/man_page.ts";
import { renderMarkdown } from "../manual/markdown.ts";
import serviceText from "../manual/service.md" with { type: "text" };
import statusText from "../manual/status.md" with { type: "text" };
import { renderText } from "../manual/text.ts";
import { type Topic, topicBlocks, topicList, TOPICS } from "../manual/topics.ts";

/** The verbs. */
export const VERB_HELP: Readonly<Record<Verb, VerbSpec>> = {
  serve: {
    usage: "i2p-socks [serve] [OPTIONS]",
    text:
      "Serve SOCKS 4, 4a and 5 on localhost to one application. i2p-socks connects the application to I2P, and to " +
      "nothing else: it talks SAM v3 to the I2P router (i2pd or Java I2P) that runs on this machine. It prints a line " +
      'that begins with "ready" when the router has built tunnels, which takes from seconds to minutes.',
    examples: [
      "i2p-socks",
      "i2p-socks --listen 127.0.0.1:9050 --name irc",
      "i2p-socks --identity irc --listen 127.0.0.1:9101",
      "i2p-socks --quantity 3 -o i2p.streaming.profile=2",
    ],
  },
  check: {
    usage: "i2p-socks check [NAME[:PORT]] [OPTIONS]",
    text: check,
    examples: ["i2p-socks check", "i2p-socks check stats.i2p --timeout 5m", "i2p-socks check --no-session --json"],
  },
  audit: {
    usage: "i2p-socks audit [--for DURATION] [OPTIONS]",
    text: "Serve like serve, and report what the application gave away. It looks for host names that the application " +
      "resolves itself, and for unencrypted data that identifies the application, this machine or you. It replaces " +
      "serve: use the application for a while, then end it, and read the report. See `help leaks`.\n\n" +
      "Exit codes: 0 it saw no leak, 1 it did.",
    examples: ["i2p-socks audit --for 5m --listen 127.0.0.1:9050", "i2p-socks audit --secrets-file words --json"],
  },
  connect: {
    usage: "i2p-socks connect HOST PORT [OPTIONS]",
    text: connect,
    examples: [
      "ssh -o ProxyCommand='i2p-socks connect %h %p' me@example.i2p",
      "ssh -o ProxyCommand='i2p-socks connect --via 127.0.0.1:4447 %h %p' me@a.i2p",
      "git -c core.sshCommand=\"ssh -o ProxyCommand='i2p-socks connect %h %p'\" fetch",
    ],
  },
  lookup: {
    usage: "i2p-socks lookup NAME... [OPTIONS]",
    text: "Look names and addresses up in the router. It prints a line for each: what it is, its base32 address, and " +
      "whether the router resolves it.\n\nExit codes: 0 all of them resolve, 1 one does not, 69 no SAM bridge.",
    examples: ["i2p-socks lookup stats.i2p"],
  },
  keys: {
    usage: "i2p-socks keys ACTION [NAME] [FILE] [OPTIONS]",
    text: keys,
    examples: [
      "i2p-socks keys new irc",
      "i2p-socks keys export irc irc.dat",
      "i2p-socks keys import old < eepPriv.dat",
    ],
    operands: [Object.keys(KEY_ACTIONS), "identity", "file"],
  },
  "hash-login": {
    usage: "i2p-socks hash-login USER",
    text: "Make a line for --auth-file. It asks for the password on a terminal, and otherwise reads it from stdin. " +
      "See `help logins`.",
    examples: ["i2p-socks hash-login alice >> logins"],
  },
  status: {
    usage: "i2p-socks status [[HOST:]PORT] [--json] [--watch]",
    text: statusText,
    examples: ["i2p-socks status", "i2p-socks status 127.0.0.1:9200 --watch", "i2p-socks status --json"],
  },
  setup: {
    usage: "i2p-socks setup [CLIENT] [--listen [HOST:]PORT]",
    text:
      "Print the settings of an application for the proxy. They always let the proxy resolve names. The settings go " +
      "to stdout and notes go to stderr, so the settings can be written to a file. Without CLIENT it lists the " +
      "applications that it knows. See `help clients`.",
    examples: [
      "i2p-socks setup",
      "i2p-socks setup curl",
      "i2p-socks setup firefox --listen 127.0.0.1:9050 > user.js",
    ],
    operands: [Object.keys(CLIENTS)],
  },
  completions: {
    usage: "i2p-socks completions SHELL",
    text: "Print a script that completes command lines in bash, zsh or fish. It completes verbs, options and known " +
      "values, and is made for the options of this version.",
    examples: [
      "source <(i2p-socks completions bash)",
      "i2p-socks completions zsh > _i2p-socks",
      "i2p-socks completions fish > i2p-socks.fish",
    ],
    operands: [SHELLS],
  },
  service: {
    usage: "i2p-socks service systemd|systemd-user|container|launchd|windows [OPTIONS]",
    text: serviceText,
    examples: [
      "i2p-socks service systemd --identity irc --listen 127.0.0.1:9101",
      "i2p-socks service systemd-user > ~/.config/systemd/user/i2p-socks.service",
      "i2p-socks service container --listen 127.0.0.1:9101 > Containerfile",
    ],
    operands: [Object.keys(KINDS)],
  },
  help: {
    usage: "i2p-socks help [VERB | TOPIC [NAME]] [--markdown | --man]",
    text: "Explain a verb or a topic. `help topics` lists the topics. NAME is one of the things that a topic lists: " +
      "`help reasons peer-unreachable`, `help leaks dns`, `help clients curl`.",
    examples: ["i2p-socks help lookup", "i2p-socks help reasons not-ready", "i2p-socks help --man > i2p-socks.1"],
    operands: [[...VERBS, "topics", ...Object.keys(TOPICS)]],
  },
};

/** Widest page on a terminal, in characters: longer lines are hard to read. */
const MAX_WIDTH = 120;

/**
 * Shows a verb, a topic or one of the things that the topic lists; without any, help on one screen.
 *
 * @throws {CliError} if there is none of that name.
 */
export function help([word, ...names]: readonly string[], given: RawOptions, terminal: Terminal): ExitCode {
  const [man, markdown] = [given.has("man"), given.has("markdown")];
  const page = word === undefined ? undefined : findPage(word, names);
  const lines = (blocks: readonly Block[]): string => renderText(blocks, Math.min(MAX_WIDTH, terminal.columns));
  if (man) {
    terminal.exact((page === undefined ? manualPage() : manPageOf(page.name, page.summary, page.blocks)).trimEnd());
  } else if (markdown) terminal.exact(renderMarkdown(page?.blocks ?? manualBlocks(VERB_HELP)).trimEnd());
  else terminal.data(lines(page?.blocks ?? shortBlocks(VERB_HELP)));
  return ExitCode.ok;
}

/** Shows every verb and every option. */
export function helpAll(terminal: Terminal): ExitCode {
  terminal.data(renderText(fullBlocks(VERB_HELP), Math.min(MAX_WIDTH, terminal.columns)));
  return ExitCode.ok;
}

/** The man page i2p-socks(1). */
export function manualPage(): string {
  return manPage(VERB_HELP);
}

/** What a verb does, in one sentence. */
export function summaryOf(verb: Verb): string {
  return summaryOfSpec(VERB_HELP[verb]);
}

/** A page with what its head says. */
interface Page {
  name: string;
  summary: string;
  blocks: readonly Block[];
}

function findPage(word: string, [name, ...more]: readonly string[]): Page {
  const topic = Object.hasOwn(TOPICS, word) ? TOPICS[word] : undefined;
  const verb = VERBS.find((one) => one === word);
  const extra = topic?.parts === undefined ? name : more[0];
  if (extra !== undefined) throw new CliError(ExitCode.usage, `help ${word} takes nothing more, but got "${extra}"`);
  if (verb !== undefined) return { name: verb, summary: summaryOf(verb), blocks: verbBlocks(verb, VERB_HELP[verb]) };
  if (word === "topics") return { name: word, summary: "the topics of help", blocks: topicList() };
  if (topic === undefined) throw unknownPage(word);
  if (name === undefined) return { name: word, summary: topic.summary, blocks: topicBlocks(topic) };
  return { name, summary: `one of ${word}`, blocks: partOf(word, topic, name) };
}

/** What a topic says about one of the things that it lists. */
function partOf(word: string, { parts }: Topic, name: string): Block[] {
  const blocks = parts?.describe(name) ?? [];
  const client = word === "clients" && Object.hasOwn(CLIENTS, name) ? CLIENTS[name] : undefined;
  if (client !== undefined) blocks.push(...setupBlocks(name, client));
  if (blocks.length > 0) return blocks;
  throw new CliError(ExitCode.usage, `help ${word} knows no "${name}"`, [
    ...didYouMean(name, parts?.names ?? []),
    `See i2p-socks help ${word}`,
  ]);
}

/** What `setup` prints for a client, with the default port. */
function setupBlocks(name: string, { settings, notes }: Client): Block[] {
  const [listener] = OPTION_TABLE.listen.fallback;
  if (listener === undefined) return [];
  return [
    { kind: "heading", level: 2, text: `setup ${name}` },
    { kind: "code", lines: settings(listener) },
    { kind: "list", items: notes },
  ];
}

function unknownPage(word: string): CliError {
  const pages = [...VERBS, "topics", ...Object.keys(TOPICS)];
  return new CliError(ExitCode.usage, `help has no verb or topic "${word}"`, [
    ...didYouMean(word, pages),
    "See i2p-socks help topics",
  ]);
}
