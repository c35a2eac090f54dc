import { converse, type Host, type Intercept } from "./client.ts";
import { DatagramPort } from "./datagrams.ts";
import { i2pd2451, i2pd258 } from "./i2pd.ts";
import { java0947, java28 } from "./java.ts";
import { type Keys, makeKeys, readDestination } from "./keys.ts";
import { Network } from "./network.ts";
import type { Login, Manners, Router } from "./router.ts";
import { type SamSocket, Wire } from "./wire.ts";

export type { Intercept, Login, Manners, SamSocket };
export { ROUTERS } from "./router.ts";
export { type PublishedService, publishService, type PublishServiceOptions } from "./service.ts";

/** How a SAM bridge behaves. */
export interface SamBridgeOptions {
  /**
   * The router whose behaviour to imitate, with its version: `"java 0.9.47"`.
   *
   * @default "i2pd", which is "i2pd 2.58", as "java" is "java 2.8"
   */
  manners?: Manners;
  /**
   * Port on 127.0.0.1; 0 is any that is free.
   *
   * @default 0
   */
  port?: number;
  /** The address book: destinations in I2P base64 by name. A destination need not have a session. */
  names?: Record<string, string>;
  /** What HELLO must carry, as with `sam.auth=true`. Only with `java`: i2pd has no such thing. */
  login?: Login;
  /**
   * Milliseconds from `SESSION CREATE` to its answer, as if tunnels were built.
   *
   * @default 0
   */
  sessionDelay?: number;
  /**
   * Milliseconds that a stream waits for a peer that does not accept. With `java` CANT_REACH_PEER follows; i2pd has said
   * OK by then, and the stream ends.
   *
   * @default 300
   */
  silentPeerTimeout?: number;
  /**
   * Milliseconds of silence after which `java` sends PING, on sockets of version 3.2 and up; after as many again
   * without its PONG, the socket is closed.
   *
   * @default 180_000
   */
  pingInterval?: number;
  /**
   * Whether a client that does not read when its peer closes gets one buffer more of what waits for it, and neither the
   * rest nor an end, as with i2pd 2.45.1 and 2.58. A machine that is slow enough looks like such a client.
   *
   * @default false
   */
  losesEnds?: boolean;
  /**
   * Milliseconds from the end of a session to the end of its destination, as with i2pd 2.58: another session that has been
   * made on it by then stays open, and finds no lease set any more.
   *
   * @default 0
   */
  releaseDelay?: number;
  /**
   * Sees each line before the bridge does, HELLO included. `true`: the hook has dealt with it, and the bridge goes on
   * to the next line (a socket whose HELLO was dealt with counts as greeted, in version 3.1). What the hook throws is
   * thrown by {@linkcode SamBridge.close}.
   */
  intercept?: Intercept;
  /**
   * Whether {@linkcode SamBridge.lines} are kept. Not where a bridge runs for long and its memory is looked at.
   *
   * @default true
   */
  keepLines?: boolean;
  /**
   * Whether it has a UDP port, and sessions of datagrams. Those without PORT get none.
   *
   * @default false
   */
  udp?: boolean;
  /**
   * Kinds of datagrams that it has besides `DATAGRAM`, as later versions of both routers do.
   *
   * @default {[]}
   */
  laterStyles?: readonly string[];
  /**
   * Its UDP port, with `udp`; 0 is any that is free.
   *
   * @default 0
   */
  udpPort?: number;
}

/** Sees a connection before its first line. `true`: the hook has dealt with it, and the bridge only waits for its end. */
export type Accept = (socket: SamSocket) => boolean | Promise<boolean>;

/** Which sessions {@linkcode SamBridge.dropSessions} ends, and how. */
export interface DropOptions {
  /**
   * What their IDs begin with.
   *
   * @default ""
   */
  prefix?: string;
  /**
   * Whether the sockets of their streams are left open, as a router does that is slow to tidy up.
   *
   * @default false
   */
  keepStreams?: boolean;
}

