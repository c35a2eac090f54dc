import type { Signal } from "../io/signal.ts";
import { formatDuration } from "../config/duration.ts";
import { formatEndpoint } from "../config/endpoint.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { type ApplicationSettings, readSettings, readValue } from "../config/settings.ts";
import { parseAddress } from "../i2p/address.ts";
import { b32Address } from "../i2p/destination.ts";
import { needsTime, SESSION_RETRY } from "../identity/session_retry.ts";
import { closeQuietly } from "../io/conn.ts";
import { Deadline, sleep, TimeoutError } from "../io/deadline.ts";
import { SILENT_PEER_TIMEOUT } from "../proxy/connect.ts";
import { refusalOf, unknownReason } from "../reasons/classify.ts";
import { REASONS } from "../reasons/reasons.ts";
import { lookupName, OWN_ADDRESS_TIMEOUT } from "../sam/naming.ts";
import { createSession, type SamSession } from "../sam/session.ts";
import { connectBridge, ROUTERS, type SamEndpoint, SamSocket } from "../sam/socket.ts";
import { connectStream, type StreamTarget } from "../sam/stream.ts";
import { SamError } from "../sam/error.ts";
import { diagnoseSilence, diagnoseStranger, ROUTER_PORTS } from "../command/router_ports.ts";
import { describeFinding, Fault, type Step, walk } from "./check_walk.ts";
import { DatagramCheck } from "./check_datagrams.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { requireI2pAddress } from "../command/arguments.ts";
import { readSamLogin } from "../command/input_files.ts";
import { applicationAt } from "../command/instances.ts";
import { keepOnly, requireNet } from "../command/permissions.ts";
import { type Terminal, terminalLog } from "../command/terminal.ts";

/** Milliseconds for a bridge to answer its greeting, before something else is suspected there. */
const GREETING_PATIENCE = 2_000;

/** Milliseconds until the next attempt of who watches. */
const WATCH_INTERVAL = 5_000;

/** Milliseconds between two questions for our own lease set, which routers publish a moment after the session is ready. */
const OWN_ADDRESS_RETRY = 2_000;

/**
 * Walks from the SAM port to a working session, and to a stream to the operand if there is one. Prints a line for each step;
 * one that fails comes with its fix, and is the last unless the rest may work without it.
 */
export async function check(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  const target = parseOperands(operands);
  if (target !== undefined && given.has("no-session")) {
    throw new CliError(ExitCode.usage, "--no-session leaves nothing to open a stream with: NAME cannot be given");
  }
  const settings = readSettings(given);
  const timeout = readValue(given, "timeout");
  const login = await readSamLogin(settings, terminalLog(terminal));
  requireNet(settings.sam, "--sam");
  const ownProxy = await applicationAt(settings.sam);
  keepOnly({ sam: settings.sam, udp: settings.udp.enabled, services: ROUTER_PORTS });
  const asJson = given.has("json");
  const isWatching = given.has("watch");
  const since = performance.now();
  const waited = (): string => formatDuration(performance.now() - since);
  const told = new Map<string, string>();
  for (;;) {
    await using route = new Route({ ...settings.sam, ...(login && { login }) }, settings, target, timeout, ownProxy);
    const steps = given.has("no-session") ? route.bridge : [...route.bridge, ...route.session];
    using deadline = new Deadline(timeout);
    const findings = await walk(steps, settings.sam, deadline, terminal, (step, finding) => {
      // Who watches is told what is new.
      // What is found of a step that succeeds may differ each time, as its address does.
      const news = finding.ok ? "ok" : `${finding.reason} ${finding.says}`;
      const isNews = told.get(step.name) !== news;
      told.set(step.name, news);
      if (!asJson && isNews) terminal.lines(describeFinding(step, finding, route.kind));
    });
    // A stream that is open, or a datagram that arrived, went the way that applications' own go: then all is well, whatever
    // the router did not find before, and a script that waits for 0 must not wait for ever. Else the first failure counts.
    const failed = findings.at(-1)?.ok ? undefined : findings.find(({ ok }) => !ok);
    const code = failed === undefined ? ExitCode.ok : REASONS[failed.reason ?? "internal"].exitCode;
    if (isWatching && (code === ExitCode.samUnreachable || code === ExitCode.notReady)) {
      await pause(terminal, waited);
      continue;
    }
    if (asJson) terminal.data(JSON.stringify({ ok: failed === undefined, steps: findings }));
    else {terminal.lines([
        conclude(code, { settings, target, isWatching, isBridgeOnly: given.has("no-session"), waited }),
      ]);}
    return code;
  }
}

/** Waits before the next attempt, and shows that on a terminal. */
async function pause(terminal: Terminal, waited: () => string): Promise<void> {
  const show = (): void => terminal.status(`Not ready after ${waited()}; trying again`);
  show();
  const ticker = setInterval(show, 1_000);
  using always = new Deadline(Infinity);
  await sleep(WATCH_INTERVAL, always);
  clearInterval(ticker);
  terminal.status("");
}

