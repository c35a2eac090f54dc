import { formatDuration } from "../config/duration.ts";
import type { Instance } from "../command/instances.ts";
import { foldLine } from "../report/terminal_lines.ts";
import type { ApplicationStatus, IdentityFacts, Snapshot, Tally } from "../status/snapshot.ts";

/** A line for people. */
interface Line {
  text: string;
  /** Whether it says what to do about the line before, which can be left out where there is little room. */
  isHint?: boolean;
}

/** Room for lines, in characters. */
interface Size {
  columns: number;
  rows: number;
}

/** A snapshot, with an earlier one of the same program: with it, lines of traffic show the rate since then. */
interface Watched {
  snapshot: Snapshot;
  before?: Snapshot | undefined;
}

/**
 * Writes a snapshot for people, a line each.
 *
 * @param before an earlier one of the same program: with it, lines of traffic show the rate since then.
 */
export function describeSnapshot(snapshot: Snapshot, before?: Snapshot): string[] {
  const pace = paceOf(snapshot, before);
  return [
    headLine(snapshot),
    ...snapshot.applications.flatMap((application) => [
      "",
      ...[...summaryOf(application, pace), ...detailsOf(application)].map(({ text }) => text),
    ]),
    ...(snapshot.applications.length === 0 ? ["✗ No application is served"] : []),
  ];
}

/** What can be said of an instance that serves no status. */
export function describeInstance({ version, startedAt, pid, applications }: Instance): string[] {
  return [
    `i2p-socks ${version}, up since ${localTime(new Date(startedAt))}, process ${pid}`,
    ...applications.flatMap(({ name, listen, sam, ready, b32 }) => [
      "",
      `${ready ? "✓" : "✗"} ${name}: ${ready ? "ready" : "not ready"}`,
      `  SOCKS at ${listen.join(", ")}; SAM at ${sam}`,
      ...(b32 === null ? [] : [`  ${b32}`]),
    ]),
    "",
    "It serves no status: start it with --status 127.0.0.1:4448 for its state, counters and a page",
  ];
}

/**
 * Fits what is watched into a window: state and counters first, then all else. Advice goes where the room does not
 * suffice, then what is last. No line is broken within a word, and none is wider than the window.
 */
export function frameOf(watched: readonly (Watched | Instance)[], { columns, rows }: Size): string[] {
  const heads: Line[] = [];
  const details: Line[] = [];
  for (const one of watched) {
    if ("pid" in one) {
      heads.push(...describeInstance(one).filter((text) => text !== "").map((text) => ({ text })));
      continue;
    }
    const { snapshot, before } = one;
    const { applications } = snapshot;
    heads.push({ text: headLine(snapshot) });
    if (applications.length === 0) heads.push({ text: "✗ No application is served" });
    for (const application of applications) {
      heads.push(...summaryOf(application, paceOf(snapshot, before)));
      if (applications.length > 1 || watched.length > 1) details.push({ text: "" }, { text: `${application.name}:` });
      details.push(...detailsOf(application));
    }
  }
  const fold = (lines: readonly Line[]): string[] =>
    lines.flatMap(({ text }) => foldLine(text, columns)).map((line) => cut(line, columns));
  const all = fold([...heads, ...details]);
  if (all.length < rows) return all;
  const plain = fold([...heads, ...details].filter(({ isHint }) => isHint !== true));
  if (plain.length < rows) return plain;
  const room = Math.max(rows - 2, 0);
  return [...plain.slice(0, room), cut(`… ${plain.length - room} more lines: i2p-socks status shows all`, columns)];
}

/** Leaves out the middle of what is too wide: addresses differ at their beginnings, and end alike. */
function cut(line: string, columns: number): string {
  if (line.length <= columns) return line;
  const end = Math.min(8, Math.floor(columns / 3));
  return `${line.slice(0, Math.max(columns - end - 1, 0))}…${end === 0 ? "" : line.slice(-end)}`;
}

function headLine({ version, startedAt, uptimeSeconds }: Snapshot): string {
  return `i2p-socks ${version}, up ${seconds(uptimeSeconds)} (since ${localTime(new Date(startedAt))})`;
}

/** A time of this place. */
function localTime(time: Date): string {
  const two = (part: number): string => String(part).padStart(2, "0");
  const date = [time.getFullYear(), time.getMonth() + 1, time.getDate()].map(two).join("-");
  return `${date} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":")}`;
}

/** Tells the rate of a counter of an application; nothing where it cannot be known. */
type Pace = (application: ApplicationStatus, counter: "bytesSent" | "bytesReceived") => string;

function paceOf({ startedAt, uptimeSeconds }: Snapshot, before: Snapshot | undefined): Pace {
  return (application, counter) => {
    if (before === undefined || before.startedAt !== startedAt || before.uptimeSeconds >= uptimeSeconds) return "";
    // Names need not differ; no two listen at one address.
    const earlier = before.applications.find(({ name, listen }) =>
      name === application.name && listen.join() === application.listen.join()
    );
    // An application that a reload has restarted counts from 0.
    if (earlier === undefined || earlier[counter] > application[counter]) return "";
    const rate = (application[counter] - earlier[counter]) / (uptimeSeconds - before.uptimeSeconds);
    return ` (${formatBytes(Math.round(rate))}/s)`;
  };
}

