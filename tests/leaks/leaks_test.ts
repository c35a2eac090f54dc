import { assert, assertEquals } from "@std/assert";
import { HttpScrubber } from "../../lib/guard/scrub_http.ts";
import { IrcScrubber } from "../../lib/guard/scrub_irc.ts";
import { Random } from "../support/random.ts";
import { type CorpusStream, guardStream, HOST, readCorpus, type Trial, type Verdict } from "./corpus.ts";
import { measure } from "./figures.ts";

/** Random cuttings of each stream. */
const CUTTINGS = 50;

const SCRUBBERS: NonNullable<Trial["scrubbers"]> = [
  (onLeak) => new IrcScrubber(onLeak),
  (onLeak) => new HttpScrubber(HOST, onLeak),
];

Deno.test("The guard finds nine of ten leaking streams, and alarms at one innocent stream of a hundred at most", async () => {
  const { leaking, caught, missed, innocent, alarmed } = measure(await readCorpus());
  assert(leaking >= 100 && innocent >= 100, `${leaking} leaking and ${innocent} innocent streams`);
  assert(caught / leaking >= 0.9, `missed ${missed.map(({ name }) => name).join(", ")}`);
  assert(alarmed.length / innocent <= 0.01, alarmed.map(({ name, found }) => `${name}: ${found}`).join(", "));
});

Deno.test("The guard finds in each stream of the corpus what is listed there, and nothing else", async () => {
  for (const stream of await readCorpus()) {
    const found = guardStream(stream).leaks.filter((kind) => !stream.leaks.includes(kind));
    assertEquals(found, [], stream.name);
  }
});

/** Runs a trial with a stream in one piece, byte by byte, and cut at random. */
function* cuttings(stream: CorpusStream, trial: Trial, random: Random): Generator<Verdict> {
  yield guardStream(stream, trial);
  yield guardStream(stream, { ...trial, cut: (text) => [...text] });
  for (let round = 0; round < CUTTINGS; round++) {
    const often = 2 ** (1 + random.below(9));
    yield guardStream(stream, { ...trial, cut: (text) => cutAtRandom(text, often, random) });
  }
}

function cutAtRandom(text: string, often: number, random: Random): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const length = 1 + random.below(often);
    pieces.push(text.slice(at, at + length));
    at += length;
  }
  return pieces;
}

for (const blocks of [false, true]) {
  for (const scrubbers of [[], SCRUBBERS]) {
    const mode = `${blocks ? "block" : "warn"}${scrubbers.length > 0 ? " and scrub" : ""}`;
    Deno.test(`With ${mode} the verdict about a stream does not depend on how it is cut`, async () => {
      const random = new Random(1);
      for (const stream of await readCorpus()) {
        const [whole, ...others] = cuttings(stream, { blocks, scrubbers }, random);
        if (whole === undefined) throw new Error(stream.name);
        const all = new Set(guardStream(stream, { scrubbers }).leaks);
        for (const [index, verdict] of others.entries()) {
          const what = `${stream.name}, cutting ${index}`;
          assertEquals(verdict.isBlocked, whole.isBlocked, what);
          if (!blocks) assertEquals(verdict.leaks.toSorted(), whole.leaks.toSorted(), what);
          // Where the stream ends at the first leak, those behind it are not found.
          else assert(verdict.leaks.every((kind) => all.has(kind)), `${what}: ${verdict.leaks}`);
          if (!whole.isBlocked) assertEquals(verdict.passed, whole.passed, what);
        }
        const sent = stream.turns.filter(({ isSent }) => isSent).map(({ text }) => text).join("");
        if (!whole.isBlocked && scrubbers.length === 0) assertEquals(whole.passed, sent, stream.name);
        if (scrubbers.length === 0) assertEquals(whole.isBlocked, blocks && whole.leaks.length > 0, stream.name);
      }
    });
  }
}
