import { flagOf, OPTIONS, type OptionSpec, OWN_OPTIONS, variableOf, type Verb } from "../config/options.ts";
import { type Client, DESKTOP_CLIENTS, LIBRARY_CLIENTS, SHELL_CLIENTS } from "../command/client_settings.ts";
import { LEAKS } from "../guard/leak.ts";
import { CALLER_REFUSALS } from "../reasons/caller_refusals.ts";
import { DROPS } from "../reasons/datagram_drops.ts";
import { type Fix, type Reason, type ReasonEntry, REASONS } from "../reasons/reasons.ts";
import { Reply4, Reply5 } from "../socks/wire.ts";
import { METRICS, PROCESS_METRICS } from "../status/metrics.ts";
import clients from "../command/clients.json" with { type: "json" };
import routers from "../command/routers.json" with { type: "text" };
import { type Block, parseBlocks, plain, type Table, type Term } from "./markdown.ts";
import { LIMITS } from "./limits.ts";
import { type Topic, TOPICS } from "./topics.ts";

/** Applications that `setup` knows beside those with a section. */
const MORE_CLIENTS: Readonly<Record<string, Client>> = { ...SHELL_CLIENTS, ...DESKTOP_CLIENTS, ...LIBRARY_CLIENTS };

/** The heading above the table of the page of clients, which is no client. */
const TABLE_HEADING = "What clients and libraries do";

/** What a page's `<!-- NAME -->` stands for, made from the code that it is about. */
export const TABLES: Readonly<Record<string, () => readonly Block[]>> = {
  options: () => optionBlocks(OPTIONS, { everywhere: true }),
  leaks: () => [leaksTable()],
  reasons: () => [reasonsTable()],
  drops: () => [dropsTable()],
  metrics: () => [metricsTable()],
  clients: () => [clientsTable()],
  routers: () => routerBlocks(),
  limits: () =>
    Object.entries(LIMITS).flatMap(([part, rows]): Block[] => [
      { kind: "heading", level: 2, text: part },
      { kind: "table", head: ["limit", "value"], rows },
    ]),
};

/** What was seen of a client, by `deno task clients`. */
interface ClientRow {
  name: string;
  version: string;
  setting: string;
  offers: string;
  offersWithLogin?: string;
  keepsLogin?: boolean;
  unasked?: string;
  sends: string;
  boundName?: boolean;
  shows: readonly { codes: string; text: string }[];
  connections: number;
}

function clientsTable(): Table {
  const rows = (clients as readonly ClientRow[]).map((row) => [
    `${row.name} ${row.version}`,
    `\`${row.setting}\``,
    [
      row.offers,
      ...(row.offersWithLogin === undefined || row.offersWithLogin === row.offers
        ? []
        : [`${row.offersWithLogin} with a login`]),
      ...(row.keepsLogin === true ? ["it takes a login, and does not send it"] : []),
      ...(row.unasked === undefined ? [] : [`without one it sends ${row.unasked}`]),
    ].join("; "),
    row.sends,
    row.boundName === undefined ? "not seen" : row.boundName ? "yes" : "no",
    row.shows.map(({ codes, text }) => row.shows.length === 1 ? `\`${text}\`` : `${codes}: \`${text}\``).join("; "),
    row.connections > 1 ? `yes, ${row.connections} connections` : row.connections === 1 ? "no" : "",
  ]);
  return {
    kind: "table",
    head: [
      "client",
      "setting",
      "methods",
      "sends a name",
      "takes a name as bound address",
      "shows at 1 to 8",
      "comes back",
    ],
    rows,
  };
}

/** What was seen of one behaviour on one router. */
interface RouterCell {
  /** Whether it is as promised; missing where the router has nothing of the kind. */
  ok?: boolean | undefined;
  /** In short words. */
  words: string;
  /** Numbers, of speed such as `programMBs` (megabytes a second) and `programFirstByte` (milliseconds). */
  figures?: Readonly<Record<string, number>>;
}

/** What was seen of one router. */
interface RouterColumn {
  /** Such as `i2pd 2.58.0, 2 hops`. */
  router: string;
  /** The day, `2026-11-30`. */
  date: string;
  /** By the name of the behaviour. */
  cells: Readonly<Record<string, RouterCell>>;
}

/** All that `deno task routers --json` writes. */
export interface RouterReport {
  /** What each behaviour promises, by its name. */
  promises: Readonly<Record<string, string>>;
  /** One for each router. */
  columns: readonly RouterColumn[];
}

/** What the suite of routers has seen, as it was written when it ran last. */
export const SEEN: RouterReport = JSON.parse(routers);

