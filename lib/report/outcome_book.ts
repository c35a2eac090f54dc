/** Most outcomes that are remembered of an application. */
export const MAX_OUTCOMES = 20;

/** What became of a client that did not get what it wanted. */
export interface RecordedOutcome {
  /** Why. */
  readonly reason: string;
  /** What happened, one sentence. */
  readonly message: string;
  /** Whose identity the client had, in words; undefined where it had none yet. */
  readonly identity: string | undefined;
  /** Where it wanted to go; undefined where that is not kept. */
  readonly destination: string | undefined;
  /** How often that has come out alike. */
  readonly count: number;
  /** When it last has. */
  readonly time: Date;
}

/** Remembers what did not come out well last, and names no destination unless the user asked for them. */
export class OutcomeBook {
  readonly #destinations: boolean;
  /** By what they have in common, the oldest first. */
  readonly #outcomes = new Map<string, RecordedOutcome>();

  constructor({ destinations }: { destinations: boolean }) {
    this.#destinations = destinations;
  }

  /** Takes note of an outcome; the oldest of {@linkcode MAX_OUTCOMES} is forgotten. */
  add(outcome: Omit<RecordedOutcome, "count" | "time">): void {
    const destination = this.#destinations ? outcome.destination : undefined;
    const { reason, message, identity } = outcome;
    const key = JSON.stringify([reason, message, identity, destination]);
    const count = (this.#outcomes.get(key)?.count ?? 0) + 1;
    this.#outcomes.delete(key);
    this.#outcomes.set(key, { reason, message, identity, destination, count, time: new Date() });
    const [oldest] = this.#outcomes.keys();
    if (this.#outcomes.size > MAX_OUTCOMES && oldest !== undefined) this.#outcomes.delete(oldest);
  }

  /** What is remembered, the newest first. */
  get latest(): RecordedOutcome[] {
    return [...this.#outcomes.values()].reverse();
  }
}
