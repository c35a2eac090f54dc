import { errorText } from "../io/error_text.ts";
import type { Signal } from "../io/signal.ts";
import type { ApplicationSettings } from "../config/settings.ts";
import { b32Address } from "../i2p/destination.ts";
import type { PrivateKey } from "../i2p/private_key.ts";
import type { FileLock } from "../keys/file_lock.ts";
import { KeyStore } from "../keys/key_store.ts";
import { AwaitedRouter } from "../identity/awaited_router.ts";
import { Identity, type IdentityOptions, REUSE_DELAY } from "../identity/identity.ts";
import { PrimarySupport, type UdpOptions } from "../identity/primary_support.ts";
import { type Log, type LogFields, withFields } from "../report/log.ts";
import { sleep } from "../io/deadline.ts";
import { generateKey } from "../sam/generate.ts";
import { RouterKind } from "../sam/router_kind.ts";
import type { SamSession } from "../sam/session.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { CliError, ExitCode } from "../command/exit_code.ts";
import { SilenceDiagnosis } from "../command/router_ports.ts";

/** An application's use of its base identity. */
export interface IdentityHandle {
  /** The identity. */
  readonly identity: Identity;
  /** Creates its first session, or waits for the one that another application of the same identity creates. */
  open(): Promise<SamSession>;
  /** Says that it will be released soon: a successor may take over. */
  retire(): void;
  /** Releases it; the last holder ends the session. */
  release(): Promise<void>;
}

/** An identity that some applications hold. */
interface Shared {
  readonly identity: Identity;
  readonly lock: FileLock;
  /** Names of the applications that hold it, for its log. */
  readonly applications: string[];
  /** Where and how its session is made, as text; the login for the bridge is part of it. */
  readonly session: string;
  /** Settles when the session has ended and the lock is free. */
  readonly gone: PromiseWithResolvers<void>;
  opened?: Promise<SamSession>;
  holders: number;
  /** How many of the holders are not about to release it. */
  active: number;
  /** Whether nobody may hold it any more: it is about to end, or has failed. */
  isEnding: boolean;
}

/** The base identities of the process. Applications that name the same lasting identity share one session. */
export class IdentityRegistry {
  readonly #shared = new Map<string, Promise<Shared>>();
  /** What is known of routers, by bridge. */
  readonly #primary = new Map<string, PrimarySupport>();
  readonly #routers = new Map<string, RouterKind>();
  readonly #silence = new SilenceDiagnosis();
  readonly #log: Log;
  readonly #signal: Signal;
  /** In milliseconds of the epoch. */
  readonly #began: number = Date.now();
  #hasOpened = false;

  /** Makes an empty registry; `signal` ends what it waits for. */
  constructor(log: Log, signal: Signal) {
    this.#log = log;
    this.#signal = signal;
  }

  /** How the datagrams of an application go, if they do. What one application learns of a router, all know. */
  udpOf({ udp: { enabled, port, style } }: ApplicationSettings, endpoint: SamEndpoint): UdpOptions | undefined {
    if (!enabled) return undefined;
    const bridge = JSON.stringify(endpoint);
    const primary = this.#primary.get(bridge) ?? new PrimarySupport(this.#log);
    this.#primary.set(bridge, primary);
    return { port, style, primary };
  }

