import type { HeldName, NameMap } from "./name_map.ts";

/**
 * Addresses that one association keeps in use; the least recently used one is let go of, and stands for its name for as
 * long as any address does that was used just now.
 */
export const MAX_HELD_NAMES = 64;

/** The addresses standing for names that one association uses, each of them in use until it has ended. */
export class HeldNames {
  readonly #names: NameMap;
  readonly #group: string;
  /** By the address as it was given; the least recently used first. */
  readonly #held = new Map<string, HeldName>();

  /**
   * Holds none yet.
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
    const held = this.#held.get(address) ?? this.#names.hold(this.#group, address);
    if (held === undefined) return undefined;
    this.#held.delete(address);
    this.#held.set(address, held);
    const [oldest] = this.#held;
    if (this.#held.size > MAX_HELD_NAMES && oldest !== undefined) {
      this.#held.delete(oldest[0]);
      oldest[1][Symbol.dispose]();
    }
    return held.host;
  }

  /** Has none in use any more. */
  letGo(): void {
    for (const held of this.#held.values()) held[Symbol.dispose]();
    this.#held.clear();
  }
}
