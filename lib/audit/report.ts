import { formatDuration } from "../config/duration.ts";
import { type LeakKind, LEAKS } from "../guard/leak.ts";
import { type Reason, REASONS } from "../reasons/reasons.ts";
import type { AuditBook } from "../report/audit_book.ts";
import type { Counters } from "../report/counters.ts";
import { clientsOf } from "./clients.ts";

/** What an audit found. */
export interface Report {
  /** Whether nothing was given away that the guard can see. */
  clean: boolean;
  /** How long the application was watched. */
  seconds: number;
  /** Requests, refused ones included; a client that asks for nothing, as a port scan does, has made none. */
  requests: number;
  /** Streams by destination. */
  destinations: Record<string, number>;
  /** Clients that were refused, by reason, those included that had not asked for anything yet. */
  refused: Record<string, Sign & { destinations: Record<string, number> }>;
  /** What was given away, by kind: at the door and in streams. */
  leaks: Record<string, Sign & { fix: string }>;
  /** What was asked for beside I2P: names of the clearnet, and IP addresses. */
  beside: Record<"names" | "addresses", Beside>;
  /** Sites that streams went to, by the names that the application has for them. */
  sites: number;
  /** What two sites or more have seen, so that they can tell that it was the same client; that of most sites first. */
  linked: Shared[];
  /** Applications that have named themselves, by their words for `setup`. */
  clients: string[];
  /** What to change, a sentence each. */
  changes: string[];
}

/** Something that was seen. */
interface Sign {
  /** How often. */
  count: number;
  /** What it is. */
  story: string;
}

/** Requests for what is not in I2P. */
interface Beside {
  /** How many requests, datagrams included. */
  count: number;
  /** How many different hosts they were for; those of datagrams are not told apart. */
  hosts: number;
}

/** Something that several sites have seen. */
interface Shared {
  /** `identity`, `cookie`, `user-agent`, `etag`, or a kind of leak. */
  trait: string;
  /** What it is. */
  story: string;
  /** How many values of it were seen by two sites or more. */
  values: number;
  /** How many sites have seen one value, at most. */
  sites: number;
}

/** What several sites can have seen without a leak at one. */
const TRAITS: Readonly<Record<string, string>> = {
  identity: "The same identity: one address in I2P",
  cookie: "The same cookie",
  "user-agent": "The same User-Agent",
  etag: "The same tag of a cached page (If-None-Match)",
};

/** Refusals for what is beside I2P. */
const BESIDE = { names: "clearnet", addresses: "ip" } as const satisfies Record<string, Reason>;

/** The leaks at the door, for what is beside I2P. */
const AT_DOOR: readonly string[] = Object.values(REASONS).flatMap(({ sign }) => sign?.name ?? []);

/** Sums up what was written into the book and counted, in so many milliseconds. */
export function makeReport(book: AuditBook, counters: Counters, milliseconds: number): Report {
  const refused: Report["refused"] = {};
  const leaks: Report["leaks"] = {};
  for (const [reason, { message, sign }] of Object.entries(REASONS)) {
    const count = counters.get(`refused-${reason}`);
    if (count > 0) refused[reason] = { count, story: message, destinations: Object.fromEntries(book.refusals(reason)) };
    const all = count + counters.get(`udp-dropped-${reason}`);
    if (sign !== null && counters.get(`sign-${sign.name}`) > 0) {
      leaks[sign.name] = { count: all, story: sign.message, fix: sign.fix };
    }
  }
  for (const [kind, { message, fix }] of Object.entries(LEAKS)) {
    const count = counters.get(`leak-${kind as LeakKind}`);
    if (count > 0) leaks[kind] = { count, story: message, fix };
  }
  const linked = book.links.map(({ trait, values, sites }) => ({ trait, story: storyOf(trait), values, sites }));
  const clients = clientsOf(book.software);
  return {
    clean: Object.keys(leaks).length === 0,
    seconds: Math.round(milliseconds / 1000),
    requests: book.requests,
    destinations: Object.fromEntries([
      ...book.visits,
      ...(book.others === 0 ? [] : [["others", book.others] as const]),
    ]),
    refused,
    leaks,
    beside: { names: besideOf("names"), addresses: besideOf("addresses") },
    sites: book.sites,
    linked,
    clients,
    changes: changesOf(leaks, linked, clients),
  };

  function besideOf(what: keyof typeof BESIDE): Beside {
    const reason = BESIDE[what];
    const hosts = new Set(book.refusals(reason).map(([destination]) => destination.replace(/:\d+$/, "")));
    return { count: counters.get(`refused-${reason}`) + counters.get(`udp-dropped-${reason}`), hosts: hosts.size };
  }
}

