import { type Option, OPTION_TABLE, type OptionName, type OptionValue, type SwitchName } from "./options.ts";

/** A value as the user gave it. */
export interface RawValue {
  /** The text. */
  text: string;
  /** Where it stands: `--listen`, the name of an environment variable, or a place in a file. */
  source: string;
  /** The file that it stands in. */
  file?: string;
}

/** Values by option name without dashes, `o` for `-o`. The last one counts, unless the option is repeatable. */
export type RawOptions = ReadonlyMap<string, readonly RawValue[]>;

/** Parses raw values as the table of options says, and collects what is wrong with them. */
export class Reader {
  readonly #raw: RawOptions;
  readonly #problems: string[];

  /** Reads from `raw`; appends to `problems`. */
  constructor(raw: RawOptions, problems: string[]) {
    this.#raw = raw;
    this.#problems = problems;
  }

  /** The value of an option: its default if none is given or the one given is wrong. */
  value<N extends OptionName>(name: N): OptionValue<N> {
    const { fallback, repeatable }: Option<unknown> = OPTION_TABLE[name];
    const raw = this.#raw.get(name);
    if (raw === undefined) return fallback as OptionValue<N>;
    const values = (repeatable ? raw : raw.slice(-1)).flatMap((value) => this.#parse(value, name));
    return (repeatable ? values : values[0] ?? fallback) as OptionValue<N>;
  }

  /** The values of all switches. */
  switches(): Readonly<Record<SwitchName, boolean>> {
    const names = Object.keys(OPTION_TABLE) as OptionName[];
    const isSwitch = (name: OptionName): name is SwitchName => "isSwitch" in OPTION_TABLE[name];
    const entries = names.filter(isSwitch).map((name) => [name, this.value(name)]);
    return Object.fromEntries(entries) as Record<SwitchName, boolean>;
  }

  /** One value, or none if it is wrong. */
  #parse(value: RawValue, name: OptionName): unknown[] {
    const { text, source } = value;
    if (text === "") return this.#refuse(value, missingValue(source, name));
    try {
      return [OPTION_TABLE[name].parse(text)];
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return this.#refuse(value, `Cannot use ${source} "${text}": ${error.message}`);
    }
  }

  #refuse(value: RawValue, what: string): [] {
    const problem = `${sourceOf([value])}${what}`;
    if (!this.#problems.includes(problem)) this.#problems.push(problem);
    return [];
  }
}

/** What is wrong where an option stands alone that needs a value. */
export function missingValue(source: string, name: OptionName): string {
  const { value = "true or false" }: Option<unknown> = OPTION_TABLE[name];
  return `${source} needs a value: ${value}`;
}

/** What a problem with a value begins with: the file that it stands in, if there is one. */
export function sourceOf(values: readonly RawValue[] | undefined): string {
  const file = values?.at(-1)?.file;
  return file === undefined ? "" : `${file}: `;
}