/** What was seen of each router: how much of it is as promised, what is not, and how fast it is. */
export function routerBlocks({ promises, columns }: RouterReport = SEEN): Block[] {
  if (columns.length === 0) return [];
  const named = (column: RouterColumn, ok: boolean | undefined): string[] =>
    Object.keys(promises).filter((name) => column.cells[name] !== undefined && column.cells[name]?.ok === ok);
  const rows = columns.map((column) => [
    column.router,
    column.date,
    String(named(column, true).length),
    named(column, false).join(", ") || "nothing",
    named(column, undefined).join(", ") || "nothing",
  ]);
  const amiss = columns.flatMap((column) =>
    named(column, false).map((name) => `**${column.router}**, ${name}: ${shortened(column.cells[name]?.words ?? "")}`)
  );
  return [
    { kind: "table", head: ["router", "seen", "as promised", "not as promised", "not in this router"], rows },
    ...amiss.length === 0 ? [] : [{ kind: "list", items: amiss } as const],
    { kind: "heading", level: 2, text: "Speed through each router" },
    {
      kind: "paragraph",
      text:
        "Through i2p-socks, beside the SOCKS proxy of the same router, in the same run and in turns, on one machine:",
    },
    {
      kind: "table",
      head: ["router", "throughput", "ratio", "first byte", "ratio"],
      rows: columns.flatMap(({ router, cells }) => speedRow(router, cells["speed"]?.figures)),
    },
    { kind: "heading", level: 2, text: "What was looked at" },
    { kind: "terms", terms: Object.entries(promises) },
  ];
}

/** Enough words to see what happened. */
function shortened(words: string): string {
  return words.length <= 130 ? words : `${words.slice(0, 129)}…`;
}

function speedRow(router: string, figures: RouterCell["figures"] = {}): string[][] {
  const { programMBs, routerMBs, programFirstByte, routerFirstByte } = figures;
  if (programMBs === undefined || routerMBs === undefined) return [];
  if (programFirstByte === undefined || routerFirstByte === undefined) return [];
  return [[
    router,
    `${programMBs.toFixed(1)} of ${routerMBs.toFixed(1)} MB/s`,
    (programMBs / routerMBs).toFixed(2),
    `${programFirstByte.toFixed(1)} to ${routerFirstByte.toFixed(1)} ms`,
    (programFirstByte / routerFirstByte).toFixed(2),
  ]];
}

/** The page of a topic, with its tables. */
export function topicBlocks({ page }: Topic): Block[] {
  return parseBlocks(page).flatMap((block) => {
    const [, name] = block.kind === "paragraph" ? /^<!-- ([a-z]+) -->$/.exec(block.text) ?? [] : [];
    return name === undefined ? [block] : TABLES[name]?.() ?? [];
  });
}

/** What the topics list that have pages for each: the names, and the page of one, which is empty where there is none. */
export const PARTS: Readonly<
  Record<string, { readonly names: readonly string[]; readonly describe: (name: string) => Block[] }>
> = {
  clients: { names: clientNames(), describe: describeClient },
  leaks: { names: leakNames(), describe: describeLeak },
  reasons: { names: reasonNames(), describe: describeReason },
};

/**
 * What is sent instead of the codes of SOCKS5 and SOCKS4 where no request has come that a code could answer. Empty where
 * nobody is left to answer, or where that version has no such case.
 */
export const INSTEAD: Readonly<Partial<Record<Reason, readonly [socks5: string, socks4: string]>>> = {
  "login-missing": ["closed", ""],
  "login-refused": ["status 0x01", "0x5D"],
  "address-type": ["0x08", ""],
  "auth-method": ["method 0xFF", ""],
  "http": ["HTTP 400", ""],
  "not-socks": ["closed", ""],
  "handshake-timeout": ["closed", "closed"],
  "client-closed": ["", ""],
};

/** What SOCKS5 calls its reply codes (RFC 1928, section 6). */
const REPLY_NAMES: Readonly<Record<number, string>> = {
  [Reply5.generalFailure]: "general SOCKS server failure",
  [Reply5.notAllowed]: "connection not allowed by ruleset",
  [Reply5.networkUnreachable]: "network unreachable",
  [Reply5.hostUnreachable]: "host unreachable",
  [Reply5.connectionRefused]: "connection refused",
  [Reply5.ttlExpired]: "TTL expired",
  [Reply5.commandNotSupported]: "command not supported",
  [Reply5.addressTypeNotSupported]: "address type not supported",
};

/**
 * Options below the headings of their groups.
 *
 * @param verb whose options they are; without one each says which verbs take it where serve does not.
 * @param everywhere whether each says what else can set it.
 */
