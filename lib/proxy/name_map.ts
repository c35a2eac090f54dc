import { addressIn, type AddressRange, isInRange } from "../config/address_range.ts";
import { garlicatName } from "../i2p/garlicat.ts";
import { formatIp, ipBytes } from "../i2p/ip_address.ts";
import { LruMap } from "../io/lru_map.ts";
import { Refusal } from "../reasons/refusal.ts";

/** Most names of one group that have an address; the least recently used one gives way. */
export const MAX_MAPPED_NAMES = 512;

/** Most groups that have names with an address; the least recently used one gives way. */
export const MAX_MAPPING_GROUPS = 64;

/** Milliseconds from the last use of an address until it stands for nothing any more. */
export const MAPPING_EXPIRY = 3_600_000;

/**
 * How many of the last addresses that gave way before their time are kept from other names. All bounds together fill
 * three quarters of the smallest range.
 */
const MAX_RETIRED = 16_384;

/** Attempts at an address that is free: where three quarters are taken, one in a hundred million series fails. */
const ATTEMPTS = 64;

/** A name in use by a stream. Dispose of it when the stream has ended. */
export interface MappingLease extends Disposable {
  readonly host: string;
}

/** A name that has an address. */
interface Mapping {
  readonly group: string;
  readonly host: string;
  readonly address: Uint8Array;
  readonly text: string;
  /** Streams that may be open to it. */
  streams: number;
  /** When it was used last, by the clock of `performance.now()`. */
  lastUse: number;
}

/**
 * The addresses that stand for names, for applications that connect to IP addresses only.
 *
 * Addresses are the property of the group that asked for them: another group finds nothing there, and the same name has
 * another address in each. They are drawn at random from the whole range, so that one reveals nothing about the
 * names of others, nor is one of another group mistaken for one's own: an application that mixes its groups up is refused
 * rather than sent to another site.
 */
export class NameMap {
  readonly #range: AddressRange;
  /** Names by group. */
  readonly #groups = new LruMap<string, LruMap<string, Mapping>>();
  readonly #byAddress = new Map<string, Mapping>();
  /** Addresses that gave way early: an application may still know them. The oldest ones stand first. */
  readonly #retired = new Set<string>();

  constructor(range: AddressRange) {
    this.#range = range;
  }

  /** Number of names that have an address. */
  get size(): number {
    return this.#byAddress.size;
  }

  /** Number of groups that have such names. */
  get groups(): number {
    return this.#groups.size;
  }

  /** Whether a host is an address of the range, whether it stands for a name or not. GarliCat's have names already. */
  covers(host: string): boolean {
    const bytes = ipBytes(host);
    return bytes !== undefined && isInRange(bytes, this.#range) && garlicatName(formatIp(bytes)) === undefined;
  }

  /**
   * The address of a name: the one that it has, or a new one.
   *
   * @param group whose it is, from {@linkcode mappingGroup}.
   * @param host a normalised name.
   * @throws {Refusal} `too-many-names` if all others have streams.
   */
  addressOf(group: string, host: string): Uint8Array {
    this.#expire();
    const mapping = this.#groups.get(group)?.get(host) ?? this.#add(group, host);
    this.#touch(mapping);
    return mapping.address;
  }

  /** The name behind an address of a group; undefined where it stands for none, or no longer. */
  nameOf(group: string, address: string): string | undefined {
    const mapping = this.#find(group, address);
    if (mapping !== undefined) this.#touch(mapping);
    return mapping?.host;
  }

  /** As {@linkcode NameMap.nameOf}, and the address stands for the name at least until the result is disposed of. */
  acquire(group: string, address: string): MappingLease | undefined {
    const mapping = this.#find(group, address);
    if (mapping === undefined) return undefined;
    this.#touch(mapping);
    mapping.streams++;
    let isHeld = true;
    return {
      host: mapping.host,
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        mapping.streams--;
        this.#touch(mapping);
      },
    };
  }

  #find(group: string, address: string): Mapping | undefined {
    this.#expire();
    const bytes = ipBytes(address);
    const mapping = bytes && this.#byAddress.get(formatIp(bytes));
    return mapping?.group === group && !hasExpired(mapping) ? mapping : undefined;
  }

  #add(group: string, host: string): Mapping {
    const names = this.#groups.get(group) ?? this.#addGroup();
    if (names.size >= MAX_MAPPED_NAMES) {
      const oldest = names.values().find(({ streams }) => streams === 0);
      if (oldest === undefined) throw new Refusal("too-many-names");
      this.#retire(oldest);
    }
    const address = this.#draw();
    const mapping = { group, host, address, text: formatIp(address), streams: 0, lastUse: performance.now() };
    names.set(host, mapping);
    this.#groups.set(group, names);
    this.#byAddress.set(mapping.text, mapping);
    return mapping;
  }

  /** Names of a new group, which is not in the map before it has one. */
  #addGroup(): LruMap<string, Mapping> {
    if (this.#groups.size >= MAX_MAPPING_GROUPS) {
      const oldest = this.#groups.values().find((names) => names.values().every(({ streams }) => streams === 0));
      if (oldest === undefined) throw new Refusal("too-many-names");
      for (const mapping of [...oldest.values()]) this.#retire(mapping);
    }
    return new LruMap();
  }

  /** An address that stands for nothing, and did not lately. */
  #draw(): Uint8Array {
    for (let i = 0; i < ATTEMPTS; i++) {
      const bits = crypto.getRandomValues(new Uint8Array(this.#range.first.length));
      const address = addressIn(this.#range, bits);
      const text = formatIp(address);
      // What ends like a network's own address or its broadcast address, some programs refuse.
      const last = bits.at(-1);
      const isPlain = last !== 0 && last !== 255 && this.covers(text);
      if (isPlain && !this.#byAddress.has(text) && !this.#retired.has(text)) return address;
    }
    throw new Refusal("too-many-names");
  }

  #touch(mapping: Mapping): void {
    mapping.lastUse = performance.now();
    const names = this.#groups.get(mapping.group);
    if (names?.get(mapping.host) !== mapping) return;
    names.use(mapping.host);
    this.#groups.use(mapping.group);
  }

  /** Forgets what was used last too long ago. A name with a stream keeps those behind it, but they are found no more. */
  #expire(): void {
    for (const names of this.#groups.values()) {
      for (const mapping of names.values()) {
        if (!hasExpired(mapping)) break;
        this.#forget(mapping);
      }
    }
  }

  /** Forgets a name before its time. */
  #retire(mapping: Mapping): void {
    this.#forget(mapping);
    this.#retired.add(mapping.text);
    const [oldest] = this.#retired;
    if (this.#retired.size > MAX_RETIRED && oldest !== undefined) this.#retired.delete(oldest);
  }

  #forget({ group, host, text }: Mapping): void {
    this.#byAddress.delete(text);
    const names = this.#groups.get(group);
    names?.delete(host);
    if (names?.size === 0) this.#groups.delete(group);
  }
}

function hasExpired({ streams, lastUse }: Mapping): boolean {
  return streams === 0 && performance.now() - lastUse >= MAPPING_EXPIRY;
}