/** What a check was about, for its last sentence. */
interface Checked {
  settings: ApplicationSettings;
  target: StreamTarget | undefined;
  isWatching: boolean;
  isBridgeOnly: boolean;
  waited: () => string;
}

/** What all steps say together, one sentence. */
function conclude(code: ExitCode, { settings: { sam }, target, isWatching, isBridgeOnly, waited }: Checked): string {
  const bridge = sam.port === 7656 && sam.hostname === "127.0.0.1" ? "" : ` --sam ${formatEndpoint(sam)}`;
  if (code === ExitCode.ok) {
    if (isBridgeOnly) return `The SAM bridge is fine; i2p-socks check${bridge} also builds tunnels`;
    const time = isWatching ? ` after ${waited()}` : "";
    if (target !== undefined) return `All good${time}: ${target.host} can be reached`;
    return `All good${time}: start with i2p-socks${bridge === "" ? "" : ` serve${bridge}`}`;
  }
  if (code === ExitCode.samUnreachable || code === ExitCode.notReady) {
    return `Not ready: follow the fix above; i2p-socks check${bridge} --watch waits until all is well`;
  }
  return "Not good: the fix above is for the first step that failed";
}

/** The steps, and what one of them leaves for the next. */
class Route {
  readonly #endpoint: SamEndpoint;
  readonly #settings: ApplicationSettings;
  readonly #target: StreamTarget | undefined;
  readonly #timeout: number;
  readonly #datagrams: DatagramCheck | undefined;
  /** The label of the application that serves SOCKS at the address of the bridge. */
  readonly #ownProxy: string | undefined;
  /** The router, as far as its SAM bridge tells. */
  kind: string | undefined;
  #conn: Deno.TcpConn | undefined;
  #session: SamSession | undefined;
  #isFound = false;

  constructor(
    endpoint: SamEndpoint,
    settings: ApplicationSettings,
    target: StreamTarget | undefined,
    timeout: number,
    ownProxy: string | undefined,
  ) {
    this.#ownProxy = ownProxy;
    this.#endpoint = endpoint;
    this.#settings = settings;
    this.#target = target;
    this.#timeout = timeout;
    const { udp: { enabled: udp, port: udpPort, style }, sessionOptions: options } = settings;
    this.#datagrams = udp ? new DatagramCheck({ endpoint, udpPort, style, options }) : undefined;
  }

