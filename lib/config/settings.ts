import type { DatagramStyle } from "../sam/datagrams.ts";
import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from "../report/log.ts";
import { type AddressRange, parseAddressRange } from "./address_range.ts";
import { parseDuration } from "./duration.ts";
import { type Endpoint, parseEndpoint } from "./endpoint.ts";
import { type RawOptions, Reader, sourceOf } from "./raw_options.ts";
import { type IsolationFlag, LEAK_MODES, type LeakMode, type ScrubProtocol } from "./choices.ts";
import {
  type CallerRules,
  forbiddenTarget,
  type ForwardSettings,
  MAX_INBOUND,
  parseCaller,
  parseForward,
} from "./forward.ts";
import { parseRule, type Rule } from "./rule.ts";
import { DEFAULT_LABEL, MAX_SESSION_OPTIONS, sessionOptions } from "./session_options.ts";
import {
  integer,
  oneOf,
  parseDatagramStyle,
  parseIdentity,
  parseIsolation,
  parseLabel,
  parseLimit,
  parseSamEndpoint,
  parseScrub,
  parseUser,
} from "./values.ts";

/** Time limits of an application, in milliseconds. */
export interface TimeoutSettings {
  /** From accepting a client to its request. */
  handshake: number;
  /** From a client's request to its open stream, waiting for a session included. */
  connect: number;
  /** Without a byte either way; 0 is never. */
  idle: number;
  /** Without a client, until the identity of a group is closed; 0 is never. */
  identityIdle: number;
}

/** Most things that an application has at once. */
export interface LimitSettings {
  /** Clients. */
  connections: number;
  /** Clients of one IP address. */
  perClient: number;
  /** Identities of isolation groups. */
  identities: number;
}

/** Where clients may go, and who may call them. */
export interface PolicySettings {
  /** Where there are any, only what one of them matches is permitted. */
  allow: readonly Rule[];
  /** What one of them matches is not permitted, whatever `allow` says. */
  deny: readonly Rule[];
  /** Who may call `forward` and BIND. */
  callers: CallerRules;
}

/** How UDP ASSOCIATE is served. */
export interface UdpSettings {
  /** Whether it is served. */
  enabled: boolean;
  /** UDP port of the SAM bridge. */
  port: number;
  /** Kind of its datagrams. */
  style: DatagramStyle;
}

/** What is done about what an application gives away. */
export interface LeakSettings {
  /** What to do about it. */
  mode: LeakMode;
  /** Protocols to rewrite. */
  scrub: readonly ScrubProtocol[];
  /** File of words that the application must not send. */
  secretsFile: string | undefined;
}

/** How one application is served. */
export interface ApplicationSettings {
  /** Label of the application. */
  name: string;
  /** Where to serve SOCKS. */
  listen: readonly Endpoint[];
  /** Whether the user chose {@linkcode listen}: then a taken port is an error. */
  listenGiven: boolean;
  /** The SAM bridge. */
  sam: Endpoint;
  /** User name for the bridge, together with a password file. */
  samUser: string | undefined;
  /** File whose first line is the password for the bridge. */
  samPasswordFile: string | undefined;
  /** Name of the lasting identity; undefined for a throw-away one. */
  identity: string | undefined;
  /** Folder of lasting identities; undefined for the platform's. */
  keysDir: string | undefined;
  /** What sets clients apart from each other. */
  isolation: readonly IsolationFlag[];
  /** File of logins that may connect; everybody may where undefined. */
  authFile: string | undefined;
  /** File of host names of the user's own. */
  hostsFile: string | undefined;
  /** Addresses that stand for names, for applications that ask for one. */
  mapNames: AddressRange | undefined;
  /** I2CP and streaming options of the sessions. */
  sessionOptions: Readonly<Record<string, string>>;
  /** Time limits. */
  timeouts: TimeoutSettings;
  /** Limits of numbers. */
  limits: LimitSettings;
  /** Who may go where. */
  policy: PolicySettings;
  /** Leak guard. */
  leaks: LeakSettings;
  /** Whether SOCKS5 replies use the extended codes of Tor's proposal 304. */
  extendedErrors: boolean;
  /** Datagrams. */
  udp: UdpSettings;
  /** Whether SOCKS clients may wait for callers (BIND). */
  bind: boolean;
  /** Where callers from I2P are brought; nobody is waited for where undefined. */
  forward: ForwardSettings | undefined;
}

/** How the program talks. */
export interface LogSettings {
  /** Lowest level written. */
  logLevel: LogLevel;
  /** How log lines look. */
  logFormat: LogFormat;
  /** Whether log lines name destinations. */
  logDestinations: boolean;
}

/** What the user gave cannot be used; every problem is named. */
export class ConfigError extends Error {
  /** One sentence a problem. */
  readonly problems: readonly string[];

