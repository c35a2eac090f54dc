import type { RawOptions } from "../config/raw_options.ts";
import { CLIENTS } from "./setup_clients.ts";
import { didYouMean } from "../config/suggest.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { KEY_ACTIONS } from "./key_actions.ts";
import { flagOf, OPTIONS, type OptionSpec, variableOf, type Verb, VERBS } from "../config/options.ts";
import { KINDS } from "./service.ts";
import { SHELLS } from "./completions.ts";
import type { Terminal } from "../command/terminal.ts";
import { wrap } from "../command/wrap.ts";

/** A verb of the command line: help and completions come from here. */
interface VerbSpec {
  /** How to type it. */
  usage: string;
  /** What it is for. The first sentence is all that lists of verbs show. */
  text: string;
  /** Command lines that run as they stand. */
  examples: readonly string[];
  /** What completes the words behind it, one after the other: words, or whatever is there of a kind. */
  operands?: readonly (readonly string[] | "file" | "identity" | "application")[];
}

/** The verbs. */
export const VERB_HELP: Readonly<Record<Verb, VerbSpec>> = {
  serve: {
    usage: "i2p-socks [serve] [OPTIONS]",
    text: "Serve SOCKS 4, 4a and 5 on loopback to one application, through I2P. Needs the SAM bridge of a router.\n" +
      'Prints a line that begins with "ready" when tunnels are built.',
    examples: [
      "i2p-socks",
      "i2p-socks --listen 127.0.0.1:9050 --name irc",
      "i2p-socks --identity irc --listen 127.0.0.1:9101",
      "i2p-socks --quantity 3 -o i2p.streaming.profile=2",
    ],
  },
  check: {
    usage: "i2p-socks check [NAME[:PORT]] [OPTIONS]",
    text:
      "Walk from the SAM port to a working session, and say what is wrong. Given NAME, also opens a stream to it. Stops at the first thing wrong, with\n" +
      "its fix. The session is a throw-away one: a running proxy is not disturbed.\n" +
      "Exit codes: 0 all is well, 69 no SAM bridge, 75 the router is not ready, 1 anything else.",
    examples: ["i2p-socks check", "i2p-socks check stats.i2p --timeout 5m", "i2p-socks check --no-session --json"],
  },
  audit: {
    usage: "i2p-socks audit [--for DURATION] [OPTIONS]",
    text:
      "Serve like serve, and report what the application gave away. It looks for names that it resolves itself, and\n" +
      "plaintext that tells about it, this machine or its user. Exit code 0 when clean, 1 otherwise.",
    examples: ["i2p-socks audit --for 5m --listen 127.0.0.1:9050", "i2p-socks audit --secrets-file words --json"],
  },
  connect: {
    usage: "i2p-socks connect HOST PORT [OPTIONS]",
    text:
      "Connect stdin and stdout with a peer in I2P: a ProxyCommand for ssh, and so for git, rsync and sftp. A session\n" +
      "of its own takes 10 to 60 seconds to build; through a running proxy (--via) it takes one or two. Options of a\n" +
      "session stand against I2P_SOCKS_VIA: with --identity or --sam it builds its own. The end of stdin does not end it:\n" +
      "it goes on until the peer closes, or falls silent for 3 minutes (1 after an answer).\n" +
      "Exit codes: 0 the peer closed, 1 it cannot be reached, refuses or was cut off, 2 bad usage or no address of I2P,\n" +
      "69 no SAM bridge or no proxy, 75 not ready in time (try again), 77 a permission is missing.",
    examples: [
      "ssh -o ProxyCommand='i2p-socks connect %h %p' me@example.i2p",
      "ssh -o ProxyCommand='i2p-socks connect --via 127.0.0.1:4447 %h %p' me@a.i2p",
      "git -c core.sshCommand=\"ssh -o ProxyCommand='i2p-socks connect %h %p'\" fetch",
    ],
  },
  lookup: {
    usage: "i2p-socks lookup NAME... [OPTIONS]",
    text: "Say what names and addresses are, and whether the router resolves them.",
    examples: ["i2p-socks lookup stats.i2p"],
  },
  keys: {
    usage: "i2p-socks keys ACTION [NAME] [FILE] [OPTIONS]",
    text: "Manage lasting identities. Actions: list, show NAME, new NAME, export NAME [FILE], import NAME [FILE],\n" +
      "rotate NAME, delete NAME. Files are those of i2pd (.dat) and Java I2P (privKeyFile); without FILE,\n" +
      "stdout or stdin. A running proxy is not needed, the router is for new and rotate.",
    examples: [
      "i2p-socks keys new irc",
      "i2p-socks keys export irc irc.dat",
      "i2p-socks keys import old < eepPriv.dat",
    ],
    operands: [Object.keys(KEY_ACTIONS), "identity", "file"],
  },
  "hash-login": {
    usage: "i2p-socks hash-login USER",
    text: "Make a line for --auth-file. The password is asked for, or read from stdin.",
    examples: ["i2p-socks hash-login alice >> logins"],
  },
  status: {
    usage: "i2p-socks status [NAME|[HOST:]PORT] [--json] [--watch]",
    text:
      "Show the state of running proxies: all of yours, the one of that --name, or the one whose --status is at that\n" +
      "address. Counters, reasons and leaks are shown of those that were started with --status. With --json, an object\n" +
      "a line for each.\n" +
      "Exit codes: 0 all applications are ready, 75 one is not, 1 nobody answers; with --watch, the signal's.",
    examples: ["i2p-socks status", "i2p-socks status irc --watch", "i2p-socks status 127.0.0.1:4448 --json"],
    operands: ["application"],
  },
  why: {
    usage: "i2p-socks why [NAME|[HOST:]PORT] [--json]",
    text:
      "Say what failed last, and what to do about it. It asks running proxies, which must have been started with\n" +
      "--status: the last 20 different outcomes of each application, the newest first, with the fix for its router. It\n" +
      "names no destination, unless the proxy was started with --log-destinations.",
    examples: ["i2p-socks why", "i2p-socks why irc"],
    operands: ["application"],
  },
  ping: {
    usage: "i2p-socks ping NAME[:PORT] [--count N] [--http] [--via NAME|HOST:PORT]",
    text:
      "Measure the way to a site, through a running proxy. It opens streams, and tells how long each took to open and\n" +
      "until the first byte came, where the site speaks first or --http asks it. So an offline site and slow tunnels can\n" +
      "be told apart. Exit codes: 0 a stream opened, else the reason's.",
    examples: ["i2p-socks ping stats.i2p --http", "i2p-socks ping irc.postman.i2p:6667 --via irc --count 5"],
  },
  setup: {
    usage: "i2p-socks setup [CLIENT] [--name NAME | --listen [HOST:]PORT]",
    text:
      "Print the settings of an application for the proxy. They go to stdout, what to know goes to stderr. They are for\n" +
      "the running i2p-socks, or the one of --name where several run. Without CLIENT, the list of applications.",
    examples: [
      "i2p-socks setup",
      "i2p-socks setup curl",
      "i2p-socks setup firefox --listen 127.0.0.1:9050 > user.js",
    ],
    operands: [Object.keys(CLIENTS)],
  },
  completions: {
    usage: "i2p-socks completions SHELL",
    text:
      "Print a script that completes command lines in bash, zsh or fish. It asks the program at every Tab, so it\n" +
      "fits any later version.",
    examples: [
      "source <(i2p-socks completions bash)",
      "i2p-socks completions zsh > _i2p-socks",
      "i2p-socks completions fish > i2p-socks.fish",
    ],
    operands: [SHELLS],
  },
  service: {
    usage: "i2p-socks service KIND",
    text:
      "Print what starts i2p-socks as a service, with the options of a configuration file. Nothing is installed.\n" +
      "KIND is systemd, systemd-template (several instances), systemd-user, container, launchd or windows.",
    examples: [
      "i2p-socks service systemd > i2p-socks.service",
      "i2p-socks service systemd-user > ~/.config/systemd/user/i2p-socks.service",
      "i2p-socks service container > Containerfile",
    ],
    operands: [Object.keys(KINDS)],
  },
  help: {
    usage: "i2p-socks help [VERB]",
    text: "Show help for the program or for a verb.",
    examples: ["i2p-socks help lookup"],
    operands: [VERBS],
  },
};

