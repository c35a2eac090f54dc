/** Counts by two names. */
export class Tally {
  readonly #counts = new Map<string, Map<string, number>>();

  /** Counts one. */
  add(row: string, column: string): void {
    const counts = this.#counts.get(row) ?? new Map<string, number>();
    this.#counts.set(row, counts.set(column, (counts.get(column) ?? 0) + 1));
  }

  /** A line for each first name: the sum, the name, and the counts by second names. */
  lines(): string[] {
    return [...this.#counts].sort(byName).map(([row, counts]) => {
      const sum = [...counts.values()].reduce((a, b) => a + b, 0);
      const parts = [...counts].sort(byName).map(([column, count]) => `${column} ${count}`);
      return `${String(sum).padStart(8)}  ${row}: ${parts.join(", ")}`;
    });
  }
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : 1;
}
