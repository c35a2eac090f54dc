import type { RawOptions } from "../config/raw_options.ts";
import { type Client, CLIENTS } from "../command/setup_clients.ts";
import { didYouMean } from "../config/suggest.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { withPort } from "../config/endpoint.ts";
import { OPTION_TABLE, VERBS } from "../config/options.ts";
import type { Terminal } from "../command/terminal.ts";
import { fullBlocks, shortBlocks, verbBlocks } from "../manual/help.ts";
import { manPage, manPageOf, manualBlocks } from "../manual/man_page.ts";
import { type Block, renderMarkdown } from "../manual/markdown.ts";
import { renderText } from "../manual/text.ts";
import { PARTS, topicBlocks } from "../manual/tables.ts";
import { topicList, TOPICS } from "../manual/topics.ts";
import { summaryOf } from "../manual/verbs.ts";

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
    terminal.exact((page === undefined ? manPage() : manPageOf(page.name, page.summary, page.blocks)).trimEnd());
  } else if (markdown) terminal.exact(renderMarkdown(page?.blocks ?? manualBlocks()).trimEnd());
  else terminal.data(lines(page?.blocks ?? shortBlocks()));
  return ExitCode.ok;
}

/** Shows every verb and every option. */
export function helpAll(terminal: Terminal): ExitCode {
  terminal.data(renderText(fullBlocks(), Math.min(MAX_WIDTH, terminal.columns)));
  return ExitCode.ok;
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
  const extra = Object.hasOwn(PARTS, word) ? more[0] : name;
  if (extra !== undefined) throw new CliError(ExitCode.usage, `help ${word} takes nothing more, but got "${extra}"`);
  if (verb !== undefined) {
    // A verb and a topic of one name make one page.
    const blocks = [...verbBlocks(verb), ...(topic === undefined ? [] : topicBlocks(topic))];
    return { name: verb, summary: summaryOf(verb), blocks };
  }
  if (word === "topics") return { name: word, summary: "the topics of help", blocks: topicList() };
  if (topic === undefined) throw unknownPage(word);
  if (name === undefined) return { name: word, summary: topic.summary, blocks: topicBlocks(topic) };
  return { name, summary: `one of ${word}`, blocks: partOf(word, name) };
}

/** What a topic says about one of the things that it lists. */
function partOf(word: string, name: string): Block[] {
  const { names, describe } = PARTS[word] ?? { names: [], describe: () => [] };
  const blocks = describe(name);
  const client = word === "clients" && Object.hasOwn(CLIENTS, name) ? CLIENTS[name] : undefined;
  if (client !== undefined) blocks.push(...setupBlocks(name, client));
  if (blocks.length > 0) return blocks;
  throw new CliError(ExitCode.usage, `help ${word} knows no "${name}"`, [
    ...didYouMean(name, names),
    `See i2p-socks help ${word}`,
  ]);
}

/** Most lines of settings that help shows; a script is to be printed by `setup` alone. */
const MOST_LINES = 40;

/** What `setup` prints for a client, with the default port. */
function setupBlocks(name: string, { settings, notes }: Client): Block[] {
  const [listener] = withPort(OPTION_TABLE.listen.fallback);
  if (listener === undefined) return [];
  const lines = settings(listener);
  return [
    { kind: "heading", level: 2, text: `setup ${name}` },
    ...(lines.length > MOST_LINES ? [] : [{ kind: "code", lines } as const]),
    { kind: "list", items: notes },
  ];
}

function unknownPage(word: string): CliError {
  const pages = [...VERBS, "topics", ...Object.keys(TOPICS)];
  const topics = Object.keys(PARTS).filter((topic) => PARTS[topic]?.names.includes(word));
  return new CliError(ExitCode.usage, `help has no verb or topic "${word}"`, [
    ...topics.map((topic) => `i2p-socks help ${topic} ${word}`),
    ...(topics.length > 0 ? [] : didYouMean(word, pages)),
    "See i2p-socks help topics",
  ]);
}