export function optionBlocks(
  options: readonly OptionSpec[],
  { verb, everywhere = false }: { verb?: Verb; everywhere?: boolean } = {},
): Block[] {
  const groups = new Map<string, Term[]>();
  let group = "";
  for (const option of OPTIONS) {
    group = option.heading ?? group;
    const isOwn = verb !== undefined && !option.verbs.includes("serve");
    const heading = isOwn ? OWN_OPTIONS : group === OWN_OPTIONS ? "Options of single verbs" : group;
    if (options.includes(option)) groups.set(heading, [...groups.get(heading) ?? [], termOf(option, verb, everywhere)]);
  }
  return [...groups].flatMap((
    [text, terms],
  ): Block[] => [{ kind: "heading", level: 2, text }, { kind: "terms", terms }]);
}

/** How an option is typed, with its short form and its value, and what it does. */
function termOf(option: OptionSpec, verb: Verb | undefined, everywhere: boolean): Term {
  const { name, value, verbs, help, defaultText } = option;
  const short = SHORT[name];
  const flag = `${short === undefined ? "" : `${short}, `}${flagOf(option)}`;
  const variable = everywhere ? variableOf(option) : undefined;
  return [
    value === undefined ? flag : `${flag} ${value}`,
    [
      verb === undefined && !verbs.includes("serve") ? `${verbs.join(", ")}: ${help}` : help,
      ...(defaultText === undefined ? [] : [`[default: ${defaultText}]`]),
      ...(variable === undefined ? [] : [`[environment: ${variable}]`]),
    ].join(" "),
  ];
}

/** What the table of leaks says where a fix costs nothing. */
const NO_COST = "None";

const UNREADABLE = "Nothing was found, but something could not be read. With `--leaks block`, and where `--scrub` " +
  "rewrites this protocol, it is not sent.";

/** Short forms by the names of their options. */
const SHORT: Readonly<Record<string, string>> = { "help": "-h", "version": "-V" };

function leaksTable(): Table {
  return {
    kind: "table",
    head: ["leak", "protocol", "what the application gave away", "what to do", "what that costs"],
    rows: Object.entries(LEAKS).map((
      [kind, { protocol, message, fix, cost }],
    ) => [code(kind), protocol, message, fix, cost === NO_COST ? "" : cost]),
  };
}

function reasonsTable(): Table {
  return {
    kind: "table",
    head: ["reason", "what happened", "SOCKS5", "extended", "SOCKS4"],
    rows: [
      [code("connected"), "The stream is open", hex(Reply5.succeeded), "", hex(Reply4.granted)],
      ...Object.entries(REASONS).map(([reason, entry]) => {
        const [socks5, socks4] = repliesOf(reason as Reason);
        return [code(reason), entry.message, socks5, entry.extended === null ? "" : hex(entry.extended), socks4];
      }),
    ],
  };
}

function dropsTable(): Table {
  return {
    kind: "table",
    head: ["reason", "why a datagram was dropped", "what to do"],
    rows: Object.entries(DROPS).map(([reason, { message, hint }]) => [code(reason), message, hint ?? ""]),
  };
}

function metricsTable(): Table {
  const ofProcess = Object.entries(PROCESS_METRICS).map(([name, { type, labels = [], help }]) =>
    [code(name), help, type, labels.join(", "), ""] as const
  );
  const ofApplications = Object.entries(METRICS).map(([name, { type, labels = [], needs, help }]) =>
    [code(name), help, type, ["application", ...labels].join(", "), needs === undefined ? "" : code(needs)] as const
  );
  return {
    kind: "table",
    head: ["metric", "what it is", "type", "labels", "only with"],
    rows: [...ofProcess, ...ofApplications],
  };
}

/** What a reason means, of connections, datagrams and callers; nothing for one that does not exist. */
function describeReason(name: string): Block[] {
  const blocks: Block[] = [];
  if (Object.hasOwn(REASONS, name)) blocks.push(...describeFailure(name as Reason, REASONS[name as Reason]));
  const others = { "a datagram was dropped": DROPS, "a caller of --forward was turned away": CALLER_REFUSALS };
  for (const [what, table] of Object.entries(others)) {
    const found = Object.entries(table).find(([reason]) => reason === name)?.[1];
    if (found === undefined) continue;
    blocks.push(
      { kind: "heading", level: 2, text: `Why ${what}` },
      { kind: "paragraph", text: `${sentence(found.message)}${found.hint === null ? "" : ` ${sentence(found.hint)}`}` },
    );
  }
  return blocks.length === 0 ? [] : [{ kind: "heading", level: 1, text: name }, ...blocks];
}

function reasonNames(): string[] {
  return [...new Set([REASONS, DROPS, CALLER_REFUSALS].flatMap((table) => Object.keys(table)))];
}

