/** The middle and the ends of some numbers. */
export interface Summary {
  /** The middle one; of an even count, the mean of the middle two. */
  median: number;
  /** The smallest. */
  min: number;
  /** The largest. */
  max: number;
  /** How many there were. */
  count: number;
}

/** Numbers by what was measured and whom it was measured of. */
export type Samples = Map<string, Map<string, number[]>>;

/** Sums up some numbers; undefined without any. */
export function summarize(values: readonly number[]): Summary | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, max] = [sorted.at(0), sorted.at(-1)];
  if (min === undefined || max === undefined) return undefined;
  const [low = NaN, high = NaN] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return { median: (low + high) / 2, min, max, count: sorted.length };
}

/** Adds a number to those of a metric and a variant. */
export function addSample(samples: Samples, metric: string, variant: string, value: number): void {
  const byVariant = samples.get(metric) ?? new Map<string, number[]>();
  samples.set(metric, byVariant);
  byVariant.set(variant, [...byVariant.get(variant) ?? [], value]);
}

/** What a variant did in a metric; undefined if it was not measured. */
export function summaryOf(samples: Samples, metric: string, variant: string): Summary | undefined {
  return summarize(samples.get(metric)?.get(variant) ?? []);
}

/** Those who take part, round after round: in their order, and the other way round on odd rounds. */
export function turns<T>(variants: readonly T[], rounds: number): T[] {
  return Array.from({ length: rounds }, (_, round) => round % 2 === 0 ? variants : variants.toReversed()).flat();
}

/** A number with three digits that say something, and no more than two behind the point. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
