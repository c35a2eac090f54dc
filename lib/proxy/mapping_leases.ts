import { LruMap } from "../io/lru_map.ts";
import type { MappingLease, NameMap } from "./name_map.ts";

/**
 * Addresses that one association keeps in use; the least recently used one is released, and stands for its name for as
 * long as any address does that was used just now.
 */
export const MAX_MAPPING_LEASES = 64;

/** The addresses standing for names that one association uses, each of them in use until it has ended. */
export class MappingLeases {
  readonly #names: NameMap;
  readonly #group: string;
  /** By the address as it was given. */
  readonly #leases = new LruMap<string, MappingLease>(MAX_MAPPING_LEASES, (lease) => lease[Symbol.dispose]());

  /**
   * Has none yet.
   *
   * @param group whose the addresses are, from `mappingGroup`.
   */
  constructor(names: NameMap, group: string) {
    this.#names = names;
    this.#group = group;
  }

  /** {@linkcode NameMap.covers} */
  covers(host: string): boolean {
    return this.#names.covers(host);
  }

  /** The name behind an address, which is in use from now on; undefined where it stands for none of the group. */
  nameOf(address: string): string | undefined {
    const lease = this.#leases.get(address) ?? this.#names.acquire(this.#group, address);
    if (lease === undefined) return undefined;
    this.#leases.set(address, lease);
    return lease.host;
  }

  /** Releases all of them. */
  release(): void {
    for (const lease of this.#leases.values()) lease[Symbol.dispose]();
    this.#leases.clear();
  }
}
