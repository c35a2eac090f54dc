import { formatEndpoint } from "../config/endpoint.ts";
import type { ApplicationSettings } from "../config/settings.ts";
import { b32Address } from "../i2p/destination.ts";
import type { PrivateKey } from "../i2p/private_key.ts";
import type { FileLock } from "../keys/file_lock.ts";
import { KeyStore } from "../keys/key_store.ts";
import { Identity, REUSE_DELAY } from "../proxy/identity.ts";
import type { Log } from "../report/log.ts";
import { Deadline } from "../sam/deadline.ts";
import { generateKey } from "../sam/generate.ts";
import type { SamSession } from "../sam/session.ts";
import type { SamEndpoint } from "../sam/socket.ts";

/** Milliseconds for a router to make a key: it needs neither tunnels nor the network for it. */
export const GENERATE_TIMEOUT = 30_000;

/** An application's use of its base identity. */
export interface HeldIdentity {
  /** The identity. */
  readonly identity: Identity;
  /** Creates its first session, or waits for the one that another application of the same identity creates. */
  open(): Promise<SamSession>;
  /** Says that it will be released soon: a successor may take over. */
  retire(): void;
  /** Lets go; the last one to do so ends the session. */
  release(): Promise<void>;
}

/** An identity that some applications hold. */
interface Shared {
  readonly identity: Identity;
  readonly lock: FileLock | undefined;
  /** The session's options, as text. */
  readonly options: string;
  /** Settles when the session has ended and the lock is free. */
  readonly gone: PromiseWithResolvers<void>;
  opened?: Promise<SamSession>;
  /** Whether the last holder has let go. */
  ended: boolean;
  holders: number;
  /** How many of the holders are not about to let go. */
  active: number;
}

/** The base identities of the process. Applications that name the same lasting identity share one session. */
export class IdentityRegistry {
  readonly #shared = new Map<string, Promise<Shared>>();
  /** When lasting identities were let go, by `performance.now()`. */
  readonly #released = new Map<string, number>();
  readonly #log: Log;
  #transient = 0;

  /** Makes an empty registry. */
  constructor(log: Log) {
    this.#log = log;
  }

  /**
   * The base identity of an application: the lasting one that it names, made if there is none yet, or a new throw-away
   * one.
   *
   * @param keysDir where lasting identities are kept.
   * @throws {KeyStoreError} if the key cannot be read or another process has it.
   * @throws {SamError} if the router cannot make a key.
   */
  async acquire(settings: ApplicationSettings, keysDir: () => string, endpoint: SamEndpoint): Promise<HeldIdentity> {
    const { identity: name, sessionOptions } = settings;
    const options = JSON.stringify(sessionOptions);
    if (name === undefined) {
      const identity = new Identity({ endpoint, sessionOptions, log: this.#log });
      const id = `transient ${++this.#transient}`;
      return this.#hold(id, share(identity, options));
    }
    const id = JSON.stringify([name, keysDir(), formatEndpoint(endpoint)]);
    for (let pending = this.#shared.get(id); pending !== undefined; pending = this.#shared.get(id)) {
      const shared = await pending.catch(() => undefined);
      const isRetiring = shared !== undefined && shared.holders > 0 && shared.active === 0;
      if (shared !== undefined && !shared.ended && (!isRetiring || shared.options === options)) {
        if (!isRetiring) this.#warn(name, shared.options === options);
        return this.#hold(id, shared);
      }
      // It failed, or it is about to end and had other tunnels.
      await shared?.gone.promise;
    }
    const made = this.#make(id, name, new KeyStore(keysDir()), settings, endpoint);
    this.#shared.set(id, made);
    made.catch(() => this.#shared.delete(id));
    return this.#hold(id, await made);
  }

  #warn(name: string, sameTunnels: boolean): void {
    this.#log.warn(`Applications share the identity "${name}": whoever sees one can link it to the other`);
    if (!sameTunnels) this.#log.warn("They name different tunnels: those of the first one are used");
  }

  async #make(
    id: string,
    name: string,
    store: KeyStore,
    { sessionOptions }: ApplicationSettings,
    endpoint: SamEndpoint,
  ): Promise<Shared> {
    const { key, lock } = await this.#load(name, store, endpoint);
    const since = performance.now() - (this.#released.get(id) ?? -Infinity);
    if (since < REUSE_DELAY) await new Promise((resolve) => setTimeout(resolve, REUSE_DELAY - since));
    const identity = new Identity({ endpoint, sessionOptions, log: this.#log, key });
    return share(identity, JSON.stringify(sessionOptions), lock);
  }

  #hold(id: string, shared: Shared): HeldIdentity {
    shared.holders++;
    shared.active++;
    let isActive = true;
    const retire = (): void => {
      if (isActive) shared.active--;
      isActive = false;
    };
    return {
      identity: shared.identity,
      open: () => shared.opened ??= shared.identity.open(),
      retire,
      release: async () => {
        retire();
        if (--shared.holders > 0) return;
        shared.ended = true;
        await shared.identity.close();
        shared.lock?.[Symbol.dispose]();
        if (shared.lock !== undefined) this.#released.set(id, performance.now());
        this.#shared.delete(id);
        shared.gone.resolve();
      },
    };
  }

  /** The key and its lock; made under the lock where there is none yet. */
  async #load(name: string, store: KeyStore, endpoint: SamEndpoint): Promise<{ key: PrivateKey; lock: FileLock }> {
    const lock = await store.lock(name);
    try {
      if (await store.has(name)) return { key: await store.read(name), lock };
      using deadline = new Deadline(GENERATE_TIMEOUT);
      // On disk before it is used: an address that was given out once is never lost.
      const key = await generateKey(endpoint, deadline.signal);
      await store.create(name, key, lock);
      this.#log.info(`Made the identity "${name}"`, { b32: await b32Address(key.destination) });
      return { key, lock };
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }
}

/** An identity that nobody holds yet. */
function share(identity: Identity, options: string, lock?: FileLock): Shared {
  return { identity, lock, options, gone: Promise.withResolvers(), ended: false, holders: 0, active: 0 };
}
