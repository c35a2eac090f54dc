import type { Signal } from "../io/signal.ts";
import type { Counters } from "../report/counters.ts";
import type { Identity } from "./identity.ts";
import { IdentityGroups, type IdentityGroupsOptions, IdentityLease, type PooledStatus } from "./identity_groups.ts";

/** What an {@linkcode IdentityPool} is made of. */
export interface IdentityPoolOptions extends Omit<IdentityGroupsOptions, "purpose" | "made" | "datagramsOnly"> {
  /** Most identities of groups at once; the base identity is not counted. */
  maxIdentities: number;
  /** Takes the counts. */
  counters: Counters;
}

/** The identities of an application: a base identity, and a throw-away one for each isolation group that has clients. */
export class IdentityPool {
  readonly #base: Identity;
  readonly #groups: IdentityGroups;
  readonly #releaseBase = (): void => void this.#baseClients--;
  #baseClients = 0;

  /** Makes a pool around a base identity, which stays the caller's to open and close. */
  constructor(base: Identity, options: IdentityPoolOptions) {
    this.#base = base;
    this.#groups = new IdentityGroups({
      ...options,
      purpose: "an isolation group",
      made: () => options.counters.add("identities"),
    });
  }

  /**
   * The identity of a group; of the base where `key` is undefined. Not reused by another client where `once` is set: then
   * it is closed as soon as the lease is disposed of.
   *
   * @throws {Refusal} `too-many-identities` at the cap, if no client gives way.
   */
  async lease(key: string | undefined, once: boolean, signal: Signal): Promise<IdentityLease> {
    if (key !== undefined) return await this.#groups.lease(key, once, signal);
    this.#baseClients++;
    return new IdentityLease(this.#base, this.#releaseBase);
  }

  /** How the identities fare: the base first, then the groups in their order. */
  get statuses(): PooledStatus[] {
    return [{ ...this.#base.status, group: undefined, clients: this.#baseClients }, ...this.#groups.statuses];
  }

  /** Closes the identities of all groups, and resolves when they are closed. */
  async close(): Promise<void> {
    await this.#groups.close();
  }
}
