import {
  COLOR_CHOICES,
  type ColorChoice,
  LOG_FORMATS,
  LOG_LEVELS,
  type LogFormat,
  type LogLevel,
} from "../report/log.ts";
import type { DatagramStyle } from "../sam/datagrams.ts";
import { type AddressRange, parseAddressRange } from "./address_range.ts";
import {
  ISOLATION_FLAGS,
  type IsolationFlag,
  LEAK_MODES,
  type LeakMode,
  SCRUB_PROTOCOLS,
  type ScrubProtocol,
} from "./choices.ts";
import { parseDuration, writeDuration } from "./duration.ts";
import {
  type Endpoint,
  formatEndpoint,
  formatListen,
  type ListenEndpoint,
  parseEndpoint,
  parseListen,
} from "./endpoint.ts";
import { type ForwardRule, parseCaller, parseForward } from "./forward.ts";
import { parseRule, type Rule } from "./rule.ts";
import {
  formatMode,
  integer,
  oneOf,
  parseDatagramStyle,
  parseEncryption,
  parseIdentity,
  parseIsolation,
  parseLabel,
  parseLimit,
  parseMode,
  parseOption,
  parseSamEndpoint,
  parseScrub,
  parseText,
  parseUser,
  parseVia,
  UDP_STYLES,
} from "./values.ts";

/** Verbs of the command line. */
export const VERBS = [
  "serve",
  "check",
  "audit",
  "connect",
  "lookup",
  "keys",
  "config",
  "hash-login",
  "status",
  "why",
  "ping",
  "report",
  "setup",
  "service",
  "completions",
  "help",
] as const;

/** One of {@linkcode VERBS}. */
export type Verb = typeof VERBS[number];

/**
 * Where an option can be set besides the command line:
 *
 * - `application`: in the environment, at the top of a configuration file, and in each of its applications;
 * - `process`: in the environment and at the top of a file, because it holds for the whole process;
 * - `command`: in the environment only;
 * - `call`: nowhere, because it is about this one call.
 */
type Scope = "application" | "process" | "command" | "call";

/** An option whose value is a `V`. */
export interface Option<V> {
  /** What it does, for help and the manual. */
  readonly help: string;
  /** Heading in help of the group of options that begins here. */
  readonly heading?: string;
  /** Verbs that take it. */
  readonly verbs: readonly Verb[];
  /** Where it can be set. @default {"application"} */
  readonly scope?: Scope;
  /** Placeholder of its value in help; undefined for a flag. */
  readonly value?: string;
  /** The words that its value can be, for completions. */
  readonly words?: readonly string[];
  /** Whether its value is a list with commas, which can be a list of YAML too. */
  readonly list?: boolean;
  /** Whether several values add up; in the environment spaces separate them. */
  readonly repeatable?: boolean;
  /** Its key in a configuration file, after which its environment variable is named too. @default {its name} */
  readonly key?: string;
  /** Parses one value. @throws {SyntaxError} with a clause that says what is wrong. */
  readonly parse: (text: string) => unknown;
  /** The value if none is given. */
  readonly fallback: V;
  /** {@linkcode Option.fallback} as help and the manual print it; undefined if there is nothing to say. */
  readonly defaultText: string | undefined;
}

/** A switch of an application that belongs to no group of its settings: they have all of these together. */
interface Switch extends Option<boolean> {
  /** Tells it from other options. */
  readonly isSwitch: true;
}

/** An option with its name, whatever its value. */
export interface OptionSpec extends Option<unknown> {
  /** Its name without dashes. One letter is a short option. */
  readonly name: string;
}

/** What a row of the table gives besides what depends on its value. */
type Row = Omit<Option<unknown>, "value" | "parse" | "fallback" | "defaultText" | "repeatable">;

/** Heading of the options that a single verb has. */
export const OWN_OPTIONS = "Options of this command";

/** Most identities of isolation groups that `--max-identities` takes. */
export const MAX_IDENTITIES = 64;

/** The same of an option with a value. */
type ValueRow = Row & { value: string };

/** An option with a default. */
function option<T>(
  { format = String, ...row }: ValueRow & {
    parse: (text: string) => T;
    fallback: T;
    format?: (fallback: T) => string;
  },
): Option<T> {
  return { ...row, defaultText: format(row.fallback) || "none" };
}

