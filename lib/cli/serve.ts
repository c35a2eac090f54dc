import { formatDuration } from "../config/duration.ts";
import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";
import { DEFAULT_LISTEN, type Settings } from "../config/settings.ts";
import { Proxy } from "../proxy/proxy.ts";
import { Counters } from "../report/counters.ts";
import { createLog, type Log } from "../report/log.ts";
import type { SamSession } from "../sam/session.ts";
import { CliError, ExitCode } from "./exit_code.ts";
import { readSamLogin } from "./login_file.ts";
import { keepOnly, requireAnyPort, requireNet } from "./permissions.ts";
import { adviseOn } from "./sam_advice.ts";
import { StopSignal } from "./stop_signal.ts";
import type { Terminal } from "./terminal.ts";

/** Milliseconds for connections to end by themselves after a signal; a second signal cuts it short. */
export const DRAIN_TIMEOUT = 10_000;

/** How many ports behind the default one are tried when it is taken and the user named none. */
const SPARE_PORTS = 20;

/** Serves SOCKS until a signal ends it. */
export async function serve(settings: Settings, terminal: Terminal): Promise<ExitCode> {
  using stop = new StopSignal();
  const counters = new Counters();
  const log = createLog({
    level: settings.logLevel,
    format: settings.logFormat,
    destinations: settings.logDestinations,
    write: (line) => terminal.talk(line),
  });
  const login = await readSamLogin(settings);
  requireNet(settings.sam, "--sam");
  requireAnyPort();
  const listeners = openListeners(settings, log);
  const proxy = await Proxy.start({
    listeners,
    endpoint: { ...settings.sam, ...(login && { login }) },
    sessionOptions: settings.sessionOptions,
    timeouts: {
      connect: settings.connectTimeout,
      handshake: settings.handshakeTimeout,
      idle: settings.idleTimeout,
    },
    maxConnections: settings.maxConnections,
    log,
    counters,
  });
  try {
    const left = keepOnly(settings.sam);
    if (left.length > 0) {
      log.warn(`Started with more permissions than the program's own, and cannot give back: ${left.join(", ")}`);
    }
    const session = await waitForSession(proxy, settings, stop, terminal, log);
    if (session !== undefined) {
      terminal.data(readyLine(settings, listeners, session));
      await stop.promise;
      await drain(proxy, stop, log);
    }
  } finally {
    await Promise.race([proxy.close(), stop.secondSignal]);
  }
  log.info("Ended", counters.all());
  return stop.exitCode;
}

function openListeners(settings: Settings, log: Log): Deno.TcpListener[] {
  const listeners: Deno.TcpListener[] = [];
  try {
    for (const endpoint of settings.listen) {
      requireNet(endpoint, "--listen");
      listeners.push(settings.listenGiven ? listen(endpoint) : listenNear(endpoint, log));
    }
    return listeners;
  } catch (error) {
    listeners.forEach((listener) => listener.close());
    throw error;
  }
}

function listen(endpoint: Endpoint): Deno.TcpListener {
  try {
    return Deno.listen(endpoint);
  } catch (error) {
    const reason = error instanceof Deno.errors.AddrInUse ? "the port is taken" : String(error);
    throw new CliError(ExitCode.cannotListen, `Cannot listen on ${formatEndpoint(endpoint)}: ${reason}`, [
      "Another --listen HOST:PORT, or port 0 for any free one",
    ]);
  }
}

/** The port itself, or the next free one. */
function listenNear(endpoint: Endpoint, log: Log): Deno.TcpListener {
  for (let port = endpoint.port; port < endpoint.port + SPARE_PORTS; port++) {
    try {
      requireNet({ ...endpoint, port }, "--listen");
      const listener = Deno.listen({ ...endpoint, port });
      if (port !== endpoint.port) log.warn(`Port ${DEFAULT_LISTEN.port} is taken, serving on ${port} instead`);
      return listener;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) break;
    }
  }
  return listen(endpoint);
}

/** The first session; undefined if a signal came first. */
async function waitForSession(
  proxy: Proxy,
  settings: Settings,
  stop: StopSignal,
  terminal: Terminal,
  log: Log,
): Promise<SamSession | undefined> {
  const since = performance.now();
  log.info("Waiting for the router to build tunnels", { sam: formatEndpoint(settings.sam) });
  const waited = (): string => formatDuration(performance.now() - since);
  const ticker = setInterval(() => {
    terminal.status(`Waiting for tunnels: ${waited()} (it can take minutes)`);
  }, 1000);
  const reminder = setInterval(() => log.info(`Still waiting for tunnels: ${waited()}`), 60_000);
  try {
    const stopped = stop.promise.then(() => undefined);
    const opened = proxy.open();
    // When a signal wins, the proxy is closed, and closing it fails this attempt: nobody waits for that any more.
    opened.catch(() => {});
    const session = await Promise.race([opened, stopped]);
    if (session !== undefined) log.info(`Tunnels ready after ${waited()}`);
    return session;
  } catch (error) {
    throw adviseOn(error, settings.sam);
  } finally {
    clearInterval(ticker);
    clearInterval(reminder);
    terminal.status("");
  }
}

function readyLine(settings: Settings, listeners: readonly Deno.TcpListener[], session: SamSession): string {
  const facts = {
    listen: listeners.map(({ addr }) => formatEndpoint(addr)).join(","),
    b32: session.address,
    sam: session.version,
    router: formatEndpoint(settings.sam),
  };
  if (settings.logFormat === "json") return JSON.stringify({ event: "ready", ...facts });
  return `ready ${Object.entries(facts).map(([key, value]) => `${key}=${value}`).join(" ")}`;
}

async function drain(proxy: Proxy, stop: StopSignal, log: Log): Promise<void> {
  if (proxy.connections > 0) {
    log.info(
      `Waiting up to ${formatDuration(DRAIN_TIMEOUT)} for ${proxy.connections} connections; signal again to end now`,
    );
  }
  await Promise.race([proxy.drain(DRAIN_TIMEOUT), stop.secondSignal]);
}
