import { ConfigError } from "../config/settings.ts";
import { type KeyProblem, KeyStoreError } from "../keys/error.ts";
import { errorText, isSystemError } from "../io/error_text.ts";
import type { Log } from "../report/log.ts";
import { CliError, ExitCode } from "./exit_code.ts";

/** What an error means for the user. */
export interface Problem {
  /** What is wrong, a sentence each. */
  messages: readonly string[];
  /** What can be done, a sentence each. */
  hints: readonly string[];
  /** How the program ends for it. */
  code: ExitCode;
  /** A word for programs: a reason of the table, or the name of the exit code. */
  reason?: string | undefined;
}

/** How the program ends for problems with keys; any other is a failure. */
const KEY_PROBLEMS: Partial<Record<KeyProblem, ExitCode>> = {
  "permissions": ExitCode.noPermission,
  "bad-name": ExitCode.usage,
};

/** Tells the log what an error means, where the program goes on: a line each. */
export function logProblems(log: Log, what: string, error: unknown): void {
  const { messages, hints } = problemsOf(error);
  for (const message of messages) log.error(`${what}: ${message}`, { hint: hints });
}

/** Explains an error. An unexpected one is shown with its stack. */
export function problemsOf(error: unknown): Problem {
  if (error instanceof CliError) {
    return { messages: [error.message], hints: error.hints, code: error.code, reason: error.reason };
  }
  if (error instanceof ConfigError) {
    return { messages: error.problems, hints: [error.hint], code: ExitCode.usage };
  }
  if (error instanceof KeyStoreError) {
    const hints = error.hint === undefined ? [] : [error.hint];
    return { messages: [error.message], hints, code: KEY_PROBLEMS[error.problem] ?? ExitCode.failure };
  }
  if (error instanceof Deno.errors.NotCapable) {
    const hints = ["Run the executable, or deno run -P main.ts"];
    return { messages: [error.message], hints, code: ExitCode.noPermission };
  }
  if (isSystemError(error) || Object.values(Deno.errors).some((type) => error instanceof type)) {
    const code = error instanceof Deno.errors.PermissionDenied ? ExitCode.noPermission : ExitCode.failure;
    return { messages: [`The system reports: ${errorText(error)}`], hints: [], code };
  }
  const text = error instanceof Error ? error.stack ?? error.message : String(error);
  return { messages: [`Internal error: ${text}`], hints: ["Please report it"], code: ExitCode.failure };
}
