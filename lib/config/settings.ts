import type { ColorChoice, LogFormat, LogLevel } from "../report/log.ts";
import type { DatagramStyle } from "../sam/datagrams.ts";
import type { AddressRange } from "./address_range.ts";
import type { IsolationFlag, LeakMode, ScrubProtocol } from "./choices.ts";
import { type Endpoint, type ListenEndpoint, withPort } from "./endpoint.ts";
import { type CallerRules, forbiddenTarget, type ForwardSettings } from "./forward.ts";
import type { OptionName, OptionValue, SwitchName } from "./options.ts";
import { type RawOptions, Reader, sourceOf } from "./raw_options.ts";
import type { Rule } from "./rule.ts";
import { MAX_SESSION_OPTIONS, sessionOptions } from "./session_options.ts";

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
  /** At the start, for a router that is not there yet. */
  wait: number;
}

/** Most things that an application has at once. */
export interface LimitSettings {
  /** Clients. */
  connections: number;
  /** Clients of one IP address. */
  perClient: number;
  /** Identities of isolation groups. */
  identities: number;
  /** Identities that are kept ready for new isolation groups; undefined for one with isolation by login, else none. */
  spareIdentities: number | undefined;
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
interface UdpSettings {
  /** Whether it is served. */
  enabled: boolean;
  /** UDP port of the SAM bridge. */
  port: number;
  /** Kind of its datagrams. */
  style: DatagramStyle;
}

/** What is done about what an application gives away. */
interface LeakSettings {
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
  listen: readonly ListenEndpoint[];
  /** Mode of those sockets that are in the file system. */
  listenMode: number;
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
  /** Switches that belong to none of these groups, by option name. */
  switches: Readonly<Record<SwitchName, boolean>>;
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
  /** When log lines have colours. */
  color: ColorChoice;
}

/** What the user gave cannot be used; every problem is named. */
export class ConfigError extends Error {
  /** One sentence a problem. */
  readonly problems: readonly string[];
  /** Where it stands how to do it right. */
  readonly hint: string;

  constructor(problems: readonly string[], hint = "See i2p-socks --help") {
    super(problems.join("\n"));
    this.hint = hint;
    this.name = "ConfigError";
    this.problems = problems;
  }
}

/**
 * Reads the settings of an application. What is wrong is added to `problems`; then the result is of no use.
 *
 * @param isCalled whether others in I2P call its identity for another application that has the same.
 */
export function readApplication(given: RawOptions, problems: string[], isCalled = false): ApplicationSettings {
  const read = new Reader(given, problems);
  const bind = read.value("bind");
  const forward = readForward(read);
  const settings: ApplicationSettings = {
    listen: read.value("listen"),
    listenMode: read.value("listen-mode"),
    listenGiven: given.has("listen"),
    sam: read.value("sam"),
    samUser: read.value("sam-user"),
    samPasswordFile: read.value("sam-password-file"),
    identity: read.value("identity"),
    keysDir: read.value("keys-dir"),
    isolation: read.value("isolate"),
    authFile: read.value("auth-file"),
    hostsFile: read.value("hosts"),
    mapNames: read.value("map-names"),
    name: read.value("name"),
    sessionOptions: sessionOptions(read, isCalled || bind || forward !== undefined),
    timeouts: {
      handshake: read.value("handshake-timeout"),
      connect: read.value("connect-timeout"),
      idle: read.value("idle-timeout"),
      identityIdle: read.value("identity-idle"),
      wait: read.value("wait"),
    },
    limits: {
      connections: read.value("max-connections"),
      perClient: read.value("max-per-client"),
      identities: read.value("max-identities"),
      spareIdentities: read.value("spare-identities"),
    },
    policy: {
      allow: read.value("allow"),
      deny: read.value("deny"),
      callers: {
        allow: read.value("allow-caller"),
        deny: read.value("deny-caller"),
      },
    },
    leaks: {
      mode: read.value("leaks"),
      scrub: read.value("scrub"),
      secretsFile: read.value("secrets-file"),
    },
    switches: read.switches(),
    udp: {
      enabled: read.value("udp"),
      port: read.value("sam-udp"),
      style: read.value("udp-style"),
    },
    bind,
    forward,
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
  const rules = read.value("forward");
  const header = read.value("forward-header");
  const maxInbound = read.value("max-inbound");
  const maxPerCaller = read.value("max-per-caller");
  const idleTimeout = read.value("caller-idle-timeout");
  return rules.length === 0 ? undefined : { rules, header, maxInbound, maxPerCaller, idleTimeout };
}

function inboundProblems(given: RawOptions, { forward, listen, sam }: ApplicationSettings): string[] {
  const problem = forbiddenTarget(forward?.rules ?? [], [
    [sam, "the SAM bridge"],
    ...withPort(listen).map((endpoint) => [endpoint, "where SOCKS is served"] as const),
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
 * Reads the value of one option that is not a setting of an application.
 *
 * @throws {ConfigError} if it cannot be used.
 */
export function readValue<N extends OptionName>(given: RawOptions, name: N): OptionValue<N> {
  const problems: string[] = [];
  const value = new Reader(given, problems).value(name);
  if (problems.length > 0) throw new ConfigError(problems);
  return value;
}

/** Reads the settings of the log. What is wrong is added to `problems`. */
export function readLogSettings(given: RawOptions, problems: string[]): LogSettings {
  const read = new Reader(given, problems);
  return {
    logLevel: read.value("quiet") ? "error" : read.value("log-level"),
    logFormat: read.value("log-format"),
    logDestinations: read.value("log-destinations"),
    color: read.value("color"),
  };
}

/** Reads where the status is served, if it is. What is wrong is added to `problems`. */
export function readStatusEndpoint(given: RawOptions, problems: string[]): Endpoint | undefined {
  return new Reader(given, problems).value("status");
}
