import { formatDuration } from "../config/duration.ts";
import type { ApplicationSettings } from "../config/settings.ts";
import { sleep } from "../io/deadline.ts";
import { LruMap } from "../io/lru_map.ts";
import type { Signal } from "../io/signal.ts";
import { SamError } from "../sam/error.ts";
import type { Counters } from "../report/counters.ts";
import type { SamSession } from "../sam/session.ts";
import { samErrorText } from "../reasons/advice.ts";
import { Refusal } from "../reasons/refusal.ts";
import type { DatagramPort } from "./datagram_port.ts";
import { Identity, type IdentityOptions, type IdentityStatus } from "./identity.ts";
import { isByLogin } from "./isolation.ts";
import { SpareIdentities } from "./spare_identities.ts";

/** The base identity in words. */
export const OWN_IDENTITY = "own identity";

/** Milliseconds for a client that was ended to release its identity. */
const SETTLING = 20;

interface IdentityGroupsOptions extends Pick<IdentityOptions, "endpoint" | "udp" | "datagramsOnly" | "router" | "log"> {
  /** How the application is served: which clients share an identity, for how long, and the options of its sessions. */
  settings: Pick<ApplicationSettings, "isolation" | "sessionOptions" | "timeouts">;
  /** Most identities at once, spare ones included. */
  maxIdentities: number;
  /** Spare identities that are kept ready, once a group has had an identity. @default {0} */
  spares?: number;
  /** Whose identity one is, by its number, in the words of log and status. */
  nameOf: (group: number) => string;
  /** Called for each one that is made. */
  onMade?: () => void;
  /**
   * Ends a client that is most likely gone, and returns whether there was one: it may be the one that uses an identity.
   *
   * @default {nobody gives way}
   */
  evict?: () => boolean;
}

/** The use of an identity by one client. Dispose of it when the client has ended. */
export class IdentityLease implements Disposable {
  /** Whose identity it is, in words. */
  readonly label: string;
  readonly #identity: Identity;
  #release: (() => void) | undefined;

  /** Takes what is called once, at the end. */
  constructor(identity: Identity, label: string, release: () => void) {
    this.label = label;
    this.#identity = identity;
    this.#release = release;
  }

  /** {@linkcode Identity.current}. */
  get current(): SamSession | undefined {
    return this.#identity.current;
  }

  /** {@linkcode Identity.session}. */
  session(signal: Signal): Promise<SamSession> {
    return this.#identity.session(signal);
  }

  /** {@linkcode Identity.isOut}. */
  get isOut(): boolean {
    return this.#identity.isOut;
  }

  /** Its own address in I2P, where it has a session. */
  get address(): string | undefined {
    return this.#identity.current?.address;
  }

  /** {@linkcode Identity.visit}. */
  visit(host: string): void {
    this.#identity.visit(host);
  }

  /** Through what its datagrams pass, where its session carries any. */
  get datagrams(): DatagramPort | undefined {
    return this.#identity.datagrams;
  }

  /** {@linkcode Identity.claimAccept} */
  claimAccept(): Disposable | undefined {
    return this.#identity.claimAccept();
  }

  /** Gives it back; a second call does nothing. */
  [Symbol.dispose](): void {
    this.#release?.();
    this.#release = undefined;
  }
}

export interface PooledStatus extends IdentityStatus {
  /** The number of its isolation group; undefined for the base identity. */
  group: number | undefined;
  /** Whose it is, in words. */
  label: string;
  /** Clients that use it now. */
  clients: number;
}

/** An isolation group that has an identity. */
interface Group {
  /** Its number, for the log: the key holds a login. */
  readonly number: number;
  readonly identity: Identity;
  /** When it got its identity, on the clock of `performance.now()`. */
  readonly since: number;
  clients: number;
  idleTimer?: ReturnType<typeof setTimeout>;
}