/** A session as tests see it. */
export interface SamSession {
  readonly id: string;
  readonly style: string;
  readonly b32: string;
  /** All pairs of `SESSION CREATE` but STYLE, ID and DESTINATION. */
  readonly options: Record<string, string>;
}

/** A running SAM bridge. */
export interface SamBridge extends AsyncDisposable {
  readonly port: number;
  /** How many destinations are about to end, with `releaseDelay`. */
  readonly releases: number;
  /** UDP port for datagrams; 0 without the option `udp`. */
  readonly udpPort: number;
  /** Every command line received, in order, from all sockets; none with `keepLines: false`. */
  readonly lines: readonly string[];
  /** Clients' sockets that this side has not closed yet. */
  readonly openSockets: number;
  /** Of these, those that have said HELLO to the bridge, and nothing since. */
  readonly idleSockets: number;
  /** Sessions that are ready, oldest first; none that is within another one. */
  readonly sessions: readonly SamSession[];
  /** Puts a destination in I2P base64 into the address book. */
  setName(name: string, destination: string): void;
  /** The hook for connections; may be changed at any time, for those that come later. */
  accept: Accept;
  /** The hook for lines; may be changed at any time, for those that come later. */
  intercept: Intercept;
  /** Ends sessions with their control sockets and their streams, as a router that restarts does. Listens on. */
  dropSessions(options?: DropOptions): void;
  /**
   * Ends what sessions carry, but neither their names nor their control sockets, as Java I2P does where one is closed
   * beneath SAM. Their streams are then told, and with 2.8 the control socket too.
   */
  stopSessions(options?: Pick<DropOptions, "prefix">): void;
  /** Lets nobody connect any more, as soon as it resolves; who is connected stays. */
  stopListening(): Promise<void>;
  /** Listens again, at the same port. */
  listen(): void;
  /** Ends listener and sockets; resolves when nothing of the bridge is left. Rejects with what a hook threw. */
  close(): Promise<void>;
}

const MANNERS: Record<Manners, Router> = {
  "i2pd": i2pd258,
  "i2pd 2.45.1": i2pd2451,
  "i2pd 2.58": i2pd258,
  "java": java28,
  "java 0.9.47": java0947,
  "java 2.8": java28,
};

/** Pause (ms) after an accept that failed: clients that reset are nothing, but a lack of file descriptors lasts. */
const ACCEPT_PAUSE = 5;

/**
 * Starts a SAM v3 bridge on loopback, in this process. Its sessions reach each other, and nothing else: there is no I2P
 * behind it. It is as strict and as odd as the router it imitates; where a quirk could not be seen on a client's
 * socket, it is left out. STYLE is STREAM, or with `udp` DATAGRAM; Java I2P has PRIMARY too.
 */
export function startSamBridge(options: SamBridgeOptions = {}): Promise<SamBridge> {
  return Promise.resolve().then(() => new Bridge(options));
}

class Bridge implements SamBridge, Host {
  readonly router: Router;
  readonly network: Network;
  readonly lines: string[] = [];
  readonly login: Login | undefined;
  readonly sessionDelay: number;
  readonly silentPeerTimeout: number;
  readonly pingInterval: number;
  readonly losesEnds: boolean;
  readonly styles: readonly string[];
  accept: Accept = () => false;
  intercept: Intercept;
  readonly port: number;
  #listener: Deno.TcpListener | undefined;
  #accepting: Promise<void> = Promise.resolve();
  readonly #clients = new Set<Wire>();
  readonly #forwarded = new Set<Wire>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];
  readonly #keepLines: boolean;
  readonly #datagrams: DatagramPort | undefined;
  #shared: Promise<Keys> | undefined;
  #closed = false;

