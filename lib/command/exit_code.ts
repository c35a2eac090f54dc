import { ExitCode } from "../reasons/exit_code.ts";

export { ExitCode };

/** Ends the program with a code, an error and hints: thrown anywhere in a verb, printed in one place. */
export class CliError extends Error {
  /** How the program ends. */
  readonly code: ExitCode;
  /** What the user can do, a sentence each. */
  readonly hints: readonly string[];
  /** Its reason in the table of reasons, if it has one there. */
  readonly reason: string | undefined;

  constructor(code: ExitCode, message: string, hints: readonly string[] = [], reason: string | undefined = undefined) {
    super(message);
    this.name = "CliError";
    this.code = code;
    this.hints = hints;
    this.reason = reason;
  }
}