/** An option without a default; `unset` says what holds then. */
function optional<T>(
  { unset = "none", ...row }: ValueRow & { parse: (text: string) => T; unset?: string },
): Option<T | undefined> {
  return { ...row, fallback: undefined, defaultText: unset };
}

/** An option that can be given more than once. */
function repeatable<T>(
  { unset = "none", fallback = [], format, ...row }: ValueRow & {
    parse: (text: string) => T;
    unset?: string;
    fallback?: readonly T[];
    format?: (fallback: readonly T[]) => string;
  },
): Option<readonly T[]> {
  return { ...row, repeatable: true, fallback, defaultText: format?.(fallback) ?? unset };
}

/** A flag, off by default. One that is a setting can be switched off again with `--no-NAME`. */
function flag(row: Row): Option<boolean> {
  const parse = (text: string): boolean => oneOf(["true", "false"])(text) === "true";
  return { ...row, parse, fallback: false, defaultText: row.scope === "call" ? undefined : "off" };
}

/** A {@linkcode Switch}. It needs no more than its row here and `switches["name"]` where it takes effect. */
function toggle(row: Row): Switch {
  return { ...flag(row), isSwitch: true };
}

const SERVE: readonly Verb[] = ["serve", "audit", "config", "report"];

/** Verbs that read a configuration file. */
const FROM_FILE: readonly Verb[] = ["serve", "config", "report"];

const SAM: readonly Verb[] = ["serve", "check", "audit", "connect", "lookup", "keys", "config", "report"];

/** Verbs that create a session, and the one that shows settings. */
const SESSION: readonly Verb[] = ["serve", "check", "audit", "connect", "config", "report"];

const COUNT = { value: "N", parse: integer(1, 65_535) };
const DURATION = { value: "DURATION", parse: parseDuration, format: writeDuration };
const LIMIT = { value: "DURATION", parse: parseLimit, format: writeDuration };
const FILE = { value: "FILE", parse: parseText };

/*
 * Tunnels in both directions, and in each alone. All are always sent: i2pd builds five tunnels if a client names no number.
 */
const LENGTH = { value: "0..7", parse: integer(0, 7), help: "Hops of each tunnel" };
const QUANTITY = { value: "1..16", parse: integer(1, 16), help: "Tunnels" };
const BACKUP = { value: "0..16", parse: integer(0, 16), help: "Spare tunnels" };
const VARIANCE = { value: "-7..7", parse: integer(-7, 7), help: "Random change of the length" };

function bothWays(row: typeof LENGTH, fallback: number, heading?: string): Option<number> {
  const help = `${row.help}, in both directions`;
  return option({ ...row, help, fallback, verbs: SESSION, ...(heading !== undefined && { heading }) });
}

function oneWay(row: typeof LENGTH, direction: "inbound" | "outbound", unset: string): Option<number | undefined> {
  return optional({ ...row, help: `${row.help}, ${direction}`, unset, verbs: SESSION });
}

/**
 * The options by name, each in one place: parser, default, help, verbs, and what names it in files and in the environment.
 * Parsing, help, completions and the manual come from here, and {@linkcode OptionValue} has the types of the values.
 */
