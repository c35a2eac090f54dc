/** Counts events by name. */
export class Counters {
  readonly #counts = new Map<string, number>();

  /** Adds to a counter. */
  add(name: string, by = 1): void {
    this.#counts.set(name, this.get(name) + by);
  }

  /** The value of a counter; 0 for one that was never added to. */
  get(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** All counters that were added to, by name. */
  all(): Record<string, number> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => a < b ? -1 : 1));
  }
}
