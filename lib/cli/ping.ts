import type { Endpoint } from "../config/endpoint.ts";
import { formatEndpoint } from "../config/endpoint.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { readValue } from "../config/settings.ts";
import { closeOnAbort, closeQuietly, writeAll } from "../io/conn.ts";
import { Deadline, sleep, TimeoutError } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { reasonAdvice } from "../reasons/advice.ts";
import { OUTCOMES, type Reason, REASONS } from "../reasons/reasons.ts";
import { requireI2pAddress } from "../command/arguments.ts";
import { connectThrough, type Login, readViaLogin, UpstreamError } from "../command/connect_via.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { endpointOf, findApplication, listenerOf } from "../command/instances.ts";
import { keepOnly, requireNet } from "../command/permissions.ts";
import { StopSignal } from "../command/stop_signal.ts";
import { type Terminal, terminalLog } from "../command/terminal.ts";
import { adviseOnUpstream } from "./connect.ts";

/** Milliseconds between two streams. */
const INTERVAL = 1_000;

/** Milliseconds for a site to speak first. */
const GREETING_TIMEOUT = 3_000;

/** Milliseconds for a site to answer what it was asked. */
const ANSWER_TIMEOUT = 60_000;

/** Milliseconds to open a stream, or to the first byte, that are slow for I2P. */
const SLOW = 10_000;

/** I2P port where none is given: sites of the web have it. */
const DEFAULT_PORT = 80;

/** What became of one stream. Times are in milliseconds. */
interface Attempt {
  /** Whether it opened. */
  ok: boolean;
  /** Until it was open, or failed. */
  openMs: number;
  /** From then on until the first byte of the site; null where none came. */
  firstByteMs: number | null;
  /** Why it did not open, where that is known. */
  reason?: Reason;
  /** What happened, one sentence. */
  message?: string;
  /** The SAM bridge of the proxy, where it says why. */
  sam?: string;
}

/** What is measured. */
interface Route {
  host: string;
  port: number;
  via: Endpoint;
  login: Login | undefined;
  /** Milliseconds for a stream to open. */
  timeout: number;
  /** Whether the site is asked for an answer. */
  asks: boolean;
}

/**
 * Opens streams through a running proxy, one after the other, and tells how long each took.
 *
 * @returns 0 if one opened, else as its reason has it; of a signal if that came before the first one.
 */
export async function ping(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  const { host, port } = parseOperands(operands);
  const count = readValue(given, "count");
  const timeout = readValue(given, "connect-timeout");
  const login = await readViaLogin(given, terminalLog(terminal));
  const via = await chooseProxy(given);
  requireNet(via, "--via");
  keepOnly({ sam: via });
  const route = { host, port, via, login, timeout, asks: given.has("http") };
  const asJson = given.has("json");
  using stop = new StopSignal();
  const stopped = new AbortController();
  stop.promise.then(() => stopped.abort());
  const attempts: Attempt[] = [];
  for (let n = 1; n <= count && !stopped.signal.aborted; n++) {
    if (n > 1) await sleep(INTERVAL, stopped.signal);
    try {
      const attempt = await measure(route, stopped.signal);
      attempts.push(attempt);
      if (!asJson) terminal.data(`${n}: ${describeAttempt(attempt, route)}`);
    } catch (error) {
      if (stopped.signal.aborted) break;
      if (!(error instanceof UpstreamError)) throw error;
      // Without a proxy there is nothing to measure.
      throw adviseOnUpstream(error, via);
    }
  }
  if (attempts.length === 0) return stop.exitCode;
  const verdict = judge(attempts, route);
  const facts = attempts.map(({ sam: _, ...attempt }) => attempt);
  if (asJson) terminal.data(JSON.stringify({ host, port, via: formatEndpoint(via), attempts: facts, verdict }));
  else terminal.lines(verdict);
  if (attempts.some(({ ok }) => ok)) return ExitCode.ok;
  const reason = attempts.at(-1)?.reason;
  return reason === undefined ? ExitCode.failure : REASONS[reason].exitCode;
}

/**
 * The proxy of --via or --name, or the only application that runs.
 *
 * @throws {CliError} if there is none, or both are given.
 */
async function chooseProxy(given: RawOptions): Promise<Endpoint> {
  const via = readValue(given, "via");
  const [viaFlag, nameFlag] = [given.get("via")?.at(-1), given.get("name")?.at(-1)];
  if (viaFlag?.source.startsWith("-") && nameFlag?.source.startsWith("-")) {
    throw new CliError(ExitCode.usage, "ping goes through one proxy: that of --name, or that of --via");
  }
  // What the command line says goes before what the environment says.
  if (via !== undefined && !nameFlag?.source.startsWith("-")) return await endpointOf(via);
  const found = await findApplication(nameFlag === undefined ? undefined : readValue(given, "name"));
  if (found !== undefined) return listenerOf(found.application);
  throw new CliError(ExitCode.failure, "No i2p-socks of this user runs: ping measures through one that does", [
    "Start i2p-socks, or name the address of another user's with --via",
    "i2p-socks check NAME builds tunnels of its own, and walks to the site",
  ]);
}

