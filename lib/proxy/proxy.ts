import { errorText } from "../io/error_text.ts";
import type { LoginBook } from "../config/login_book.ts";
import type { AddressRange } from "../config/address_range.ts";
import type { CallerRules, ForwardSettings } from "../config/forward.ts";
import type { Hosts } from "../config/hosts.ts";
import type { IsolationFlag } from "../config/choices.ts";
import type { AuditBook } from "../report/audit_book.ts";
import type { Counters } from "../report/counters.ts";
import type { Log } from "../report/log.ts";
import { closeQuietly, isExhaustion } from "../io/conn.ts";
import { SharedSignal } from "../io/signal.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { WarmSockets } from "../sam/warm_sockets.ts";
import { UDP_ASSOCIATE } from "../socks/datagram.ts";
import { RESOLVE_COMMANDS } from "../socks/resolve.ts";
import { BIND } from "../socks/wire.ts";
import { BufferPool } from "../relay/buffer_pool.ts";
import { type ClientContext, type ClientTimeouts, serveClient } from "./client.ts";
import { EventLoopGate } from "../relay/event_loop_gate.ts";
import { Refusal } from "../reasons/refusal.ts";
import { isAwaited } from "./bind.ts";
import { DatagramPool } from "./datagram_pool.ts";
import { HalfClosedStreams } from "../relay/half_closed.ts";
import type { Identity } from "../identity/identity.ts";
import { Inbound } from "./forward.ts";
import type { PooledStatus } from "../identity/identity_groups.ts";
import { IdentityPool } from "../identity/identity_pool.ts";
import type { LeakWatch } from "./leak_watch.ts";
import { acceptAll } from "../io/accept.ts";
import { LoginGuard } from "./login_guard.ts";
import { NameMap } from "./name_map.ts";
import type { DestinationRules } from "./policy.ts";
import type { UdpOptions } from "../identity/primary_support.ts";

/** What a proxy is made of. */
export interface ProxyOptions {
  /** Bound to loopback. The proxy closes them. */
  listeners: readonly Deno.TcpListener[];
  /** The router's SAM bridge. */
  endpoint: SamEndpoint;
  /** The base identity: of the clients that nothing sets apart. The caller opens and closes it. */
  identity: Identity;
  /** What sets clients apart from each other. */
  isolation: ReadonlySet<IsolationFlag>;
  /** I2CP and streaming options of the sessions of isolation groups. */
  sessionOptions: Readonly<Record<string, string>>;
  /** Most identities of isolation groups at once. */
  maxIdentities: number;
  /** Milliseconds without a client after which a group's identity is closed; 0 is never. */
  identityIdle: number;
  /** Logins that may connect; everybody may where undefined. */
  logins: LoginBook | undefined;
  /** Where clients may go. */
  rules: DestinationRules;
  /** Host names of the user's own, asked before the router. */
  hosts: Hosts;
  /** Watches what the application gives away. */
  leaks: LeakWatch;
  /** Time limits of clients. */
  timeouts: ClientTimeouts;
  /** Clients served at once. */
  maxConnections: number;
  /** Clients of one IP address served at once. */
  maxPerClient: number;
  /** Whether SOCKS5 replies use the extended codes of Tor's proposal 304. */
  extendedErrors: boolean;
  /** Addresses that stand for names, for clients that ask for them. @default {none} */
  mapNames?: AddressRange | undefined;
  /** Takes the story. */
  log: Log;
  /** Takes the counts. */
  counters: Counters;
  /** Takes note of destinations, where an audit is under way. */
  audit?: AuditBook | undefined;
  /** How datagrams go; without it there are no associations. */
  udp?: UdpOptions | undefined;
  /** SOCKS commands that are served besides CONNECT. @default {none} */
  commands?: ReadonlySet<number> | undefined;
  /** Brings callers of the base identity to local services. @default {nobody is waited for} */
  forward?: ForwardSettings | undefined;
  /** Who may call. @default {everybody} */
  callers?: CallerRules | undefined;
}

/**
 * Clients above the limit that are still heard, so that they can be told. Any further ones are closed at once.
 */
export const MAX_SURPLUS = 64;

/** SOCKS on some listeners: one application. */
export class Proxy implements AsyncDisposable {
  readonly #options: ProxyOptions;
  readonly #identities: IdentityPool;
  readonly #datagrams: DatagramPool | undefined;
  readonly #gate: EventLoopGate;
  readonly #warm: WarmSockets;
  readonly #halfClosed = new HalfClosedStreams();
  readonly #streams = { open: 0 };
  readonly #stop = new SharedSignal();
  readonly #clients = new Set<Promise<void>>();
  /** Number of clients by their IP address. */
  readonly #perAddress = new Map<string, number>();
  /** What all clients share. */
  readonly #context: ClientContext;
  readonly #accepting: Promise<unknown>;
  readonly #inbound: Inbound | undefined;
  #serial = 0;

