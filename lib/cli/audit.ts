import { formatDuration } from "../config/duration.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { readValue } from "../config/settings.ts";
import { type LeakKind, LEAKS } from "../guard/leak.ts";
import { REASONS } from "../reasons/reasons.ts";
import { AuditBook } from "../report/audit_book.ts";
import type { Counters } from "../report/counters.ts";
import { printable } from "../report/printable.ts";
import { refuseOperands } from "../command/arguments.ts";
import { ExitCode } from "../command/exit_code.ts";
import { runServer } from "../server/server.ts";
import { StopSignal } from "../command/stop_signal.ts";
import type { Terminal } from "../command/terminal.ts";

/** What an audit found. */
interface Report {
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
}

/** Something that was seen. */
interface Sign {
  /** How often. */
  count: number;
  /** What it is. */
  story: string;
}

/**
 * Serves like `serve`, watching what the application gives away, for a time or until a signal; then reports.
 *
 * @returns 0 if it gave away nothing that can be seen, else 1.
 */
export async function audit(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  refuseOperands("audit", operands);
  const duration = readValue(given, "for");
  const watching = new Map([...given, ["leaks", [{ text: "warn", source: "audit" }]] as const]);
  const book = new AuditBook();
  using stop = new StopSignal();
  let since = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const counters = await runServer(watching, terminal, stop, {
    book,
    // With --json the report is all of stdout, so that a program can read it.
    announce: (line) => given.has("json") ? terminal.talk(line) : terminal.data(line),
    ready: () => {
      since = performance.now();
      if (duration !== undefined) timer = setTimeout(() => stop.request(), duration);
    },
  });
  clearTimeout(timer);
  const report = makeReport(book, counters, performance.now() - since);
  // The application wrote the destinations, and must not be able to write lines of the report.
  terminal.data(given.has("json") ? JSON.stringify(report) : describe(report).map(printable).join("\n"));
  return report.clean ? ExitCode.ok : ExitCode.failure;
}

function makeReport(book: AuditBook, counters: Counters, milliseconds: number): Report {
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
  };
}

function describe({ clean, seconds, requests, destinations, refused, leaks }: Report): string[] {
  const visited = Object.entries(destinations).map(([destination, count]) => `  ${count} × ${destination}`);
  const turnedAway = Object.entries(refused).flatMap(([reason, { count, story, destinations }]) => [
    `  ${count} × ${reason}: ${story}`,
    ...Object.entries(destinations).map(([destination, times]) => `    ${times} × ${destination}`),
  ]);
  const given = Object.entries(leaks).flatMap((
    [kind, { count, story, fix }],
  ) => [`✗ ${kind} (${count} ×): ${story}`, `  ${fix}`]);
  return [
    `Watched for ${formatDuration(1000 * seconds)}: ${requests} ${requests === 1 ? "request" : "requests"}`,
    ...section("Destinations", visited),
    ...section("Refused", turnedAway),
    ...section("Given away", given),
    ...(requests > 0 && leaks["dns"] === undefined ? [describeNames(refused["ip"]?.count ?? 0)] : []),
    ...(clean ? ["✓ Nothing was given away that the guard can see"] : []),
    "It sees plaintext only: what is encrypted may say anything.",
  ];
}

/** @param addresses how many requests were for an IP address: too few for a leak. */
function describeNames(addresses: number): string {
  return addresses === 0
    ? "✓ Every request came by name: no sign of a DNS leak"
    : "One request was for an IP address: that may be a test for a proxy. More of them would be a DNS leak";
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${title}:`, ...lines];
}
