import type { Signal } from "../io/signal.ts";
import { formatDuration } from "../config/duration.ts";
import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { type ApplicationSettings, ConfigError, readSettings, readValue } from "../config/settings.ts";
import type { AddressKind } from "../i2p/address.ts";
import { Deadline, TimeoutError } from "../io/deadline.ts";
import { type Reason, REASONS } from "../reasons/reasons.ts";
import { reasonAdvice } from "../reasons/advice.ts";
import { Refusal } from "../reasons/refusal.ts";
import { refusalOf } from "../reasons/classify.ts";
import { connectThrough, readViaLogin, UpstreamError, type UpstreamProblem } from "../command/connect_via.ts";
import { SamError } from "../sam/error.ts";
import { connectStream, type StreamTarget } from "../sam/stream.ts";
import type { Login } from "../command/connect_via.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { requireI2pAddress } from "../command/arguments.ts";
import { IdentityRegistry } from "../server/identity_registry.ts";
import { readSamLogin } from "../command/input_files.ts";
import { endpointOf } from "../command/instances.ts";
import { defaultKeysDir, requireKeysDir } from "../command/keys_dir.ts";
import { OPTIONS } from "../config/options.ts";
import { giveBack, keepOnly, requireNet } from "../command/permissions.ts";
import { ROUTER_PORTS } from "../command/router_ports.ts";
import { pipe, type PipeEnd, type PipeStream } from "./connect_pipe.ts";
import { adviseOn } from "../command/sam_error.ts";
import { StopSignal } from "../command/stop_signal.ts";
import { type Terminal, terminalLog } from "../command/terminal.ts";

/** Options that go with a running proxy as well as with a session of its own. */
const COMMON = ["via", "via-user", "via-password-file", "connect-timeout", "help", "version"];

/** Milliseconds without a word until a terminal shows that time passes. */
const TICK = 1_000;

/** Whom to connect to. */
interface Target extends StreamTarget {
  /** What the host is. */
  kind: AddressKind;
}

/** An open stream, and what is released with it. */
interface Opened extends PipeStream {
  /** Ends the session, if there is one. */
  release: () => Promise<void>;
  /** Why the session is gone, once it is. */
  lost?: Promise<SamError>;
}

/** Why the program was asked to end. */
class Stopped extends Error {}

/**
 * Connects stdin and stdout with a peer in I2P, as ProxyCommand of ssh wants it: through a session of its own, or through
 * a running proxy. stdout carries the peer's bytes and nothing else.
 */
export async function connect(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  const target = parseTarget(operands);
  const settings = readSettings(given);
  const via = await chooseVia(given);
  using stop = new StopSignal();
  // ssh ends its ProxyCommand in this way.
  stop.onHangup(() => stop.request());
  const stopping = new AbortController();
  stop.promise.then(() => stopping.abort(new Stopped()));
  let opened: Opened | undefined;
  try {
    opened = await open(target, settings, via, given, terminal, stopping.signal);
    // A stdout that nobody reads from must not outlive a signal.
    const end = await Promise.race([pipe(opened, stopping.signal), stop.promise]) ?? "stopped";
    if (end === "stopped") return stop.exitCode;
    return await exitCodeFor(end, opened);
  } catch (error) {
    if (stopping.signal.aborted) return stop.exitCode;
    throw error;
  } finally {
    await opened?.release();
  }
}

async function open(
  target: Target,
  settings: ApplicationSettings,
  via: Endpoint | undefined,
  given: RawOptions,
  terminal: Terminal,
  stopping: Signal,
): Promise<Opened> {
  using deadline = new Deadline(settings.timeouts.connect, stopping);
  const since = performance.now();
  let doing = via === undefined ? "Waiting for tunnels: TIME (it can take minutes)" : "Connecting: TIME";
  const show = (): void => terminal.status(doing.replace("TIME", formatDuration(performance.now() - since)));
  const ticker = setInterval(show, TICK);
  try {
    if (via !== undefined) {
      const login = await readViaLogin(given, terminalLog(terminal));
      return await openThrough(via, target, login, deadline, settings.timeouts.connect);
    }
    return await openAlone(target, settings, terminal, deadline, () => doing = "Opening the stream: TIME");
  } finally {
    clearInterval(ticker);
    terminal.status("");
  }
}

