/** Most sites of an identity that are told apart; from there on, their number stays. */
export const MAX_SITES = 1_000;

/** How many sites have seen an address. */
export class SiteCount {
  readonly #hosts = new Set<string>();

  /** Takes note of a host; the name and the address of one site are two. */
  add(host: string): void {
    if (this.#hosts.size < MAX_SITES) this.#hosts.add(host);
  }

  /** Forgets them all, as with another address. */
  clear(): void {
    this.#hosts.clear();
  }

  /** Their number, at most {@linkcode MAX_SITES}. */
  get size(): number {
    return this.#hosts.size;
  }
}
