import { type Endpoint, formatEndpoint, withPort } from "../config/endpoint.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { readSettings } from "../config/settings.ts";
import { type Client, CLIENTS } from "./setup_clients.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { didYouMean } from "../config/suggest.ts";
import { Deadline } from "../io/deadline.ts";
import { mayConnect } from "../command/permissions.ts";
import { lookForSocks } from "./check_ports.ts";
import { wrap } from "../command/wrap.ts";
import type { Terminal } from "../command/terminal.ts";

/** Milliseconds for a look at what listens where the settings lead. */
const LOOK_TIMEOUT = 3_000;

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
export async function setup(
  operands: readonly string[],
  given: RawOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const [word, ...more] = operands;
  if (more.length > 0) throw new CliError(ExitCode.usage, `setup takes one application, but also got "${more[0]}"`);
  const { listen } = readSettings(given);
  const [listener] = withPort(listen);
  if (word === undefined) {
    terminal.data(listClients());
    return ExitCode.ok;
  }
  const client = clientNamed(word);
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
  const { settings, talk } = describeSetup(client, listener);
  terminal.talk([talk, ...await warnOf(listener)].join("\n"));
  terminal.talk("");
  terminal.data(settings);
  return ExitCode.ok;
}

/** What is to be said of what listens there now; nothing where it is i2p-socks, or cannot be looked at. */
async function warnOf(listener: Endpoint): Promise<string[]> {
  const where = formatEndpoint(listener);
  if (!mayConnect(listener)) return [];
  using deadline = new Deadline(LOOK_TIMEOUT);
  const what = await lookForSocks(listener, deadline);
  if (what === "ours") return [];
  const says = what === "nobody" ? `Nobody listens on ${where} now` : `What listens on ${where} now is ${what}`;
  return [
    wrap(`! ${says}. Start i2p-socks, and give setup the listen= address of its ready line: --listen HOST:PORT`, "  "),
  ];
}

/** What to do with an application for a listener. */
export function describeSetup(client: Client, listener: Endpoint): Setup {
  const notes = [...client.notes, `These settings assume that i2p-socks listens on ${formatEndpoint(listener)}`];
  return {
    settings: client.settings(listener).join("\n"),
    talk: [wrap(client.title), ...notes.map((note) => wrap(`- ${note}`, "  "))].join("\n"),
  };
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
