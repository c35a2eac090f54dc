import { DEFAULT_STATUS, type Endpoint, formatEndpoint, parseEndpoint } from "../config/endpoint.ts";
import type { RawOptions } from "../config/raw_options.ts";
import type { Verb } from "../config/options.ts";
import { readValue } from "../config/settings.ts";
import { parseVia } from "../config/values.ts";
import { sleep } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { isReady, type Snapshot } from "../status/snapshot.ts";
import { askStatus } from "../command/ask_status.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { applicationAt, findApplication, type Instance, runningInstances } from "../command/instances.ts";
import { keepOnly, requireNet } from "../command/permissions.ts";
import { StopSignal } from "../command/stop_signal.ts";
import type { Terminal } from "../command/terminal.ts";
import { describeInstance, describeSnapshot, frameOf } from "./status_table.ts";

/** Milliseconds between two answers that are shown. */
const WATCH_INTERVAL = 2_000;

/** Where to learn of an instance: it is asked, or its note has to do. */
export interface Source {
  /** Where it serves its status; undefined without `--status`. */
  endpoint: Endpoint | undefined;
  /** What it says of itself in the runtime folder; undefined where it is named by its address. */
  note: Instance | undefined;
  /** The application that is meant; all of them where undefined. */
  name: string | undefined;
}

/** What was learned of an instance. */
type Answer = { snapshot: Snapshot } | { note: Instance };

/**
 * Shows what running instances are doing: those of this user, or the one that is named.
 *
 * @returns 75 if one of their applications is not ready; of a signal where it was to watch.
 * @throws {CliError} if nobody answers. With --watch it prints that instead, once there was an answer.
 */
export async function status(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  const sources = await findSources("status", operands, given);
  openNothingElse(sources, "status");
  const isJson = given.has("json");
  const first = await askAll(sources);
  if (!given.has("watch")) {
    print(first, isJson, terminal);
    return first.every(isAnswerReady) ? ExitCode.ok : ExitCode.notReady;
  }
  return await watch(sources, first, isJson, terminal);
}

/**
 * The instances that an operand or `--name` names: all of this user without one.
 *
 * @throws {CliError} if it is not an address, and no running application has that name; or if both are given.
 */
export async function findSources(verb: Verb, operands: readonly string[], given: RawOptions): Promise<Source[]> {
  const [operand, more] = operands;
  if (more !== undefined) {
    throw new CliError(ExitCode.usage, `${verb} takes one name or address, but also got "${more}"`);
  }
  const flag = given.get("name")?.at(-1);
  if (operand !== undefined && flag?.source.startsWith("-")) {
    throw new CliError(ExitCode.usage, `${verb} takes one name or address: "${operand}", or that of --name`);
  }
  const name = given.has("name") ? readValue(given, "name") : undefined;
  const named = operand === undefined ? name : parseOperand(operand);
  if (named !== undefined && typeof named !== "string") {
    await refuseSocksPort(named, verb);
    return [{ endpoint: named, note: undefined, name: undefined }];
  }
  const instances = (await runningInstances()).filter(({ applications }) =>
    named === undefined || applications.some(({ name }) => name === named)
  );
  // It says which ones there are.
  if (instances.length === 0 && named !== undefined) await findApplication(named);
  if (instances.length === 0) return [{ endpoint: DEFAULT_STATUS, note: undefined, name: undefined }];
  return instances.map((note) => ({
    endpoint: note.status === null ? undefined : parseEndpoint(note.status),
    note,
    name: named,
  }));
}

/** Refuses the SOCKS port of a running application: its log would have a client that asked for a page. */
async function refuseSocksPort(endpoint: Endpoint, verb: Verb): Promise<void> {
  const name = await applicationAt(endpoint);
  if (name === undefined) return;
  const where = formatEndpoint(endpoint);
  throw new CliError(ExitCode.failure, `${where} is the SOCKS port of your i2p-socks "${name}", not its status`, [
    `i2p-socks ${verb} --name ${name}`,
  ]);
}

/** Gives back the permission to reach anything but what is asked. */
export function openNothingElse(sources: readonly Source[], verb: string): void {
  const [first = DEFAULT_STATUS, ...services] = sources.flatMap(({ endpoint }) => endpoint ?? []);
  for (const endpoint of [first, ...services]) requireNet(endpoint, verb);
  keepOnly({ sam: first, services });
}

