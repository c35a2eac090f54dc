import type { RawOptions } from "../config/raw_options.ts";
import { didYouMean } from "../config/suggest.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import type { Terminal } from "../command/terminal.ts";
import bash from "../templates/completions.bash" with { type: "text" };
import fish from "../templates/completions.fish" with { type: "text" };
import zsh from "../templates/completions.zsh" with { type: "text" };

/** A script for each shell: it hands the words to `i2p-socks complete`, and completes paths itself. */
const SCRIPTS = { bash, zsh, fish } as const;

/** Shells with completions. */
export const SHELLS: readonly string[] = Object.keys(SCRIPTS);

/** Prints a script that completes command lines in a shell. */
export function completions(operands: readonly string[], _given: RawOptions, terminal: Terminal): ExitCode {
  const [word, ...more] = operands;
  const script = Object.entries(SCRIPTS).find(([shell]) => shell === word)?.[1];
  if (script === undefined || more.length > 0) {
    const message = word === undefined ? "The name of a shell is missing" : `There are no completions for "${word}"`;
    throw new CliError(ExitCode.usage, script === undefined ? message : `completions takes one shell only`, [
      ...(word === undefined || script !== undefined ? [] : didYouMean(word, SHELLS)),
      `i2p-socks completions ${SHELLS.join("|")}`,
    ]);
  }
  terminal.exact(script.trimEnd());
  return ExitCode.ok;
}
