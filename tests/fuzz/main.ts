/** A million cases by default: `deno task fuzz`. */
import { parseArgs } from "@std/cli/parse-args";
import { type Finding, report, shareOut } from "./engine.ts";
import { FUZZERS } from "./targets.ts";

const USAGE = `deno task fuzz [--cases N] [--seed N] [--target NAME] [--case N]

--cases    cases of all targets together, 1000000 without it; 0 tries the corpus only
--seed     repeats a run; a random one without it
--target   one of ${FUZZERS.map(({ name }) => name).join(", ")}; all of them without it
--case     tries one case of a run, together with --seed and --target`;

const options = ["cases", "seed", "target", "case"];
const given = parseArgs(Deno.args, { string: options, unknown: (word) => usage(`"${word}" is not known`) });
const fuzzers = FUZZERS.filter(({ name }) => given["target"] === undefined || name === given["target"]);
if (fuzzers.length === 0) usage(`There is no target "${given["target"]}"`);
const cases = numberOf("cases") ?? 1_000_000;
const seed = numberOf("seed") ?? crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
const only = numberOf("case");
if (only !== undefined && (fuzzers.length > 1 || given["seed"] === undefined)) {
  usage("--case needs --seed and --target");
}

console.log(`seed ${seed}`);
const shares = cases === 0 ? [] : shareOut(fuzzers, cases);
for (const [i, { name, runCorpus, run }] of fuzzers.entries()) {
  const share = shares[i] ?? 0;
  const start = performance.now();
  const finding = only === undefined ? await runCorpus() ?? await run(seed, 0, share) : await run(seed, only, only + 1);
  if (finding !== undefined) fail(finding);
  else if (only !== undefined) console.log(`${name}: case ${only} holds`);
  else {
    const seconds = (performance.now() - start) / 1000;
    console.log(`${name.padEnd(16)} ${String(share).padStart(8)} cases ${(share / seconds).toFixed(0).padStart(8)}/s`);
  }
}

function fail(finding: Finding): void {
  console.log(report(finding));
  Deno.exitCode = 1;
}

function numberOf(option: string): number | undefined {
  const text = given[option];
  if (text === undefined) return undefined;
  if (typeof text !== "string" || !/^\d{1,10}$/.test(text)) usage(`--${option} takes a whole number`);
  return Number(text);
}

function usage(problem: string): never {
  console.error(`${problem}\n\n${USAGE}`);
  Deno.exit(2);
}