/** Opens a stream through a running proxy. */
async function openThrough(
  via: Endpoint,
  target: Target,
  login: Login | undefined,
  signal: Signal,
  timeout: number,
): Promise<Opened> {
  requireNet(via, "--via");
  keepOnly({ sam: via });
  try {
    const stream = await connectThrough({ ...via, login }, target, signal);
    return { ...stream, hasHalfClose: true, release: async () => {} };
  } catch (error) {
    if (error instanceof TimeoutError) {
      throw new CliError(
        ExitCode.notReady,
        `The proxy at ${formatEndpoint(via)} gave no stream within ${formatDuration(timeout)}`,
        ["See --connect-timeout"],
      );
    }
    throw error instanceof UpstreamError ? adviseOnUpstream(error, via) : error;
  }
}

/** Opens a stream through a session of its own. */
async function openAlone(
  target: Target,
  settings: ApplicationSettings,
  terminal: Terminal,
  signal: Signal,
  hasTunnels: () => void,
): Promise<Opened> {
  const samLogin = await readSamLogin(settings, terminalLog(terminal));
  requireNet(settings.sam, "--sam");
  const endpoint = { ...settings.sam, ...(samLogin && { login: samLogin }) };
  // Quiet: what fails here ends the program, and is said then.
  const log = terminalLog(terminal, "error");
  const folder = settings.identity === undefined ? undefined : settings.keysDir ?? defaultKeysDir();
  let release = async (): Promise<void> => {};
  try {
    const held = await new IdentityRegistry(log, signal).acquire(
      settings,
      () => requireKeysDir(folder),
      endpoint,
      false,
    );
    release = held.release;
    keepOnly({ sam: settings.sam, services: ROUTER_PORTS });
    // Ignore errors here: `session()` below reports them and honours the time limit.
    held.open().catch(() => {});
    const session = await held.identity.session(signal);
    giveBack(ROUTER_PORTS, [settings.sam]);
    hasTunnels();
    // A stream cannot move to another session: without this a new one would be built.
    void session.lost.then(release);
    const { conn, early } = await connectStream(endpoint, session.id, target, signal);
    return { conn, early, hasHalfClose: false, sessionEnded: session.ended, lost: session.lost, release };
  } catch (error) {
    await release();
    throw explain(error, target.kind, settings);
  }
}

/** What a failure on the way to an open stream means. */
function explain(error: unknown, kind: AddressKind, { sam }: ApplicationSettings): unknown {
  if (error instanceof SamError && error.phase !== "stream") return adviseOn(error, sam);
  if (!(error instanceof SamError || error instanceof Refusal || error instanceof TimeoutError)) return error;
  const { reason, message } = refusalOf(error, kind);
  const text = error instanceof SamError && error.text !== undefined ? ` (${error.text})` : "";
  return new CliError(codeOf(reason), `${message}${text}`, reasonAdvice(reason, formatEndpoint(sam)));
}

/** Time that was not enough is a reason to try again, whatever it was spent on. */
function codeOf(reason: Reason): ExitCode {
  return reason === "timed-out" ? ExitCode.notReady : REASONS[reason].exitCode;
}

/** How the program ends for a proxy that gave no stream. */
const UPSTREAM_CODES: Readonly<Record<UpstreamProblem, ExitCode>> = {
  "unreachable": ExitCode.samUnreachable,
  "not-socks": ExitCode.samUnreachable,
  "login": ExitCode.failure,
  "not-permitted": ExitCode.failure,
  "not-ready": ExitCode.notReady,
  "peer": ExitCode.failure,
  "timed-out": ExitCode.notReady,
  "failed": ExitCode.failure,
};

