import { DEFAULT_STATUS, parseEndpoint } from "../config/endpoint.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { fixLines } from "../reasons/reasons.ts";
import { routerAt } from "../sam/router_kind.ts";
import type { ApplicationStatus, Outcome } from "../status/snapshot.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { keepOnly, requireNet } from "../command/permissions.ts";
import type { Terminal } from "../command/terminal.ts";
import { describeApplication } from "../command/instances.ts";
import { askSource, findSources } from "./status.ts";

/** The outcomes of an application, for people and as JSON. */
interface Report {
  application: string;
  /** The router, as far as its SAM bridge tells. */
  router: string | undefined;
  outcomes: Outcome[];
}

/**
 * Says what did not come out well last in running applications, and what to do about it with the router that they use.
 *
 * @throws {CliError} if none serves its status.
 */
export async function why(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  const sources = await findSources("why", operands, given);
  if (sources.every(({ endpoint }) => endpoint === undefined)) throw servesNoStatus();
  const applications: ApplicationStatus[] = [];
  for (const source of sources) {
    if (source.endpoint === undefined) continue;
    requireNet(source.endpoint, "why");
    applications.push(...(await askSource(source)).applications);
  }
  const routers = applications.map(({ sam }) => parseEndpoint(sam));
  keepOnly({ sam: routers[0] ?? DEFAULT_STATUS, services: routers.slice(1) });
  const reports: Report[] = [];
  for (const { name, sam, outcomes } of applications) {
    const needsRouter = outcomes.some(({ fix }) => fix !== null && fix.i2pd !== fix.java);
    reports.push({ application: name, router: needsRouter ? await routerAt(parseEndpoint(sam)) : undefined, outcomes });
  }
  if (given.has("json")) terminal.data(JSON.stringify({ applications: reports }));
  else terminal.lines(reports.flatMap((report, i) => [...(i === 0 ? [] : [""]), ...describe(report)]));
  const silent = sources.filter(({ endpoint }) => endpoint === undefined);
  const others = silent.flatMap(({ note }) => note?.applications.map(describeApplication) ?? []);
  if (others.length > 0) terminal.talk(`Not asked, because they were started without --status: ${others.join(", ")}`);
  return ExitCode.ok;
}

function servesNoStatus(): CliError {
  return new CliError(ExitCode.failure, "The running i2p-socks serves no status, so it cannot be asked", [
    "Start it with --status 127.0.0.1:4448",
  ]);
}

function describe({ application, router, outcomes }: Report): string[] {
  if (outcomes.length === 0) return [`${application}: nothing has failed, been refused or blocked since the start`];
  return [
    `${application}: what failed, was refused or blocked, the newest first`,
    ...outcomes.flatMap((outcome) => describeOutcome(outcome, router)),
  ];
}

function describeOutcome(
  { time, count, outcome, reason, message, hint, fix, identity, destination }: Outcome,
  router: string | undefined,
): string[] {
  const advice = fix === null ? (hint === null ? [] : [hint]) : fixLines(fix, router);
  const times = count === 1 ? "" : `, ${count} times so far`;
  return [
    "",
    `${clockOf(time)}  ${outcome}: ${message} (${reason})`,
    `  ${identity ?? "no identity yet"}${times}${destination === undefined ? "" : `, to ${destination}`}`,
    ...advice.map((line) => `  → ${line}`),
  ];
}

/** The time of this place, with the date where it is not today's. */
function clockOf(time: string): string {
  const date = new Date(time);
  const two = (part: number): string => String(part).padStart(2, "0");
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  if (date.toDateString() === new Date().toDateString()) return clock;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock}`;
}