function describeFailure(name: Reason, { message, hint, fix, extended, exitCode, sign }: ReasonEntry): Block[] {
  const [socks5, socks4] = repliesOf(name);
  const named = REPLY_NAMES[REASONS[name].reply5];
  const replies = [
    ...(socks5 === "" ? [] : [`SOCKS5: ${socks5}${INSTEAD[name] === undefined ? ` (${named})` : ""}`]),
    ...(extended === null ? [] : [`SOCKS5 with \`--extended-errors\`: ${hex(extended)}`]),
    ...(socks4 === "" ? [] : [`SOCKS4: ${socks4}`]),
  ];
  return [
    { kind: "paragraph", text: sentence(message) },
    ...(hint === null ? [] : [{ kind: "paragraph", text: sentence(hint) } as const]),
    ...(sign === null
      ? []
      : [{ kind: "paragraph", text: `${sentence(sign.message)} ${sentence(sign.fix)} See \`help leaks\`.` } as const]),
    ...(fix === null ? [] : fixBlocks(fix)),
    { kind: "heading", level: 2, text: "What the application gets" },
    { kind: "list", items: replies.length === 0 ? ["Nothing: it is gone."] : replies },
    { kind: "paragraph", text: `A verb that fails for this reason exits with ${exitCode}.` },
  ];
}

function fixBlocks({ i2pd, java }: Fix): Block[] {
  const items = i2pd === java ? [sentence(i2pd)] : [`i2pd: ${i2pd}`, `Java I2P: ${java}`];
  return [{ kind: "heading", level: 2, text: "What to do" }, { kind: "list", items }];
}

/** What a kind of leak is and what to do about it; nothing for one that does not exist. */
function describeLeak(name: string): Block[] {
  const sign = Object.values(REASONS).find(({ sign }) => sign?.name === name)?.sign;
  const facts = Object.entries(LEAKS).find(([kind]) => kind === name)?.[1];
  const [where, message, fix] = facts === undefined
    ? ["In requests", sign?.message, sign?.fix]
    : [facts.protocol === "any" ? "In any protocol" : `In ${facts.protocol}`, facts.message, facts.fix];
  if (message === undefined || fix === undefined) return [];
  return [
    { kind: "heading", level: 1, text: name },
    { kind: "paragraph", text: `${where}: ${sentence(message)}` },
    { kind: "heading", level: 2, text: "What to do" },
    { kind: "paragraph", text: sentence(fix) },
    ...(facts === undefined || facts.cost === NO_COST
      ? []
      : [{ kind: "paragraph", text: `What that costs: ${sentence(facts.cost)}` } as const]),
    ...(facts?.isUnreadable ? [{ kind: "paragraph", text: UNREADABLE } as const] : []),
  ];
}

function leakNames(): string[] {
  return [...Object.values(REASONS).flatMap(({ sign }) => sign?.name ?? []), ...Object.keys(LEAKS)];
}

/** Words of the headings of clients, in lower case. */
function clientNames(): string[] {
  const ofTable = (clients as readonly ClientRow[]).map(({ name }) => name.toLowerCase()).filter((name) =>
    !/\W/.test(name)
  );
  const ofSections = clientSections().flatMap(([heading]) => wordsOf(heading.text));
  return [...new Set([...ofSections, ...Object.keys(MORE_CLIENTS), ...ofTable])].sort();
}

/** What there is about a client: its sections, each below its heading, and its rows of the table. */
function describeClient(name: string): Block[] {
  if (!clientNames().includes(name.toLowerCase())) return [];
  const sections = clientSections().filter(([heading]) => wordsOf(heading.text).includes(name.toLowerCase()));
  const isNamed = new RegExp(`(?<![\\w-])${RegExp.escape(name)}(?![\\w-])`, "i");
  const table = clientsTable();
  const rows = table.rows.filter(([client = ""]) => isNamed.test(client));
  const more = Object.hasOwn(MORE_CLIENTS, name) ? MORE_CLIENTS[name] : undefined;
  return [
    { kind: "heading", level: 1, text: name },
    ...(more === undefined ? [] : [{ kind: "paragraph", text: more.title } as const]),
    ...sections.flat(),
    ...(rows.length === 0 ? [] : [{ kind: "heading", level: 2, text: "What was seen" } as const, { ...table, rows }]),
  ];
}

function clientSections(): [{ text: string } & Block, ...Block[]][] {
  const sections: [{ text: string } & Block, ...Block[]][] = [];
  for (const block of parseBlocks(TOPICS["clients"]?.page ?? "")) {
    if (block.kind === "heading" && block.text === TABLE_HEADING) break;
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

/** What a client gets, of SOCKS5 and of SOCKS4. */
function repliesOf(reason: Reason): readonly [socks5: string, socks4: string] {
  const { reply5, reply4 } = REASONS[reason];
  return INSTEAD[reason] ?? [hex(reply5), hex(reply4)];
}

/** A clause of a table as a sentence. */
function sentence(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}${/[.?!]$/.test(text) ? "" : "."}`;
}

function code(text: string): string {
  return `\`${text}\``;
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0").toUpperCase()}`;
}
