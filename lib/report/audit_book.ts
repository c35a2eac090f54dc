/** Most destinations that are counted one by one; visits to others are counted together. */
export const MAX_AUDITED = 10_000;

/** Most texts in which clients name themselves that are kept. */
const MAX_SOFTWARE = 64;

/** By what sites can tell that several visits are of one client. */
export interface Link {
  /** What they have in common: `identity`, `cookie`, `user-agent`, `etag`, or a kind of leak. */
  trait: string;
  /** How many values of it have been to two sites or more. */
  values: number;
  /** How many sites have seen one value, at most. */
  sites: number;
}

/** Counts where an application goes: for the report of an audit, which is the user's own. */
export class AuditBook {
  #requests = 0;
  readonly #visits = new Map<string, number>();
  #others = 0;
  /** By reason, then by destination. */
  readonly #refusals = new Map<string, Map<string, number>>();
  #refused = 0;
  /** The hosts that have seen a value, by trait. */
  readonly #traits = new Map<string, Map<string, Set<string>>>();
  #noted = 0;
  readonly #software = new Set<string>();

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

  /** Takes note of what a site has seen of the client. Beyond {@linkcode MAX_AUDITED} of these nothing new is noted. */
  note(trait: string, value: string, host: string): void {
    const values = this.#traits.get(trait) ?? new Map<string, Set<string>>();
    const hosts = values.get(value) ?? new Set<string>();
    if (hosts.has(host) || this.#noted >= MAX_AUDITED) return;
    this.#noted++;
    hosts.add(host);
    values.set(value, hosts);
    this.#traits.set(trait, values);
  }

  /** Takes a text in which a client names itself: a User-Agent, the version line of SSH, a text of QUIT. */
  name(software: string): void {
    if (this.#software.size < MAX_SOFTWARE) this.#software.add(software.slice(0, 256));
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

  /** Hosts that streams went to. */
  get sites(): number {
    return new Set([...this.#visits.keys()].map((destination) => destination.replace(/:\d+$/, ""))).size;
  }

  /** What two sites or more have seen of the client, that of most sites first. */
  get links(): readonly Link[] {
    const links = [...this.#traits].flatMap(([trait, values]) => {
      const shared = [...values.values()].map(({ size }) => size).filter((size) => size > 1);
      return shared.length === 0 ? [] : [{ trait, values: shared.length, sites: Math.max(...shared) }];
    });
    return links.sort((a, b) => b.sites - a.sites);
  }

  /** Texts in which clients have named themselves. */
  get software(): readonly string[] {
    return [...this.#software];
  }

  /** Streams to destinations beyond {@linkcode MAX_AUDITED}. */
  get others(): number {
    return this.#others;
  }
}

function byNumber(counts: Iterable<readonly [string, number]>): (readonly [string, number])[] {
  return [...counts].sort(([, a], [, b]) => b - a);
}