  /** Makes the error. */
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/** Where SOCKS is served without `--listen`: the port that i2pd's own proxy made customary. */
export const DEFAULT_LISTEN: Endpoint = { hostname: "127.0.0.1", port: 4447 };

/** Reads the settings of an application. What is wrong is added to `problems`; then the result is of no use. */
export function readApplication(given: RawOptions, problems: string[]): ApplicationSettings {
  const read = new Reader(given, problems);
  const settings: ApplicationSettings = {
    listen: read.all("listen", parseEndpoint) ?? [DEFAULT_LISTEN],
    listenGiven: given.has("listen"),
    sam: read.last("sam", parseSamEndpoint) ?? { hostname: "127.0.0.1", port: 7656 },
    samUser: read.last("sam-user", parseUser),
    samPasswordFile: read.last("sam-password-file", String),
    identity: read.last("identity", parseIdentity),
    keysDir: read.last("keys-dir", String),
    isolation: read.last("isolate", parseIsolation) ?? ["auth"],
    authFile: read.last("auth-file", String),
    hostsFile: read.last("hosts", String),
    mapNames: read.last("map-names", parseAddressRange),
    name: read.last("name", parseLabel) ?? DEFAULT_LABEL,
    sessionOptions: sessionOptions(read),
    timeouts: {
      handshake: read.last("handshake-timeout", parseLimit) ?? 10_000,
      connect: read.last("connect-timeout", parseLimit) ?? 120_000,
      idle: read.last("idle-timeout", parseDuration) ?? 0,
      identityIdle: read.last("identity-idle", parseDuration) ?? 600_000,
    },
    limits: {
      connections: read.last("max-connections", integer(1, 65_535)) ?? 1024,
      perClient: read.last("max-per-client", integer(1, 65_535)) ?? 65_535,
      identities: read.last("max-identities", integer(1, 64)) ?? 8,
    },
    policy: {
      allow: read.all("allow", parseRule) ?? [],
      deny: read.all("deny", parseRule) ?? [],
      callers: {
        allow: read.all("allow-caller", parseCaller) ?? [],
        deny: read.all("deny-caller", parseCaller) ?? [],
      },
    },
    leaks: {
      mode: read.last("leaks", oneOf(LEAK_MODES)) ?? "warn",
      scrub: read.last("scrub", parseScrub) ?? [],
      secretsFile: read.last("secrets-file", String),
    },
    extendedErrors: read.last("extended-errors", oneOf(["true", "false"])) === "true",
    udp: {
      enabled: read.last("udp", oneOf(["true", "false"])) === "true",
      port: read.last("sam-udp", integer(1, 65_535)) ?? 7655,
      style: read.last("udp-style", parseDatagramStyle) ?? "DATAGRAM",
    },
    bind: read.last("bind", oneOf(["true", "false"])) === "true",
    forward: readForward(read),
  };
  problems.push(...inboundProblems(given, settings));
  if (given.has("sam-user") !== given.has("sam-password-file")) {
    const where = sourceOf(given.get("sam-user") ?? given.get("sam-password-file"));
    problems.push(`${where}--sam-user and --sam-password-file go together: one of them is missing`);
  }
  if (settings.leaks.secretsFile !== undefined && settings.leaks.mode === "off") {
    problems.push(`${sourceOf(given.get("secrets-file"))}--secrets-file is of no use with --leaks off`);
  }
  const apart = settings.isolation.find((flag) => flag === "destination" || flag === "port");
  if (settings.udp.enabled && apart !== undefined) {
    problems.push(
      `${sourceOf(given.get("udp"))}--udp does not go with --isolate ${apart}: an association has many destinations`,
    );
  }
  const length = Object.entries(settings.sessionOptions).join(" ").length;
  if (length > MAX_SESSION_OPTIONS) {
    problems.push(`Too many -o options: with ${length} characters they do not fit into a line of SAM`);
  }
  return settings;
}

/** Where callers are brought; undefined where no rule says so. */
function readForward(read: Reader): ForwardSettings | undefined {
  const rules = read.all("forward", parseForward) ?? [];
  const header = read.last("forward-header", oneOf(["true", "false"])) === "true";
  const maxInbound = read.last("max-inbound", integer(1, 65_535)) ?? MAX_INBOUND;
  return rules.length === 0 ? undefined : { rules, header, maxInbound };
}

function inboundProblems(given: RawOptions, { forward, listen, sam }: ApplicationSettings): string[] {
  const problem = forbiddenTarget(forward?.rules ?? [], [
    [sam, "the SAM bridge"],
    ...listen.map((endpoint) => [endpoint, "where SOCKS is served"] as const),
  ]);
  return problem === undefined ? [] : [sourceOf(given.get("forward")) + problem];
}

/**
 * Reads the settings of the one application that a command line is about.
 *
 * @throws {ConfigError} with every problem.
 */
export function readSettings(given: RawOptions): ApplicationSettings {
  const problems: string[] = [];
  const settings = readApplication(given, problems);
  if (problems.length > 0) throw new ConfigError(problems);
  return settings;
}

/**
 * Reads the value of a time limit that is no setting of an application, in milliseconds.
 *
 * @throws {ConfigError} if it cannot be used.
 */
export function readTimeLimit(given: RawOptions, name: string, fallback: number): number {
  const problems: string[] = [];
  const limit = new Reader(given, problems).last(name, parseLimit) ?? fallback;
  if (problems.length > 0) throw new ConfigError(problems);
  return limit;
}

/**
 * Reads an address to connect to that is no setting of an application.
 *
 * @throws {ConfigError} if it cannot be used.
 */
export function readConnectEndpoint(given: RawOptions, name: string): Endpoint | undefined {
  const problems: string[] = [];
  const endpoint = new Reader(given, problems).last(name, parseSamEndpoint);
  if (problems.length > 0) throw new ConfigError(problems);
  return endpoint;
}

/** Reads the settings of the log. What is wrong is added to `problems`. */
export function readLogSettings(given: RawOptions, problems: string[]): LogSettings {
  const read = new Reader(given, problems);
  return {
    logLevel: read.last("log-level", oneOf(LOG_LEVELS)) ?? "info",
    logFormat: read.last("log-format", oneOf(LOG_FORMATS)) ?? "text",
    logDestinations: read.last("log-destinations", oneOf(["true", "false"])) === "true",
  };
}

/** Reads where the status is served, if it is. What is wrong is added to `problems`. */
export function readStatusEndpoint(given: RawOptions, problems: string[]): Endpoint | undefined {
  return new Reader(given, problems).last("status", parseEndpoint);
}
