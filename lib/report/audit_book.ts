/** Destinations that are counted one by one, at most; visits to further ones are counted together. */
export const MAX_AUDITED = 10_000;

/** Counts where an application goes: for the report of an audit, which is the user's own. */
export class AuditBook {
  readonly #visits = new Map<string, number>();
  #others = 0;

  /** Takes note of a stream to a destination, as the application named it. */
  visit(destination: string): void {
    const visits = this.#visits.get(destination);
    if (visits === undefined && this.#visits.size >= MAX_AUDITED) this.#others++;
    else this.#visits.set(destination, (visits ?? 0) + 1);
  }

  /** Streams by destination, the most visited one first. */
  get visits(): readonly (readonly [string, number])[] {
    return [...this.#visits].sort(([, a], [, b]) => b - a);
  }

  /** Streams to destinations beyond {@linkcode MAX_AUDITED}. */
  get others(): number {
    return this.#others;
  }
}