export function adviseOnUpstream({ problem, message, refusal }: UpstreamError, via: Endpoint): CliError {
  const where = formatEndpoint(via);
  if (refusal !== undefined) {
    return new CliError(codeOf(refusal.reason), message, reasonAdvice(refusal.reason, refusal.sam));
  }
  const code = UPSTREAM_CODES[problem];
  switch (problem) {
    case "unreachable":
      return new CliError(code, `Nothing answers at ${where}: no running proxy (${message})`, [
        "Start i2p-socks serve, or leave out --via and I2P_SOCKS_VIA to open a new session",
      ]);
    case "not-socks":
      return new CliError(code, `What listens at ${where} is not a SOCKS5 proxy: ${message}`, [
        "Give --via the listen= address of the proxy's ready line",
      ]);
    case "login":
      return new CliError(code, message, ["See --via-user and --via-password-file"]);
    default:
      return new CliError(code, message, ["The proxy's log says more"]);
  }
}

/** How the program ends when its stream has ended. */
async function exitCodeFor(end: Exclude<PipeEnd, "stopped">, { lost }: Opened): Promise<ExitCode> {
  switch (end) {
    case "peer closed":
      return ExitCode.ok;
    case "reset":
      throw new CliError(ExitCode.failure, "The stream was cut: the router or the proxy reset the connection");
    case "session lost":
      throw new CliError(ExitCode.failure, `The stream was cut: the session was lost: ${(await lost)?.fullMessage}`);
    case "silent":
      throw new CliError(
        ExitCode.notReady,
        "The site fell silent after stdin had ended: its answer may be incomplete",
      );
    case "output closed":
      throw new CliError(ExitCode.failure, "Cannot write to stdout: nobody reads from it any more");
    case "output does not wait":
      throw new CliError(ExitCode.failure, "Cannot write to stdout: it is full, and set not to wait for its reader", [
        "What started i2p-socks has set O_NONBLOCK. Put a pipe between: i2p-socks connect HOST PORT | cat",
      ]);
  }
}

/**
 * The proxy to go through; undefined for a session of its own. Who asks for one by an option gets it, whatever the
 * environment says.
 *
 * @throws {ConfigError} if the options contradict each other.
 * @throws {CliError} if no running application has the name that is given.
 */
async function chooseVia(given: RawOptions): Promise<Endpoint | undefined> {
  const via = readValue(given, "via");
  const source = given.get("via")?.at(-1)?.source;
  const own = OPTIONS.filter(({ name, verbs }) => verbs.includes("connect") && !COMMON.includes(name))
    .flatMap(({ name }) => given.get(name) ?? []).find((value) => value.source.startsWith("-"));
  const login = given.get("via-user") ?? given.get("via-password-file");
  if (via === undefined && login !== undefined) {
    throw new ConfigError([`${login[0]?.source} is of no use without --via`]);
  }
  if (via === undefined || own === undefined) return via === undefined ? undefined : await endpointOf(via);
  if (source !== "--via") return undefined;
  throw new ConfigError([`${own.source} cannot be given together with --via: the running proxy has a session already`]);
}

function parseTarget(operands: readonly string[]): Target {
  const [name, digits, ...more] = operands;
  const usage = (message: string): CliError => new CliError(ExitCode.usage, message, ["i2p-socks connect HOST PORT"]);
  if (name === undefined || digits === undefined || more.length > 0) throw usage("connect takes a host and a port");
  const port = Number(digits);
  if (!/^\d{1,5}$/.test(digits) || port > 65_535) throw usage(`Invalid port "${digits}"`);
  const { kind, host } = requireI2pAddress(name, `Cannot connect to "${name}"`);
  return { kind, host, port };
}
