import { VERB_HELP } from "./help.ts";
import { flagOf, OPTIONS, type OptionSpec, type Verb } from "../config/options.ts";

/** What may stand at a place of the command line. */
export type Place =
  | { kind: "words"; words: readonly string[] }
  /** Words with commas. */
  | { kind: "list"; words: readonly string[] }
  | { kind: "file" | "folder" | "identity" | "text" };

/** The flags of all options that have a value. */
export const VALUE_FLAGS: readonly string[] = OPTIONS.filter(({ value }) => value !== undefined).map(flagOf);

/** The options of a verb. */
export function optionsOf(verb: Verb): OptionSpec[] {
  return OPTIONS.filter(({ verbs }) => verbs.includes(verb));
}

/** What the value of an option may be; undefined for a switch. */
export function valueOf({ name, value, words, list }: OptionSpec): Place | undefined {
  if (value === undefined) return undefined;
  if (words !== undefined) return { kind: list ? "list" : "words", words };
  if (value === "FILE") return { kind: "file" };
  if (value === "DIR") return { kind: "folder" };
  return { kind: name === "identity" ? "identity" : "text" };
}

/** What the operands of a verb may be, one after the other. */
export function operandsOf(verb: Verb): Place[] {
  return (VERB_HELP[verb].operands ?? []).map((operand) =>
    typeof operand === "string" ? { kind: operand } : { kind: "words", words: operand }
  );
}
