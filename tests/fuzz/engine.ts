import { Random } from "../support/random.ts";
import { literal } from "./literal.ts";
import { shrink } from "./shrink.ts";

/** Something that takes input from outside, and what must hold for all of it. */
export interface Target<Input> {
  /** What `--target` calls it. */
  name: string;
  /** Its share of the cases, in comparison with the other targets. */
  weight: number;
  /** Inputs that are tried first, always: found ones, and such as are known to be nasty. */
  corpus: readonly Input[];
  /** Makes an input. */
  generate(random: Random): Input;
  /**
   * Tries an input. Any value of the type is one: a failing input is made smaller piece by piece.
   *
   * @param random choices that are no part of the input, such as where a stream is cut; the same for each try of a case.
   * @throws if what must hold does not.
   */
  check(input: Input, random: Random): void | Promise<void>;
}

/** A case that failed. */
export interface Finding {
  /** The target. */
  target: string;
  /** The seed of the run; undefined for an entry of the corpus. */
  seed: number | undefined;
  /** The number of the case in the run, or of the entry in the corpus. */
  number: number;
  /** The smallest input that fails, as it would stand in the corpus. */
  input: string;
  /** What is wrong with it. */
  error: unknown;
}

/** A target that hides the type of its inputs. */
export interface Fuzzer {
  /** What `--target` calls it. */
  readonly name: string;
  /** Its share of the cases. */
  readonly weight: number;
  /** Tries the corpus up to the first failure. */
  runCorpus(): Promise<Finding | undefined>;
  /** Tries the cases `first` up to but not `end` of a run, up to the first failure. */
  run(seed: number, first: number, end: number): Promise<Finding | undefined>;
}

/** Choices for the entries of the corpus, one set after the other: what is found with one may hide with another. */
const CORPUS_ROUNDS = 8;

/** Makes a fuzzer of a target. Each case depends on the seed and its number alone, not on the cases before it. */
export function createFuzzer<Input>(target: Target<Input>): Fuzzer {
  const { name, weight } = target;
  const failure = async (input: Input, choices: number): Promise<{ error: unknown } | undefined> => {
    try {
      await target.check(input, new Random(choices));
      return undefined;
    } catch (error) {
      return { error };
    }
  };
  const find = async (
    input: Input,
    choices: number,
    place: Pick<Finding, "seed" | "number">,
  ): Promise<Finding | undefined> => {
    const failed = await failure(input, choices);
    if (failed === undefined) return undefined;
    const smallest = await shrink(input, async (smaller) => await failure(smaller, choices) !== undefined);
    const { error } = await failure(smallest, choices) ?? failed;
    return { target: name, ...place, input: literal(smallest), error };
  };
  return {
    name,
    weight,
    runCorpus: async () => {
      for (const [number, input] of target.corpus.entries()) {
        for (let choices = 0; choices < CORPUS_ROUNDS; choices++) {
          const finding = await find(input, choices, { seed: undefined, number });
          if (finding !== undefined) return finding;
        }
      }
      return undefined;
    },
    run: async (seed, first, end) => {
      for (let number = first; number < end; number++) {
        const random = new Random(caseSeed(name, seed, number));
        const finding = await find(target.generate(random), random.below(2 ** 32), { seed, number });
        if (finding !== undefined) return finding;
      }
      return undefined;
    },
  };
}

/** How many of a run's cases each target gets: all together, by weight, one at least. */
export function shareOut(targets: readonly Pick<Fuzzer, "weight">[], cases: number): number[] {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  return targets.map(({ weight }) => Math.max(1, Math.round(cases * weight / total)));
}

/** What a finding says to people: what failed, with what, and how to see it again. */
export function report({ target, seed, number, input, error }: Finding): string {
  const [what, again] = seed === undefined
    ? [`Target ${target} fails with entry ${number} of its corpus`, `deno task fuzz --target ${target} --cases 0`]
    : [
      `Target ${target} fails in case ${number} of seed ${seed}`,
      `deno task fuzz --target ${target} --seed ${seed} --case ${number}`,
    ];
  const reason = error instanceof Error ? error.stack ?? error.message : String(error);
  return `${what}\n  input: ${input}\n  again: ${again}\n${reason}`;
}

/** The seed of one case (FNV-1a of the target's name, so that targets do not share their choices). */
function caseSeed(name: string, seed: number, number: number): number {
  let hash = seed ^ 0x811c9dc5;
  for (const character of name) hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
  return Math.imul(hash, 0x85ebca6b) + Math.imul(number + 1, 0x9e3779b1) | 0;
}
