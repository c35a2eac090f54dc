/** A counter that is added to often. */
export interface Counter {
  value: number;
}

/** Counts events by name. */
export class Counters {
  readonly #counts = new Map<string, Counter>();

  static sum(all: Iterable<Counters>): Counters {
    const sum = new Counters();
    for (const counters of all) {
      for (const [name, { value }] of counters.#counts) sum.add(name, value);
    }
    return sum;
  }

  add(name: string, by = 1): void {
    this.counter(name).value += by;
  }

  /** Returns the counter of a name, to be added to without a look-up each time. */
  counter(name: string): Counter {
    let counter = this.#counts.get(name);
    if (counter === undefined) this.#counts.set(name, counter = { value: 0 });
    return counter;
  }

  /** Returns the value of a counter; 0 for one that was never added to. */
  get(name: string): number {
    return this.#counts.get(name)?.value ?? 0;
  }

  all(): Record<string, number> {
    const entries = [...this.#counts].map(([name, { value }]) => [name, value] as const);
    return Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1));
  }
}
