import { flagOf, OPTIONS, type OptionSpec, VARIABLE_PREFIX, type Verb, VERBS } from "../config/options.ts";
import { ExitCode } from "../command/exit_code.ts";
import { runningInstances } from "../command/instances.ts";
import { defaultKeysDir, requireKeysDir } from "../command/keys_dir.ts";
import { readEnv } from "../command/permissions.ts";
import type { Terminal } from "../command/terminal.ts";
import { KeyStore } from "../keys/key_store.ts";
import { TOPICS } from "../manual/topics.ts";
import { summaryOf } from "../manual/verbs.ts";
import { CONFIG_ACTIONS, KEY_ACTIONS } from "../command/actions.ts";
import { KINDS } from "./service.ts";
import { CLIENTS } from "../command/setup_clients.ts";
import { SHELLS } from "./completions.ts";

/** What completes the words behind a verb, one after the other: words, or whatever is there of a kind. */
const OPERANDS: Readonly<Partial<Record<Verb, readonly (readonly string[] | "file" | "identity" | "application")[]>>> =
  {
    keys: [Object.keys(KEY_ACTIONS), "identity", "file"],
    config: [Object.keys(CONFIG_ACTIONS), "file"],
    status: ["application"],
    why: ["application"],
    setup: [Object.keys(CLIENTS)],
    completions: [SHELLS],
    service: [Object.keys(KINDS)],
    help: [[...new Set([...VERBS, "topics", ...Object.keys(TOPICS)])]],
  };

/** Verbs whose `--name` is that of a running application. */
const RUNNING: readonly string[] = ["status", "why", "ping", "setup"] satisfies Verb[];

/** What may stand at the cursor. Shells filter words by what is typed so far, and complete paths themselves. */
interface Candidates {
  /** One word, a word of a comma-separated list, a path, or the name of an identity or of a running application. */
  kind: "word" | "list" | "file" | "folder" | "identity" | "application";
  /** Words, each with its description if it has one. */
  words: readonly (readonly [word: string, description?: string])[];
}

/**
 * Prints what may stand at the end of a command line, for the scripts of `completions`: `:KIND`, then a word a line, with
 * a tab in front of its description.
 *
 * @param args the words up to the cursor, without the program's name; the last one is incomplete or empty.
 */
export async function complete(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  const { kind, words } = candidatesFor(args);
  const folder = (): string | undefined => readEnv(`${VARIABLE_PREFIX}KEYS_DIR`, "--keys-dir") || defaultKeysDir();
  const names = kind === "identity"
    ? await new KeyStore(requireKeysDir(folder())).list()
    : kind === "application"
    ? (await runningInstances()).flatMap(({ applications }) => applications.map(({ name }) => name))
    : [];
  terminal.exact([`:${kind}`, ...names, ...words.map((word) => word.join("\t"))].join("\n"));
  return ExitCode.ok;
}

/** What may stand in place of the last word of a command line. */
export function candidatesFor(args: readonly string[]): Candidates {
  const operands: string[] = [];
  let option: OptionSpec | undefined;
  for (const word of args.slice(0, -1)) {
    if (option !== undefined) option = undefined;
    else if (word.startsWith("-")) option = OPTIONS.find((one) => one.value !== undefined && flagOf(one) === word);
    else operands.push(word);
  }
  const current = args.at(-1) ?? "";
  const isRunning = operands[0] !== undefined && RUNNING.includes(operands[0]);
  if (option?.name === "name" && isRunning) return { kind: "application", words: [] };
  if (option !== undefined) return valuesOf(option, current);
  const [, flag] = /^(--[^=]+)=/.exec(current) ?? [];
  const joined = OPTIONS.find((one) => flagOf(one) === flag);
  if (joined !== undefined) return valuesOf(joined, current.slice(`${flag}=`.length), `${flag}=`);
  const [name = "serve", ...others] = operands;
  const verb = VERBS.find((one) => one === name);
  if (verb === undefined) return words([]);
  if (current.startsWith("-")) {
    return words(OPTIONS.filter(({ verbs }) => verbs.includes(verb)).map((one) => [flagOf(one), one.help]));
  }
  if (operands.length === 0) return words(VERBS.map((one) => [one, summaryOf(one)]));
  const place = OPERANDS[verb]?.[others.length] ?? [];
  return typeof place === "string" ? { kind: place, words: [] } : words(place.map((word) => [word]));
}

/** What the value of an option may be, behind `prefix` in the same word. */
function valuesOf({ name, value, words: known, list }: OptionSpec, current: string, prefix = ""): Candidates {
  const done = list === true ? prefix + current.replace(/[^,]*$/, "") : prefix;
  if (known !== undefined) return { kind: list === true ? "list" : "word", words: known.map((word) => [done + word]) };
  if (value === "FILE") return { kind: "file", words: [] };
  if (value === "DIR") return { kind: "folder", words: [] };
  if (name === "via") return { kind: "application", words: [] };
  return { kind: name === "identity" ? "identity" : "word", words: [] };
}

function words(found: Candidates["words"]): Candidates {
  return { kind: "word", words: found };
}
