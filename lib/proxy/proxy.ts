import { formatListen } from "../config/endpoint.ts";
import type { Hosts } from "../config/hosts.ts";
import type { LoginBook } from "../config/login_book.ts";
import type { ApplicationSettings } from "../config/settings.ts";
import type { Identity } from "../identity/identity.ts";
import { IdentityPool, type PooledStatus } from "../identity/identity_pool.ts";
import type { UdpOptions } from "../identity/primary_support.ts";
import { acceptAll } from "../io/accept.ts";
import { closeQuietly, isExhaustion } from "../io/conn.ts";
import { errorText } from "../io/error_text.ts";
import { SharedSignal } from "../io/signal.ts";
import type { ClientConn, ClientListener } from "../io/unix_socket.ts";
import { Refusal } from "../reasons/refusal.ts";
import { BufferPool } from "../relay/buffer_pool.ts";
import { FairnessGate } from "../relay/fairness_gate.ts";
import { HalfClosedStreams } from "../relay/half_closed.ts";
import type { KeepLimit } from "../relay/keeper.ts";
import type { AuditBook } from "../report/audit_book.ts";
import type { Counters } from "../report/counters.ts";
import type { Log } from "../report/log.ts";
import type { OutcomeBook } from "../report/outcome_book.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { RouterKind } from "../sam/router_kind.ts";
import { MAX_WARM, WarmSockets } from "../sam/warm_sockets.ts";
import { UDP_ASSOCIATE } from "../socks/datagram.ts";
import { RESOLVE_COMMANDS } from "../socks/resolve.ts";
import { BIND } from "../socks/wire.ts";
import { Admission, type Capacity, MAX_SURPLUS } from "./admission.ts";
import { serveClient } from "./client.ts";
import type { ClientContext } from "./context.ts";
import { DatagramPool } from "./datagram_pool.ts";
import { Forwarder } from "./forward.ts";
import type { LeakWatch } from "./leak_watch.ts";
import { LoginOffers } from "./login_offers.ts";
import { LoginGuard } from "./login_guard.ts";
import { NameMap } from "./name_map.ts";
import { SilenceWatch } from "./silence_watch.ts";

interface ProxyOptions {
  /** How the application is served. What was made of its files and addresses follows. */
  settings: ApplicationSettings;
  /** What it can have at once. @default {what the settings say} */
  capacity?: Capacity | undefined;
  /** Bound to loopback, or in the file system. The proxy closes them. */
  listeners: readonly ClientListener[];
  endpoint: SamEndpoint;
  /** The base identity: of the clients that nothing sets apart. The caller opens and closes it. */
  identity: Identity;
  /** How datagrams go; without it there are no associations. */
  udp: UdpOptions | undefined;
  /** Logins that may connect; everybody may where undefined. */
  logins: LoginBook | undefined;
  /** The name of the user that runs the program; undefined where that is unknown. */
  userName?: string | undefined;
  /** Host names of the user's own, asked before the router. */
  hosts: Hosts;
  leaks: LeakWatch;
  /** What the streams of the process may keep. */
  keepLimit: KeepLimit;
  log: Log;
  /** Numbers since the start. */
  counters: Counters;
  /** Takes note of what did not come out well. */
  outcomes: OutcomeBook;
  /** Destinations, where an audit is under way. */
  audit: AuditBook | undefined;
}

/** Streams at most that give way at once where file descriptors have run out. */
const ENDED_AT_ONCE = 16;

/** SOCKS on some listeners: one application. */
export class Proxy implements AsyncDisposable {
  readonly #listeners: readonly ClientListener[];
  /** What all clients share. */
  readonly #context: ClientContext;
  readonly #stop: SharedSignal = new SharedSignal();
  /** Aborted when no more clients are accepted. */
  readonly #listening = new AbortController();
  readonly #clients = new Set<Promise<void>>();
  readonly #accepting: Promise<unknown>;
  readonly #forwarder: Forwarder | undefined;
  #serial = 0;