  constructor(options: SamBridgeOptions) {
    this.router = MANNERS[options.manners ?? "i2pd"];
    this.network = new Network(options.releaseDelay);
    this.login = options.login;
    this.sessionDelay = options.sessionDelay ?? 0;
    this.silentPeerTimeout = options.silentPeerTimeout ?? 300;
    this.pingInterval = options.pingInterval ?? 180_000;
    this.losesEnds = options.losesEnds ?? false;
    this.intercept = options.intercept ?? (() => false);
    this.#keepLines = options.keepLines ?? true;
    for (const [name, destination] of Object.entries(options.names ?? {})) this.setName(name, destination);
    this.port = this.#bind(options.port ?? 0);
    const { udp = false, udpPort = 0, laterStyles = [] } = options;
    this.styles = udp ? ["DATAGRAM", ...laterStyles] : [];
    this.#datagrams = udp ? new DatagramPort(this.router, this.network, udpPort) : undefined;
  }

  get udpPort(): number {
    return this.#datagrams?.port ?? 0;
  }

  get releases(): number {
    return this.network.releases;
  }

  get openSockets(): number {
    return this.#clients.size;
  }

  get idleSockets(): number {
    return [...this.#clients].filter(({ isIdle }) => isIdle).length;
  }

  get sessions(): readonly SamSession[] {
    return [...this.network.sessions.values()].flatMap(({ id, style, options, destination, within }) =>
      destination && !within ? [{ id, style, b32: destination.keys.b32, options }] : []
    );
  }

  setName(name: string, destination: string): void {
    if (!readDestination(destination)) {
      throw new TypeError(`Cannot put "${name}" into the address book: "${destination}" is no destination`);
    }
    this.network.names.set(this.router.bookName(name), destination);
  }

  dropSessions({ prefix = "", keepStreams = false }: DropOptions = {}): void {
    const dropped = [...this.network.sessions.values()].filter(({ id }) => id.startsWith(prefix));
    if (keepStreams) dropped.forEach(({ sockets }) => sockets.clear());
    for (const session of dropped) {
      this.network.end(session);
      session.control.close();
    }
  }

  stopSessions({ prefix = "" }: Pick<DropOptions, "prefix"> = {}): void {
    const stopped = [...this.network.sessions.values()].filter(({ id }) => id.startsWith(prefix));
    for (const session of stopped) this.network.stop(session);
  }

  async stopListening(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    await this.#accepting;
  }

  listen(): void {
    if (this.#listener === undefined && !this.#closed) this.#bind(this.port);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.stopListening();
    for (const wire of [...this.#clients, ...this.#forwarded]) wire.close();
    await Promise.all(this.#tasks);
    this.network.close();
    await this.#datagrams?.close();
    const [failure] = this.#failures.splice(0);
    if (failure !== undefined) throw failure;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  sharedDestination(): Promise<Keys> {
    return this.#shared ??= makeKeys(7);
  }

  note(line: string): void {
    if (this.#keepLines) this.lines.push(line);
  }

  adopt(conn: Deno.TcpConn): Wire {
    return this.#wrap(conn, this.#forwarded);
  }

  /** Listens at a port, and says which one it is. */
  #bind(port: number): number {
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#listener = listener;
    this.#accepting = this.#acceptAll(listener);
    return listener.addr.port;
  }

  async #acceptAll(listener: Deno.TcpListener): Promise<void> {
    while (this.#listener === listener) {
      try {
        const wire = this.#wrap(await listener.accept(), this.#clients);
        this.#track(converse(this, wire));
      } catch {
        if (this.#listener === listener) await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE));
      }
    }
  }

  #wrap(conn: Deno.TcpConn, wires: Set<Wire>): Wire {
    const wire = new Wire(conn);
    wires.add(wire);
    wire.closed.then(() => wires.delete(wire));
    if (this.#closed) wire.close();
    return wire;
  }

  /** Remembers a task, for {@linkcode close} to wait for. */
  #track(task: Promise<void>): void {
    const tracked = task.catch((error) => void this.#failures.push(error)).finally(() => this.#tasks.delete(tracked));
    this.#tasks.add(tracked);
  }
}
