import type { RawOptions } from "../config/raw_options.ts";
import { bashCompletions } from "./completions_bash.ts";
import { fishCompletions } from "./completions_fish.ts";
import { zshCompletions } from "./completions_zsh.ts";
import { didYouMean } from "../config/suggest.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { type Shell, SHELLS } from "./completion_shells.ts";
import type { Terminal } from "../command/terminal.ts";

/** The script of each shell, made of the tables of verbs and options. */
const SCRIPTS: Readonly<Record<Shell, () => string>> = {
  bash: bashCompletions,
  zsh: zshCompletions,
  fish: fishCompletions,
};

/** Prints a script that completes command lines in a shell. */
export function completions(operands: readonly string[], _given: RawOptions, terminal: Terminal): ExitCode {
  const [word, ...more] = operands;
  const shell = SHELLS.find((name) => name === word);
  if (shell === undefined || more.length > 0) {
    const message = word === undefined ? "The name of a shell is missing" : `There are no completions for "${word}"`;
    throw new CliError(ExitCode.usage, shell === undefined ? message : `completions takes one shell only`, [
      ...(word === undefined || shell !== undefined ? [] : didYouMean(word, SHELLS)),
      `i2p-socks completions ${SHELLS.join("|")}`,
    ]);
  }
  terminal.data(SCRIPTS[shell]());
  return ExitCode.ok;
}
