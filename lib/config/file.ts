import { parse } from "@std/yaml";
import { FILE_OPTIONS } from "./options.ts";
import type { RawOptions, RawValue } from "./raw_options.ts";
import { suggest } from "./suggest.ts";

/** Most bytes of a configuration file. */
export const MAX_CONFIG_FILE = 1_048_576;

/** What a configuration file says. */
export interface ConfigFile {
  /** Values for the process and for all applications. */
  common: RawOptions;
  /** Values of each application. */
  applications: readonly RawOptions[];
}

/** The key under which the applications stand. */
const APPLICATIONS = "applications";

/** The key of I2CP and streaming options, whose values may be a mapping. */
const OPTIONS = "options";

/**
 * Reads a configuration file: YAML with the options of the command line as keys, and a list `applications` whose items
 * have such keys of their own.
 *
 * Appends everything that is wrong to `problems`, with its line if that is known.
 */
export function parseConfigFile(text: string, problems: string[]): ConfigFile {
  const reader = new FileReader(text, problems);
  let root: unknown;
  try {
    // Scalars stay as they are written: to YAML 007 would be 7, and 1.10 would be 1.1.
    root = parse(text, { schema: "failsafe" });
  } catch (error) {
    // The lines that follow quote the file, which may hold secrets.
    const [reason = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    problems.push(`The file is not valid YAML: ${reason.replace(/:$/, "")}`);
    return { common: new Map(), applications: [] };
  }
  if (!isMapping(root)) {
    const what = root === null || root === undefined ? "is empty" : "is not a mapping";
    problems.push(
      `The file ${what}: it needs options, one a line as "listen: 127.0.0.1:9101", or a list "${APPLICATIONS}"`,
    );
    return { common: new Map(), applications: [] };
  }
  const { [APPLICATIONS]: list, ...common } = root;
  const items: unknown[] = Array.isArray(list) ? list : [];
  if (Array.isArray(list) && list.length === 0) {
    problems.push(`"${APPLICATIONS}" is empty: name an application, or leave "${APPLICATIONS}" out`);
  } else if (list !== undefined && (items.length === 0 || !items.every(isMapping))) {
    problems.push(`"${APPLICATIONS}" must be a list of mappings`);
  }
  return {
    common: reader.values(common),
    applications: items.flatMap((item, i) => isMapping(item) ? [reader.values(item, i)] : []),
  };
}

class FileReader {
  readonly #lines: readonly string[];
  readonly #problems: string[];

  constructor(text: string, problems: string[]) {
    this.#lines = text.split("\n");
    this.#problems = problems;
  }

  /** The values of a mapping: the file's own, or of an application. */
  values(mapping: Record<string, unknown>, application?: number): RawOptions {
    const given = new Map<string, RawValue[]>();
    for (const [key, value] of Object.entries(mapping)) {
      const place = this.#place(key, application);
      const option = FILE_OPTIONS.get(key);
      if (option === undefined) this.#unknown(key, application);
      else if (application !== undefined && option.scope === "process") {
        this.#problems.push(`${place} applies to all applications: put it at the top of the file`);
      } else {
        const texts = key === OPTIONS ? optionTexts(value) : scalarTexts(value);
        if (texts === undefined) this.#problems.push(`${place} is not a value or a list of values`);
        else if (option.list) given.set(option.name, [{ text: texts.join(","), source: place }]);
        else if (texts.length > 1 && !option.repeatable) {
          this.#problems.push(`${place} takes one value, not ${texts.length}`);
        } else given.set(option.name, texts.map((text) => ({ text, source: place })));
      }
    }
    return given;
  }

  #unknown(key: string, application: number | undefined): void {
    const meant = suggest(key, [...FILE_OPTIONS.keys(), ...(application === undefined ? [APPLICATIONS] : [])]);
    const hint = meant === undefined ? "" : `. Did you mean "${meant}"?`;
    this.#problems.push(`Unknown option "${pathOf(key, application)}"${this.#lineText(key, application)}${hint}`);
  }

  #place(key: string, application: number | undefined): string {
    return pathOf(key, application) + this.#lineText(key, application);
  }

  /** The line of a key, in brackets and with a space in front; nothing if it is not found. */
  #lineText(key: string, application: number | undefined): string {
    const line = this.#lineOf(key, application);
    return line === undefined ? "" : ` (line ${line})`;
  }

  /** The line of a key, counted from 1, in block style; undefined where it is not found, as in flow style. */
  #lineOf(key: string, application: number | undefined): number | undefined {
    if (application === undefined) return numberOf(this.#lines.findIndex((line) => keyIn(line, 0) === key));
    let item = -1;
    let [dashColumn, keyColumn]: (number | undefined)[] = [];
    const start = this.#lines.findIndex((line) => keyIn(line, 0) === APPLICATIONS);
    for (let i = start + 1; start >= 0 && i < this.#lines.length; i++) {
      const line = this.#lines[i] ?? "";
      if (/^[^\s#-]/.test(line)) return undefined;
      const dash = /^(\s*)-(?:(\s+)(?=[^\s#])|\s*$|\s+#)/.exec(line);
      dashColumn ??= dash?.[1]?.length;
      if (dash !== null && dash[1]?.length === dashColumn) {
        item++;
        // Where the dash stands alone, the keys begin on a line of their own.
        keyColumn = dash[2] ? dash[0].length : undefined;
      } else if (item >= 0 && keyColumn === undefined && /^\s*[^\s#]/.test(line)) keyColumn = line.search(/\S/);
      if (item === application && keyColumn !== undefined && keyIn(line, keyColumn) === key) return i + 1;
    }
    return undefined;
  }
}

function pathOf(key: string, application: number | undefined): string {
  return application === undefined ? key : `${APPLICATIONS}[${application}].${key}`;
}

/** The key that begins at a column of a line, quoted or not. */
function keyIn(line: string, column: number): string | undefined {
  const before = line.slice(0, column);
  const [, quoted1, quoted2, plain] =
    /^(?:"([^"]*)"|'([^']*)'|([^\s#"'-][^:]*?))\s*:(?:\s|$)/.exec(line.slice(column)) ?? [];
  return /^[\s-]*$/.test(before) ? quoted1 ?? quoted2 ?? plain : undefined;
}

function numberOf(index: number): number | undefined {
  return index < 0 ? undefined : index + 1;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function scalarTexts(value: unknown): string[] | undefined {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.length > 0 && list.every(isText) ? list : undefined;
}

/** Of `options`: a mapping, or a list of KEY=VALUE as on the command line. */
function optionTexts(value: unknown): string[] | undefined {
  if (!isMapping(value)) return scalarTexts(value);
  const entries = Object.entries(value);
  if (!entries.every(([, v]) => isText(v))) return undefined;
  return entries.map(([key, v]) => `${key}=${v}`);
}
