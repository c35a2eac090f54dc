import benchmark from "./benchmark.md" with { type: "text" };
import type { Block } from "./markdown.ts";
import clients from "./clients.md" with { type: "text" };
import confine from "./confine.md" with { type: "text" };
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
import udp from "./udp.md" with { type: "text" };

/** A page of the manual. */
export interface Topic {
  /** What it is about, for the list of topics. */
  readonly summary: string;
  /** The page in Markdown. `<!-- NAME -->` stands for a table of {@linkcode TABLES}. */
  readonly page: string;
  /** Whether what it lists has pages of its own, by name. */
  readonly hasParts?: true;
}

/** The pages, in the order of the manual. */
export const TOPICS: Readonly<Record<string, Topic>> = {
  "routers": { summary: "i2pd and Java I2P: switching SAM on, and how they differ", page: routers },
  "clients": {
    summary: "curl, Firefox, ssh and others: settings, logins, what they show on failure",
    page: clients,
    hasParts: true,
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
    hasParts: true,
  },
  "confine": { summary: "no network but the proxy: setup confine", page: confine },
  "reasons": {
    summary: "why connections fail, and what to do",
    page: reasons,
    hasParts: true,
  },
  "metrics": { summary: "the status over HTTP: page, health check, JSON, Prometheus", page: metrics },
  "limits": { summary: "every limit of the program", page: limits },
  "exit-codes": { summary: "exit codes, stdout and stderr", page: exitCodes },
  "sandbox": { summary: "the permissions of the program", page: sandbox },
  "benchmark": { summary: "what is measured, and where it loses", page: benchmark },
};

/** The list of topics. */
export function topicList(): Block[] {
  const terms = Object.entries(TOPICS).map(([name, { summary, hasParts }]) =>
    [hasParts ? `${name} [NAME]` : name, summary] as const
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