/** Opens one stream, and waits for its first byte. @throws {UpstreamError} if there is no proxy to do it. */
async function measure(route: Route, stopped: Signal): Promise<Attempt> {
  const since = performance.now();
  const elapsed = (): number => Math.round(performance.now() - since);
  let conn: Deno.TcpConn;
  let early: Uint8Array;
  try {
    using deadline = new Deadline(route.timeout, stopped);
    ({ conn, early } = await connectThrough({ ...route.via, login: route.login }, route, deadline));
  } catch (error) {
    if (stopped.aborted) throw error;
    if (error instanceof TimeoutError) {
      const { message } = REASONS["timed-out"];
      return { ok: false, openMs: elapsed(), firstByteMs: null, reason: "timed-out", message };
    }
    if (!(error instanceof UpstreamError) || ["unreachable", "not-socks", "login"].includes(error.problem)) throw error;
    const { message, refusal } = error;
    return {
      ok: false,
      openMs: elapsed(),
      firstByteMs: null,
      ...(refusal && { reason: refusal.reason, sam: refusal.sam }),
      message,
    };
  }
  const openMs = elapsed();
  const came = early.length > 0 || await hasFirstByte(conn, route, stopped);
  closeQuietly(conn);
  return { ok: true, openMs, firstByteMs: came ? elapsed() - openMs : null };
}

/** Whether a byte of the site comes in time, asked for or not. */
async function hasFirstByte(conn: Deno.TcpConn, { host, asks }: Route, stopped: Signal): Promise<boolean> {
  using deadline = new Deadline(asks ? ANSWER_TIMEOUT : GREETING_TIMEOUT, stopped);
  closeOnAbort(conn, deadline);
  try {
    if (asks) {
      const request = `HEAD / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
      await writeAll(conn, new TextEncoder().encode(request));
    }
    return await conn.read(new Uint8Array(1)) !== null;
  } catch {
    // Its time is over, or the stream was cut: no byte came either way.
    return false;
  }
}

function describeAttempt({ ok, openMs, firstByteMs, reason, message }: Attempt, { asks }: Route): string {
  if (!ok) {
    const outcome = reason === undefined ? "Failed" : OUTCOMES[REASONS[reason].outcome];
    return `${outcome} after ${milliseconds(openMs)}: ${message}${reason === undefined ? "" : ` (${reason})`}`;
  }
  if (firstByteMs !== null) return `open after ${milliseconds(openMs)}, first byte ${milliseconds(firstByteMs)} later`;
  return `open after ${milliseconds(openMs)}, ${asks ? "and no answer" : "and the site did not speak first"}`;
}

/** What the attempts say together: times, and where the trouble is. */
function judge(attempts: readonly Attempt[], { host, asks }: Route): string[] {
  const opened = attempts.filter(({ ok }) => ok);
  const spoke = opened.flatMap(({ firstByteMs }) => firstByteMs ?? []);
  const head = `${host}: ${opened.length} of ${attempts.length} opened${times(opened.map(({ openMs }) => openMs))}` +
    (spoke.length === 0 ? "" : `; first byte${times(spoke)}`);
  return [head, ...verdictOn(attempts, opened, spoke, asks)];
}

function verdictOn(
  attempts: readonly Attempt[],
  opened: readonly Attempt[],
  spoke: readonly number[],
  asks: boolean,
): string[] {
  if (spoke.length > 0) {
    const slowest = Math.max(median(spoke), median(opened.map(({ openMs }) => openMs)));
    return [slowest > SLOW ? "The site is online, and the way to it is slow" : "The site is online"];
  }
  if (opened.length > 0) {
    return asks
      ? ["No answer came: the site is most likely offline. i2pd opens a stream before the site has answered"]
      : ["A stream opens. Whether the site answers is not sure with i2pd: --http asks it"];
  }
  const { reason, sam } = attempts.at(-1) ?? {};
  if (reason === undefined) return ["The proxy does not say why"];
  const { hint } = REASONS[reason];
  // Time that was over here is the only reason that the proxy has not given.
  const advice = sam !== undefined ? reasonAdvice(reason, sam) : hint === null ? [] : [hint];
  return [SIDES[sideOf(reason)], ...advice];
}

/** Where the trouble is. */
const SIDES = {
  ours: "The trouble is on this side: the router or its tunnels",
  site: "Your proxy has its tunnels; the trouble is at the site: it is offline, or does not exist",
  name: "The router does not know this name, so no site was asked",
  unclear:
    "No answer in time: the site is offline, or the tunnels are slow. Compare with a site that you know is online",
  request: "The proxy does not permit it, or it is not an address of I2P: no tunnel was used",
} as const;

function sideOf(reason: Reason): keyof typeof SIDES {
  if (reason === "timed-out") return "unclear";
  if (reason === "name-unknown" || reason === "garlicat-unknown") return "name";
  const { outcome, reply5 } = REASONS[reason];
  if (outcome !== "failed") return "request";
  // Host unreachable and connection refused (RFC 1928 §6).
  return reply5 === REASONS["peer-unreachable"].reply5 || reply5 === REASONS["peer-refused"].reply5 ? "site" : "ours";
}

/** Least, median and most, where there are several. */
function times(all: readonly number[]): string {
  if (all.length === 0) return "";
  if (all.length === 1) return ` in ${milliseconds(all[0] ?? 0)}`;
  const [least, most] = [Math.min(...all), Math.max(...all)];
  return ` in ${milliseconds(least)} to ${milliseconds(most)}, median ${milliseconds(median(all))}`;
}

function median(all: readonly number[]): number {
  return all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
}

function milliseconds(count: number): string {
  return count < 1_000 ? `${count} ms` : `${(count / 1_000).toFixed(1)} s`;
}

function parseOperands([operand, ...more]: readonly string[]): { host: string; port: number } {
  const usage = (message: string): CliError => new CliError(ExitCode.usage, message, ["i2p-socks ping NAME[:PORT]"]);
  if (operand === undefined || more.length > 0) throw usage("ping takes one name");
  const [, name = "", digits] = /^(.*?)(?::(\d+))?$/s.exec(operand) ?? [];
  const port = Number(digits ?? DEFAULT_PORT);
  if (port > 65_535) throw usage(`Cannot ping "${operand}": the port is above 65535`);
  return { host: requireI2pAddress(name, `Cannot ping "${operand}"`).host, port };
}
