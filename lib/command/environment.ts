import { flagOf, OPTIONS, VARIABLE_PREFIX, variableOf, type Verb } from "../config/options.ts";
import { ADDED_UP } from "../config/overlay.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { CliError, ExitCode } from "./exit_code.ts";
import { isPermitted } from "./permissions.ts";

/** Reads the environment variable of an option, which is named for the case that it may not be read. */
export type EnvReader = (name: string, flag: string) => string | undefined;

/** Finds the first of some variables that is set, as far as they may be read. */
export type FindSet = (names: Iterable<string>) => string | undefined;

/** Finds the first of some variables of the program's own that is set; none if it may not read all of those. */
export function findSetVariable(names: Iterable<string>): string | undefined {
  if (!isPermitted({ name: "env", variable: `${VARIABLE_PREFIX}*` })) return undefined;
  for (const name of names) if (Deno.env.get(name)) return name;
  return undefined;
}

/**
 * The options that the environment gives to a verb. An empty variable counts as not set.
 *
 * @param above options of the command line; a variable that one of them replaces is not read.
 */
export function readEnvironment(verb: Verb, above: RawOptions, env: EnvReader): RawOptions {
  const options = OPTIONS.filter(({ name, verbs }) =>
    verbs.includes(verb) && (!above.has(name) || ADDED_UP.includes(name))
  );
  return new Map(options.flatMap((option) => {
    const source = variableOf(option);
    const text = source && env(source, flagOf(option));
    if (!source || !text) return [];
    const texts = option.repeatable ? text.trim().split(/\s+/) : [text];
    return [[option.name, texts.map((one) => ({ text: one, source }))]] as const;
  }));
}

/** Options, and what people would try for their variables. */
const HABITS: Readonly<Record<string, readonly string[]>> = {
  "listen": ["PORT", "HOST", "ADDRESS", "BIND_ADDRESS", "LISTEN_PORT", "LISTEN_ADDRESS", "SOCKS_PORT"],
  "sam": ["SAM_PORT", "SAM_HOST", "SAM_ADDRESS"],
  "o": ["O", "OPTS"],
  "log-level": ["LOG", "DEBUG", "VERBOSE", "QUIET"],
};

/**
 * Refuses a variable that looks like one of an option and is none. The runtime grants variables that begin with
 * `I2P_SOCKS_` by name and does not list them, so this asks for the names that a slip makes of those of the options: a
 * letter or the last word missing, a letter doubled or swapped with the next one.
 *
 * @throws {CliError} if one is set.
 */
export function refuseMistypedVariable(verb: Verb, findSet: FindSet): void {
  if (!OPTIONS.some((option) => option.verbs.includes(verb) && variableOf(option) !== undefined)) return;
  const mistyped = mistypedVariables();
  const found = findSet(mistyped.keys());
  if (found === undefined) return;
  throw new CliError(ExitCode.usage, `Unknown environment variable ${found}`, [mistyped.get(found) ?? ""]);
}

/** Variables that no option has, with a hint for each. */
function mistypedVariables(): Map<string, string> {
  const hints = new Map<string, string>();
  const known = new Set(OPTIONS.map(variableOf));
  const add = (rest: string, hint: string): void => {
    const name = VARIABLE_PREFIX + rest;
    if (!known.has(name) && !hints.has(name)) hints.set(name, hint);
  };
  for (const option of OPTIONS) {
    const variable = variableOf(option);
    const words = HABITS[option.name] ?? [];
    for (const word of words) add(word, `Did you mean ${variable}?`);
    if (variable === undefined) {
      add(option.name.toUpperCase().replaceAll("-", "_"), `${flagOf(option)} works on the command line only`);
    }
  }
  for (const variable of known) {
    if (variable === undefined) continue;
    for (const slip of slipsOf(variable.slice(VARIABLE_PREFIX.length))) add(slip, `Did you mean ${variable}?`);
  }
  return hints;
}

function* slipsOf(name: string): Generator<string> {
  yield* [`${name}S`, `${name}_FILE`, name.replace(/_[A-Z]+$/, "")];
  for (let i = 0; i < name.length; i++) {
    const [before, letter, after] = [name.slice(0, i), name.charAt(i), name.slice(i + 1)];
    yield before + after;
    yield before + letter + letter + after;
    yield before + after.charAt(0) + letter + after.slice(1);
  }
}
