import type { IsOwn } from "../audit/finding.ts";
import { describeReport, makeReport } from "../audit/report.ts";
import { MAX_SETTINGS_FILE, recogniseSettings, SETTINGS_FILES } from "../audit/settings_files.ts";
import { refuseOperands } from "../command/arguments.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { readFile } from "../command/input_files.ts";
import { StopSignal } from "../command/stop_signal.ts";
import type { Terminal } from "../command/terminal.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { readValue } from "../config/settings.ts";
import { didYouMean } from "../config/suggest.ts";
import { makeFinder } from "../guard/identifiers.ts";
import { wireText } from "../guard/secrets.ts";
import { AuditBook } from "../report/audit_book.ts";
import { printable } from "../report/printable.ts";
import { ownIdentifiers } from "../server/machine.ts";
import { runServer } from "../server/server.ts";

/** Options that mean something together with `--file`. */
const WITH_FILE: readonly string[] = ["file", "client", "json"];

/**
 * Serves like `serve`, watching what the application gives away, for a time or until a signal; then reports. With `--file`
 * it serves nothing, and looks at the application's settings.
 *
 * @returns 0 if it gave away nothing that can be seen, else 1.
 */
export async function audit(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  refuseOperands("audit", operands);
  const file = readValue(given, "file");
  if (file !== undefined) return await auditFile(file, given, terminal);
  if (given.has("client")) {
    throw new CliError(ExitCode.usage, "--client says whose settings are in --file, which is missing");
  }
  const duration = readValue(given, "for");
  const watching = new Map([...given, ["leaks", [{ text: "warn", source: "audit" }]] as const]);
  const book = new AuditBook();
  using stop = new StopSignal();
  let since = performance.now();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const counters = await runServer(watching, terminal, stop, {
    book,
    // With --json the report is all of stdout, so that a program can read it.
    announce: (line) => given.has("json") ? terminal.talk(line) : terminal.data(line),
    ready: () => {
      since = performance.now();
      if (duration !== undefined) timer = setTimeout(() => stop.request(), duration);
    },
  });
  clearTimeout(timer);
  const report = makeReport(book, counters, performance.now() - since);
  // The application wrote the destinations, and must not be able to write lines of the report.
  terminal.data(given.has("json") ? JSON.stringify(report) : describeReport(report).map(printable).join("\n"));
  return report.clean ? ExitCode.ok : ExitCode.failure;
}

/** Names what the settings of an application will give away. */
async function auditFile(file: string, given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  const foreign = [...given].flatMap(([name, values]) => WITH_FILE.includes(name) ? [] : values)
    .find(({ source }) => source.startsWith("-"));
  if (foreign !== undefined) {
    throw new CliError(ExitCode.usage, `With --file nothing is served, so ${foreign.source} means nothing`);
  }
  const client = readValue(given, "client");
  const known = Object.keys(SETTINGS_FILES);
  const list = Object.values(SETTINGS_FILES).flat().map(({ title }) => title);
  if (client !== undefined && !known.includes(client)) {
    throw new CliError(ExitCode.usage, `Cannot use --client "${client}": no settings of it are known`, [
      ...didYouMean(client, known),
      `Known are ${known.join(", ")}`,
    ]);
  }
  const text = await readFile(file, "--file", MAX_SETTINGS_FILE);
  const found = recogniseSettings(file, text, client);
  if (found === undefined) {
    throw new CliError(ExitCode.usage, `Cannot tell whose settings are in "${file}"`, [
      `If it is one of these, say which: --client ${known.join("|")}`,
      ...list,
    ]);
  }
  const findings = found.kind.inspect(text, isOwn());
  const clean = findings.length === 0;
  const lines = findings.flatMap(({ line, setting, message, fix }) => [
    `✗ ${line === undefined ? "not set" : `line ${line}`}: ${setting}: ${message}`,
    `  ${fix}`,
  ]);
  const story = [
    `Settings of ${found.kind.title}`,
    ...lines,
    ...(clean ? ["✓ Nothing in them gives anything away that is known"] : []),
    "They do not say all: i2p-socks audit, without --file, watches what the application sends",
  ];
  const facts = findings.map(({ line = null, setting, message, fix }) => ({ line, setting, message, fix }));
  // Names of settings are the file's.
  terminal.data(
    given.has("json")
      ? JSON.stringify({ clean, client: found.client, findings: facts })
      : story.map(printable).join("\n"),
  );
  return clean ? ExitCode.ok : ExitCode.failure;
}

/** Knows the names of this machine and its user, as far as the permissions go. */
function isOwn(): IsOwn {
  const { identifiers } = ownIdentifiers();
  const finder = makeFinder({ ...identifiers, secrets: [] });
  const names = [identifiers.userName, identifiers.hostName].map((name) => name?.toLowerCase());
  return (text) => names.includes(text.toLowerCase()) || finder.find(wireText(text)).length > 0;
}
