import { parseArgs } from "@std/cli/parse-args";
import type { RawOptions, RawValue } from "../config/raw_options.ts";
import { didYouMean } from "../config/suggest.ts";
import { type Address, parseAddress, whyNotI2p } from "../i2p/address.ts";
import { CliError, ExitCode } from "./exit_code.ts";
import { flagOf, OPTIONS, type OptionSpec, type Verb, VERBS } from "./options.ts";

/** A command line, taken apart. */
export interface Arguments {
  /** What to do. */
  verb: Verb;
  /** Words behind the verb. */
  operands: readonly string[];
  /** Options given, environment included. */
  given: RawOptions;
}

/** Reads an environment variable that stands in for an option; `optional` is where it may not be readable. */
export type EnvReader = (name: string, flag: string, optional?: boolean) => string | undefined;

/**
 * Takes a command line apart.
 *
 * @param env reads an environment variable that stands in for an option.
 * @throws {CliError} for an unknown verb or option, or an option that the verb does not take.
 */
export function parseArguments(
  args: readonly string[],
  env: EnvReader,
): Arguments {
  const unknown: string[] = [];
  const parsed = parseArgs(joinValues(args), {
    string: ["_", ...OPTIONS.filter((o) => o.value !== undefined).map((o) => o.name)],
    boolean: OPTIONS.filter((o) => o.value === undefined).map((o) => o.name),
    collect: OPTIONS.filter((o) => o.value !== undefined).map((o) => o.name),
    unknown: (arg, key) => {
      if (key === undefined) return true;
      if (!unknown.includes(arg)) unknown.push(arg);
      return false;
    },
  });
  const [word = "serve", ...operands] = parsed._.map(String);
  const verb = VERBS.find((v) => v === word);
  if (verb === undefined) {
    const isAddress = /^(?:\S+:)?\d+$/.test(word);
    const { message, hints, code } = usageError(`Unknown verb "${word}"`, word, VERBS);
    throw new CliError(code, message, isAddress ? [`To listen there: --listen ${word}`, ...hints] : hints);
  }
  const [arg] = unknown;
  if (arg !== undefined) {
    const flag = arg.replace(/=.*/s, "");
    throw usageError(`Unknown option "${flag}"`, flag, OPTIONS.map(flagOf).filter((f) => f.startsWith("--")));
  }
  const given = new Map<string, RawValue[]>();
  // Help needs no environment, and so no permission for it.
  const readsEnv = parsed["help"] !== true && parsed["version"] !== true;
  for (const option of OPTIONS) {
    const values = valuesOf(option, parsed[option.name]);
    const wanted = option.verbs.includes(verb);
    if (values.length > 0 && !wanted) throw new CliError(ExitCode.usage, `${flagOf(option)} is no option of ${verb}`);
    if (option.env !== undefined && readsEnv && wanted && values.length === 0) {
      const text = env(option.env, flagOf(option), option.envIsOptional);
      if (text) values.push({ text, source: option.env });
    }
    if (values.length > 0) given.set(option.name, values);
  }
  return { verb, operands, given };
}

function valuesOf(option: OptionSpec, parsed: unknown): RawValue[] {
  const texts = parsed === true ? ["true"] : Array.isArray(parsed) ? parsed.map(String) : [];
  return texts.map((text) => ({ text, source: flagOf(option) }));
}

/** Short forms that every program has. */
const SHORT_FORMS: ReadonlyMap<string, string> = new Map([["-h", "--help"], ["-V", "--version"]]);

/**
 * Writes each option with its value in one word, `--name=value`. parseArgs alone would take a value that begins with a
 * hyphen, as in `--variance -1`, for another option, and `-oKEY=VALUE` for something else entirely.
 */
function joinValues(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") return [...joined, ...args.slice(i)];
    const attached = /^-([a-z])=?(.+)$/s.exec(arg);
    const option = OPTIONS.find((o) => flagOf(o) === arg || o.name === attached?.[1]);
    if (option?.value === undefined) joined.push(checkSwitch(SHORT_FORMS.get(arg) ?? arg));
    else if (attached !== null) joined.push(`--${option.name}=${attached[2]}`);
    // A known option is no value: then the value is missing.
    else if (OPTIONS.some((o) => flagOf(o) === args[i + 1])) joined.push(`--${option.name}=`);
    else joined.push(`--${option.name}=${args[++i] ?? ""}`);
  }
  return joined;
}

function checkSwitch(arg: string): string {
  const name = /^--([^=]+)=/.exec(arg)?.[1];
  if (!OPTIONS.some((o) => o.name === name && o.value === undefined)) return arg;
  throw new CliError(ExitCode.usage, `--${name} takes no value`);
}

function usageError(message: string, word: string, candidates: readonly string[]): CliError {
  return new CliError(ExitCode.usage, message, [...didYouMean(word, candidates), "See i2p-socks --help"]);
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
