import type { RawOptions } from "../config/raw_options.ts";
import { ConfigError, readLogSettings, readSettings } from "../config/settings.ts";
import { didYouMean } from "../config/suggest.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { OPTIONS } from "../config/options.ts";
import { containerText } from "./service_container.ts";
import { launchdText } from "./service_launchd.ts";
import { INPUT_FILE_OPTIONS, type ServiceOption } from "./service_option.ts";
import { systemdText } from "./service_systemd.ts";
import { windowsText } from "./service_windows.ts";
import type { Terminal } from "../command/terminal.ts";

/** Writes the text of a kind of service. */
export type Writer = (options: readonly ServiceOption[]) => string;

/** What writes each kind of service, by its name. */
export const KINDS: Readonly<Record<string, Writer>> = {
  "systemd": (options) => systemdText(options, "system"),
  "systemd-user": (options) => systemdText(options, "user"),
  "container": containerText,
  "launchd": launchdText,
  "windows": windowsText,
};

/**
 * Prints what starts the program as a service, with the options given.
 *
 * @throws {CliError} if there is no such kind of service.
 * @throws {ConfigError} if an option cannot be used.
 */
export function service(operands: readonly string[], given: RawOptions, terminal: Terminal): ExitCode {
  const [kind, ...more] = operands;
  const names = Object.keys(KINDS);
  if (kind === undefined || more.length > 0) {
    throw new CliError(ExitCode.usage, `service takes one of ${names.join(", ")}`);
  }
  const write = Object.hasOwn(KINDS, kind) ? KINDS[kind] : undefined;
  if (write === undefined) {
    const hints = didYouMean(kind, names);
    throw new CliError(
      ExitCode.usage,
      `Unknown kind of service "${kind}"`,
      hints.length > 0 ? hints : [`There are ${names.join(", ")}`],
    );
  }
  terminal.exact(write(optionsOf(given)));
  return ExitCode.ok;
}

/** The options to start with, checked as serve would. Those of the environment are written out: a service has another. */
function optionsOf(given: RawOptions): ServiceOption[] {
  const problems: string[] = [];
  readSettings(given);
  readLogSettings(given, problems);
  const options = OPTIONS.flatMap(({ name, value }) =>
    (given.get(name) ?? []).map(({ text }) =>
      value === undefined ? { name: text === "true" ? name : `no-${name}` } : { name, value: text }
    )
  );
  for (const { name, value = "" } of options) {
    // A service starts in a folder of its own.
    const isPath = INPUT_FILE_OPTIONS.includes(name) || name === "keys-dir";
    if (isPath && !/^(\/|[A-Za-z]:[\\/])/.test(value)) {
      problems.push(`Cannot use --${name} "${value}": a service needs the whole path`);
    }
    if (/\p{Cc}/u.test(value)) problems.push(`Cannot use --${name}: a control character`);
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return options;
}