/**
 * Throw-away identities, one for each isolation group that has clients.
 *
 * One is made with the first client of its group and closed when it has had none for a while. At the cap the group that
 * has been without clients for longest gives way; where all have some, clients that are most likely gone are ended one
 * after the other. If none is left, the newcomer is refused: it is never given the identity of another group.
 */
export class IdentityGroups {
  readonly #options: IdentityGroupsOptions;
  readonly #groups = new LruMap<string, Group>();
  readonly #closing = new Set<Promise<void>>();
  /** Who uses an identity; spare ones are not in it. */
  readonly #owners = new Map<Identity, { key: string; group: Group }>();
  readonly #spares: SpareIdentities;
  #count = 0;
  #closed = false;

  constructor(options: IdentityGroupsOptions) {
    this.#options = options;
    this.#spares = new SpareIdentities({
      count: options.spares ?? 0,
      make: () => this.#groups.size + this.#spares.size < options.maxIdentities ? this.#make(true) : undefined,
      isWanted: () => this.#groups.size > 0,
    });
  }

  /** Current status of each, in the order of their numbers. */
  get statuses(): PooledStatus[] {
    const groups = [...this.#groups.values()].sort((a, b) => a.number - b.number);
    return groups.map(({ identity, number, clients }) => ({
      ...identity.status,
      group: number,
      label: this.#options.nameOf(number),
      clients,
    }));
  }

  /**
   * The identity of a group.
   *
   * @param signal cuts the wait for one that gives way short.
   * @throws {Refusal} `too-many-identities` at the cap.
   */
  async lease(key: string, signal: Signal): Promise<IdentityLease> {
    while (!this.#groups.has(key) && !this.#hasRoom()) {
      if (!this.#options.evict?.()) throw new Refusal("too-many-identities");
      await sleep(SETTLING, signal);
    }
    const group = this.#groups.use(key) ?? this.#open(key);
    group.clients++;
    clearTimeout(group.idleTimer);
    return new IdentityLease(group.identity, this.#options.nameOf(group.number), () => this.#release(key, group));
  }

  /** Whose identity a group has, in words; undefined if it has none. */
  labelOf(key: string): string | undefined {
    const group = this.#groups.get(key);
    return group && this.#options.nameOf(group.number);
  }

  /** Closes all of them, and resolves when they are closed. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const key of [...this.#groups.keys()]) this.#close(key);
    await Promise.all([this.#spares.close(), ...this.#closing]);
  }

  #open(key: string): Group {
    const { nameOf, log } = this.#options;
    if (this.#closed) throw new Refusal("stopping");
    const spare = this.#spares.take();
    const identity = spare ?? this.#make(false);
    const group: Group = { number: ++this.#count, identity, since: performance.now(), clients: 0 };
    this.#groups.set(key, group);
    this.#owners.set(identity, { key, group });
    const what = spare === undefined ? "Building tunnels" : "Took a spare identity";
    log.info(`${what} for ${nameOf(group.number)}`, { group: group.number, groups: this.#groups.size });
    return group;
  }

  /** Makes an identity and begins to build its tunnels. Until it has an owner it is a spare one. */
  #make(isSpare: boolean): Identity {
    const { settings, endpoint, udp, datagramsOnly = false, router, nameOf, log, onMade } = this.#options;
    // A session that is lost while nobody uses it is not worth new tunnels.
    const onLost = (): "rebuild" | "end" => {
      const owner = this.#owners.get(identity);
      if (owner === undefined) this.#spares.drop(identity);
      else if (owner.group.clients > 0) return "rebuild";
      else this.#close(owner.key);
      return "end";
    };
    const identity = new Identity({
      endpoint,
      sessionOptions: settings.sessionOptions,
      udp,
      datagramsOnly,
      ...(router && { router }),
      log,
      onLost,
      queueClients: true,
    });
    onMade?.();
    identity.open().then(
      () => {
        const owner = this.#owners.get(identity);
        if (owner !== undefined) {
          const { number, since } = owner.group;
          const waited = formatDuration(performance.now() - since);
          log.info(`Identity for ${nameOf(number)} ready after ${waited}`, { group: number });
        }
        // Not before: a group must not wait longer because of tunnels that nobody has asked for yet.
        if (!isSpare) this.#spares.fill();
      },
      (error) => {
        // Nobody is refused because of an earlier failure: the next client of the group starts over.
        const owner = this.#owners.get(identity);
        if (owner === undefined) return this.#spares.drop(identity);
        const [problem, routerSaid] = error instanceof SamError
          ? [samErrorText(error, endpoint), error.text]
          : [String(error)];
        const { key, group: { number } } = owner;
        log.warn(`No session for ${nameOf(number)}: ${problem}`, { group: number, routerSaid });
        this.#close(key);
      },
    );
    return identity;
  }

  #release(key: string, group: Group): void {
    group.clients--;
    if (group.clients > 0 || this.#groups.get(key) !== group) return;
    this.#groups.use(key);
    const { isolation, timeouts: { identityIdle } } = this.#options.settings;
    // No other client is of its group.
    if (isolation.includes("stream")) return this.#close(key);
    if (identityIdle > 0) group.idleTimer = setTimeout(() => this.#close(key), identityIdle);
  }

  /** Whether one more group can have an identity: a spare one, or in the place of one without clients if need be. */
  #hasRoom(): boolean {
    return this.#spares.size > 0 || this.#groups.size < this.#options.maxIdentities || this.#closeIdle();
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
    this.#owners.delete(group.identity);
    clearTimeout(group.idleTimer);
    const { nameOf, log } = this.#options;
    log.info(`Closed the identity for ${nameOf(group.number)}`, { group: group.number, groups: this.#groups.size });
    const closing = group.identity.close().finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

export interface IdentityPoolOptions extends Pick<IdentityGroupsOptions, "endpoint" | "udp" | "router" | "log"> {
  settings: Pick<ApplicationSettings, "isolation" | "sessionOptions" | "timeouts" | "limits">;
  /** Ends a client that is most likely gone, and returns whether there was one. */
  evict: () => boolean;
  /** Counts the identities that are made. */
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
    const { settings, endpoint, udp, router, log, counters, evict } = options;
    this.#groups = new IdentityGroups({
      settings,
      endpoint,
      udp,
      ...(router && { router }),
      log,
      // The base identity is not counted.
      maxIdentities: settings.limits.identities,
      spares: settings.limits.spareIdentities ?? (settings.isolation.includes("auth") ? 1 : 0),
      nameOf: (group) => `${isByLogin(settings.isolation) ? "login" : "group"} ${group}`,
      onMade: () => counters.add("identities"),
      evict,
    });
  }

  /**
   * The identity of a group; of the base where `key` is undefined.
   *
   * @throws {Refusal} `too-many-identities` at the cap, if no client gives way.
   */
  lease(key: string | undefined, signal: Signal): Promise<IdentityLease> | IdentityLease {
    if (key !== undefined) return this.#groups.lease(key, signal);
    this.#baseClients++;
    return new IdentityLease(this.#base, OWN_IDENTITY, this.#releaseBase);
  }

  /** Whose identity a client of a group would have, in words; undefined if it would have to be made. */
  labelOf(key: string | undefined): string | undefined {
    return key === undefined ? OWN_IDENTITY : this.#groups.labelOf(key);
  }

  /** Current status of the identities: the base first, then the groups in their order. */
  get statuses(): PooledStatus[] {
    return [
      { ...this.#base.status, group: undefined, label: OWN_IDENTITY, clients: this.#baseClients },
      ...this.#groups.statuses,
    ];
  }

  /** Closes the identities of all groups, and resolves when they are closed. */
  async close(): Promise<void> {
    await this.#groups.close();
  }
}