  /**
   * The base identity of an application: the lasting one that it names, made if there is none yet, or a new throw-away
   * one.
   *
   * @param keysDir where lasting identities are kept.
   * @param isOneOfSeveral whether the log is to name the application.
   * @throws {CliError} if it is in use on another SAM bridge.
   * @throws {KeyStoreError} if the key cannot be read or another process has it.
   * @throws {SamError} if the router cannot make a key.
   * @throws the signal's reason if it was aborted.
   */
  async acquire(
    settings: ApplicationSettings,
    keysDir: () => string,
    endpoint: SamEndpoint,
    isOneOfSeveral: boolean,
  ): Promise<IdentityHandle> {
    const { identity: name, name: application, sessionOptions } = settings;
    if (name === undefined) {
      const log = isOneOfSeveral ? withFields(this.#log, { application }) : this.#log;
      const routerPatience = settings.timeouts.wait;
      const udp = this.udpOf(settings, endpoint);
      const [diagnose, router] = [this.#diagnoseAt(endpoint), this.#routerAt(endpoint)];
      return handleAlone(new Identity({ endpoint, sessionOptions, udp, routerPatience, diagnose, router, log }));
    }
    const session = describeSession(endpoint, settings);
    const id = JSON.stringify([name, keysDir()]);
    for (let pending = this.#shared.get(id); pending !== undefined; pending = this.#shared.get(id)) {
      const shared = await pending.catch(() => undefined);
      if (shared !== undefined && !shared.isEnding && this.#mayJoin(name, shared, session, endpoint)) {
        return this.#hold(id, shared, application);
      }
      // It failed, or its holders are about to release it and had another session.
      if (shared !== undefined) shared.isEnding = true;
      await shared?.gone.promise;
    }
    this.#signal.throwIfAborted();
    const made = this.#make(name, new KeyStore(keysDir()), settings, endpoint, isOneOfSeveral);
    this.#shared.set(id, made);
    made.catch(() => this.#shared.delete(id));
    return this.#hold(id, await made, application);
  }

  /** Whether an application can hold an identity together with those that do. */
  #mayJoin(name: string, { holders, active, ...shared }: Shared, session: string, endpoint: SamEndpoint): boolean {
    const isRetiring = holders > 0 && active === 0;
    if (isRetiring) return shared.session === session;
    if (JSON.stringify(JSON.parse(shared.session)[0]) !== JSON.stringify(endpoint)) {
      throw new CliError(ExitCode.usage, `Identity "${name}" cannot be on two SAM bridges at once`);
    }
    this.#log.warn(`Applications share the identity "${name}": anyone who sees one can link it to the other`);
    if (tunnelsOf(shared.session) !== tunnelsOf(session)) {
      this.#log.warn("They name different tunnels: those of the first one are used");
    }
    if (datagramsOf(shared.session) !== datagramsOf(session)) {
      this.#log.warn("They differ in UDP: the shared destination has the datagrams of the first one, or none");
    }
    return true;
  }

  async #make(
    name: string,
    store: KeyStore,
    settings: ApplicationSettings,
    endpoint: SamEndpoint,
    isOneOfSeveral: boolean,
  ): Promise<Shared> {
    const routerPatience = settings.timeouts.wait;
    const { key, lock } = await this.#load(
      name,
      store,
      endpoint,
      new AwaitedRouter(endpoint, routerPatience, this.#log),
    );
    const session = describeSession(endpoint, settings);
    const applications: string[] = [];
    // Whoever holds it then is named, and not only who came first.
    const holders = (): LogFields => ({ application: [...new Set(applications)].join(",") });
    const log = isOneOfSeveral ? withFields(this.#log, holders) : this.#log;
    const { sessionOptions } = settings;
    const udp = this.udpOf(settings, endpoint);
    const [diagnose, router] = [this.#diagnoseAt(endpoint), this.#routerAt(endpoint)];
    const identity = new Identity({ endpoint, sessionOptions, udp, routerPatience, diagnose, router, log, key });
    const gone = Promise.withResolvers<void>();
    return { identity, lock, applications, session, gone, holders: 0, active: 0, isEnding: false };
  }

  #hold(id: string, shared: Shared, application: string): IdentityHandle {
    shared.applications.push(application);
    shared.holders++;
    shared.active++;
    let isActive = true;
    let released: Promise<void> | undefined;
    const retire = (): void => {
      if (isActive) shared.active--;
      isActive = false;
    };
    return {
      identity: shared.identity,
      open: () => {
        this.#hasOpened = true;
        shared.opened ??= this.#mark(shared.lock).then(() => shared.identity.open());
        shared.opened.catch(() => shared.isEnding = true);
        return shared.opened;
      },
      retire,
      release: () => {
        retire();
        return released ??= this.#release(id, shared, application);
      },
    };
  }

  /** Notes for the next process that the identity is in use, in case that this one is killed. */
  async #mark(lock: FileLock): Promise<void> {
    try {
      await lock.markInUse();
    } catch (error) {
      this.#log.warn(`Cannot note that an identity is in use: ${errorText(error)}`);
    }
  }

  /** Releases an identity for an application; the last holder ends it. Never throws: others wait for the end. */
  async #release(id: string, shared: Shared, application: string): Promise<void> {
    if (--shared.holders > 0) {
      shared.applications.splice(shared.applications.indexOf(application), 1);
      return;
    }
    shared.isEnding = true;
    try {
      await shared.identity.close();
      await shared.lock.stamp();
    } catch (error) {
      // A disk that is full, for one: then the next start does not know that it should wait for the router.
      this.#log.warn(`Cannot note when an identity was last in use: ${errorText(error)}`);
    } finally {
      shared.lock[Symbol.dispose]();
      this.#shared.delete(id);
      shared.gone.resolve();
    }
  }

