import type { ConfigFile } from "../config/file.ts";
import { type Endpoint, formatListen, isUnix, withPort } from "../config/endpoint.ts";
import { forbiddenTarget } from "../config/forward.ts";
import { missingValue, type RawOptions } from "../config/raw_options.ts";
import { overlay } from "../config/overlay.ts";
import {
  type ApplicationSettings,
  ConfigError,
  type LogSettings,
  readApplication,
  readLogSettings,
  readStatusEndpoint,
} from "../config/settings.ts";
import { readStdin, STDIN } from "../command/config_file.ts";
import { inputFileProblems, readFile } from "../command/input_files.ts";
import { defaultKeysDir, plainFolder } from "../command/keys_dir.ts";

/** All that a process is to do. */
export interface Configuration {
  /** How it talks. */
  log: LogSettings;
  /** Where it serves its status, if anywhere. */
  status: Endpoint | undefined;
  /** What it serves. */
  applications: readonly ApplicationSettings[];
  /** The file that it came from, if any; `-` is standard input. */
  file: string | undefined;
  /** What was given for the process, and for each application, in the order of {@linkcode applications}. */
  given: { process: RawOptions; applications: readonly RawOptions[] };
}

/**
 * Reads the configuration: flags over environment over the file over defaults.
 *
 * @param defaultDir the folder of identities where an application names none.
 * @throws {ConfigError} with every problem, the file's included.
 * @throws {CliError} if the file cannot be read.
 */
export async function readConfiguration(
  given: RawOptions,
  defaultDir: () => string | undefined = defaultKeysDir,
): Promise<Configuration> {
  const problems: string[] = [];
  const chosen = given.get("config")?.at(-1);
  if (chosen?.text === "") throw new ConfigError([missingValue(chosen.source, "config")]);
  const file = chosen?.text;
  const { common, applications } = file === undefined ? NO_FILE : await readConfigFile(file, problems);
  const own: readonly RawOptions[] = applications.length === 0 ? [new Map()] : applications;
  const merged = own.map((values) => overlay(overlay(common, values), given));
  const alone = merged.map((values) => readApplication(values, problems));
  const folderOf = ({ keysDir }: ApplicationSettings): string => plainFolder(keysDir ?? defaultDir() ?? "");
  const isOneWith: IsOneWith = (one, other) =>
    one !== other && one.identity !== undefined && one.identity === other.identity && folderOf(one) === folderOf(other);
  // Of an identity that applications share, the callers of one are the callers of all.
  const isCalled = (one: ApplicationSettings): boolean =>
    alone.some((other) => isOneWith(one, other) && awaitsCallers(other));
  const settings = alone.map((one, i) => isCalled(one) ? readApplication(merged[i] ?? new Map(), problems, true) : one);
  const listen = given.get("listen")?.at(-1);
  if (own.length > 1 && listen !== undefined) {
    problems.push(`${listen.source} cannot be given together with a file of several applications`);
  } else {
    const between = [...clashes(settings), ...rivals(settings, isOneWith)];
    problems.push(...between.map((problem) => `${nameOf(file)}: ${problem}`));
  }
  if (own.length > 1) {
    for (const { source } of [common, given].flatMap((values) => values.get("identity") ?? [])) {
      problems.push(`${source} cannot be set for several applications: they would share one destination`);
    }
  }
  const log = readLogSettings(overlay(common, given), problems);
  const status = readStatusEndpoint(overlay(common, given), problems);
  problems.push(...exposures(settings, status));
  if (problems.length > 0) {
    const all = [...new Set(problems), ...await inputFileProblems(settings)];
    throw file === undefined ? new ConfigError(all) : new ConfigError(all, "See i2p-socks help config");
  }
  return {
    log,
    status,
    applications: settings,
    file,
    given: { process: overlay(common, given), applications: merged },
  };
}

const NO_FILE: ConfigFile = { common: new Map(), applications: [] };

async function readConfigFile(file: string, problems: string[]): Promise<ConfigFile> {
  const own: string[] = [];
  // Most are started without one, and need no YAML.
  const { MAX_CONFIG_FILE, parseConfigFile } = await import("../config/file.ts");
  const text = file === STDIN ? await readStdin(MAX_CONFIG_FILE) : await readFile(file, "--config", MAX_CONFIG_FILE);
  const { common, applications } = parseConfigFile(text, own);
  problems.push(...own.map((problem) => `${nameOf(file)}: ${problem}`));
  const inFile = (values: RawOptions): RawOptions =>
    new Map([...values].map(([name, list]) => [name, list.map((value) => ({ ...value, file: nameOf(file) }))]));
  return { common: inFile(common), applications: applications.map(inFile) };
}

/** What problems call a file. */
function nameOf(file: string | undefined): string {
  return file === STDIN ? "standard input" : String(file);
}

/** Services of one application that are doors of another, or the status: nobody in I2P may have those. */
function exposures(applications: readonly ApplicationSettings[], status: Endpoint | undefined): string[] {
  const doors = applications.flatMap(({ listen, sam }) => [
    [sam, "a SAM bridge"] as const,
    ...withPort(listen).map((endpoint) => [endpoint, "where SOCKS is served"] as const),
  ]);
  const all = status === undefined ? doors : [...doors, [status, "the status"] as const];
  // Those of an application's own have been named already.
  return applications.flatMap(({ forward, listen, sam }) =>
    forbiddenTarget(forward?.rules ?? [], all.filter(([endpoint]) => endpoint !== sam && !listen.includes(endpoint))) ??
      []
  );
}

/** Whether two applications are one to I2P: they name the same lasting identity, in the same folder. */
type IsOneWith = (one: ApplicationSettings, other: ApplicationSettings) => boolean;

/** Whether others in I2P are to call an application. */
function awaitsCallers({ forward, bind }: ApplicationSettings): boolean {
  return forward !== undefined || bind;
}

/** Applications that would take each other's callers, for they wait on one identity. */
function rivals(applications: readonly ApplicationSettings[], isOneWith: IsOneWith): string[] {
  const waiting = applications.filter(awaitsCallers);
  return waiting.flatMap((application) => {
    const { name, identity, forward } = application;
    const rival = waiting.find((other) => isOneWith(application, other));
    if (rival === undefined || forward === undefined) return [];
    const names = [name, rival.name].sort().map((one) => `"${one}"`).join(" and ");
    return [`${names} share the identity "${identity}", and both wait for its callers: only one may`];
  });
}

/** Addresses that two applications claim. */
function clashes(applications: readonly ApplicationSettings[]): string[] {
  const seen = new Set<string>();
  const problems: string[] = [];
  for (const { listen } of applications) {
    const addresses = new Set(listen.filter((one) => isUnix(one) || one.port !== 0).map(formatListen));
    for (const address of addresses) {
      if (seen.has(address)) problems.push(`Two applications listen on ${address}`);
      seen.add(address);
    }
  }
  return problems;
}
