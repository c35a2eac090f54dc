import { assert, assertEquals, assertMatch } from "@std/assert";
import { FILE_OPTIONS } from "../../lib/config/options.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";
import { KNOWN_OPTIONS } from "./config_entries.ts";
import { createFuzzer, type Finding, report, shareOut, type Target } from "./engine.ts";
import { hex, literal } from "./literal.ts";
import { fragments, mutateBytes, mutateText } from "./mutate.ts";
import { shrink } from "./shrink.ts";
import { FUZZERS } from "./targets.ts";

/** Cases of all targets together: some seconds. `deno task fuzz` has a million. */
const CASES = 15_000;
const SEED = 1;

const shares = shareOut(FUZZERS, CASES);
for (const [i, { name, runCorpus, run }] of FUZZERS.entries()) {
  pureTest(`fuzzing ${name}: the corpus holds`, async () => hold(await runCorpus()));

  pureTest(`fuzzing ${name}: ${shares[i]} cases hold`, async () => hold(await run(SEED, 0, shares[i] ?? 0)));
}

function hold(finding: Finding | undefined): void {
  assert(finding === undefined, finding && report(finding));
}

/** A target that does not like what stands behind a 7, where there are two words and a count of ten. */
const BROKEN: Target<{ bytes: Uint8Array; words: string[]; count: number }> = {
  name: "broken",
  weight: 1,
  corpus: [],
  generate: (random) => ({
    bytes: random.bytes(40),
    words: ["a", random.latin1(5, 0x80), "c"],
    count: 1 + random.below(90),
  }),
  check: ({ bytes, words, count }) => {
    const at = bytes.indexOf(7);
    if (at < 0 || at + 1 >= bytes.length || words.length < 2 || count < 10) return;
    throw new Error(`Byte ${bytes[at + 1]} stands behind a 7`);
  },
};

pureTest("a fuzzer finds a case that fails, makes it small, and finds the same again by its number", async () => {
  const fuzzer = createFuzzer(BROKEN);
  const finding = await fuzzer.run(5, 0, 1000);
  assertMatch(finding?.input ?? "", /^\{ bytes: hex\("07[\da-f]{2}"\), words: \["", ""\], count: 10 \}$/);
  const number = finding?.number ?? 0;
  const { input: again, error } = await fuzzer.run(5, number, number + 1) ?? {};
  assertEquals([again, String(error)], [finding?.input, String(finding?.error)]);
  assertEquals(await fuzzer.run(5, 0, number), undefined, "a case before it fails too");
  assertEquals((await fuzzer.run(6, 0, 1000))?.number === number, false, "the seed makes no difference");
  if (finding === undefined) return;
  assertEquals(report(finding).split("\n").slice(0, 4), [
    `Target broken fails in case ${number} of seed 5`,
    `  input: ${finding.input}`,
    `  again: deno task fuzz --target broken --seed 5 --case ${number}`,
    String(error),
  ]);
});

pureTest("a fuzzer tries its corpus, each entry with several choices", async () => {
  const choices: Record<number, Set<number>> = { 1: new Set(), 2: new Set() };
  const target: Target<number> = {
    ...BROKEN,
    corpus: [1, 2],
    generate: () => 0,
    check: (input, random) => {
      choices[input]?.add(random.next());
      if (input === 2 && choices[2]?.size === 3) throw new Error("Two");
    },
  };
  const { number, seed, input } = await createFuzzer(target).runCorpus() ?? {};
  assertEquals([number, seed, input], [1, undefined, "2"]);
  assertEquals([choices[1]?.size, choices[2]?.size], [8, 3]);
  assertEquals(await createFuzzer({ ...target, corpus: [1] }).runCorpus(), undefined);
});

pureTest("shareOut() gives each target its weight's part of the cases, and one at least", () => {
  assertEquals(shareOut([{ weight: 3 }, { weight: 1 }], 1000), [750, 250]);
  assertEquals(shareOut([{ weight: 99 }, { weight: 1 }], 10), [10, 1]);
});

pureTest("shrink() leaves out whatever is not needed, and keeps the shape", async () => {
  const fails = ({ text, list, n }: { text: string; list: number[]; n: number }): Promise<boolean> =>
    Promise.resolve(text.includes("x") && list.includes(3) && n >= 4);
  const smallest = await shrink({ text: "abcxyz", list: [1, 2, 3, 4], n: 1000 }, fails);
  assertEquals(smallest, { text: "x", list: [3], n: 4 });
  assertEquals(await shrink("abc", () => Promise.resolve(true)), "");
  assertEquals(await shrink(5, () => Promise.resolve(false)), 5);
});

pureTest("literal() writes what the corpus can read", () => {
  const bytes = Uint8Array.of(0, 1, 0xff);
  assertEquals(literal({ a: [1, "\ufeff\n\ud800"], b: bytes }), '{ a: [1, "\\ufeff\\n\\ud800"], b: hex("0001ff") }');
  assertEquals(hex("00 01ff"), bytes);
});

pureTest("mutations change inputs in many ways, within their length, and the same seed in the same way", () => {
  const [bytes, texts] = [new Set<string>(), new Set<string>()];
  for (let seed = 0; seed < 500; seed++) {
    const [one, two] = [0, 1].map(() => mutateBytes(hex("00112233"), new Random(seed), { maxLength: 6 }));
    assertEquals(one, two);
    assert((one?.length ?? 0) <= 6);
    bytes.add(String(one));
    texts.add(mutateText("a=b", new Random(seed), { tokens: ["\n"], other: "zz" }));
  }
  assert(bytes.size > 250 && texts.size > 250, `${bytes.size} and ${texts.size} different ones`);
  assert([...texts].some((text) => text.includes("\n")) && [...texts].some((text) => text.includes("zz")));
});

pureTest("fragments() cuts at random and loses nothing", () => {
  const counts = new Set<number>();
  for (let seed = 0; seed < 200; seed++) {
    const bytes = new Random(seed).bytes(seed % 20);
    const pieces = fragments(bytes, new Random(seed));
    counts.add(pieces.length);
    assertEquals(pieces.flatMap((piece) => [...piece]), [...bytes]);
  }
  assertEquals([...counts].sort(), [2, 3, 4, 5, 6, 7]);
});

pureTest("the options that are fuzzed in files are those that a file may have", () => {
  assertEquals([...KNOWN_OPTIONS].sort(), [...FILE_OPTIONS.values()].map(({ name }) => name).sort());
});
