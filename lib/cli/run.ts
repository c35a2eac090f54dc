import type { RawOptions } from "../config/raw_options.ts";
import { parseArguments } from "../command/arguments.ts";
import { errorText } from "../io/error_text.ts";
import { ExitCode } from "../command/exit_code.ts";
import type { Verb } from "../config/options.ts";
import { findSetVariable } from "../command/environment.ts";
import { readEnv } from "../command/permissions.ts";
import { problemsOf } from "../command/errors.ts";
import { outliveFileLimits, StopSignal } from "../command/stop_signal.ts";
import { Terminal } from "../command/terminal.ts";

/**
 * Runs the program.
 *
 * @param args the command line without the program's name.
 * @returns how to end; every error has been printed.
 */
export async function run(args: readonly string[]): Promise<ExitCode> {
  outliveFileLimits();
  const terminal = new Terminal();
  terminal.hasJsonErrors = asksForJson(args);
  const code = await runVerb(args, terminal).catch((error) => {
    const problem = problemsOf(error);
    terminal.fatal(problem);
    return problem.code;
  });
  await terminal.flush(StopSignal.hasReceived);
  // A reader that has what it wanted, as head has, may leave.
  const { failure } = terminal;
  if (code !== ExitCode.ok || failure === undefined || failure instanceof Deno.errors.BrokenPipe) return code;
  terminal.fatal({ messages: [`Cannot write to stdout: ${errorText(failure)}`], hints: [], code: ExitCode.failure });
  await terminal.flush(StopSignal.hasReceived);
  return ExitCode.failure;
}

/** Whether a command line, which may be wrong elsewhere, asks for errors as JSON. */
function asksForJson(args: readonly string[]): boolean {
  const own = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  const format = own.indexOf("--log-format");
  return own.includes("--json") || own.includes("--log-format=json") || (format >= 0 && own[format + 1] === "json");
}

async function runVerb(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  // Hidden: the scripts of `completions` call it. Its words are those of an incomplete command line.
  if (args[0] === "complete" && args[1] === "--") {
    return await (await import("./complete.ts")).complete(args.slice(2), terminal);
  }
  const { verb, isNamed, operands, given } = parseArguments(args, readEnv, findSetVariable);
  if (given.has("version")) {
    const { versionFacts, versionText } = await import("../command/version.ts");
    terminal.data(given.has("json") ? JSON.stringify(versionFacts()) : versionText());
    return ExitCode.ok;
  }
  if (given.get("log-format")?.at(-1)?.text === "json") terminal.hasJsonErrors = true;
  const asked = given.get("help")?.at(-1);
  if (asked !== undefined) {
    const { help, helpAll } = await import("./help.ts");
    if (isNamed) return help([verb], new Map(), terminal);
    return asked.source === "-h" ? help([], new Map(), terminal) : helpAll(terminal);
  }
  const handle = await HANDLERS[verb]();
  return await handle(operands, given, terminal);
}

/** Does what a verb says. */
type Handler = (operands: readonly string[], given: RawOptions, terminal: Terminal) => ExitCode | Promise<ExitCode>;

/** Each verb loads what it needs when it is called: a server starts only after everything before it has loaded. */
const HANDLERS: Readonly<Record<Verb, () => Promise<Handler>>> = {
  "serve": async () => (await import("./serve.ts")).serve,
  "check": async () => (await import("./check.ts")).check,
  "audit": async () => (await import("./audit.ts")).audit,
  "connect": async () => (await import("./connect.ts")).connect,
  "lookup": async () => (await import("./lookup.ts")).lookup,
  "keys": async () => (await import("./keys.ts")).keys,
  "config": async () => (await import("./config.ts")).config,
  "hash-login": async () => (await import("./hash_login.ts")).hashLogin,
  "status": async () => (await import("./status.ts")).status,
  "why": async () => (await import("./why.ts")).why,
  "ping": async () => (await import("./ping.ts")).ping,
  "report": async () => (await import("./report.ts")).report,
  "setup": async () => (await import("./setup.ts")).setup,
  "service": async () => (await import("./service.ts")).service,
  "completions": async () => (await import("./completions.ts")).completions,
  "help": async () => (await import("./help.ts")).help,
};
