import { type CorpusStream, guardStream } from "./corpus.ts";

/** How often a kind of leak is in the corpus. */
export interface KindFigures {
  /** Streams that have it. */
  expected: number;
  /** Those of them in which it was found. */
  found: number;
  /** Streams in which it was found, and is not. */
  beside: number;
}

/** What a guard finds in a corpus. */
export interface Figures {
  /** Leaking streams. */
  leaking: number;
  /** Those of them in which at least one of their leaks was found. */
  caught: number;
  missed: CorpusStream[];
  innocent: number;
  /** Innocent streams in which something was found. */
  alarmed: { name: string; found: string[] }[];
  kinds: Map<string, KindFigures>;
}

/** Measures a corpus. */
export function measure(corpus: readonly CorpusStream[]): Figures {
  const figures: Figures = { leaking: 0, caught: 0, missed: [], innocent: 0, alarmed: [], kinds: new Map() };
  const count = (kind: string, what: keyof KindFigures): void => {
    const row = figures.kinds.get(kind) ?? { expected: 0, found: 0, beside: 0 };
    row[what]++;
    figures.kinds.set(kind, row);
  };
  for (const stream of corpus) {
    const { leaks: found } = guardStream(stream);
    for (const kind of stream.leaks) count(kind, "expected");
    for (const kind of found) count(kind, stream.leaks.includes(kind) ? "found" : "beside");
    if (stream.leaks.length === 0) {
      figures.innocent++;
      if (found.length > 0) figures.alarmed.push({ name: stream.name, found });
    } else {
      figures.leaking++;
      if (found.some((kind) => stream.leaks.includes(kind))) figures.caught++;
      else figures.missed.push(stream);
    }
  }
  return figures;
}