/** Width of the column of options. */
const COLUMN = 30;

/** Shows the help of a verb, or of the program. */
export function help([word = "serve"]: readonly string[], _given: RawOptions, terminal: Terminal): ExitCode {
  const verb = VERBS.find((name) => name === word);
  if (verb === undefined) {
    throw new CliError(ExitCode.usage, `Unknown verb "${word}"`, [...didYouMean(word, VERBS), "See i2p-socks --help"]);
  }
  terminal.data(helpText(verb));
  return ExitCode.ok;
}

/** The help of a verb, at most 80 columns wide; the one for `serve` also names the other verbs. */
export function helpText(verb: Verb): string {
  const { usage, text, examples } = VERB_HELP[verb];
  return [
    ...paragraphs(text),
    "",
    "Usage:",
    `  ${usage}`,
    ...(verb === "serve" ? ["", "Verbs:", ...VERBS.map(verbLine)] : []),
    ...optionLines(verb),
    "",
    wrap(settingsText(verb)),
    "",
    "Examples:",
    ...examples.map((example) => `  ${example}`),
  ].join("\n");
}

/** How to write values, and where else than on the command line a verb finds them. */
function settingsText(verb: Verb): string {
  const durations = "Durations are 500ms, 10s, 5m, 1h.";
  const option = OPTIONS.find((one) => one.verbs.includes(verb) && variableOf(one) !== undefined);
  if (option === undefined) return durations;
  return `${durations} Settings can also be environment variables, ${variableOf(option)} for ${flagOf(option)}; the ` +
    "command line wins. --no-NAME switches off what a variable or a file has switched on.";
}

/** What a verb does, in one sentence. */
export function summaryOf(verb: Verb): string {
  return VERB_HELP[verb].text.replaceAll("\n", " ").replace(/\.(?: .*)?$/, "");
}

/** Lines of a text end where its sentences end at a line's end; elsewhere they are wrapped anew. */
function paragraphs(text: string): string[] {
  return text.split(/(?<=\.)\n/).map((line) => wrap(line.replaceAll("\n", " ")));
}

function verbLine(verb: Verb): string {
  return wrap(`  ${verb.padEnd(13)}${summaryOf(verb)}`, " ".repeat(15));
}

/** The options of a verb below their headings. */
function optionLines(verb: Verb): string[] {
  const lines: string[] = [];
  let [heading, shown] = ["", ""];
  for (const option of OPTIONS) {
    heading = option.heading ?? heading;
    if (!option.verbs.includes(verb)) continue;
    if (heading !== shown) lines.push("", `${heading}:`);
    shown = heading;
    lines.push(optionLine(option));
  }
  return lines;
}

function optionLine(option: OptionSpec): string {
  const left = `  ${flagOf(option)}${option.value === undefined ? "" : ` ${option.value}`}`;
  const text = option.help + (option.defaultText === undefined ? "" : ` [default: ${option.defaultText}]`);
  const indent = " ".repeat(COLUMN);
  return left.length < COLUMN ? wrap(left.padEnd(COLUMN) + text, indent) : `${left}\n${wrap(indent + text, indent)}`;
}
