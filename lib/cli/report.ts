import { effectiveSettings, type Setting } from "../config/describe.ts";
import { VARIABLE_PREFIX } from "../config/options.ts";
import type { RawOptions, RawValue } from "../config/raw_options.ts";
import { readConfiguration } from "../server/configuration.ts";
import { refuseOperands } from "../command/arguments.ts";
import { withUsualFile } from "../command/config_file.ts";
import { problemsOf } from "../command/errors.ts";
import { ExitCode } from "../command/exit_code.ts";
import type { Terminal } from "../command/terminal.ts";
import { versionText } from "../command/version.ts";
import { check } from "./check.ts";

/** Options that name people, identities, places of files or destinations: a report says only that they are set. */
const PRIVATE: readonly string[] = [
  ...["name", "identity", "keys-dir", "sam-user", "sam-password-file", "auth-file", "hosts", "secrets-file"],
  ...["allow", "deny", "allow-caller", "deny-caller", "options", "config"],
];

/** Options that the check of the SAM bridge needs. */
const OF_BRIDGE: readonly string[] = ["sam", "sam-user", "sam-password-file"];

/** What a report says of the log, which the program itself does not keep. */
const ABOUT_LOG =
  "Start i2p-socks again with --log-level debug, let it happen once more, and paste the last 200 lines here.\n" +
  "The log names no destination unless --log-destinations is on: leave it off.";

/**
 * Prints what a maintainer needs to know about an installation, ready to paste: version, platform, settings that are not
 * defaults, and what the SAM bridge says. It names no destination, identity, user or path.
 */
export async function report(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  refuseOperands("report", operands);
  const { os, arch, standalone } = Deno.build;
  section("Version", [versionText(), `${os} ${arch}, ${standalone ? "executable" : "from source"}`], terminal);
  const { lines, bridge } = await settingsOf(given);
  section("Settings that are not defaults", lines, terminal);
  terminal.data("### SAM bridge (check --no-session)\n\n```");
  try {
    await check([], bridge, terminal);
  } catch (error) {
    terminal.data(problemsOf(error).messages.join("\n"));
  }
  terminal.data("```\n");
  section("Log", [ABOUT_LOG], terminal);
  return ExitCode.ok;
}

function section(title: string, lines: readonly string[], terminal: Terminal): void {
  terminal.data(`### ${title}\n\n\`\`\`\n${lines.join("\n")}\n\`\`\`\n`);
}

/** The settings as lines, or that they cannot be used; and what the check needs of those of the first application. */
async function settingsOf(given: RawOptions): Promise<{ lines: string[]; bridge: RawOptions }> {
  const noSession: readonly [string, RawValue[]] = ["no-session", [{ text: "true", source: "report" }]];
  const ofBridge = (all: RawOptions): RawOptions =>
    new Map([...[...all].filter(([name]) => OF_BRIDGE.includes(name)), noSession]);
  try {
    const { file, given: { process, applications } } = await readConfiguration(await withUsualFile(given));
    const lines = [
      `configuration file: ${file === undefined ? "none" : "yes"}`,
      ...linesOf("process", effectiveSettings(process, "process")),
      ...applications.flatMap((one, i) => linesOf(`application ${i + 1}`, effectiveSettings(one, "application"))),
    ];
    return { lines, bridge: ofBridge(applications[0] ?? given) };
  } catch (error) {
    // What is wrong may quote what was given, so it is only counted.
    const { messages } = problemsOf(error);
    const lines = [`They cannot be used, with ${messages.length} problem(s): see i2p-socks config check`];
    return { lines, bridge: ofBridge(given) };
  }
}

function linesOf(where: string, all: readonly Setting[]): string[] {
  const set = all.filter(({ source }) => source !== "default");
  return [
    `${where}:${set.length === 0 ? " only defaults" : ""}`,
    ...set.map(({ key, values, source }) =>
      `  ${key}: ${PRIVATE.includes(key) ? "(set)" : values.join(", ")} (${placeOf(source)})`
    ),
  ];
}

function placeOf(source: string): string {
  if (source.startsWith("-")) return "command line";
  return source.startsWith(VARIABLE_PREFIX) ? "environment" : "file";
}
