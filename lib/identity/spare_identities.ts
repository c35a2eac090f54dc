import type { Identity } from "./identity.ts";

/** Least and most milliseconds until another spare identity is built in place of one that was taken. */
export const REFILL = [5_000, 60_000] as const;

/** Least and most milliseconds that a spare identity is kept without being used. */
export const AGE = [600_000, 1_800_000] as const;

/** An identity that nobody has used. */
interface Spare {
  readonly identity: Identity;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** What spare identities need of the groups that take them. */
export interface SpareIdentitiesOptions {
  /** How many are kept. */
  count: number;
  /** Makes an identity and begins to build its tunnels; undefined where there is no room for one. */
  make: () => Identity | undefined;
  /** Whether somebody may need one: else none is built in place of one that has gone. */
  isWanted: () => boolean;
  /** A number from 0 to 1. @default {Math.random} */
  random?: () => number;
}

/**
 * Identities whose tunnels are built before anybody needs them, so that a new isolation group does not wait. Each is
 * handed out once, to one group, or thrown away.
 *
 * Whoever watches the network sees when a destination appears. One that appeared at the very moment when another was first
 * used would link the two, and an age that is always the same would tell which ones were spare: so the next one is built
 * after a random time, and an unused one is thrown away after a random time.
 */
export class SpareIdentities {
  readonly #options: SpareIdentitiesOptions;
  readonly #spares = new Set<Spare>();
  readonly #closing = new Set<Promise<void>>();
  #refill: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /** Keeps none until {@linkcode fill}. */
  constructor(options: SpareIdentitiesOptions) {
    this.#options = options;
  }

  /** Spare identities now. */
  get size(): number {
    return this.#spares.size;
  }

  /** Builds what is missing, now. */
  fill(): void {
    while (!this.#isClosed && this.#spares.size < this.#options.count) {
      const identity = this.#options.make();
      if (identity === undefined) return;
      const spare = { identity, timer: setTimeout(() => this.#expire(spare), this.#between(AGE)) };
      this.#spares.add(spare);
    }
  }

  /** Hands one out, the oldest of those that are ready or else of all; another is built after a while. */
  take(): Identity | undefined {
    const all = [...this.#spares];
    const spare = all.find(({ identity }) => identity.status.state === "ready") ?? all[0];
    if (spare !== undefined) this.#forget(spare);
    this.#fillLater();
    return spare?.identity;
  }

  /** Forgets one whose session has failed or was lost; another is built after a while. */
  drop(identity: Identity): void {
    const spare = [...this.#spares].find((one) => one.identity === identity);
    if (spare === undefined) return;
    this.#close(spare);
    this.#fillLater();
  }

  /** Closes all of them, and resolves when they are closed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#refill);
    for (const spare of [...this.#spares]) this.#close(spare);
    await Promise.all(this.#closing);
  }

  #expire(spare: Spare): void {
    this.#close(spare);
    this.#fillLater();
  }

  #fillLater(): void {
    if (this.#refill !== undefined || this.#isClosed || this.#options.count === 0) return;
    this.#refill = setTimeout(() => {
      this.#refill = undefined;
      if (this.#options.isWanted()) this.fill();
    }, this.#between(REFILL));
  }

  #forget(spare: Spare): void {
    clearTimeout(spare.timer);
    this.#spares.delete(spare);
  }

  #close(spare: Spare): void {
    this.#forget(spare);
    const closing = spare.identity.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #between([least, most]: readonly [number, number]): number {
    return least + (this.#options.random ?? Math.random)() * (most - least);
  }
}
