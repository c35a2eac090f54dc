/** A value as the user gave it. */
export interface RawValue {
  /** The text. */
  text: string;
  /** Where it stands: `--listen`, the name of an environment variable, or a place in a file. */
  source: string;
  /** The file that it stands in. */
  file?: string;
}

/** Values by option name without dashes, `o` for `-o`. Where an option is given more than once, the last one counts. */
export type RawOptions = ReadonlyMap<string, readonly RawValue[]>;

/** Applies parsers to given values, and collects what they complain of. */
export class Reader {
  readonly #given: RawOptions;
  readonly #problems: string[];

  /** Reads from values; what is wrong with them is added to `problems`. */
  constructor(given: RawOptions, problems: string[]) {
    this.#given = given;
    this.#problems = problems;
  }

  /** All values of an option that can be used; undefined where it is not given. */
  all<T>(name: string, parse: (text: string) => T): T[] | undefined {
    const values = this.#given.get(name);
    return values?.flatMap((value) => {
      const parsed = this.#parse(value, parse);
      return parsed === undefined ? [] : [parsed];
    });
  }

  /** The value of an option, the last one; undefined where it is not given, or cannot be used. */
  last<T>(name: string, parse: (text: string) => T): T | undefined {
    const value = this.#given.get(name)?.at(-1);
    return value && this.#parse(value, parse);
  }

  #parse<T>(value: RawValue, parse: (text: string) => T): T | undefined {
    const { text, source } = value;
    try {
      if (text === "") throw new SyntaxError("a value is missing");
      return parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      const problem = `${sourceOf([value])}Cannot use ${source} "${text}": ${error.message}`;
      if (!this.#problems.includes(problem)) this.#problems.push(problem);
      return undefined;
    }
  }
}

/** What a problem with a value begins with: the file that it stands in, if there is one. */
export function sourceOf(values: readonly RawValue[] | undefined): string {
  const file = values?.at(-1)?.file;
  return file === undefined ? "" : `${file}: `;
}
