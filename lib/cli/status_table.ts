import { formatDuration } from "../config/duration.ts";
import type { ApplicationStatus, IdentityFacts, Snapshot } from "../report/status.ts";

/** Writes a snapshot for people, a line each. */
export function describeSnapshot({ version, startedAt, uptimeSeconds, applications }: Snapshot): string[] {
  return [
    `i2p-socks ${version}, for ${seconds(uptimeSeconds)} (since ${startedAt})`,
    ...applications.flatMap((application) => ["", ...describeApplication(application)]),
    ...(applications.length === 0 ? ["✗ No application is served"] : []),
  ];
}

function describeApplication(application: ApplicationStatus): string[] {
  const { name, listen, sam, samVersion, ready, reason, identities, refusals, leaks } = application;
  const { connections, streams, connected, bytesSent, bytesReceived } = application;
  const bridge = `SAM ${samVersion === null ? "" : `${samVersion} `}at ${sam}`;
  return [
    `${ready ? "✓" : "✗"} ${name}: ${ready ? "ready" : `not ready: ${reason}`}`,
    `  SOCKS at ${listen.join(", ")}; ${bridge}`,
    `  ${counted(connections, "client")}; ${counted(streams, "stream")} open, ${connected} opened so far; ` +
    `${formatBytes(bytesSent)} sent, ${formatBytes(bytesReceived)} received`,
    ...align(identities.map(identityRow)).map((line) => `  ${line}`),
    ...section("Refused", refusals.map(({ count, reason, message, hint }) => ({ count, what: reason, message, hint }))),
    ...section(
      "Given away",
      leaks.map(({ count, kind, story, fix }) => ({ count, what: kind, message: story, hint: fix })),
    ),
  ];
}

function identityRow({ kind, group, state, reason, b32, ageSeconds, clients }: IdentityFacts): string[] {
  return [
    kind === "base" ? "own identity" : `group ${group}`,
    state,
    `for ${seconds(ageSeconds)}`,
    counted(clients, "client"),
    b32 ?? reason ?? "",
  ];
}

function section(
  title: string,
  rows: readonly { count: number; what: string; message: string; hint: string | null }[],
): string[] {
  if (rows.length === 0) return [];
  return [
    `  ${title}:`,
    ...rows.flatMap(({ count, what, message, hint }) => [
      `    ${count} × ${what}: ${message}`,
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

/** Bytes in the largest unit of which there is one, with one digit behind the point. */
export function formatBytes(bytes: number): string {
  const units = ["KiB", "MiB", "GiB", "TiB"];
  let value = bytes / 1024;
  if (value < 1) return `${bytes} B`;
  while (value >= 1024 && units.length > 1) {
    value /= 1024;
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
