import { SharedSignal, type Signal } from "../io/signal.ts";
import type { Counters } from "../report/counters.ts";
import type { Log } from "../report/log.ts";
import { SamError } from "../sam/error.ts";
import type { SamSession } from "../sam/session.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { Refusal } from "./answers.ts";
import { DropBook } from "./datagram_drops.ts";
import { DatagramIdentity } from "./datagram_identity.ts";
import type { Identity, IdentityStatus } from "./identity.ts";
import type { PooledStatus } from "./identity_pool.ts";

/** Associations of an application at once. */
export const MAX_ASSOCIATIONS = 64;

/** What a {@linkcode DatagramPool} is made of. */
export interface DatagramPoolOptions {
  /** The SAM bridge. */
  endpoint: SamEndpoint;
  /** UDP port of the bridge, at the same host. */
  udpPort: number;
  /** I2CP options of the sessions. */
  sessionOptions: Readonly<Record<string, string>>;
  /** Most identities at once. */
  maxIdentities: number;
  /** Milliseconds without a client after which an identity is closed; 0 is never. */
  identityIdle: number;
  /** Takes the story. */
  log: Log;
  /** Takes the counts. */
  counters: Counters;
}

/** The use of an identity by one association. Dispose of it when that has ended. */
export interface DatagramLease extends Disposable {
  /** The identity. */
  readonly identity: DatagramIdentity;
  /** Its session, as soon as there is one. */
  session(signal: Signal): Promise<SamSession>;
}

/** An isolation group that has an identity for datagrams. */
interface Group {
  /** Its number, for the status: the key holds a login. */
  readonly number: number;
  readonly identity: DatagramIdentity;
  /** How the identity fares. */
  status: () => IdentityStatus;
  clients: number;
  idleTimer?: ReturnType<typeof setTimeout>;
}

/**
 * The identities for datagrams of an application: one for each isolation group that has associations, besides those for
 * streams, for i2pd has no session that is good for both. All are destinations to throw away.
 *
 * One is made with the first association of its group, and closed when it has had none for a while.
 */
export class DatagramPool {
  /** Takes note of what is dropped. */
  readonly drops: DropBook;
  /** Aborted when associations are to end: they have no end of their own that could be waited for. */
  readonly ending: SharedSignal = new SharedSignal();
  readonly #options: DatagramPoolOptions;
  /** In the order of their last use: the least recently used one first. */
  readonly #groups = new Map<string, Group>();
  readonly #closing = new Set<Promise<void>>();
  #count = 0;
  #associations = 0;
  #closed = false;

  /** Makes an empty one. */
  constructor(options: DatagramPoolOptions) {
    this.#options = options;
    this.drops = new DropBook(options.log, options.counters);
  }

  /** Associations that are open now. */
  get associations(): number {
    return this.#associations;
  }

  /** How the identities fare, in their order. */
  get statuses(): PooledStatus[] {
    const groups = [...this.#groups.values()].sort((a, b) => a.number - b.number);
    return groups.map(({ status, number, clients }) => ({ ...status(), group: number, clients }));
  }

  /**
   * The identity of a group, which nobody else gets after this one if `once` is set.
   *
   * @throws {Refusal} `too-many-associations`, or `too-many-identities` at the cap of those.
   */
  lease(key: string, once: boolean): DatagramLease {
    if (this.#associations >= MAX_ASSOCIATIONS) throw new Refusal("too-many-associations");
    const group = this.#groups.get(key) ?? this.#open(key);
    this.#groups.delete(key);
    this.#groups.set(key, group);
    group.clients++;
    this.#associations++;
    clearTimeout(group.idleTimer);
    let released = false;
    return {
      identity: group.identity,
      session: (signal) => group.identity.session(signal),
      [Symbol.dispose]: () => {
        if (!released) this.#release(key, group, once);
        released = true;
      },
    };
  }

  /** Closes all identities, and resolves when they are closed. */
  async close(): Promise<void> {
    this.#closed = true;
    this.ending.abort(new Refusal("stopping"));
    for (const key of [...this.#groups.keys()]) this.#close(key);
    await Promise.all(this.#closing);
  }

  #open(key: string): Group {
    if (this.#closed) throw new Refusal("stopping");
    const { maxIdentities, log } = this.#options;
    // Besides those of isolation groups there is the one of clients that nothing sets apart, as with streams.
    if (this.#groups.size > maxIdentities && !this.#closeIdle()) throw new Refusal("too-many-identities");
    let lost: Identity | undefined;
    const onLost = (identity: Identity): "rebuild" | "end" => {
      lost = identity;
      group.status = () => identity.status;
      if (group.clients > 0) return "rebuild";
      if (this.#groups.get(key) === group) this.#close(key);
      return "end";
    };
    const identity = new DatagramIdentity({ ...this.#options, drops: this.drops, onLost });
    const building: IdentityStatus = {
      state: "building",
      reason: undefined,
      session: undefined,
      since: performance.now(),
    };
    const group: Group = { number: ++this.#count, identity, status: () => building, clients: 0 };
    this.#groups.set(key, group);
    log.info("Building tunnels for datagrams");
    identity.open().then(
      (session) => {
        const ready: IdentityStatus = { state: "ready", reason: undefined, session, since: performance.now() };
        if (lost === undefined) group.status = () => ready;
        log.debug("The session for datagrams is ready", { b32: session.address });
      },
      (error) => {
        // Nobody is refused because of an earlier failure: the next association begins anew.
        if (this.#groups.get(key) !== group) return;
        const [problem, routerSaid] = error instanceof SamError ? [error.message, error.text] : [String(error)];
        log.warn(`No session for datagrams: ${problem}`, { routerSaid });
        this.#close(key);
      },
    );
    return group;
  }

  #release(key: string, group: Group, once: boolean): void {
    this.#associations--;
    group.clients--;
    if (group.clients > 0 || this.#groups.get(key) !== group) return;
    this.#groups.delete(key);
    this.#groups.set(key, group);
    if (once) return this.#close(key);
    const { identityIdle } = this.#options;
    if (identityIdle > 0) group.idleTimer = setTimeout(() => this.#close(key), identityIdle);
  }

  /** Closes the least recently used group without clients, if there is one. */
  #closeIdle(): boolean {
    for (const [key, { clients }] of this.#groups) {
      if (clients > 0) continue;
      this.#close(key);
      return true;
    }
    return false;
  }

  #close(key: string): void {
    const group = this.#groups.get(key);
    if (group === undefined) return;
    this.#groups.delete(key);
    clearTimeout(group.idleTimer);
    const closing = group.identity.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