  private constructor(options: ProxyOptions, gate: FairnessGate) {
    this.#listeners = options.listeners;
    this.#context = createContext(options, gate, this.#stop);
    this.#forwarder = createForwarder(options, this.#context);
    this.#accepting = Promise.all(options.listeners.map((listener) =>
      acceptAll(
        listener,
        (conn) => this.#serve(conn, listener),
        (error) => this.#acceptFailed(error),
        () => gate.turn(),
        () => this.#context.admission.room(this.#listening.signal),
      )
    ));
  }

  /**
   * Begins to accept clients. They wait until their identity has a session.
   *
   * After this, the proxy needs no permission but to connect to the SAM bridge, and with `udp` loopback: an association
   * binds a port, and sends to whatever port its client has.
   */
  static async start(options: ProxyOptions): Promise<Proxy> {
    return new Proxy(options, await FairnessGate.open());
  }

  /** Clients that are connected now. */
  get connections(): number {
    return this.#clients.size;
  }

  /** Callers from I2P that are served now; undefined where nobody is waited for. */
  get callers(): number | undefined {
    return this.#forwarder?.streams;
  }

  /** Clients that wait for a caller now; undefined where BIND is switched off. */
  get waiting(): number | undefined {
    const { settings, gauges } = this.#context;
    return settings.bind ? gauges.waiting : undefined;
  }

  /** Streams that are open now. */
  get streams(): number {
    return this.#context.gauges.streams;
  }

  /** Bytes that are kept now for clients and services that do not take them. */
  get keptBytes(): number {
    return this.#context.gauges.kept.value;
  }

  /** UDP associations that are open now; undefined where UDP is switched off. */
  get associations(): number | undefined {
    return this.#context.datagrams?.associations;
  }

  /** Current status of the identities: the base identity first, then those of isolation groups. */
  get identities(): PooledStatus[] {
    return this.#context.identities.statuses;
  }

  /** Current status of the identities for datagrams; undefined where UDP is switched off. */
  get datagramIdentities(): PooledStatus[] | undefined {
    return this.#context.datagrams?.statuses;
  }

  /** Accepts no more clients. When it resolves, the ports are free again. */
  async stopListening(): Promise<void> {
    this.#listeners.forEach(closeQuietly);
    this.#listening.abort();
    await this.#forwarder?.stopAccepting();
    await this.#accepting;
  }

  /** Accepts no more clients, and waits until all have ended or the time, in milliseconds, is over. */
  async drain(milliseconds: number): Promise<void> {
    const stopped = this.stopListening();
    this.#context.halfClosed.expediteClose();
    this.#context.ending.abort(new Refusal("stopping"));
    this.#context.datagrams?.ending.abort(new Refusal("stopping"));
    const { promise: timeIsOver, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    await Promise.race([timeIsOver, stopped.then(() => Promise.all([...this.#clients, this.#forwarder?.ended()]))]);
    clearTimeout(timer);
  }

  /** Ends everything at once, and resolves when it has ended. */
  async close(): Promise<void> {
    const stopped = this.stopListening();
    this.#stop.abort(new Refusal("stopping"));
    await Promise.all([this.#context.identities.close(), this.#context.datagrams?.close(), this.#forwarder?.close()]);
    await stopped;
    await Promise.all(this.#clients);
    await this.#context.warm.close();
    this.#context.gate.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Warns of a failed accept, but not of a client that has reset before it was accepted. When descriptors run out, closes
   * some that can be spared.
   */
  #acceptFailed(error: unknown): void {
    const { log } = this.#context;
    if (isExhaustion(error)) {
      this.#context.warm.clear();
      this.#context.admission.giveWay();
      for (let i = 0; i < ENDED_AT_ONCE && this.#context.halfClosed.endMostSilent(); i++);
    }
    log[isExhaustion(error) ? "warn" : "debug"](`Cannot accept a client: ${errorText(error)}`);
  }

  #serve(conn: ClientConn, { addr }: ClientListener): void {
    const { admission, counters } = this.#context;
    counters.add("accepted");
    const client = { conn, clientAddress: clientAddressOf(conn, addr), serial: ++this.#serial };
    admission.accept(client);
    // It never throws.
    const served = serveClient(client, this.#context).then(() => {
      this.#clients.delete(served);
      admission.leave(client);
    });
    this.#clients.add(served);
  }
}

/** The IP address of a client; one that has none has the name of the socket that it uses. */
function clientAddressOf({ remoteAddr }: ClientConn, addr: ClientListener["addr"]): string {
  return "hostname" in remoteAddr ? remoteAddr.hostname : formatListen(addr);
}

function createContext(options: ProxyOptions, gate: FairnessGate, signal: SharedSignal): ClientContext {
  const { settings, endpoint, udp, logins, log, counters } = options;
  const capacity = options.capacity ?? ofLimits(settings);
  const halfClosed = new HalfClosedStreams();
  const evict = (): boolean => halfClosed.endMostSilent();
  const router = options.identity.router ?? new RouterKind(endpoint, signal);
  const identities = new IdentityPool(options.identity, { settings, endpoint, udp, router, log, counters, evict });
  return {
    settings,
    admission: new Admission(capacity, settings.limits, halfClosed),
    commands: new Set([
      ...(settings.bind ? [BIND] : []),
      ...(udp === undefined ? [] : [UDP_ASSOCIATE]),
      ...(settings.mapNames === undefined ? [] : RESOLVE_COMMANDS),
    ]),
    logins: logins && new LoginGuard(logins),
    loginOffers: new LoginOffers(options.userName, log),
    hosts: options.hosts,
    names: settings.mapNames && new NameMap(settings.mapNames),
    identities,
    datagrams: udp && new DatagramPool({ settings, endpoint, udp, router, log, counters, identities }),
    endpoint,
    router,
    warm: new WarmSockets(endpoint, capacity.warm),
    leaks: options.leaks,
    pool: new BufferPool(),
    keepLimit: options.keepLimit,
    gate,
    silence: new SilenceWatch(log, counters.counter("bytes-received")),
    halfClosed,
    log,
    counters,
    gauges: { streams: 0, waiting: 0, kept: { value: 0 } },
    outcomes: options.outcomes,
    audit: options.audit,
    ending: new SharedSignal(),
    signal,
  };
}

/** What the limits of an application promise. */
function ofLimits({ limits: { connections }, forward }: ApplicationSettings): Capacity {
  return { connections, inbound: forward?.maxInbound ?? 0, surplus: MAX_SURPLUS, warm: MAX_WARM, isShort: false };
}

/** Begins to wait for callers of the base identity, where they are brought somewhere. */
function createForwarder(
  { settings, identity, capacity }: ProxyOptions,
  context: ClientContext,
): Forwarder | undefined {
  return settings.forward && new Forwarder({
    settings: { ...settings.forward, maxInbound: capacity?.inbound ?? settings.forward.maxInbound },
    endpoint: context.endpoint,
    identity,
    callers: settings.policy.callers,
    pool: context.pool,
    keepLimit: context.keepLimit,
    keptBytes: context.gauges.kept,
    gate: context.gate,
    halfClosed: context.halfClosed,
    log: context.log,
    counters: context.counters,
  });
}
