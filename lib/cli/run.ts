import { type Arguments, parseArguments } from "./arguments.ts";
import { audit } from "./audit.ts";
import { check } from "./check.ts";
import { completions } from "./completions.ts";
import { didYouMean } from "./did_you_mean.ts";
import { connect } from "./connect.ts";
import { CliError, ExitCode } from "./exit_code.ts";
import { helpText } from "./help.ts";
import { hashLogin } from "./hash_login.ts";
import { keys } from "./keys.ts";
import { lookup } from "./lookup.ts";
import { type Verb, VERBS } from "./options.ts";
import { readEnv } from "./permissions.ts";
import { problemsOf } from "./problem.ts";
import { serve } from "./serve.ts";
import { status } from "./status.ts";
import { setup } from "./setup.ts";
import { service } from "./service.ts";
import { Terminal } from "./terminal.ts";
import { versionText } from "./version.ts";

/**
 * Runs the program.
 *
 * @param args the command line without the program's name.
 * @returns how to end; every error has been printed.
 */
export async function run(args: readonly string[]): Promise<ExitCode> {
  const terminal = new Terminal();
  try {
    return await runVerb(parseArguments(args, readEnv), terminal);
  } catch (error) {
    const { messages, hints, code } = problemsOf(error);
    terminal.error(messages.join("\n"), hints);
    return code;
  }
}

async function runVerb({ verb, operands, given }: Arguments, terminal: Terminal): Promise<ExitCode> {
  if (given.has("version")) {
    terminal.data(versionText());
    return ExitCode.ok;
  }
  if (given.has("help")) {
    terminal.data(helpText(verb));
    return ExitCode.ok;
  }
  switch (verb) {
    case "help":
      terminal.data(helpText(verbNamed(operands[0] ?? "serve")));
      return ExitCode.ok;
    case "audit":
      if (operands.length > 0) throw new CliError(ExitCode.usage, `audit takes no operand, but got "${operands[0]}"`);
      return await audit(given, terminal);
    case "check":
      return await check(operands, given, terminal);
    case "connect":
      return await connect(operands, given, terminal);
    case "service":
      return service(operands, given, terminal);
    case "lookup":
      return await lookup(operands, given, terminal);
    case "keys":
      return await keys(operands, given, terminal);
    case "hash-login":
      return await hashLogin(operands, terminal);
    case "status":
      return await status(operands, given, terminal);
    case "setup":
      return setup(operands, given, terminal);
    case "completions":
      return completions(operands, terminal);
    case "serve":
      if (operands.length > 0) throw new CliError(ExitCode.usage, `serve takes no operand, but got "${operands[0]}"`);
      return await serve(given, terminal);
  }
}

function verbNamed(word: string): Verb {
  const verb = VERBS.find((v) => v === word);
  if (verb !== undefined) return verb;
  throw new CliError(ExitCode.usage, `Unknown verb "${word}"`, didYouMean(word, VERBS));
}
