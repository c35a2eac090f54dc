import type { Signal } from "../io/signal.ts";
import { SamError } from "../sam/error.ts";
import type { SamSession } from "../sam/session.ts";
import { Refusal } from "../reasons/refusal.ts";
import type { DatagramPort } from "./datagram_port.ts";
import { Identity, type IdentityOptions, type IdentityStatus } from "./identity.ts";

/** What {@linkcode IdentityGroups} are made of. */
export interface IdentityGroupsOptions extends Omit<IdentityOptions, "key" | "onLost" | "holdsClients"> {
  /** What an identity is for, in the words of the log. */
  purpose: string;
  /** Most identities at once. */
  maxIdentities: number;
  /** Milliseconds without a client after which an identity is closed; 0 is never. */
  identityIdle: number;
  /** Told of each one that is made. */
  made?: () => void;
}

/** The use of an identity by one client. Dispose of it when the client has ended. */
export class IdentityLease implements Disposable {
  readonly #identity: Identity;
  #release: (() => void) | undefined;

  /** Takes what is called once, at the end. */
  constructor(identity: Identity, release: () => void) {
    this.#identity = identity;
    this.#release = release;
  }

  /** {@linkcode Identity.session}. */
  session(signal: Signal): Promise<SamSession> {
    return this.#identity.session(signal);
  }

  /** Through what its datagrams pass, where its session carries any. */
  get datagrams(): DatagramPort | undefined {
    return this.#identity.datagrams;
  }

  /** Gives it back; a second call does nothing. */
  [Symbol.dispose](): void {
    this.#release?.();
    this.#release = undefined;
  }
}

/** How an identity of a pool fares. */
export interface PooledStatus extends IdentityStatus {
  /** The number of its isolation group; undefined for the base identity. */
  group: number | undefined;
  /** Clients that use it now. */
  clients: number;
}

/** An isolation group that has an identity. */
interface Group {
  /** Its number, for the log: the key holds a login. */
  readonly number: number;
  readonly identity: Identity;
  clients: number;
  idleTimer?: ReturnType<typeof setTimeout>;
}

/**
 * Throw-away identities, one for each isolation group that has clients.
 *
 * One is made with the first client of its group and closed when it has had none for a while. At the cap the group that has
 * been without clients for longest gives way; where all have some, the newcomer is refused: never is it given the identity of
 * another group.
 */
export class IdentityGroups {
  readonly #options: IdentityGroupsOptions;
  /** In the order of their last use: the least recently used one first. */
  readonly #groups = new Map<string, Group>();
  readonly #closing = new Set<Promise<void>>();
  #count = 0;
  #closed = false;

  /** Makes none so far. */
  constructor(options: IdentityGroupsOptions) {
    this.#options = options;
  }

  /** How they fare, in the order of their numbers. */
  get statuses(): PooledStatus[] {
    const groups = [...this.#groups.values()].sort((a, b) => a.number - b.number);
    return groups.map(({ identity, number, clients }) => ({ ...identity.status, group: number, clients }));
  }

  /**
   * The identity of a group. Not reused by another client where `once` is set: then it is closed as soon as the lease is
   * disposed of.
   *
   * @throws {Refusal} `too-many-identities` at the cap.
   */
  lease(key: string, once: boolean): IdentityLease {
    const group = this.#groups.get(key) ?? this.#open(key);
    this.#groups.delete(key);
    this.#groups.set(key, group);
    group.clients++;
    clearTimeout(group.idleTimer);
    return new IdentityLease(group.identity, () => this.#release(key, group, once));
  }

  /** Closes all of them, and resolves when they are closed. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const key of [...this.#groups.keys()]) this.#close(key);
    await Promise.all(this.#closing);
  }

  #open(key: string): Group {
    const { maxIdentities, purpose, log, made } = this.#options;
    if (this.#closed) throw new Refusal("stopping");
    if (this.#groups.size >= maxIdentities && !this.#closeIdle()) throw new Refusal("too-many-identities");
    // A session that is lost while nobody uses it is not worth new tunnels.
    const onLost = (): "rebuild" | "end" => {
      if (group.clients > 0) return "rebuild";
      if (this.#groups.get(key) === group) this.#close(key);
      return "end";
    };
    const identity = new Identity({ ...this.#options, onLost, holdsClients: true });
    const group: Group = { number: ++this.#count, identity, clients: 0 };
    this.#groups.set(key, group);
    made?.();
    log.info(`Building tunnels for ${purpose}`, { group: group.number, groups: this.#groups.size });
    identity.open().then(
      () => log.debug(`The session for ${purpose} is ready`, { group: group.number }),
      (error) => {
        // Nobody is refused because of an earlier failure: the next client of the group begins anew.
        if (this.#groups.get(key) !== group) return;
        const [problem, routerSaid] = error instanceof SamError ? [error.message, error.text] : [String(error)];
        log.warn(`No session for ${purpose}: ${problem}`, { group: group.number, routerSaid });
        this.#close(key);
      },
    );
    return group;
  }

  #release(key: string, group: Group, once: boolean): void {
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
    const { purpose, log } = this.#options;
    log.info(`Closed the identity of ${purpose}`, { group: group.number, groups: this.#groups.size });
    const closing = group.identity.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}