export const OPTION_TABLE = {
  "listen": repeatable({
    heading: "Basics",
    value: "[HOST:]PORT",
    parse: parseListen,
    fallback: [{ hostname: "127.0.0.1", port: 4447 }],
    format: (endpoints) => `${endpoints.map(formatListen).join(" ")}, or the next free port`,
    help: "Serve SOCKS here; loopback only, [::1]:PORT too, 0 picks a port; or unix:PATH; repeatable",
    verbs: [...SERVE, "setup"],
  }) as Option<readonly ListenEndpoint[]>,
  "sam": option({
    value: "HOST:PORT",
    parse: parseSamEndpoint,
    fallback: { hostname: "127.0.0.1", port: 7656 },
    format: formatEndpoint,
    help: "The router's SAM bridge; loopback only",
    verbs: SAM,
  }) as Option<Endpoint>,
  "via": optional({
    value: "NAME|HOST:PORT",
    parse: parseVia,
    unset: "none: open a new session",
    scope: "command",
    help: "Connect through a running i2p-socks, which has tunnels already: its --name, or its address on loopback",
    verbs: ["connect", "ping"],
  }) as Option<Endpoint | string | undefined>,
  "via-user": optional({
    value: "NAME",
    parse: parseText,
    scope: "command",
    help: "User name for the running proxy: another name is another identity there",
    verbs: ["connect", "ping"],
  }) as Option<string | undefined>,
  "via-password-file": optional({
    ...FILE,
    scope: "command",
    help: "File whose first line is the password for the running proxy, if it wants one",
    verbs: ["connect", "ping"],
  }) as Option<string | undefined>,
  "sam-user": optional({
    value: "NAME",
    parse: parseUser,
    help: "User name for the SAM bridge (Java I2P with authorization)",
    verbs: SAM,
  }) as Option<string | undefined>,
  "sam-password-file": optional({
    ...FILE,
    help: "File whose first line is the password for the SAM bridge",
    verbs: SAM,
  }) as Option<string | undefined>,
  "name": option({
    value: "NAME",
    parse: parseLabel,
    fallback: "i2p-socks",
    help: "Label of the application: in the router's console, and for status, why, ping, setup and --via",
    verbs: [...SESSION, "setup", "status", "why", "ping"],
  }) as Option<string>,
  "identity": optional({
    heading: "Identities",
    value: "NAME",
    parse: parseIdentity,
    unset: "a new temporary identity per run",
    help: "Use a persistent identity (same I2P address every time); created on first use",
    verbs: [...SERVE, "connect"],
  }) as Option<string | undefined>,
  "keys-dir": optional({
    value: "DIR",
    parse: parseText,
    unset: "the platform's data folder",
    help: "Folder of persistent identities",
    verbs: [...SERVE, "connect", "keys"],
  }) as Option<string | undefined>,
  "isolate": option({
    value: "LIST",
    list: true,
    words: [...ISOLATION_FLAGS, "none"],
    parse: parseIsolation,
    fallback: ["auth"],
    help: "What sets clients apart: some of auth, destination, port, client, stream, with commas; or none",
    verbs: SERVE,
  }) as Option<readonly IsolationFlag[]>,
  "max-identities": option({
    value: "N",
    parse: integer(1, MAX_IDENTITIES),
    fallback: 8,
    help: "Isolated identities at once, 1..64, besides the application's own",
    verbs: SERVE,
  }) as Option<number>,
  "spare-identities": optional({
    value: "N",
    parse: integer(0, 16),
    unset: "1 with --isolate auth, else 0",
    help: "Isolated identities kept ready for new logins, once one has been used; counted by --max-identities",
    verbs: SERVE,
  }) as Option<number | undefined>,
  "identity-idle": option({
    ...DURATION,
    fallback: 600_000,
    help: "Close an isolated identity without clients after this time; 0 is never",
    verbs: SERVE,
  }) as Option<number>,
  "auth-file": optional({
    ...FILE,
    heading: "Who may connect, and where to",
    unset: "none: everybody may connect",
    help: "Logins that may connect, USER:HASH a line (see hash-login); USER:PASSWORD with a warning",
    verbs: SERVE,
  }) as Option<string | undefined>,
  "listen-mode": option({
    value: "MODE",
    parse: parseMode,
    fallback: 0o600,
    format: formatMode,
    help: "Who may use the sockets of --listen unix:PATH, as for chmod: 600 you, 660 your group too, 666 everybody",
    verbs: SERVE,
  }) as Option<number>,
  "allow": repeatable({
    value: "PATTERN",
    parse: parseRule,
    unset: "all of I2P",
    help: "Permit only these destinations: HOST, HOST:PORT, HOST:LOW-HIGH, * for any characters; repeatable",
    verbs: SERVE,
  }) as Option<readonly Rule[]>,
  "deny": repeatable({
    value: "PATTERN",
    parse: parseRule,
    help: "Forbid these destinations, whatever --allow says; repeatable",
    verbs: SERVE,
  }) as Option<readonly Rule[]>,
  "hosts": optional({
    ...FILE,
    help: "Your own host names, used before the router's: a line NAME ADDRESS each, base32 or a whole destination",
    verbs: SERVE,
  }) as Option<string | undefined>,
  "map-names": optional({
    value: "RANGE",
    parse: parseAddressRange,
    unset: "none: such requests are refused",
    help: "Let addresses of this range stand for names (SOCKS RESOLVE): 127.192.0.0/10, for torsocks 198.18.0.0/15",
    verbs: SERVE,
  }) as Option<AddressRange | undefined>,
  "forward": repeatable({
    heading: "Serving into I2P",
    value: "[PORT=]HOST:PORT",
    parse: parseForward,
    help: "Bring callers from I2P to this local service; PORT is the I2P port; loopback only; repeatable",
    verbs: SERVE,
  }) as Option<readonly ForwardRule[]>,
  "forward-header": flag({
    help: "Send the service a first line with the caller's base32 address",
    verbs: SERVE,
  }) as Option<boolean>,
  "allow-caller": repeatable({
    value: "B32",
    parse: parseCaller,
    unset: "everybody",
    help: "Let in only this caller, a base32 address; repeatable",
    verbs: SERVE,
  }) as Option<readonly string[]>,
  "deny-caller": repeatable({
    value: "B32",
    parse: parseCaller,
    unset: "nobody",
    help: "Keep this caller out, whatever --allow-caller says; repeatable",
    verbs: SERVE,
  }) as Option<readonly string[]>,
  "bind": flag({
    help: "Let SOCKS clients wait for a caller from I2P (BIND), on their own identity",
    verbs: SERVE,
  }) as Option<boolean>,
  "max-inbound": option({
    ...COUNT,
    fallback: 256,
    help: "Maximum simultaneous --forward connections",
    verbs: SERVE,
  }) as Option<number>,
  "max-per-caller": option({
    ...COUNT,
    fallback: 32,
    help: "Maximum simultaneous --forward connections from one caller's address",
    verbs: SERVE,
  }) as Option<number>,
  "caller-idle-timeout": option({
    ...DURATION,
    fallback: 1_800_000,
    help: "Close a --forward connection without a byte in either direction after this time; 0 is never",
    verbs: SERVE,
  }) as Option<number>,
  "leaks": option({
    heading: "What applications give away",
    value: "off|warn|block",
    words: LEAK_MODES,
    parse: oneOf(LEAK_MODES),
    fallback: "warn",
    help: "What to do about plaintext that gives something away: a log line for each kind, or end the stream before",
    verbs: FROM_FILE,
  }) as Option<LeakMode>,
  "scrub": option({
    value: "LIST",
    list: true,
    words: SCRUB_PROTOCOLS,
    parse: parseScrub,
    fallback: [],
    help: "Rewrite what gives something away: irc, http or both, with a comma",
    verbs: SERVE,
  }) as Option<readonly ScrubProtocol[]>,
  "secrets-file": optional({
    ...FILE,
    help: "Words, a line each, that the application must not send: names, addresses, account numbers",
    verbs: SERVE,
  }) as Option<string | undefined>,
  "length": bothWays(LENGTH, 3, "Tunnels") as Option<number>,
  "inbound-length": oneWay(LENGTH, "inbound", "--length") as Option<number | undefined>,
  "outbound-length": oneWay(LENGTH, "outbound", "--length") as Option<number | undefined>,
  "quantity": bothWays(QUANTITY, 2) as Option<number>,
  "inbound-quantity": oneWay(QUANTITY, "inbound", "--quantity") as Option<number | undefined>,
  "outbound-quantity": oneWay(QUANTITY, "outbound", "--quantity") as Option<number | undefined>,
  "backup": bothWays(BACKUP, 0) as Option<number>,
  "inbound-backup": oneWay(BACKUP, "inbound", "--backup") as Option<number | undefined>,
  "outbound-backup": oneWay(BACKUP, "outbound", "--backup") as Option<number | undefined>,
  "variance": bothWays(VARIANCE, 0) as Option<number>,
  "inbound-variance": oneWay(VARIANCE, "inbound", "--variance") as Option<number | undefined>,
  "outbound-variance": oneWay(VARIANCE, "outbound", "--variance") as Option<number | undefined>,
  "lease-set-encryption": optional({
    value: "LIST",
    list: true,
    parse: parseEncryption,
    unset: "4,0; with --forward or --bind 4",
    help: "Encryption types, the preferred one first; 6,4 is post-quantum if the router has it",
    verbs: SESSION,
  }) as Option<string | undefined>,
  "o": repeatable({
    value: "KEY=VALUE",
    parse: parseOption,
    key: "options",
    help: "Any I2CP or streaming option, passed on as it is; repeatable",
    verbs: SESSION,
  }) as Option<readonly (readonly [key: string, value: string])[]>,
  "connect-timeout": option({
    ...LIMIT,
    heading: "Limits",
    fallback: 120_000,
    help: "Give up when a stream is not open this long after the request",
    verbs: [...SERVE, "connect", "ping"],
  }) as Option<number>,
  "handshake-timeout": option({
    ...LIMIT,
    fallback: 10_000,
    help: "Drop a client that has not finished its SOCKS request in this time",
    verbs: SERVE,
  }) as Option<number>,
  "idle-timeout": option({
    ...DURATION,
    fallback: 0,
    help: "Close a client's stream without a byte in either direction after this time; 0 is never",
    verbs: SERVE,
  }) as Option<number>,
  "max-connections": option({
    ...COUNT,
    fallback: 1024,
    help: "Maximum connections at once",
    verbs: SERVE,
  }) as Option<number>,
  "max-per-client": option({
    ...COUNT,
    fallback: 65_535,
    format: () => "no separate limit",
    help: "Maximum connections from one client address, such as 127.0.0.2",
    verbs: SERVE,
  }) as Option<number>,
  "extended-errors": toggle({
    help: "Let SOCKS5 replies say more, with codes 0xF0, 0xF3, 0xF6 and 0xF7 after Tor's proposal 304",
    verbs: SERVE,
  }) as Switch,
  "udp": flag({
    heading: "UDP",
    help: "Serve UDP ASSOCIATE of SOCKS5 as repliable datagrams, from the same I2P address if the router can",
    verbs: [...SERVE, "check"],
  }) as Option<boolean>,
  "sam-udp": option({
    ...COUNT,
    value: "PORT",
    fallback: 7655,
    help: "UDP port of the router's SAM bridge, at the host of --sam",
    verbs: [...SERVE, "check"],
  }) as Option<number>,
  "udp-style": option({
    value: "KIND",
    words: UDP_STYLES,
    parse: parseDatagramStyle,
    fallback: "DATAGRAM",
    format: (style) => style.toLowerCase(),
    help:
      "Kind of datagrams: datagram, datagram2 (no replay) or datagram3 (sender not proved); both ends need the same",
    verbs: [...SERVE, "check"],
  }) as Option<DatagramStyle>,
  "config": optional({
    ...FILE,
    heading: "Configuration and log",
    scope: "command",
    unset: "the file at its usual place",
    help: "YAML with one or more applications, - is stdin; read again on SIGHUP",
    verbs: FROM_FILE,
  }) as Option<string | undefined>,
  "status": optional({
    value: "HOST:PORT",
    parse: parseEndpoint,
    unset: "off",
    scope: "process",
    help: "Serve /ready, /metrics, /status.json and a page for people here; loopback only, 0 picks a port",
    verbs: SERVE,
  }) as Option<Endpoint | undefined>,
  "check-config": flag({
    scope: "call",
    help: "Check the options and the file, and exit",
    verbs: ["serve"],
  }) as Option<boolean>,
  "wait": option({
    ...DURATION,
    fallback: 0,
    help: "Wait this long at the start for a router that is not there yet; 0 gives up at once",
    verbs: SERVE,
  }) as Option<number>,
  "quiet": flag({
    scope: "process",
    help: "Print errors only, whatever --log-level says; of setup, the settings without notes",
    verbs: [...SERVE, "setup"],
  }) as Option<boolean>,
  "log-level": option({
    value: "LEVEL",
    words: LOG_LEVELS,
    parse: oneOf(LOG_LEVELS),
    fallback: "info",
    scope: "process",
    help: "debug, info, warn or error",
    verbs: SERVE,
  }) as Option<LogLevel>,
  "log-format": option({
    value: "FORMAT",
    words: LOG_FORMATS,
    parse: oneOf(LOG_FORMATS),
    fallback: "text",
    scope: "process",
    help: "text or json; json makes the ready line JSON too",
    verbs: SERVE,
  }) as Option<LogFormat>,
  "color": option({
    value: "WHEN",
    words: COLOR_CHOICES,
    parse: oneOf(COLOR_CHOICES),
    fallback: "auto",
    scope: "process",
    help: "Colours of the log: auto (on a terminal, unless NO_COLOR is set), always (into a pipe too) or never",
    verbs: SERVE,
  }) as Option<ColorChoice>,
  "log-destinations": flag({
    scope: "process",
    help: "Let the log name where applications connect to",
    verbs: SERVE,
  }) as Option<boolean>,
  "timeout": option({
    ...LIMIT,
    heading: OWN_OPTIONS,
    fallback: 180_000,
    scope: "call",
    help: "Give up after this time, all steps together",
    verbs: ["check"],
  }) as Option<number>,
  "no-session": flag({
    scope: "call",
    help: "Look at the SAM bridge only, which costs the router nothing",
    verbs: ["check"],
  }) as Option<boolean>,
  "for": optional({
    ...LIMIT,
    unset: "until a signal",
    scope: "call",
    help: "Watch for this long, from the ready line on",
    verbs: ["audit"],
  }) as Option<number | undefined>,
  "file": optional({
    ...FILE,
    scope: "call",
    help: "Look at an application's own settings in this file, and serve nothing",
    verbs: ["audit"],
  }) as Option<string | undefined>,
  "client": optional({
    value: "NAME",
    parse: parseText,
    unset: "told by the file",
    scope: "call",
    help: "Application whose settings are in --file",
    verbs: ["audit"],
  }) as Option<string | undefined>,
  "json": flag({
    scope: "call",
    help: "Print one JSON object, an error too; with --version as well",
    verbs: ["check", "audit", "status", "why", "ping", "lookup", "keys", "config", "setup"],
  }) as Option<boolean>,
  "watch": flag({
    scope: "call",
    help: "status: print again every two seconds, in place on a terminal; check: try again until the router is ready",
    verbs: ["check", "status"],
  }) as Option<boolean>,
  "count": option({
    ...COUNT,
    fallback: 3,
    scope: "call",
    help: "How many streams to open, one after the other",
    verbs: ["ping"],
  }) as Option<number>,
  "http": flag({
    scope: "call",
    help: "Ask the site for an answer (HEAD), where it would not speak first",
    verbs: ["ping"],
  }) as Option<boolean>,
  "yes": flag({
    scope: "call",
    help: "Rotate or delete without asking; needed without a terminal",
    verbs: ["keys"],
  }) as Option<boolean>,
  "markdown": flag({
    scope: "call",
    help: "Print as Markdown: a topic, a verb, or without one the whole manual",
    verbs: ["help"],
  }) as Option<boolean>,
  "man": flag({
    scope: "call",
    help: "Print as a page for man: a topic, a verb, or without one i2p-socks(1)",
    verbs: ["help"],
  }) as Option<boolean>,
  "help": flag({
    heading: "About the program",
    scope: "call",
    help: "Show help: -h one screen, --help everything",
    verbs: VERBS,
  }) as Option<boolean>,
  "version": flag({
    scope: "call",
    help: "Show the version",
    verbs: VERBS,
  }) as Option<boolean>,
};

