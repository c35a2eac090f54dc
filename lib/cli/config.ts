import { readConfiguration } from "../server/configuration.ts";
import { effectiveSettings, type Setting, settingsFile, templateFile } from "../config/describe.ts";
import type { RawOptions } from "../config/raw_options.ts";
import { didYouMean } from "../config/suggest.ts";
import { errorText } from "../io/error_text.ts";
import { writeNewFile } from "../io/new_file.ts";
import { STDIN, usualPlaces, withUsualFile } from "../command/config_file.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { CONFIG_ACTIONS, type ConfigAction } from "../command/actions.ts";
import { requireWrite } from "../command/permissions.ts";
import type { Terminal } from "../command/terminal.ts";
import { checkConfiguration } from "./serve.ts";

/** Writes, checks and shows the configuration of `serve`. */
export async function config(operands: readonly string[], given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  const [action, file, ...more] = operands;
  if (!isConfigAction(action)) {
    const message = action === undefined ? "config needs an action" : `config has no action "${action}"`;
    const actions = Object.entries(CONFIG_ACTIONS).map(([word, rest]) => `i2p-socks config ${word} ${rest}`.trimEnd());
    const meant = action === undefined ? [] : didYouMean(action, Object.keys(CONFIG_ACTIONS));
    throw new CliError(ExitCode.usage, message, [...meant, ...actions]);
  }
  if (more.length > 0) throw new CliError(ExitCode.usage, `config ${action} takes one file, but also got "${more[0]}"`);
  if (action === "init") return await initialize(file ?? given.get("config")?.at(-1)?.text, terminal);
  const named: RawOptions = file === undefined
    ? given
    : new Map([...given, ["config", [{ text: file, source: "--config" }]]]);
  const all = await withUsualFile(named);
  return action === "check" ? await checkConfiguration(all, terminal) : await show(all, terminal);
}

function isConfigAction(word: string | undefined): word is ConfigAction {
  return word !== undefined && Object.hasOwn(CONFIG_ACTIONS, word);
}

/** Writes a file to begin with, for this user alone, and never over another. */
async function initialize(file: string | undefined, terminal: Terminal): Promise<ExitCode> {
  if (file === STDIN) {
    terminal.exact(templateFile().trimEnd());
    return ExitCode.ok;
  }
  const path = file ?? usualPlaces()[0];
  if (path === undefined) {
    throw new CliError(ExitCode.usage, "Cannot tell where to put the file: HOME is not set", [
      "Name one: i2p-socks config init FILE",
    ]);
  }
  requireWrite(path, "config init");
  try {
    const folder = path.replace(/[^/\\]*$/, "");
    if (file === undefined) await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await writeNewFile(path, new TextEncoder().encode(templateFile()));
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) {
      throw new CliError(ExitCode.failure, `"${path}" exists already, and was not changed`, [
        "i2p-socks config init - prints a new one",
      ]);
    }
    const code = error instanceof Deno.errors.PermissionDenied ? ExitCode.noPermission : ExitCode.failure;
    throw new CliError(code, `Cannot write "${path}": ${errorText(error)}`);
  }
  terminal.data(path);
  terminal.talk(
    file === undefined
      ? "Written. Edit it, then start i2p-socks without options: it reads this file."
      : `Written. Edit it, then start i2p-socks --config "${path}".`,
  );
  return ExitCode.ok;
}

/** Prints the settings that `serve` would run with. */
async function show(given: RawOptions, terminal: Terminal): Promise<ExitCode> {
  const { file, given: sources } = await readConfiguration(given);
  const common = effectiveSettings(sources.process, "process");
  const applications = sources.applications.map((one) => effectiveSettings(one, "application"));
  if (given.has("json")) {
    const facts = ({ key, values, source }: Setting): Record<string, unknown> => ({ key, values, source });
    const all = { file: file ?? null, process: common.map(facts), applications: applications.map((a) => a.map(facts)) };
    terminal.data(JSON.stringify(all));
  } else {
    const usual = file === undefined ? (await withUsualFile(new Map())).get("config")?.at(-1)?.text : undefined;
    if (usual !== undefined) {
      terminal.talk(`${usual} is not used, since options are given: --config "${usual}" uses both`);
    } else if (file === undefined) terminal.talk("No configuration file is used");
    terminal.exact(settingsFile(common, applications));
  }
  return ExitCode.ok;
}
