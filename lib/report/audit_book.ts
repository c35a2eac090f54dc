/** Most destinations that are counted one by one; visits to others are counted together. */
export const MAX_AUDITED = 10_000;

/** Counts where an application goes: for the report of an audit, which is the user's own. */
export class AuditBook {
  #requests = 0;
  readonly #visits = new Map<string, number>();
  #others = 0;
  /** By reason, then by destination. */
  readonly #refusals = new Map<string, Map<string, number>>();
  #refused = 0;

  request(): void {
    this.#requests++;
  }

  /** Counts a stream to a destination, as the application named it. */
  visit(destination: string): void {
    const visits = this.#visits.get(destination);
    if (visits === undefined && this.#visits.size >= MAX_AUDITED) this.#others++;
    else this.#visits.set(destination, (visits ?? 0) + 1);
  }

  /** Counts a refusal; destinations beyond {@linkcode MAX_AUDITED} are left out. */
  refuse(reason: string, destination: string): void {
    const destinations = this.#refusals.get(reason) ?? new Map<string, number>();
    const refusals = destinations.get(destination);
    if (refusals === undefined && this.#refused++ >= MAX_AUDITED) return;
    destinations.set(destination, (refusals ?? 0) + 1);
    this.#refusals.set(reason, destinations);
  }

  get requests(): number {
    return this.#requests;
  }

  /** Refused requests of a reason by destination, the most frequent one first. */
  refusals(reason: string): readonly (readonly [string, number])[] {
    return byNumber(this.#refusals.get(reason) ?? []);
  }

  /** Streams by destination, the most visited one first. */
  get visits(): readonly (readonly [string, number])[] {
    return byNumber(this.#visits);
  }

  /** Streams to destinations beyond {@linkcode MAX_AUDITED}. */
  get others(): number {
    return this.#others;
  }
}

function byNumber(counts: Iterable<readonly [string, number]>): (readonly [string, number])[] {
  return [...counts].sort(([, a], [, b]) => b - a);
}
