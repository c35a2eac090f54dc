import { ISOLATION_FLAGS } from "../config/choices.ts";
import { LEAK_MODES, SCRUB_PROTOCOLS } from "../config/leak_mode.ts";
import { UDP_STYLES } from "../config/values.ts";
import { LOG_FORMATS, LOG_LEVELS } from "../report/log.ts";

/** Verbs of the command line. */
export const VERBS = [
  "serve",
  "check",
  "audit",
  "connect",
  "lookup",
  "keys",
  "hash-login",
  "status",
  "setup",
  "service",
  "completions",
  "help",
] as const;

/** One of {@linkcode VERBS}. */
export type Verb = typeof VERBS[number];

/** An option of the command line. */
export interface OptionSpec {
  /** Its name without dashes. One letter is a short option. */
  name: string;
  /** What its value is called in help; undefined for a switch. */
  value?: string;
  /** Environment variable that stands in for it. */
  env?: string;
  /** Whether the variable is passed over where it may not be read; who needs it then asks for the permission. */
  envIsOptional?: boolean;
  /** What holds without it, for people. */
  fallback?: string;
  /** Whether it may be given more than once. */
  repeatable?: boolean;
  /** The words that its value may be, where it is no free text. */
  words?: readonly string[];
  /** Whether its value is a list with commas; a list of YAML says the same. */
  list?: boolean;
  /** What stands in a configuration file for it; its name where undefined. */
  key?: string;
  /** Whether it makes no sense in a configuration file. */
  notInFiles?: boolean;
  /** Whether it holds for the whole process: in a file it stands at the top, and not in an application. */
  ofProcess?: boolean;
  /** Begins a group of options in help, which goes on to the next heading. */
  heading?: string;
  /** What it does. */
  help: string;
  /** Verbs that take it. */
  verbs: readonly Verb[];
}

const SERVE: readonly Verb[] = ["serve", "audit"];
const SAM: readonly Verb[] = ["serve", "check", "audit", "connect", "lookup", "keys"];

/** Verbs that create a session. */
const SESSION: readonly Verb[] = ["serve", "check", "audit", "connect"];

/**
 * The options: parsing, help, completions, the environment, the keys of configuration files and the README's table come
 * from here.
 */
