import { parseArgs } from "@std/cli/parse-args";
import { flagOf, isNegatable, OPTIONS, type OptionSpec, type Verb, VERBS } from "../config/options.ts";
import { overlay } from "../config/overlay.ts";
import type { RawOptions, RawValue } from "../config/raw_options.ts";
import { didYouMean } from "../config/suggest.ts";
import { type Address, parseAddress, whyNotI2p } from "../i2p/address.ts";
import { type EnvReader, type FindSet, readEnvironment, refuseMistypedVariable } from "./environment.ts";
import { CliError, ExitCode } from "./exit_code.ts";

/** A command line, taken apart. */
export interface Arguments {
  /** What to do. */
  verb: Verb;
  /** Whether the command line names it; otherwise it is the default, serve. */
  isNamed: boolean;
  /** Words behind the verb. */
  operands: readonly string[];
  /** Options given, those of the environment included. */
  given: RawOptions;
}

/**
 * Takes a command line apart, and lays it over the environment.
 *
 * @param env reads the environment variable of an option.
 * @param findSet finds a variable that is set, to refuse mistyped ones. @default {none is looked for}
 * @throws {CliError} for an unknown verb, option or variable, or an option that the verb does not take.
 */
export function parseArguments(
  args: readonly string[],
  env: EnvReader,
  findSet: FindSet = () => undefined,
): Arguments {
  const { words, options } = readWords(args);
  const isNamed = words.length > 0;
  const [word = "serve", ...operands] = words;
  const verb = VERBS.find((v) => v === word);
  if (verb === undefined) throw unknownVerb(word);
  const isVersionAsJson = options.has("version") && options.has("json");
  const foreign = OPTIONS.find(({ name, verbs }) =>
    options.has(name) && !verbs.includes(verb) && !(isVersionAsJson && name === "json")
  );
  if (foreign !== undefined) {
    const hint = verb === "service" && foreign.name === "name" ? [SEVERAL_SERVICES] : [];
    throw new CliError(ExitCode.usage, `${verb} has no option ${flagOf(foreign)}`, hint);
  }
  // Help needs no environment, and so no permission for it.
  if (options.has("help") || options.has("version")) return { verb, isNamed, operands, given: options };
  const environment = readEnvironment(verb, options, env);
  refuseMistypedVariable(verb, findSet);
  return { verb, isNamed, operands, given: overlay(environment, options) };
}

/** Where somebody wants to name a service. */
export const SEVERAL_SERVICES =
  "For several services, each with its own name and file: i2p-socks service systemd-template";

/** Short forms that every program has. */
const SHORT_FORMS: ReadonlyMap<string, string> = new Map([["-h", "--help"], ["-q", "--quiet"], ["-V", "--version"]]);

/** An option as a word of the command line gives it. */
interface Given {
  option: OptionSpec;
  /** How the word names it. */
  source: string;
  /** Its value, if the word has one. */
  text: string | undefined;
}

/**
 * Tells words from options.
 *
 * @throws {CliError} for an unknown option, and for a flag with a value.
 */
function readWords(args: readonly string[]): { words: string[]; options: RawOptions } {
  const sources = new Map<string, string[]>();
  const names = OPTIONS.map(({ name }) => keyOf(name));
  const parsed = parseArgs(joinValues(args, sources), { string: ["_", ...names], collect: names });
  const options = new Map<string, RawValue[]>();
  for (const [name, named] of sources) {
    const texts = (parsed[keyOf(name)] ?? []) as string[];
    options.set(name, texts.map((text, i) => ({ text, source: named[i] ?? "" })));
  }
  return { words: parsed._.map(String), options };
}

/** What parseArgs knows an option by: it takes a name that begins with `no-`, such as no-session, for a negation. */
function keyOf(name: string): string {
  return `option-${name}`;
}

/**
 * Writes each option with its value in one word, `--option-name=value`: parseArgs alone would take a value that begins with a
 * hyphen, as in `--variance -1`, for another option, `-oKEY=VALUE` for something else entirely, and `--no-length=0` for
 * `--length 0`.
 *
 * @param sources gets how each option was written, by its name.
 */
