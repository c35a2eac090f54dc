import { errorText } from "../io/error_text.ts";
import type { Signal } from "../io/signal.ts";
import { DEFAULT_STATUS, type Endpoint, formatEndpoint, parseEndpoint } from "../config/endpoint.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { closeOnAbort, closeQuietly, connectTcp, writeAll } from "../io/conn.ts";
import { Deadline, sleep } from "../io/deadline.ts";
import { isReady, type Snapshot } from "../status/snapshot.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { keepOnly, requireNet } from "../command/permissions.ts";
import { isSocksPort } from "./check_ports.ts";
import { describeSnapshot } from "./status_table.ts";
import { StopSignal } from "../command/stop_signal.ts";
import type { Terminal } from "../command/terminal.ts";

/** Milliseconds for an answer. */
const ANSWER_TIMEOUT = 5_000;

/** Longest answer, in bytes: what listens at a port need not be this program. */
const MAX_ANSWER = 4_194_304;

/** Milliseconds between two answers that are shown. */
const WATCH_INTERVAL = 2_000;

/**
 * Asks a running instance how it fares, and prints that.
 *
 * @returns 75 if one of its applications is not ready; of a signal where it was to watch.
 * @throws {CliError} if nobody answers. Who watches is told so instead, once there was an answer.
 */
export async function status(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  const endpoint = parseOperands(operands);
  requireNet(endpoint, "status");
  keepOnly({ sam: endpoint });
  const isJson = given.has("json");
  let shown: Snapshot | undefined;
  const print = (snapshot: Snapshot): void => {
    if (isJson) terminal.data(JSON.stringify(snapshot));
    else describeSnapshot(snapshot, shown).forEach((line) => terminal.data(line));
    shown = snapshot;
  };
  const first = await ask(endpoint);
  if (!given.has("watch")) {
    print(first);
    return isReady(first) ? ExitCode.ok : ExitCode.notReady;
  }
  return await watch(endpoint, first, print, isJson, terminal);
}

async function watch(
  endpoint: Endpoint,
  first: Snapshot,
  print: (snapshot: Snapshot) => void,
  isJson: boolean,
  terminal: Terminal,
): Promise<ExitCode> {
  using stop = new StopSignal();
  const stopped = new AbortController();
  stop.promise.then(() => stopped.abort());
  for (let snapshot: Snapshot | undefined = first; !stopped.signal.aborted;) {
    if (snapshot !== undefined && !terminal.isBehind) {
      if (!isJson) terminal.page();
      print(snapshot);
    }
    await sleep(WATCH_INTERVAL, stopped.signal);
    if (stopped.signal.aborted || terminal.failure !== undefined) break;
    // The program may be starting anew: who watches wants to see it come back.
    snapshot = await ask(endpoint, stopped.signal).catch((error) => {
      if (!(error instanceof CliError)) throw error;
      if (!stopped.signal.aborted) terminal.talk(error.message);
      return undefined;
    });
  }
  return stop.exitCode;
}

function parseOperands([operand, ...more]: readonly string[]): Endpoint {
  if (more.length > 0) throw new CliError(ExitCode.usage, `status takes one address, but also got "${more[0]}"`);
  if (operand === undefined) return DEFAULT_STATUS;
  try {
    const endpoint = parseEndpoint(operand);
    if (endpoint.port === 0) throw new SyntaxError("port 0 cannot be connected to");
    return endpoint;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new CliError(ExitCode.usage, `Cannot ask "${operand}" for its status: ${error.message}`);
  }
}

/** Asks once. @throws {CliError} if there is no answer that makes sense. */
async function ask(endpoint: Endpoint, signal?: Signal): Promise<Snapshot> {
  using deadline = new Deadline(ANSWER_TIMEOUT, signal);
  const address = formatEndpoint(endpoint);
  const fail = (reason: string): CliError =>
    new CliError(ExitCode.failure, `Cannot get the status from ${address}: ${reason}`, [
      `Is i2p-socks running with --status ${address}?`,
    ]);
  let text: string;
  try {
    text = await fetchText(endpoint, deadline);
  } catch (error) {
    if (deadline.aborted) throw fail("no answer in time");
    if (error instanceof Deno.errors.ConnectionRefused) throw fail("nobody listens there");
    throw fail(errorText(error));
  }
  if (isSocksPort(text)) throw fail("that is a SOCKS port of i2p-socks, not its status");
  const [, code, body = ""] = /^HTTP\/1\.1 (\d{3}) [^]*?\r\n\r\n([^]*)$/.exec(text) ?? [];
  if (code !== "200") throw fail(code === undefined ? "what listens there speaks something else" : `HTTP ${code}`);
  const snapshot = parseSnapshot(body);
  if (snapshot === undefined) throw fail("what listens there is something else");
  return snapshot;
}

/** Not by `fetch`, which a proxy in the environment could lead elsewhere. */
async function fetchText(endpoint: Endpoint, signal: Signal): Promise<string> {
  using conn = await connectTcp(endpoint, signal);
  closeOnAbort(conn, signal);
  const head = `GET /status.json HTTP/1.1\r\nHost: ${formatEndpoint(endpoint)}\r\nConnection: close\r\n\r\n`;
  await writeAll(conn, new TextEncoder().encode(head));
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  let text = "";
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    if (text.length > MAX_ANSWER) throw new Error("the answer is too long");
  }
  closeQuietly(conn);
  return text;
}

/** Reads an answer as far as it takes to tell this program from another one that speaks HTTP. */
function parseSnapshot(body: string): Snapshot | undefined {
  try {
    const value: unknown = JSON.parse(body);
    const isSnapshot = typeof value === "object" && value !== null && "version" in value && "uptimeSeconds" in value &&
      "applications" in value && Array.isArray(value.applications) && value.applications.every(isApplication);
    return isSnapshot ? value as Snapshot : undefined;
  } catch {
    return undefined;
  }
}

function isApplication(value: unknown): boolean {
  const lists = ["listen", "identities", "refusals", "leaks"];
  return typeof value === "object" && value !== null &&
    Object.entries(value).filter(([key, list]) => lists.includes(key) && Array.isArray(list)).length === lists.length;
}
