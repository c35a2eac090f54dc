import type { RawOptions } from "../config/raw_options.ts";
import { refuseOperands } from "../command/arguments.ts";
import { STDIN, withUsualFile } from "../command/config_file.ts";
import { ExitCode } from "../command/exit_code.ts";
import { StopSignal } from "../command/stop_signal.ts";
import type { Terminal } from "../command/terminal.ts";
import { readConfiguration } from "../server/configuration.ts";
import { runServer, Server } from "../server/server.ts";

/** Serves SOCKS until a signal ends it. */
export async function serve(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  refuseOperands("serve", operands);
  const all = await withUsualFile(given);
  if (given.has("check-config")) return await checkConfiguration(all, terminal);
  using stop = new StopSignal();
  await runServer(all, terminal, stop);
  return stop.exitCode;
}

/** Checks options and the file, with the files that they name. @throws {ConfigError} with all that is wrong. */
export async function checkConfiguration(given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  const configuration = await readConfiguration(given);
  await new Server(configuration, given, terminal).check();
  const { applications: { length }, file } = configuration;
  const where = file === undefined || file === STDIN ? "" : ` in ${file}`;
  terminal.talk(`Valid configuration${where}: ${length} ${length === 1 ? "application" : "applications"}`);
  return ExitCode.ok;
}
