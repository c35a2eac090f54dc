import { SharedSignal, type Signal } from "../io/signal.ts";
import { Refusal } from "../reasons/refusal.ts";
import { DropBook } from "../reasons/datagram_drops.ts";
import type { DatagramPort } from "../identity/datagram_port.ts";
import {
  IdentityGroups,
  type IdentityLease,
  type IdentityPool,
  type IdentityPoolOptions,
  type PooledStatus,
} from "../identity/identity_pool.ts";
import type { UdpOptions } from "../identity/primary_support.ts";

/** Associations of an application at once. */
export const MAX_ASSOCIATIONS = 64;

interface DatagramPoolOptions extends Omit<IdentityPoolOptions, "evict"> {
  udp: UdpOptions;
  /** The identities of streams, which carry datagrams too where the router has sessions for both. */
  identities: IdentityPool;
}

/** The use of an identity by one association. Dispose of it when that has ended. */
interface DatagramLease extends Disposable {
  /** Through what its datagrams pass. */
  readonly port: DatagramPort;
}

/**
 * Whose destinations an application's associations have: those of streams, or where the router has no sessions that carry
 * both, as i2pd, identities of their own: one for each isolation group that has associations, all to throw away.
 */
export class DatagramPool {
  /** Takes note of what is dropped. */
  readonly drops: DropBook;
  /** Aborted when associations are to end: they have no end of their own that could be waited for. */
  readonly ending: SharedSignal = new SharedSignal();
  readonly #options: DatagramPoolOptions;
  readonly #own: IdentityGroups;
  #associations = 0;

  constructor(options: DatagramPoolOptions) {
    this.#options = options;
    const { settings, endpoint, udp, router, log, counters } = options;
    this.drops = new DropBook(log, counters);
    this.#own = new IdentityGroups({
      settings,
      endpoint,
      udp,
      ...(router && { router }),
      log,
      // Besides those of isolation groups there is the one of clients that nothing sets apart, as with streams.
      maxIdentities: settings.limits.identities + 1,
      nameOf: (group) => `datagrams ${group}`,
      datagramsOnly: true,
    });
  }

  /** Associations that are open now, or about to be. */
  get associations(): number {
    return this.#associations;
  }

  /** Current status of the identities that carry datagrams only, in their order. */
  get statuses(): PooledStatus[] {
    return this.#own.statuses;
  }

  /**
   * The identity of a group, of the base where `key` is undefined, as soon as it has a session.
   *
   * @throws {Refusal} `too-many-associations`, or `too-many-identities` at the cap of those.
   * @throws what {@linkcode IdentityLease.session} does.
   */
  async lease(key: string | undefined, signal: Signal): Promise<DatagramLease> {
    if (this.#associations >= MAX_ASSOCIATIONS) throw new Refusal("too-many-associations");
    this.#associations++;
    try {
      const { lease, port } = await this.#shared(key, signal) ??
        await this.#separate(key, signal);
      return { port, [Symbol.dispose]: () => this.#release(lease) };
    } catch (error) {
      this.#associations--;
      throw error;
    }
  }

  /** Closes the identities that carry datagrams only, and resolves when they are closed. */
  async close(): Promise<void> {
    this.ending.abort(new Refusal("stopping"));
    await this.#own.close();
  }

  #release(lease: IdentityLease): void {
    this.#associations--;
    lease[Symbol.dispose]();
  }

  /** The identity that streams of the group have, if its session carries datagrams. */
  async #shared(key: string | undefined, signal: Signal): Promise<DatagramIdentity | undefined> {
    const { udp, identities } = this.#options;
    if (udp.primary.isRefused) return undefined;
    return await waitForDatagrams(await identities.lease(key, signal), signal);
  }

  async #separate(key: string | undefined, signal: Signal): Promise<DatagramIdentity> {
    const own = await waitForDatagrams(await this.#own.lease(key ?? "", signal), signal);
    if (own === undefined) throw new Refusal("not-ready");
    return own;
  }
}

/** A lease whose session carries datagrams. */
interface DatagramIdentity {
  lease: IdentityLease;
  port: DatagramPort;
}

/** Waits for the session of a lease, and releases it if that carries no datagrams. */
async function waitForDatagrams(lease: IdentityLease, signal: Signal): Promise<DatagramIdentity | undefined> {
  try {
    await lease.session(signal);
  } catch (error) {
    lease[Symbol.dispose]();
    throw error;
  }
  const port = lease.datagrams;
  if (port !== undefined) return { lease, port };
  lease[Symbol.dispose]();
  return undefined;
}
