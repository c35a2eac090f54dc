import { type Endpoint, formatEndpoint, withPort } from "../config/endpoint.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { readSettings, readValue } from "../config/settings.ts";
import { type Client, CLIENTS } from "../command/setup_clients.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { findApplication, listenerOf, runningInstances } from "../command/instances.ts";
import { didYouMean } from "../config/suggest.ts";
import { Deadline } from "../io/deadline.ts";
import { mayConnect } from "../command/permissions.ts";
import { lookForSocks } from "../command/router_ports.ts";
import { wrap } from "../command/wrap.ts";
import type { Terminal } from "../command/terminal.ts";

/** Milliseconds for a look at what listens where the settings lead. */
const LOOK_TIMEOUT = 3_000;

/** Where nobody listens: what goes there fails. */
const NOWHERE: Endpoint = { hostname: "127.0.0.1", port: 1 };

/** Settings of an application. */
interface Setup {
  /** What goes into its configuration, as it stands. */
  settings: string;
  /** For people: where it goes, and what to know. At most 80 columns wide. */
  talk: string;
}

/**
 * Prints the settings of an application for the listener. They go to stdout and what to know to stderr, so that the
 * settings can be sent into a file. Without an operand, the list of applications. Where those of `env` cannot be had, a
 * shell gets a proxy that nobody is.
 *
 * @throws {CliError} if another program listens where they would lead: its users may share one identity.
 */
export async function setup(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  try {
    return await printSetup(operands, given, terminal);
  } catch (error) {
    // A shell that got nothing to evaluate would go on without a proxy, straight to the clearnet.
    if (operands[0] === "env" && !given.has("json")) terminal.data(clientNamed("env").settings(NOWHERE).join("\n"));
    throw error;
  }
}

async function printSetup(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  const [word, ...more] = operands;
  if (more.length > 0) throw new CliError(ExitCode.usage, `setup takes one application, but also got "${more[0]}"`);
  if (word === undefined) {
    terminal.data(given.has("json") ? JSON.stringify({ clients: Object.keys(CLIENTS) }) : listClients());
    return ExitCode.ok;
  }
  const client = clientNamed(word);
  const { listener, note, isRunning } = await chooseListener(given);
  if (listener === undefined) {
    throw new CliError(ExitCode.usage, "setup needs a port: most applications have no setting for a socket", [
      "Use --listen PORT too; curl --proxy socks5h://localhost/PATH takes a socket, and so does setup confine's --proxy",
    ]);
  }
  if (listener.port === 0) {
    throw new CliError(
      ExitCode.usage,
      "With port 0 the port changes at each start, so no application can be set to it",
      [
        "Use the port of the ready line: --listen PORT",
      ],
    );
  }
  const warnings = isRunning ? [] : await warnOf(listener);
  if (given.has("json")) {
    const [{ title, notes }, listen] = [client, formatEndpoint(listener)];
    terminal.data(
      JSON.stringify({ client: word, title, listen, settings: client.settings(listener), notes, warnings }),
    );
    return ExitCode.ok;
  }
  // A file keeps its lines whole; a terminal breaks them where words end.
  const { settings, talk } = describeSetup(client, listener, terminal.isInteractive, note);
  const warned = warnings.map((warning) => terminal.isInteractive ? wrap(`! ${warning}`, "  ") : `! ${warning}`);
  if (!readValue(given, "quiet")) terminal.talk([talk, ...warned].join("\n"));
  else warned.forEach((line) => terminal.talk(line));
  terminal.data(settings);
  return ExitCode.ok;
}

/**
 * What is to be said of what listens there now; nothing where it is i2p-socks, or cannot be looked at.
 *
 * @throws {CliError} if it is another program.
 */
async function warnOf(listener: Endpoint): Promise<string[]> {
  const where = formatEndpoint(listener);
  if (!mayConnect(listener)) return [];
  using deadline = new Deadline(LOOK_TIMEOUT);
  const what = await lookForSocks(listener, deadline);
  if (what === "ours") return [];
  if (what !== "nobody") {
    throw new CliError(ExitCode.failure, `What listens on ${where} is ${what}: no settings for that`, [
      "Start i2p-socks; setup then finds your running proxy, and the port that it has",
      "For the proxy of another user: --listen with the listen= address of its ready line",
    ]);
  }
  return [
    `Nobody listens on ${where} now. Start i2p-socks, and compare the listen= address of its ready line`,
  ];
}

/** What to do with an application for a listener; `isWrapped` breaks what people read into short lines. */
export function describeSetup(
  client: Client,
  listener: Endpoint,
  isWrapped = true,
  where = `These settings assume that i2p-socks listens on ${formatEndpoint(listener)}`,
): Setup {
  const broken = (text: string, indent?: string): string => isWrapped ? wrap(text, indent) : text;
  const notes = [...client.notes, where];
  return {
    settings: client.settings(listener).join("\n"),
    talk: [broken(client.title), ...notes.map((note) => broken(`- ${note}`, "  "))].join("\n"),
  };
}

/** Where settings lead. */
interface Chosen {
  listener: Endpoint | undefined;
  /** What is known of that. */
  note: string;
  /** Whether an instance of this user runs there. */
  isRunning: boolean;
}

/**
 * Where the proxy listens that the settings are for: at the address given, else where the application of that name runs, or
 * the only one.
 *
 * @throws {CliError} if several run, or none has the name.
 */
async function chooseListener(given: RawOptions): Promise<Chosen> {
  const { listen, name, listenGiven } = readSettings(given);
  const [listener] = withPort(listen);
  const where = listener === undefined ? "" : formatEndpoint(listener);
  const running = listenGiven
    ? (await runningInstances()).flatMap(({ applications }) => applications).find(({ listen }) =>
      listen.includes(where)
    )
    : (await findApplication(given.has("name") ? name : undefined, "--listen"))?.application;
  if (running === undefined) {
    const note = `These settings assume that i2p-socks listens on ${where}; none of yours does now`;
    return { listener, note, isRunning: false };
  }
  const found = listenGiven ? listener : listenerOf(running);
  const note = `i2p-socks ("${running.name}") listens on ${found === undefined ? "" : formatEndpoint(found)}`;
  return { listener: found, note, isRunning: true };
}

/**
 * The application of a word that `setup` takes.
 *
 * @throws {CliError} if none has it.
 */
export function clientNamed(word: string): Client {
  const client = Object.hasOwn(CLIENTS, word) ? CLIENTS[word] : undefined;
  if (client !== undefined) return client;
  const names = Object.keys(CLIENTS);
  throw new CliError(ExitCode.usage, `No settings are known for "${word}"`, [
    ...didYouMean(word, names),
    "In any application: SOCKS5 at the address of the ready line, and names looked up by the proxy (socks5h, remote DNS); or SOCKS4a",
    "A user name there is an identity of its own, and the password may be anything",
    "A program without proxy settings: i2p-socks setup proxychains",
    `Known are ${names.join(", ")}`,
  ]);
}

function listClients(): string {
  return Object.entries(CLIENTS).map(([name, { title }]) => wrap(name.padEnd(14) + title, " ".repeat(14))).join("\n");
}