  /** Steps that need a SAM bridge only. */
  get bridge(): Step[] {
    return [
      { name: "port", title: "SAM port", late: "router-silent", run: (signal) => this.#connect(signal) },
      { name: "sam", title: "SAM bridge", late: "router-silent", run: (signal) => this.#greet(signal) },
    ];
  }

  /** Steps that need a router in the network. */
  get session(): Step[] {
    const target = this.#target;
    const hasRest = target !== undefined || this.#datagrams !== undefined;
    const steps: Step[] = [
      { name: "session", title: "session", late: "not-ready", run: (signal) => this.#create(signal) },
      {
        name: "own-address",
        title: "own address",
        late: "not-ready",
        lateSays: "The router built tunnels, but does not find our lease set",
        limit: hasRest ? Math.min(OWN_ADDRESS_TIMEOUT, this.#timeout / 2) : Infinity,
        passable: (reason) => reason === "not-ready",
        run: this.#withSession((signal) => this.#resolveOwn(signal)),
      },
    ];
    steps.push(...this.#datagrams?.steps ?? []);
    if (target === undefined) return steps;
    return [
      ...steps,
      {
        name: "name",
        title: "name",
        late: "router-silent",
        // A router that does not find our lease set need not find that of others.
        passable: (reason) => reason === "lease-set-not-found" && !this.#isFound,
        run: this.#withSession((signal) => this.#resolve(target, signal)),
      },
      {
        name: "stream",
        title: "stream",
        late: "timed-out",
        run: this.#withSession((signal) => this.#open(target, signal)),
      },
    ];
  }

  /** Ends the sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#conn !== undefined) closeQuietly(this.#conn);
    this.#session?.close();
    await this.#datagrams?.[Symbol.asyncDispose]();
  }

  async #connect(signal: Signal): Promise<string> {
    if (this.#ownProxy !== undefined) {
      // Nobody is asked: the proxy would take it for a client.
      const where = formatEndpoint(this.#endpoint);
      throw new Fault(
        "not-sam",
        `${where} is not a SAM bridge: it is the SOCKS port of your i2p-socks "${this.#ownProxy}"`,
      );
    }
    try {
      this.#conn = await connectBridge(this.#endpoint, signal);
    } catch (error) {
      if (!(error instanceof SamError)) throw error;
      const { says, fix } = await diagnoseSilence(this.#settings.sam, signal);
      throw new Fault(refusalOf(error).reason, says, fix);
    }
    return `${formatEndpoint(this.#endpoint)} accepts connections`;
  }

  /** Greets on the connection that is open: Java I2P logs an error for one that closes without a byte. */
  async #greet(signal: Signal): Promise<string> {
    const ours = await this.#greetInTime(signal).catch(async (error) => {
      if (!(error instanceof SamError) || error.failure === "refused") throw error;
      const diagnosis = await diagnoseStranger(this.#endpoint, signal);
      throw diagnosis === undefined ? error : new Fault("not-sam", diagnosis.says);
    });
    ours.close();
    // What a router chooses by itself is all that SAM says about which one it is.
    const any = await SamSocket.open(this.#endpoint, signal, "any").catch(() => undefined);
    any?.close();
    this.kind = any && ROUTERS[any.version];
    const login = this.#endpoint.login === undefined ? "" : ", takes the login or wants none";
    return `speaks version ${ours.version}${login}${this.kind === undefined ? "" : `; looks like ${this.kind}`}`;
  }

  /** Greets; where that takes longer than a bridge needs, it is asked whether something else is there. */
  async #greetInTime(signal: Signal): Promise<SamSocket> {
    const answered = new AbortController();
    using silence = new Deadline(Infinity, signal, answered.signal);
    const greeting = SamSocket.open(this.#endpoint, signal, "ours", this.#conn).finally(() => answered.abort());
    const doubt = sleep(GREETING_PATIENCE, silence).then(async () => {
      if (answered.signal.aborted || signal.aborted) return await greeting;
      const diagnosis = await diagnoseStranger(this.#endpoint, signal);
      if (diagnosis === undefined || answered.signal.aborted) return await greeting;
      throw new Fault("not-sam", diagnosis.says);
    });
    // Whichever comes second is of no interest any more; the connection is closed with the route.
    greeting.catch(() => {});
    doubt.catch(() => {});
    return await Promise.race([greeting, doubt]);
  }

  async #create(signal: Signal): Promise<string> {
    while (this.#session === undefined) {
      try {
        this.#session = await createSession(this.#endpoint, { options: this.#settings.sessionOptions }, signal);
      } catch (error) {
        if (!needsTime(error)) throw error;
        await sleep(SESSION_RETRY, signal);
        signal.throwIfAborted();
      }
    }
    return `tunnels are built for ${this.#session.address}`;
  }

  async #resolveOwn(signal: Signal): Promise<string> {
    const address = this.#session?.address ?? "";
    while (await lookupName(this.#endpoint, address, signal) === undefined) {
      await sleep(OWN_ADDRESS_RETRY, signal);
      signal.throwIfAborted();
    }
    this.#isFound = true;
    return "the router resolves it";
  }

  async #resolve({ host }: StreamTarget, signal: Signal): Promise<string> {
    const destination = await lookupName(this.#endpoint, host, signal);
    if (destination !== undefined) return `${host} is ${await b32Address(destination)}`;
    throw new Fault(unknownReason(parseAddress(host).kind));
  }

  async #open(target: StreamTarget, signal: Signal): Promise<string> {
    const { connect } = this.#settings.timeouts;
    using limit = new Deadline(Math.min(connect, SILENT_PEER_TIMEOUT), signal);
    try {
      closeQuietly((await connectStream(this.#endpoint, this.#session?.id ?? "", target, limit)).conn);
    } catch (error) {
      if (error instanceof TimeoutError && !signal.aborted && connect > SILENT_PEER_TIMEOUT) {
        throw new Fault("peer-silent");
      }
      throw error;
    }
    return this.kind === "Java I2P"
      ? "open: the site has answered"
      : "open. i2pd reports this once it has found the site's lease set; the site itself may not have answered yet";
  }

  /** A step that fails as soon as the session is lost. */
  #withSession(run: (signal: Signal) => Promise<string>): Step["run"] {
    return async (signal) => {
      const session = this.#session;
      using deadline = new Deadline(Infinity, signal, session?.ended);
      try {
        return await run(deadline);
      } catch (error) {
        // When the time is over the session is closed as well: what came first is the reason.
        if (session?.ended.aborted !== true || deadline.reason !== session.ended.reason) throw error;
        const reason = await session.lost;
        throw new Fault(refusalOf(reason).reason, `The session was lost: ${reason.fullMessage}`);
      }
    };
  }
}

function parseOperands([operand, ...more]: readonly string[]): StreamTarget | undefined {
  if (operand === undefined) return undefined;
  const [, name = "", digits] = /^(.*?)(?::(\d+))?$/s.exec(operand) ?? [];
  const port = Number(digits ?? 0);
  const what = `Cannot check "${operand}"`;
  if (more.length > 0) throw new CliError(ExitCode.usage, `check takes one name, but also got "${more[0]}"`);
  if (port > 65_535) throw new CliError(ExitCode.usage, `${what}: the port is above 65535`);
  return { host: requireI2pAddress(name, what).host, port };
}