/** State and counters. */
function summaryOf(application: ApplicationStatus, pace: Pace): Line[] {
  const { name, ready, reason, advice } = application;
  const { connections, streams, connected, bytesSent, bytesReceived, bytesKept } = application;
  return [
    { text: `${ready ? "✓" : "✗"} ${name}: ${ready ? "ready" : `not ready: ${reason}`}` },
    ...advice.map((line) => ({ text: `    ${line}`, isHint: true })),
    {
      text: `  ${counted(connections, "client")}; ${counted(streams, "stream")} open, ${connected} opened so far; ` +
        `${formatBytes(bytesSent)} sent${pace(application, "bytesSent")}, ` +
        `${formatBytes(bytesReceived)} received${pace(application, "bytesReceived")}` +
        (bytesKept === 0 ? "" : `, ${formatBytes(bytesKept)} kept for slow readers`),
    },
  ];
}

function detailsOf(application: ApplicationStatus): Line[] {
  const { listen, sam, samVersion, identities, refusals, leaks, callers, udp } = application;
  const bridge = `SAM ${samVersion === null ? "" : `${samVersion} `}at ${sam}`;
  return [
    { text: `  SOCKS at ${listen.join(", ")}; ${bridge}` },
    ...describeSwitched(application).map((line) => ({ text: `  ${line}` })),
    ...align(identities.map((identity) => identityRow(identity, application.reason))).map((line) => ({
      text: `  ${line}`,
    })),
    ...section("Not connected", refusals),
    ...section("Callers turned away", callers?.refused ?? []),
    ...section("Datagrams dropped", udp?.dropped ?? []),
    ...section(
      "Leaks",
      leaks.map(({ count, kind, story, fix }) => ({ count, reason: kind, message: story, hint: fix })),
    ),
  ];
}

/** A line for each option that does more than CONNECT, where it is given. */
function describeSwitched({ callers, bind, udp }: ApplicationStatus): string[] {
  const lines: string[] = [];
  if (callers !== undefined) {
    const { open, total, connected, idle, bytesSent, bytesReceived, acceptFailures } = callers;
    lines.push(
      `--forward: ${counted(open, "caller")} served, ${connected} of ${total} so far have reached a service; ` +
        `${formatBytes(bytesSent)} sent, ${formatBytes(bytesReceived)} received`,
    );
    if (idle > 0) lines.push(`--forward: ${counted(idle, "caller")} closed for silence (--caller-idle-timeout)`);
    if (acceptFailures > 0) {
      lines.push(`--forward: the router would not wait for callers, ${acceptFailures} × so far; the log says more`);
    }
  }
  if (bind !== undefined) {
    const { waiting, waited, connected, denied } = bind;
    lines.push(
      `--bind: ${waiting === 1 ? "1 client waits" : `${waiting} clients wait`} for a caller, ${waited} so far; ` +
        `${counted(connected, "caller")} came, ${denied} not wanted`,
    );
  }
  if (udp !== undefined) {
    const { associations, granted, sent, received } = udp;
    lines.push(
      `--udp: ${counted(associations, "association")} open, ${granted} granted so far; ` +
        `${counted(sent, "datagram")} sent, ${received} received`,
    );
  }
  return lines;
}

/** A row of the table of identities; what is known of the application is not said again. */
function identityRow(
  { label, state, reason, b32, ageSeconds, clients, sites }: IdentityFacts,
  known: string | null,
): string[] {
  return [
    label,
    state,
    `for ${seconds(ageSeconds)}`,
    counted(clients, "client"),
    `seen by ${counted(sites, "site")}`,
    b32 ?? (reason === known ? "" : reason) ?? "",
  ];
}

function section(title: string, rows: readonly Tally[]): Line[] {
  if (rows.length === 0) return [];
  return [
    { text: `  ${title}:` },
    ...rows.flatMap(({ count, reason, message, hint }) => [
      { text: `    ${count} × ${reason}: ${message}` },
      ...(hint === null ? [] : [{ text: `      ${hint}`, isHint: true }]),
    ]),
  ];
}

/** Pads the columns of a table. */
function align(rows: readonly string[][]): string[] {
  return rows.map((row) =>
    row.map((cell, column) => {
      const width = Math.max(...rows.map((other) => other[column]?.length ?? 0));
      return column === row.length - 1 ? cell : cell.padEnd(width);
    }).join("  ").trimEnd()
  );
}

/** Bytes in the largest unit of which there is one, with one digit behind the point; the units are those of the page. */
export function formatBytes(bytes: number): string {
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1000;
  if (value < 1) return `${bytes} B`;
  while (value >= 1000 && units.length > 1) {
    value /= 1000;
    units.shift();
  }
  return `${value.toFixed(1)} ${units[0]}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function seconds(count: number): string {
  return formatDuration(1000 * Math.floor(count));
}