function parseOperand(operand: string): Endpoint | string {
  try {
    return parseVia(operand);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CliError(ExitCode.usage, `Cannot ask "${operand}" for its status: ${error.message}`);
  }
}

async function askAll(sources: readonly Source[], signal?: Signal): Promise<Answer[]> {
  return await Promise.all(sources.map((source) => askOne(source, signal)));
}

/** Asks an instance; one that serves no status is told of by its note. */
async function askOne(source: Source, signal?: Signal): Promise<Answer> {
  const { endpoint, note, name } = source;
  if (endpoint !== undefined || note === undefined) return { snapshot: await askSource(source, signal) };
  return {
    note: { ...note, applications: note.applications.filter((one) => name === undefined || one.name === name) },
  };
}

/** Asks an instance that serves its status for the applications that are meant. @throws {CliError} if it does not answer. */
export async function askSource({ endpoint, note, name }: Source, signal?: Signal): Promise<Snapshot> {
  try {
    const snapshot = await askStatus(endpoint ?? DEFAULT_STATUS, signal);
    const meant = snapshot.applications.filter((one) => name === undefined || one.name === name);
    return { ...snapshot, applications: meant };
  } catch (error) {
    if (note !== undefined || endpoint !== DEFAULT_STATUS || !(error instanceof CliError)) throw error;
    const where = formatEndpoint(DEFAULT_STATUS);
    throw new CliError(error.code, `No i2p-socks of this user runs, and none answers at ${where}`, [
      "Name the address of another user's: i2p-socks status HOST:PORT",
    ]);
  }
}

function isAnswerReady(answer: Answer): boolean {
  return "note" in answer ? answer.note.applications.every(({ ready }) => ready) : isReady(answer.snapshot);
}

function print(answers: readonly Answer[], isJson: boolean, terminal: Terminal): void {
  if (isJson) {
    for (const answer of answers) terminal.data(JSON.stringify("note" in answer ? answer.note : answer.snapshot));
    return;
  }
  terminal.lines(answers.flatMap((answer, i) => [
    ...(i === 0 ? [] : [""]),
    ...("note" in answer ? describeInstance(answer.note) : describeSnapshot(answer.snapshot)),
  ]));
}

async function watch(
  sources: readonly Source[],
  first: Answer[],
  isJson: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  using stop = new StopSignal();
  const stopped = new AbortController();
  stop.promise.then(() => stopped.abort());
  let before: Answer[] = [];
  for (let answers: Answer[] | undefined = first; !stopped.signal.aborted;) {
    if (answers !== undefined && !terminal.isBehind) {
      if (isJson) print(answers, isJson, terminal);
      else show(answers, before, terminal);
      before = answers;
    }
    await sleep(WATCH_INTERVAL, stopped.signal);
    if (stopped.signal.aborted || terminal.failure !== undefined) break;
    // The program may be starting again: who watches wants to see it come back.
    answers = await askAll(sources, stopped.signal).catch((error) => {
      if (!(error instanceof CliError)) throw error;
      if (!stopped.signal.aborted) terminal.talk(error.message);
      return undefined;
    });
  }
  return stop.exitCode;
}

/** Shows answers in place of the last ones, as far as the window has room; below them where there is no window. */
function show(answers: readonly Answer[], before: readonly Answer[], terminal: Terminal): void {
  const earlier = before.flatMap((answer) => "snapshot" in answer ? [answer.snapshot] : []);
  const earlierOf = ({ startedAt }: Snapshot): Snapshot | undefined =>
    earlier.find((other) => other.startedAt === startedAt);
  const { size } = terminal;
  if (size !== undefined) {
    terminal.page(frameOf(
      answers.map((answer) =>
        "note" in answer ? answer.note : { snapshot: answer.snapshot, before: earlierOf(answer.snapshot) }
      ),
      size,
    ));
    return;
  }
  terminal.data(
    answers.map((answer) =>
      ("note" in answer ? describeInstance(answer.note) : describeSnapshot(answer.snapshot, earlierOf(answer.snapshot)))
        .join("\n")
    ).join("\n\n"),
  );
}