function joinValues(args: readonly string[], sources: Map<string, string[]>): string[] {
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") return [...joined, ...args.slice(i)];
    if (!arg.startsWith("-") || arg === "-") {
      joined.push(arg);
      continue;
    }
    const given = readOption(arg);
    if (given === undefined) throw unknownOption(arg, args[i + 1]);
    const { option, source } = given;
    let { text } = given;
    if (option.value === undefined && text !== undefined) {
      throw new CliError(ExitCode.usage, `${source} takes no value`);
    }
    if (option.value === undefined) text = String(source !== `--no-${option.name}`);
    // Neither a known option nor a mistyped one is a value: then the value is missing.
    text ??= isOption(args[i + 1] ?? "") ? "" : args[++i] ?? "";
    joined.push(`--${keyOf(option.name)}=${text}`);
    sources.set(option.name, [...sources.get(option.name) ?? [], source]);
  }
  return joined;
}

/** Whether a word cannot be a value: `--`, what begins with it, and known options. A value such as -1 can be. */
function isOption(word: string): boolean {
  return word.startsWith("--") || readOption(word) !== undefined;
}

/** Reads a word as an option; undefined if it is none that is known. */
function readOption(arg: string): Given | undefined {
  const [, source = "", text] = /^(-[a-zA-Z]|--[^=]*)(?:=(.*))?$/s.exec(arg) ?? /^(-[a-z])(.+)$/s.exec(arg) ?? [];
  const flag = SHORT_FORMS.get(source) ?? source;
  const option = OPTIONS.find((one) => flagOf(one) === flag || flag === `--${one.name}`) ??
    OPTIONS.find((one) => isNegatable(one) && flag === `--no-${one.name}`);
  return option && { option, source, text };
}

/** What people type who know other programs, and what to do instead. */
const HABITS: Readonly<Record<string, readonly string[]>> = {
  "To log errors only: --quiet": ["-s", "--silent"],
  "To log more: --log-level debug; for the version: -V": ["-v", "--verbose", "--debug"],
  "For the version: i2p-socks --version": ["version"],
  "For the hops of each tunnel: --length 0 to 7": ["--hops"],
  "To find out what is wrong: i2p-socks check": ["doctor", "diagnose", "test"],
  "To start serving: i2p-socks, or i2p-socks serve": ["start", "run"],
  "Nothing needs to be set up first: i2p-socks works at once": ["install"],
  "For a configuration file: i2p-socks config init": ["init"],
};

/** Options of other programs that say where to listen. */
const LISTEN_HABITS: readonly string[] = ["-p", "--port", "--socks", "--socks5", "--socks-port", "--address"];

const ADDRESS = /^(?:\S+:)?\d+$/;

function unknownVerb(word: string): CliError {
  const hint = ADDRESS.test(word) ? `To listen there: --listen ${word}` : undefined;
  return usageError(`Unknown verb "${word}"`, word, VERBS, hint);
}

/** Refuses an option without its value, which may be a secret. */
function unknownOption(arg: string, next = ""): CliError {
  const [, flag = "", value = next] = /^(-p(?=\d+$)|[^=]*)=?(.+)?$/s.exec(arg) ?? [];
  const flags = OPTIONS.map(flagOf).filter((known) => known.startsWith("--"));
  const where = ADDRESS.test(value) ? value : "PORT";
  const hint = LISTEN_HABITS.includes(flag) ? `To listen there: --listen ${where}` : undefined;
  return usageError(`Unknown option "${flag}"`, flag, flags, hint);
}

function usageError(message: string, word: string, candidates: readonly string[], own?: string): CliError {
  const hint = own ?? Object.keys(HABITS).find((key) => HABITS[key]?.includes(word));
  const hints = hint === undefined ? didYouMean(word, candidates) : [hint];
  return new CliError(ExitCode.usage, message, [...hints, "See i2p-socks --help"]);
}

/** Refuses words behind a verb that takes none. @throws {CliError} if there are any. */
export function refuseOperands(verb: Verb, [word]: readonly string[]): void {
  if (word !== undefined) throw new CliError(ExitCode.usage, `${verb} takes no operand, but got "${word}"`);
}

/**
 * The address of I2P that an operand names.
 *
 * @param name as it was typed.
 * @param what begins the error's text, such as `Cannot connect to "example.com"`.
 * @throws {CliError} if it cannot be one; then nobody needs to be asked for it.
 */
export function requireI2pAddress(name: string, what: string): Address {
  const address = parseAddress(name);
  const reason = whyNotI2p(address);
  if (reason !== undefined) throw new CliError(ExitCode.usage, `${what}: ${reason}`);
  return address;
}