function storyOf(trait: string): string {
  return TRAITS[trait] ?? LEAKS[trait as LeakKind].message;
}

function changesOf(leaks: Report["leaks"], linked: readonly Shared[], clients: readonly string[]): string[] {
  const hasLeaks = Object.keys(leaks).length > 0;
  return [
    ...(hasLeaks ? clients.map((client) => `${client}: i2p-socks setup ${client} has the settings`) : []),
    ...new Set(Object.values(leaks).map(({ fix }) => fix)),
    ...(linked.some(({ trait }) => trait === "identity")
      ? ["If these sites shall not know of each other: --isolate destination gives each one another identity"]
      : []),
  ];
}

/** Writes a report for people: what happened, then a card that says whether the client is safe. */
export function describeReport(report: Report): string[] {
  const { seconds, requests, destinations, refused, leaks, sites, linked, changes } = report;
  const visited = Object.entries(destinations).map(([destination, count]) => `  ${count} × ${destination}`);
  const turnedAway = Object.entries(refused).flatMap(([reason, { count, story, destinations }]) => [
    `  ${count} × ${reason}: ${story}`,
    ...Object.entries(destinations).map(([destination, times]) => `    ${times} × ${destination}`),
  ]);
  const isAtDoor = ([kind]: readonly [string, unknown]): boolean => AT_DOOR.includes(kind);
  const given = Object.entries(leaks);
  const describe = ([kind, { count, story }]: readonly [string, Sign]): string => `✗ ${kind} (${count} ×): ${story}`;
  const links = linked.map(({ story, values, sites }) =>
    `  ${sites} sites: ${story}${values > 1 ? `, and ${values - 1} more of that kind` : ""}`
  );
  return [
    `Watched for ${formatDuration(1000 * seconds)}: ${counted(requests, "request")}`,
    ...section("Destinations", visited),
    ...section("Refused", turnedAway),
    "Is this client safe?",
    ...section("It gave away, of you and this machine", given.filter((leak) => !isAtDoor(leak)).map(describe)),
    ...section("It asked for what is not in I2P", [...given.filter(isAtDoor).map(describe), ...describeBeside(report)]),
    ...(sites === 0 ? [] : [`It went to ${counted(sites, "site")}`]),
    ...section("By this they can tell that it was the same client", links),
    ...section("What to change", changes.map((change) => `  ${change}`)),
    ...(requests > 0 && leaks["dns"] === undefined ? [describeNames(refused["ip"]?.count ?? 0)] : []),
    describeVerdict(report),
    "It sees plaintext only: what is encrypted may say anything.",
  ];
}

function describeVerdict({ clean, requests }: Report): string {
  if (!clean) return "✗ Not yet: it gives away what is listed here";
  if (requests === 0) return "- Nothing can be said: no request came, so the application may not use this proxy";
  return "✓ Nothing was given away that the guard can see";
}

function describeBeside({ beside: { names, addresses } }: Report): string[] {
  const words = [
    ...(names.hosts === 0 ? [] : [`${counted(names.hosts, "name")} of the clearnet`]),
    ...(addresses.hosts === 0 ? [] : [counted(addresses.hosts, "IP address", "es")]),
  ];
  return words.length === 0 ? [] : [`  ${words.join(", ")}`];
}

/** @param addresses how many requests were for an IP address, one and the same: no sign of a leak. */
function describeNames(addresses: number): string {
  if (addresses === 0) return "✓ Every request came by name: no sign of a DNS leak";
  const requests = addresses === 1 ? "One request was" : `${addresses} requests were`;
  return `${requests} for one IP address: that may be a test for a proxy. Another address would be a DNS leak`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines];
}

function counted(count: number, what: string, ending = "s"): string {
  return `${count} ${what}${count === 1 ? "" : ending}`;
}