  private constructor(options: ProxyOptions, gate: EventLoopGate) {
    this.#options = options;
    this.#gate = gate;
    this.#warm = new WarmSockets(options.endpoint);
    this.#identities = new IdentityPool(options.identity, options);
    const { udp } = options;
    this.#datagrams = udp && new DatagramPool({
      ...options,
      udp,
      identities: this.#identities,
      halfClosed: this.#halfClosed,
    });
    this.#context = {
      ...options,
      datagrams: this.#datagrams,
      identities: this.#identities,
      logins: options.logins && new LoginGuard(options.logins),
      pool: new BufferPool(),
      warm: this.#warm,
      gate,
      signal: this.#stop,
      halfClosed: this.#halfClosed,
      names: options.mapNames && new NameMap(options.mapNames),
      commands: new Set([
        ...(options.commands ?? []),
        ...(udp === undefined ? [] : [UDP_ASSOCIATE]),
        ...(options.mapNames === undefined ? [] : RESOLVE_COMMANDS),
      ]),
      streams: this.#streams,
      claimPlace: (address) => this.#claimPlace(address),
      isForwarding: options.forward !== undefined,
    };
    this.#inbound = options.forward && new Inbound({
      ...options.forward,
      endpoint: options.endpoint,
      identity: options.identity,
      callers: options.callers ?? { allow: [], deny: [] },
      idleTimeout: options.timeouts.idle,
      resources: this.#context,
      log: options.log,
      counters: options.counters,
    });
    this.#accepting = Promise.all(options.listeners.map((listener) =>
      acceptAll(
        listener,
        (conn) => this.#serve(conn),
        (error) => this.#acceptFailed(error),
        () => gate.turn(),
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
    return new Proxy(options, await EventLoopGate.open());
  }

  /** Clients that are connected now. */
  get connections(): number {
    return this.#clients.size;
  }

  /** Callers from I2P that are served now; undefined where nobody is waited for. */
  get callers(): number | undefined {
    return this.#inbound?.streams;
  }

  /** Clients that wait for a caller now; undefined where BIND is switched off. */
  get waiting(): number | undefined {
    const { commands, counters } = this.#options;
    if (commands?.has(BIND) !== true) return undefined;
    return this.identities.filter(({ session }) => isAwaited(session, counters)).length;
  }

  /** Streams that are open now. */
  get streams(): number {
    return this.#streams.open;
  }

  /** UDP associations that are open now; undefined where UDP is switched off. */
  get associations(): number | undefined {
    return this.#datagrams?.associations;
  }

  /** How the identities fare: the base identity first, then those of isolation groups. */
  get identities(): PooledStatus[] {
    return this.#identities.statuses;
  }

  /** How the identities for datagrams fare; undefined where UDP is switched off. */
  get datagramIdentities(): PooledStatus[] | undefined {
    return this.#datagrams?.statuses;
  }

  /** Accepts no more clients. When it resolves, the ports are free again. */
  async stopListening(): Promise<void> {
    this.#options.listeners.forEach(closeQuietly);
    await this.#inbound?.stopAccepting();
    await this.#accepting;
  }

  /** Accepts no more clients, and waits until all have ended or the time, in milliseconds, is over. */
  async drain(milliseconds: number): Promise<void> {
    const stopped = this.stopListening();
    this.#halfClosed.hurry();
    this.#datagrams?.ending.abort(new Refusal("stopping"));
    const { promise: timeIsOver, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, milliseconds);
    await Promise.race([timeIsOver, stopped.then(() => Promise.all([...this.#clients, this.#inbound?.ended()]))]);
    clearTimeout(timer);
  }

  /** Ends everything at once, and resolves when it has ended. */
  async close(): Promise<void> {
    const stopped = this.stopListening();
    this.#stop.abort(new Refusal("stopping"));
    await Promise.all([this.#identities.close(), this.#datagrams?.close(), this.#inbound?.close()]);
    await stopped;
    await Promise.all(this.#clients);
    await this.#warm.close();
    this.#gate.close();
  }

  /** {@linkcode Proxy.close} */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A client that resets before it is accepted is no news; where descriptors are short, those in vain are given up. */
  #acceptFailed(error: unknown): void {
    const { log } = this.#options;
    if (isExhaustion(error)) {
      this.#warm.clear();
      this.#halfClosed.endMostSilent();
    }
    log[isExhaustion(error) ? "warn" : "debug"](`Cannot accept a client: ${errorText(error)}`);
  }

  #serve(conn: Deno.TcpConn): void {
    const { maxConnections, counters } = this.#options;
    counters.add("accepted");
    if (this.#clients.size >= maxConnections + MAX_SURPLUS) {
      counters.add("refused-too-many");
      closeQuietly(conn);
      return;
    }
    const address = conn.remoteAddr.hostname;
    this.#count(address, 1);
    const served = serveClient(conn, ++this.#serial, this.#context).finally(() => {
      this.#clients.delete(served);
      this.#count(address, -1);
    });
    this.#clients.add(served);
  }

  /**
   * Makes sure that a client is not one too many; if it is, one that is most likely gone makes room: one of the same
   * address where that has too many, which makes room among all clients as well.
   *
   * @throws {Refusal} `too-many` or `too-many-per-client` if nobody does.
   */
  #claimPlace(address: string): void {
    const { maxConnections, maxPerClient } = this.#options;
    if ((this.#perAddress.get(address) ?? 0) > maxPerClient) {
      if (!this.#halfClosed.endMostSilent(address)) throw new Refusal("too-many-per-client");
    } else if (this.#clients.size > maxConnections) {
      if (!this.#halfClosed.endMostSilent()) throw new Refusal("too-many");
    }
  }

  #count(address: string, by: number): void {
    const count = (this.#perAddress.get(address) ?? 0) + by;
    if (count === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, count);
  }
}
