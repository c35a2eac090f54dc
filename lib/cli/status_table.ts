import { formatDuration } from "../config/duration.ts";
import type { ApplicationStatus, IdentityFacts, Snapshot, Tally } from "../status/snapshot.ts";

/**
 * Writes a snapshot for people, a line each.
 *
 * @param before an earlier one of the same program: with it, lines of traffic tell the rate since then.
 */
export function describeSnapshot(snapshot: Snapshot, before?: Snapshot): string[] {
  const { version, startedAt, uptimeSeconds, applications } = snapshot;
  return [
    `i2p-socks ${version}, for ${seconds(uptimeSeconds)} (since ${startedAt})`,
    ...applications.flatMap((application) => ["", ...describeApplication(application, paceOf(snapshot, before))]),
    ...(applications.length === 0 ? ["✗ No application is served"] : []),
  ];
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
    // An application that a reload has started anew counts from 0.
    if (earlier === undefined || earlier[counter] > application[counter]) return "";
    const rate = (application[counter] - earlier[counter]) / (uptimeSeconds - before.uptimeSeconds);
    return ` (${formatBytes(Math.round(rate))}/s)`;
  };
}

function describeApplication(application: ApplicationStatus, pace: Pace): string[] {
  const { name, listen, sam, samVersion, ready, reason, advice, identities, refusals, leaks, callers, udp } =
    application;
  const { connections, streams, connected, bytesSent, bytesReceived } = application;
  const bridge = `SAM ${samVersion === null ? "" : `${samVersion} `}at ${sam}`;
  return [
    `${ready ? "✓" : "✗"} ${name}: ${ready ? "ready" : `not ready: ${reason}`}`,
    ...advice.map((line) => `    ${line}`),
    `  SOCKS at ${listen.join(", ")}; ${bridge}`,
    `  ${counted(connections, "client")}; ${counted(streams, "stream")} open, ${connected} opened so far; ` +
    `${formatBytes(bytesSent)} sent${pace(application, "bytesSent")}, ` +
    `${formatBytes(bytesReceived)} received${pace(application, "bytesReceived")}`,
    ...describeSwitched(application).map((line) => `  ${line}`),
    ...align(identities.map(identityRow)).map((line) => `  ${line}`),
    ...section("Refused", refusals),
    ...section("Callers turned away", callers?.refused ?? []),
    ...section("Datagrams dropped", udp?.dropped ?? []),
    ...section(
      "Given away",
      leaks.map(({ count, kind, story, fix }) => ({ count, reason: kind, message: story, hint: fix })),
    ),
  ];
}

/** A line for each option that does more than CONNECT, where it is given. */
function describeSwitched({ callers, bind, udp }: ApplicationStatus): string[] {
  const lines: string[] = [];
  if (callers !== undefined) {
    const { open, total, connected, bytesSent, bytesReceived, acceptFailures } = callers;
    lines.push(
      `--forward: ${counted(open, "caller")} served, ${connected} of ${total} so far have reached a service; ` +
        `${formatBytes(bytesSent)} sent, ${formatBytes(bytesReceived)} received`,
    );
    if (acceptFailures > 0) {
      lines.push(`--forward: the router would not wait for callers, ${acceptFailures} × so far; the log has its words`);
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

function identityRow({ label, state, reason, b32, ageSeconds, clients }: IdentityFacts): string[] {
  return [
    label,
    state,
    `for ${seconds(ageSeconds)}`,
    counted(clients, "client"),
    b32 ?? reason ?? "",
  ];
}

function section(title: string, rows: readonly Tally[]): string[] {
  if (rows.length === 0) return [];
  return [
    `  ${title}:`,
    ...rows.flatMap(({ count, reason, message, hint }) => [
      `    ${count} × ${reason}: ${message}`,
      ...(hint === null ? [] : [`      ${hint}`]),
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