  /** The key and its lock; made under the lock where there is none yet. */
  async #load(
    name: string,
    store: KeyStore,
    endpoint: SamEndpoint,
    awaited: AwaitedRouter,
  ): Promise<{ key: PrivateKey; lock: FileLock }> {
    const lock = await store.lock(name);
    try {
      if (await store.has(name)) {
        await this.#waitForRouter(name, lock);
        return { key: await store.read(name), lock };
      }
      // On disk before it is used: an address that was given out once is never lost.
      const key = await this.#generate(endpoint, awaited);
      await store.create(name, key, lock);
      this.#log.info(`Created identity "${name}"`, { b32: await b32Address(key.destination) });
      return { key, lock };
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }

  /** What asks which router is behind a bridge, for all identities there. */
  #routerAt(endpoint: SamEndpoint): RouterKind {
    const bridge = JSON.stringify(endpoint);
    const router = this.#routers.get(bridge) ?? new RouterKind(endpoint, this.#signal);
    this.#routers.set(bridge, router);
    return router;
  }

  /** What finds out why nothing answers at a bridge. */
  #diagnoseAt(endpoint: SamEndpoint): NonNullable<IdentityOptions["diagnose"]> {
    return (failure, signal) => this.#silence.addTo(failure, endpoint, signal);
  }

  /** Has the router make a key, as soon as it is there. */
  async #generate(endpoint: SamEndpoint, awaited: AwaitedRouter): Promise<PrivateKey> {
    for (;;) {
      try {
        return await generateKey(endpoint, this.#signal);
      } catch (error) {
        await this.#silence.addTo(error, endpoint, this.#signal);
        if (this.#signal.aborted || !awaited.isWorthWaiting(error)) throw error;
        await sleep(awaited.next(), this.#signal);
        this.#signal.throwIfAborted();
      }
    }
  }

  /**
   * Lets the router forget the last session of an identity, which this or another process has ended a moment ago, or which
   * ended with a process that was killed.
   */
  async #waitForRouter(name: string, lock: FileLock): Promise<void> {
    const last = await lock.lastUse();
    // Who was killed may have been killed this very moment; but a process that starts waits for all its identities at once.
    const end = last !== "in use" ? last : this.#hasOpened ? Date.now() : this.#began;
    const since = Date.now() - end;
    if (since < 0 || since >= REUSE_DELAY) return;
    const why = last === "in use" ? "was in use by a process that did not end by itself" : "was in use a moment ago";
    this.#log.info(`Identity "${name}" ${why}: giving the router time to forget its last session`);
    await sleep(REUSE_DELAY - since, this.#signal);
    this.#signal.throwIfAborted();
  }
}

/** Where and how a session is made, as text. */
function describeSession(endpoint: SamEndpoint, settings: ApplicationSettings): string {
  const { sessionOptions, udp } = settings;
  return JSON.stringify([endpoint, sessionOptions, udp.enabled ? [udp.port, udp.style] : null]);
}

/** What datagrams a session carries. */
function datagramsOf(session: string): string {
  return JSON.stringify(JSON.parse(session)[2]);
}

/** What a session is but for its labels. */
function tunnelsOf(session: string): string {
  const [, options] = JSON.parse(session);
  return JSON.stringify(Object.entries(options).filter(([key]) => !key.endsWith(".nickname")));
}

/** An identity that only one application holds. */
function handleAlone(identity: Identity): IdentityHandle {
  let opened: Promise<SamSession> | undefined;
  return {
    identity,
    open: () => opened ??= identity.open(),
    retire: () => {},
    release: () => identity.close(),
  };
}
