import { type Endpoint, formatEndpoint } from "../config/endpoint.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { readSettings } from "../config/settings.ts";
import { type Client, CLIENTS } from "./setup_clients.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { findApplication, listenerOf, runningInstances } from "../command/instances.ts";
import { didYouMean } from "../config/suggest.ts";
import { wrap } from "../command/wrap.ts";
import type { Terminal } from "../command/terminal.ts";

/** Settings of an application. */
interface Setup {
  /** What goes into its configuration, as it stands. */
  settings: string;
  /** For people: where it goes, and what to know. At most 80 columns wide. */
  talk: string;
}

/**
 * Prints the settings of an application for the listener. They go to stdout and what to know to stderr, so that the
 * settings can be sent into a file. Without an operand, the list of applications.
 */
export async function setup(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  const [word, ...more] = operands;
  if (more.length > 0) throw new CliError(ExitCode.usage, `setup takes one application, but also got "${more[0]}"`);
  if (word === undefined) {
    terminal.data(listClients());
    return ExitCode.ok;
  }
  const client = clientNamed(word);
  const { listener, note } = await chooseListener(given);
  if (listener === undefined || listener.port === 0) {
    throw new CliError(ExitCode.usage, "Port 0 is picked anew at each start, so no application can be set to it", [
      "Name the port that the ready line tells: --listen PORT",
    ]);
  }
  const { settings, talk } = describeSetup(client, listener, note);
  terminal.talk(`${talk}\n`);
  terminal.data(settings);
  return ExitCode.ok;
}

/** What to do with an application for a listener. */
export function describeSetup(
  client: Client,
  listener: Endpoint,
  where = `i2p-socks listens on ${formatEndpoint(listener)}`,
): Setup {
  const notes = [...client.notes, where];
  return {
    settings: client.settings(listener).join("\n"),
    talk: [wrap(client.title), ...notes.map((note) => wrap(`- ${note}`, "  "))].join("\n"),
  };
}

/**
 * Where the proxy listens that the settings are for: at the address given, else where the application of that name runs, or
 * the only one.
 *
 * @throws {CliError} if several run, or none has the name.
 */
async function chooseListener(given: RawOptions): Promise<{ listener: Endpoint | undefined; note: string }> {
  const { listen: [listener], name, listenGiven } = readSettings(given);
  const where = listener === undefined ? "" : formatEndpoint(listener);
  if (listenGiven) {
    const running = (await runningInstances()).flatMap(({ applications }) => applications)
      .find(({ listen }) => listen.includes(where));
    return {
      listener,
      note: running === undefined
        ? `These settings are for ${where}, where no i2p-socks of yours listens now`
        : `i2p-socks ("${running.name}") listens on ${where}`,
    };
  }
  const found = await findApplication(given.has("name") ? name : undefined);
  if (found === undefined) {
    return { listener, note: `No i2p-socks of yours runs now; these settings assume that it will listen on ${where}` };
  }
  const running = listenerOf(found.application);
  return { listener: running, note: `i2p-socks ("${found.application.name}") listens on ${formatEndpoint(running)}` };
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
    `Known are ${names.join(", ")}`,
    "Any other application: SOCKS5 with remote DNS, or SOCKS4a",
  ]);
}

function listClients(): string {
  return Object.entries(CLIENTS).map(([name, { title }]) => wrap(name.padEnd(14) + title, " ".repeat(14))).join("\n");
}