/** Name of an option, without dashes. */
export type OptionName = keyof typeof OPTION_TABLE;

/** Type of an option's value. */
export type OptionValue<N extends OptionName> = (typeof OPTION_TABLE)[N]["fallback"];

/** Name of a {@linkcode Switch}. */
export type SwitchName = { [N in OptionName]: (typeof OPTION_TABLE)[N] extends Switch ? N : never }[OptionName];

/** All options, in the order of help. */
export const OPTIONS: readonly OptionSpec[] = Object.entries<Option<unknown>>(OPTION_TABLE).map(([name, row]) => ({
  name,
  ...row,
}));

/** The option as it is typed: `--name`, or `-o`. */
export function flagOf({ name }: Pick<OptionSpec, "name">): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

/** How the environment variables of all options begin. */
export const VARIABLE_PREFIX = "I2P_SOCKS_";

/** The environment variable of an option; undefined if it has none. */
export function variableOf({ name, key = name, scope }: OptionSpec): string | undefined {
  return scope === "call" ? undefined : VARIABLE_PREFIX + key.toUpperCase().replaceAll("-", "_");
}

/** Options of a configuration file by their keys. */
export const FILE_OPTIONS: ReadonlyMap<string, OptionSpec> = new Map(
  OPTIONS.filter(({ scope = "application" }) => scope === "application" || scope === "process")
    .map((option) => [option.key ?? option.name, option]),
);

/** Whether an option is a flag that `--no-NAME` switches off: one that a file or the environment may have set. */
export function isNegatable({ value, scope }: OptionSpec): boolean {
  return value === undefined && scope !== "call";
}