export const OPTIONS: readonly OptionSpec[] = [
  {
    name: "listen",
    heading: "Basics",
    value: "[HOST:]PORT",
    env: "I2P_SOCKS_LISTEN",
    fallback: "127.0.0.1:4447, or the next free port",
    repeatable: true,
    help: "Serve SOCKS here; loopback only, [::1]:PORT too, 0 picks a port; repeatable",
    verbs: [...SERVE, "setup"],
  },
  {
    name: "sam",
    value: "HOST:PORT",
    env: "I2P_SOCKS_SAM",
    fallback: "127.0.0.1:7656",
    help: "The router's SAM bridge; loopback only",
    verbs: SAM,
  },
  {
    name: "via",
    value: "HOST:PORT",
    env: "I2P_SOCKS_VIA",
    fallback: "none: a session of its own",
    help: "Connect through a running proxy, which has tunnels already; loopback only",
    verbs: ["connect"],
  },
  {
    name: "via-user",
    value: "NAME",
    fallback: "none",
    help: "User name for it: another name is another identity there",
    verbs: ["connect"],
  },
  {
    name: "via-password-file",
    value: "FILE",
    fallback: "none",
    help: "File whose first line is the password for it, where it wants one",
    verbs: ["connect"],
  },
  { name: "sam-user", value: "NAME", help: "User name for the SAM bridge (Java I2P with authorization)", verbs: SAM },
  { name: "sam-password-file", value: "FILE", help: "File whose first line is the password for it", verbs: SAM },
  {
    name: "name",
    value: "NAME",
    fallback: "i2p-socks",
    help: "Label of the tunnels in the router's console",
    verbs: SESSION,
  },
  {
    name: "identity",
    heading: "Identities",
    value: "NAME",
    fallback: "none: a throw-away destination",
    help: "Keep a lasting destination under this name; made when first used",
    verbs: [...SERVE, "connect"],
  },
  {
    name: "keys-dir",
    value: "DIR",
    env: "I2P_SOCKS_KEYS_DIR",
    envIsOptional: true,
    fallback: "the platform's data folder",
    help: "Where lasting identities are kept",
    verbs: ["serve", "audit", "connect", "keys"],
  },
  {
    name: "isolate",
    list: true,
    words: [...ISOLATION_FLAGS, "none"],
    value: "LIST",
    fallback: "auth",
    help: "What sets clients apart: auth,destination,port,client,stream or none",
    verbs: SERVE,
  },
  {
    name: "max-identities",
    value: "N",
    fallback: "8",
    help: "Isolated identities at once, 1..64, besides the application's own",
    verbs: SERVE,
  },
  {
    name: "identity-idle",
    value: "DURATION",
    fallback: "10m",
    help: "Close an isolated identity without clients; 0 is never",
    verbs: SERVE,
  },
  {
    name: "auth-file",
    heading: "Who may connect, and where to",
    value: "FILE",
    fallback: "none: everybody may connect",
    help: "Logins that may connect, USER:HASH a line (see hash-login); USER:PASSWORD with a warning",
    verbs: SERVE,
  },
  {
    name: "allow",
    value: "PATTERN",
    fallback: "all of I2P",
    repeatable: true,
    help: "Permit only these destinations: HOST, HOST:PORT, HOST:LOW-HIGH, * for any characters; repeatable",
    verbs: SERVE,
  },
  {
    name: "deny",
    value: "PATTERN",
    fallback: "none",
    repeatable: true,
    help: "Forbid these destinations, whatever --allow says; repeatable",
    verbs: SERVE,
  },
  {
    name: "hosts",
    value: "FILE",
    fallback: "none",
    help: "Host names of your own, asked before the router: a line NAME ADDRESS each, base32 or a whole destination",
    verbs: SERVE,
  },
  {
    name: "map-names",
    value: "RANGE",
    fallback: "none: such requests are refused",
    help: "Let addresses of this range stand for names (SOCKS RESOLVE): 127.192.0.0/10, for torsocks 198.18.0.0/15",
    verbs: SERVE,
  },
  {
    name: "forward",
    heading: "Serving into I2P",
    value: "[PORT=]HOST:PORT",
    fallback: "none",
    repeatable: true,
    help: "Bring callers from I2P to this local service; PORT is the I2P port; loopback only; repeatable",
    verbs: SERVE,
  },
  {
    name: "forward-header",
    fallback: "off",
    help: "Tell the service who calls, in a first line: the caller's base32 address",
    verbs: SERVE,
  },
  {
    name: "allow-caller",
    value: "B32",
    fallback: "everybody",
    repeatable: true,
    help: "Let in only this caller, a base32 address; repeatable",
    verbs: SERVE,
  },
  {
    name: "deny-caller",
    value: "B32",
    fallback: "nobody",
    repeatable: true,
    help: "Keep this caller out, whatever --allow-caller says; repeatable",
    verbs: SERVE,
  },
  {
    name: "bind",
    fallback: "off",
    help: "Let SOCKS clients wait for a caller from I2P (BIND), on their own identity",
    verbs: SERVE,
  },
  {
    name: "max-inbound",
    value: "N",
    fallback: "256",
    help: "Callers of --forward at once",
    verbs: SERVE,
  },
  {
    name: "leaks",
    heading: "What applications give away",
    words: LEAK_MODES,
    value: "off|warn|block",
    fallback: "warn",
    help: "What to do about plaintext that gives something away: a log line for each kind, or end the stream before",
    verbs: ["serve"],
  },
  {
    name: "scrub",
    list: true,
    words: SCRUB_PROTOCOLS,
    value: "LIST",
    fallback: "none",
    help: "Rewrite what gives something away: irc, http or both, with a comma",
    verbs: SERVE,
  },
  {
    name: "secrets-file",
    value: "FILE",
    fallback: "none",
    help: "Words, a line each, that the application must not send: names, addresses, account numbers",
    verbs: SERVE,
  },
  ...tunnelOptions("length", "0..7", "3", "Hops of each tunnel", "Tunnels"),
  ...tunnelOptions("quantity", "1..16", "2", "Tunnels"),
  ...tunnelOptions("backup", "0..16", "0", "Spare tunnels"),
  ...tunnelOptions("variance", "-7..7", "0", "Random change of the length"),
  {
    name: "lease-set-encryption",
    list: true,
    value: "LIST",
    fallback: "4,0",
    help: "Encryption types, the preferred one first; 6,4 is post-quantum where the router has it",
    verbs: SESSION,
  },
  {
    name: "o",
    key: "options",
    value: "KEY=VALUE",
    repeatable: true,
    help: "Any I2CP or streaming option, passed on as it is; repeatable",
    verbs: SESSION,
  },
  {
    name: "connect-timeout",
    heading: "Limits",
    value: "DURATION",
    fallback: "120s",
    help: "From a client's request to its open stream",
    verbs: [...SERVE, "connect"],
  },
  {
    name: "handshake-timeout",
    value: "DURATION",
    fallback: "10s",
    help: "From accepting a client to its complete request",
    verbs: SERVE,
  },
  {
    name: "idle-timeout",
    value: "DURATION",
    fallback: "0 (never)",
    help: "Close a stream without a byte in either direction",
    verbs: SERVE,
  },
  { name: "max-connections", value: "N", fallback: "1024", help: "Clients served at once", verbs: SERVE },
  {
    name: "max-per-client",
    value: "N",
    fallback: "none but --max-connections",
    help: "Clients served at once that come from one address, such as 127.0.0.2",
    verbs: SERVE,
  },
  {
    name: "extended-errors",
    fallback: "off",
    help: "Let SOCKS5 replies say more, with codes 0xF0, 0xF3, 0xF6 and 0xF7 after Tor's proposal 304",
    verbs: SERVE,
  },
  {
    name: "udp",
    fallback: "off",
    help: "Serve UDP ASSOCIATE of SOCKS5, as repliable datagrams; of the same destination where the router can",
    verbs: [...SERVE, "check"],
  },
  {
    name: "sam-udp",
    value: "PORT",
    fallback: "7655",
    help: "UDP port of the router's SAM bridge, at the host of --sam",
    verbs: [...SERVE, "check"],
  },
  {
    name: "udp-style",
    words: UDP_STYLES,
    value: "KIND",
    fallback: "datagram",
    help: "Kind of datagrams: datagram, datagram2 (no replay) or datagram3 (sender not proved); peers need the same",
    verbs: [...SERVE, "check"],
  },
  {
    name: "config",
    heading: "Configuration and log",
    notInFiles: true,
    value: "FILE",
    env: "I2P_SOCKS_CONFIG",
    fallback: "none",
    help: "YAML with one or more applications; read again on SIGHUP",
    verbs: ["serve"],
  },
  {
    name: "status",
    value: "HOST:PORT",
    ofProcess: true,
    fallback: "off",
    help: "Serve /ready, /metrics, /status.json and a page for people here; loopback only, 0 picks a port",
    verbs: SERVE,
  },
  { name: "check-config", notInFiles: true, help: "Check the options and the file, and end", verbs: ["serve"] },
  {
    name: "log-level",
    value: "LEVEL",
    words: LOG_LEVELS,
    ofProcess: true,
    fallback: "info",
    help: "debug, info, warn or error",
    verbs: SERVE,
  },
  {
    name: "log-format",
    words: LOG_FORMATS,
    ofProcess: true,
    value: "FORMAT",
    fallback: "text",
    help: "text or json; json makes the ready line JSON too",
    verbs: SERVE,
  },
  {
    name: "log-destinations",
    ofProcess: true,
    fallback: "off",
    help: "Let the log name where applications connect to",
    verbs: SERVE,
  },
  {
    name: "timeout",
    heading: "Of this verb",
    value: "DURATION",
    fallback: "3m",
    help: "For all steps together",
    verbs: ["check"],
  },
  {
    name: "no-session",
    help: "Look at the SAM bridge only, which costs the router nothing",
    verbs: ["check"],
  },
  {
    name: "for",
    value: "DURATION",
    fallback: "until a signal",
    help: "How long to watch, from the ready line on",
    verbs: ["audit"],
  },
  { name: "json", help: "Print one JSON object", verbs: ["check", "audit", "status"] },
  { name: "watch", help: "Print again every two seconds, in place on a terminal, until a signal", verbs: ["status"] },
  { name: "yes", help: "Rotate or delete without asking; needed where there is no terminal", verbs: ["keys"] },
  { name: "help", heading: "About the program", notInFiles: true, help: "Show this help", verbs: VERBS },
  { name: "version", notInFiles: true, help: "Show the version", verbs: VERBS },
];

/** One of the tunnel options, for both directions and for each. */
function tunnelOptions(name: string, range: string, fallback: string, help: string, heading?: string): OptionSpec[] {
  const both = { name, value: range, fallback, help: `${help}, in both directions`, verbs: SESSION };
  return [
    heading === undefined ? both : { ...both, heading },
    { name: `inbound-${name}`, value: range, fallback: `--${name}`, help: `${help}, inbound`, verbs: SESSION },
    { name: `outbound-${name}`, value: range, fallback: `--${name}`, help: `${help}, outbound`, verbs: SESSION },
  ];
}

/** An option as the user types it. */
export function flagOf({ name }: OptionSpec): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}
