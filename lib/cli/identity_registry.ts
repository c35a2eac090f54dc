import type { ApplicationSettings } from "../config/settings.ts";
import { formatEndpoint } from "../config/endpoint.ts";
import type { PrivateKey } from "../i2p/private_key.ts";
import { b32Address } from "../i2p/destination.ts";
import type { FileLock } from "../keys/file_lock.ts";
import { Identity } from "../proxy/identity.ts";
import type { Log } from "../report/log.ts";
import { Deadline } from "../sam/deadline.ts";
import { generateKey } from "../sam/generate.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import type { SamSession } from "../sam/session.ts";
import { openKeyStore } from "./keys_dir.ts";

/** Milliseconds for a router to make a key: it needs neither tunnels nor the network for it. */
export const GENERATE_TIMEOUT = 30_000;

/** An application's use of its base identity. */
export interface HeldIdentity {
  /** The identity. */
  readonly identity: Identity;
  /** Creates its first session, or waits for the one that another application of the same identity creates. */
  open(): Promise<SamSession>;
  /** Lets go; the last one to do so ends the session. */
  release(): Promise<void>;
}

/** An identity that some applications hold. */
interface Shared {
  readonly identity: Identity;
  readonly lock: FileLock | undefined;
  readonly options: string;
  opened?: Promise<SamSession>;
  holders: number;
}

/** The base identities of the process. Applications that name the same lasting identity share one session. */
export class IdentityRegistry {
  readonly #shared = new Map<string, Shared>();
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
   * @throws {KeyStoreError} if the key cannot be read or another process has it.
   * @throws {SamError} if the router cannot make a key.
   */
  async acquire(settings: ApplicationSettings, endpoint: SamEndpoint): Promise<HeldIdentity> {
    const { identity: name, sessionOptions } = settings;
    const id = name === undefined
      ? `transient ${++this.#transient}`
      : JSON.stringify([name, settings.keysDir, formatEndpoint(endpoint)]);
    const options = JSON.stringify(sessionOptions);
    let shared = this.#shared.get(id);
    if (shared === undefined) {
      const lasting = name === undefined ? undefined : await this.#load(name, settings.keysDir, endpoint);
      const identity = new Identity({ endpoint, sessionOptions, log: this.#log, ...(lasting && { key: lasting.key }) });
      shared = { identity, lock: lasting?.lock, options, holders: 0 };
      this.#shared.set(id, shared);
    } else {
      this.#log.warn(`Applications share the identity "${name}": whoever sees one can link it to the other`);
      if (shared.options !== options) this.#log.warn("They name different tunnels: those of the first one are used");
    }
    return this.#hold(id, shared);
  }

  #hold(id: string, shared: Shared): HeldIdentity {
    shared.holders++;
    return {
      identity: shared.identity,
      open: () => shared.opened ??= shared.identity.open(),
      release: async () => {
        if (--shared.holders > 0) return;
        this.#shared.delete(id);
        await shared.identity.close();
        shared.lock?.[Symbol.dispose]();
      },
    };
  }

  async #load(
    name: string,
    directory: string | undefined,
    endpoint: SamEndpoint,
  ): Promise<{ key: PrivateKey; lock: FileLock }> {
    const store = openKeyStore(directory);
    if (!await store.has(name)) {
      using deadline = new Deadline(GENERATE_TIMEOUT);
      // On disk before it is used: an address that was given out once is never lost.
      const key = await generateKey(endpoint, deadline.signal);
      await store.create(name, key);
      this.#log.info(`Made the identity "${name}"`, { b32: await b32Address(key.destination) });
    }
    const lock = await store.lock(name);
    try {
      return { key: await store.read(name), lock };
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
  }
}
