import type { RawOptions } from "../config/raw_options.ts";
import { refuseOperands } from "../command/arguments.ts";
import { ExitCode } from "../command/exit_code.ts";
import { StopSignal } from "../command/stop_signal.ts";
import type { Terminal } from "../command/terminal.ts";
import { readConfiguration } from "../server/configuration.ts";
import { runServer, Server } from "../server/server.ts";

/** Serves SOCKS until a signal ends it. */
export async function serve(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  refuseOperands("serve", operands);
  if (given.has("check-config")) {
    const configuration = await readConfiguration(given);
    await new Server(configuration, given, terminal).check();
    terminal.talk(`Valid configuration: ${configuration.applications.length} application(s)`);
    return ExitCode.ok;
  }
  using stop = new StopSignal();
  await runServer(given, terminal, stop);
  return stop.exitCode;
}
