import benchmark from "./benchmark.md" with { type: "text" };
import { type Block, parseBlocks, plain } from "./blocks.ts";
import clients from "./clients.md" with { type: "text" };
import config from "./config.md" with { type: "text" };
import exitCodes from "./exit-codes.md" with { type: "text" };
import forward from "./forward.md" with { type: "text" };
import identities from "./identities.md" with { type: "text" };
import leaks from "./leaks.md" with { type: "text" };
import limits from "./limits.md" with { type: "text" };
import logins from "./logins.md" with { type: "text" };
import metrics from "./metrics.md" with { type: "text" };
import names from "./names.md" with { type: "text" };
import options from "./options.md" with { type: "text" };
import reasons from "./reasons.md" with { type: "text" };
import routers from "./routers.md" with { type: "text" };
import sandbox from "./sandbox.md" with { type: "text" };
import { describeLeak, describeReason, LEAK_NAMES, REASON_NAMES, TABLES } from "./tables.ts";
import udp from "./udp.md" with { type: "text" };

/** A page of the manual. */
export interface Topic {
  /** What it is about, for the list of topics. */
  readonly summary: string;
  /** The page in Markdown. `<!-- NAME -->` stands for a table of {@linkcode TABLES}. */
  readonly page: string;
  /** Names that have pages of their own, and these pages. */
  readonly parts?: { readonly names: readonly string[]; readonly describe: (name: string) => Block[] };
}

/** The pages, in the order of the manual. */
export const TOPICS: Readonly<Record<string, Topic>> = {
  "routers": { summary: "i2pd and Java I2P: switching SAM on, and how they differ", page: routers },
  "clients": {
    summary: "curl, Firefox, ssh and others: settings, logins, what they show on failure",
    page: clients,
    parts: { names: clientNames(), describe: describeClient },
  },
  "identities": { summary: "temporary, persistent, and one for each login", page: identities },
  "logins": { summary: "who may use the port", page: logins },
  "config": { summary: "the configuration file, with a complete example", page: config },
  "options": { summary: "all options, with environment variables and defaults", page: options },
  "names": { summary: "names and addresses, --hosts, --allow, --map-names", page: names },
  "udp": { summary: "datagrams: --udp", page: udp },
  "forward": { summary: "services in I2P: --forward, --bind", page: forward },
  "leaks": {
    summary: "what applications give away: --leaks, --scrub, audit",
    page: leaks,
    parts: { names: LEAK_NAMES, describe: describeLeak },
  },
  "reasons": {
    summary: "why connections fail, and what to do",
    page: reasons,
    parts: { names: REASON_NAMES, describe: describeReason },
  },
  "metrics": { summary: "the status over HTTP: page, health check, JSON, Prometheus", page: metrics },
  "limits": { summary: "every limit of the program", page: limits },
  "exit-codes": { summary: "exit codes, stdout and stderr", page: exitCodes },
  "sandbox": { summary: "the permissions of the program", page: sandbox },
  "benchmark": { summary: "what is measured, and where it loses", page: benchmark },
};

/** The page of a topic, with its tables. */
export function topicBlocks({ page }: Topic): Block[] {
  return parseBlocks(page).flatMap((block) => {
    const [, name] = block.kind === "paragraph" ? /^<!-- ([a-z]+) -->$/.exec(block.text) ?? [] : [];
    return name === undefined ? [block] : TABLES[name]?.() ?? [];
  });
}

/** The list of topics. */
export function topicList(): Block[] {
  const terms = Object.entries(TOPICS).map(([name, { summary, parts }]) =>
    [parts === undefined ? name : `${name} [NAME]`, summary] as const
  );
  return [
    { kind: "heading", level: 1, text: "Topics" },
    { kind: "terms", terms },
    {
      kind: "paragraph",
      text:
        "Read one with `i2p-socks help TOPIC`, and with `| less` where it is long. `--markdown` and `--man` print it " +
        "in these formats; without a topic they print the whole manual.",
    },
  ];
}

/** Words of the headings of clients, in lower case. */
function clientNames(): string[] {
  return [...new Set(clientSections().flatMap(([heading]) => wordsOf(heading.text)))].sort();
}

/** The sections about a client, each below its heading. */
function describeClient(name: string): Block[] {
  const sections = clientSections().filter(([heading]) => wordsOf(heading.text).includes(name.toLowerCase()));
  return sections.length === 0 ? [] : [{ kind: "heading", level: 1, text: name }, ...sections.flat()];
}

function clientSections(): [{ text: string } & Block, ...Block[]][] {
  const sections: [{ text: string } & Block, ...Block[]][] = [];
  for (const block of parseBlocks(clients)) {
    if (block.kind === "heading" && block.level === 2) sections.push([block]);
    else sections.at(-1)?.push(block);
  }
  return sections;
}

/** The programs that a heading names. */
function wordsOf(heading: string): string[] {
  const fillers = ["alone", "and", "by", "http", "others", "over", "under", "with"];
  return plain(heading).toLowerCase().split(/[^\w-]+/).filter((word) => word !== "" && !fillers.includes(word));
}
