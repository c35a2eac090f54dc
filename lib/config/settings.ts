import { LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from "../report/log.ts";
import { isPlain } from "../sam/message.ts";
import { parseDuration } from "./duration.ts";
import { type Endpoint, parseEndpoint } from "./endpoint.ts";

/** A value as the user gave it. */
export interface GivenValue {
  /** The text. */
  text: string;
  /** Where it stands: `--listen`, or the name of an environment variable. */
  source: string;
}

/** Values by option name without dashes, `o` for `-o`. Where an option is given more than once, the last one counts. */
export type GivenValues = ReadonlyMap<string, readonly GivenValue[]>;

/** How the proxy is to run. All times are in milliseconds. */
export interface Settings {
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
  /** I2CP and streaming options of the session. */
  sessionOptions: Readonly<Record<string, string>>;
  /** From a client's request to its open stream. */
  connectTimeout: number;
  /** From accepting a client to its request. */
  handshakeTimeout: number;
  /** Without a byte either way; 0 is never. */
  idleTimeout: number;
  /** Clients at once. */
  maxConnections: number;
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

/** Most characters of all options of a session: routers take lines of 4096 or 8192 bytes, key and ID included. */
export const MAX_SESSION_OPTIONS = 2048;

/** Longest `--name`, in characters. */
export const MAX_LABEL = 64;

/**
 * Reads all settings, and checks all of them before it complains.
 *
 * @throws {ConfigError} with every problem.
 */
export function readSettings(given: GivenValues): Settings {
  const problems: string[] = [];
  const read = new Reader(given, problems);
  const settings: Settings = {
    listen: read.all("listen", parseEndpoint) ?? [DEFAULT_LISTEN],
    listenGiven: given.has("listen"),
    sam: read.last("sam", parseSamEndpoint) ?? { hostname: "127.0.0.1", port: 7656 },
    samUser: read.last("sam-user", parseUser),
    samPasswordFile: read.last("sam-password-file", String),
    sessionOptions: sessionOptions(read),
    connectTimeout: read.last("connect-timeout", parseLimit) ?? 120_000,
    handshakeTimeout: read.last("handshake-timeout", parseLimit) ?? 10_000,
    idleTimeout: read.last("idle-timeout", parseDuration) ?? 0,
    maxConnections: read.last("max-connections", integer(1, 65_535)) ?? 1024,
    logLevel: read.last("log-level", oneOf(LOG_LEVELS)) ?? "info",
    logFormat: read.last("log-format", oneOf(LOG_FORMATS)) ?? "text",
    logDestinations: read.last("log-destinations", oneOf(["true", "false"])) === "true",
  };
  if (given.has("sam-user") !== given.has("sam-password-file")) {
    problems.push("--sam-user and --sam-password-file go together: one of them is missing");
  }
  const length = Object.entries(settings.sessionOptions).join(" ").length;
  if (length > MAX_SESSION_OPTIONS) {
    problems.push(`Too many -o options: with ${length} characters they do not fit into a line of SAM`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return settings;
}

/**
 * The session's options, from the most general to the most particular: defaults, `--length` and its kin, their
 * `--inbound-` and `--outbound-` forms, `-o`. Later ones replace earlier ones, for Java I2P refuses a key given twice.
 */
function sessionOptions(read: Reader): Record<string, string> {
  const options: Record<string, string> = {
    "i2cp.leaseSetEncType": "4,0",
    "i2p.streaming.answerPings": "false",
  };
  const label = read.last("name", parseLabel) ?? "i2p-socks";
  for (const direction of ["inbound", "outbound"]) {
    options[`${direction}.nickname`] = label;
    for (const [flag, { key, fallback, parse }] of Object.entries(TUNNEL_OPTIONS)) {
      // Both are read in any case, so that neither goes unchecked.
      const both = read.last(flag, parse) ?? fallback;
      options[`${direction}.${key}`] = String(read.last(`${direction}-${flag}`, parse) ?? both);
    }
  }
  return { ...options, ...Object.fromEntries(read.all("o", parseOption) ?? []) };
}

/** Tunnel options by flag. Both are always sent: i2pd builds five tunnels where a client names no number. */
const TUNNEL_OPTIONS: Readonly<Record<string, { key: string; fallback: number; parse: (text: string) => number }>> = {
  length: { key: "length", fallback: 3, parse: integer(0, 7) },
  quantity: { key: "quantity", fallback: 2, parse: integer(1, 16) },
  backup: { key: "backupQuantity", fallback: 0, parse: integer(0, 16) },
  variance: { key: "lengthVariance", fallback: 0, parse: integer(-7, 7) },
};

/** Applies parsers to given values, and collects what they complain of. */
class Reader {
  readonly #given: GivenValues;
  readonly #problems: string[];

  constructor(given: GivenValues, problems: string[]) {
    this.#given = given;
    this.#problems = problems;
  }

  all<T>(name: string, parse: (text: string) => T): T[] | undefined {
    const values = this.#given.get(name);
    return values?.flatMap((value) => {
      const parsed = this.#parse(value, parse);
      return parsed === undefined ? [] : [parsed];
    });
  }

  last<T>(name: string, parse: (text: string) => T): T | undefined {
    const value = this.#given.get(name)?.at(-1);
    return value && this.#parse(value, parse);
  }

  #parse<T>({ text, source }: GivenValue, parse: (text: string) => T): T | undefined {
    try {
      if (text === "") throw new SyntaxError("a value is missing");
      return parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const problem = `Cannot use ${source} "${text}": ${error.message}`;
      if (!this.#problems.includes(problem)) this.#problems.push(problem);
      return undefined;
    }
  }
}

function parseSamEndpoint(text: string): Endpoint {
  const endpoint = parseEndpoint(text);
  if (endpoint.port === 0) throw new SyntaxError("port 0 cannot be connected to");
  return endpoint;
}

function parseLimit(text: string): number {
  const limit = parseDuration(text);
  if (limit === 0) throw new SyntaxError("this limit cannot be switched off");
  return limit;
}

function parseUser(text: string): string {
  if (/\p{Cc}/u.test(text)) throw new SyntaxError("a user name has no control characters");
  return text;
}

function parseLabel(text: string): string {
  if (!isPlain(text)) throw new SyntaxError("SAM takes no spaces, quotes or backslashes in a name");
  if (text.length > MAX_LABEL) throw new SyntaxError(`a name has at most ${MAX_LABEL} characters`);
  return text;
}

function parseOption(text: string): [string, string] {
  const [, key = "", value = ""] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (!isPlain(key) || !isPlain(value)) throw new SyntaxError("an option is KEY=VALUE, without spaces or quotes");
  if (/^[A-Z_]+$/.test(key)) throw new SyntaxError(`"${key}" is SAM's own word, not an option of I2CP or streaming`);
  return [key, value];
}

function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^-?\d+$/.test(text) || number < min || number > max) {
      throw new SyntaxError(`a whole number from ${min} to ${max} is needed`);
    }
    return number;
  };
}

function oneOf<const T extends readonly string[]>(words: T): (text: string) => T[number] {
  return (text) => {
    const word = words.find((w) => w === text);
    if (word === undefined) throw new SyntaxError(`it must be one of ${words.join(", ")}`);
    return word;
  };
}
