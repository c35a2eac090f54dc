import type { Signal } from "../io/signal.ts";
import { encodeI2pBase64 } from "../i2p/base64.ts";
import { b32Address } from "../i2p/destination.ts";
import { DatagramSocket } from "../io/datagrams.ts";
import type { Counters } from "../report/counters.ts";
import { formatSamDatagram, parseSamDatagram, readSender } from "../sam/datagrams.ts";
import type { SamSession } from "../sam/session.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import type { DropBook } from "./datagram_drops.ts";
import { DestinationCache, type Peer } from "./destination_cache.ts";
import { Identity, type IdentityOptions } from "./identity.ts";

/** Datagrams that are sent before the log says that none has come: a wrong UDP port of the bridge swallows them all. */
const UNANSWERED = 20;

/** What takes the datagrams that come in for one client. */
export interface DatagramTaker {
  /** A number that grows with every datagram sent: of the last one to a peer; undefined if there was none. */
  lastSent(b32: string): number | undefined;
  /** Takes a datagram; `fromPort` is undefined where the router does not tell. */
  take(b32: string, fromPort: number | undefined, payload: Uint8Array): Promise<void>;
}

/** What a {@linkcode DatagramIdentity} is made of. */
export interface DatagramIdentityOptions extends Pick<IdentityOptions, "sessionOptions" | "log" | "onLost"> {
  /** The SAM bridge. */
  endpoint: SamEndpoint;
  /** UDP port of the bridge, at the same host. */
  udpPort: number;
  /** Takes note of what is dropped. */
  drops: DropBook;
  /** Takes the counts. */
  counters: Counters;
}

/**
 * A destination for datagrams: its session, kept alive as that of streams is, and the UDP port of ours to which the bridge
 * forwards what comes in. Clients share it as their streams would share one.
 */
export class DatagramIdentity {
  /** The destinations behind names. */
  readonly names: DestinationCache;
  readonly #options: DatagramIdentityOptions;
  readonly #socket: DatagramSocket;
  readonly #identity: Identity;
  readonly #takers = new Set<DatagramTaker>();
  #sent = 0;
  #unanswered = 0;
  /** The last sender: most datagrams come from one that was heard a moment ago. */
  #known: { from: string; b32: string } | undefined;

  /** Binds its port; {@linkcode open} brings the session up. */
  constructor(options: DatagramIdentityOptions) {
    const { endpoint, sessionOptions, log, onLost } = options;
    const { hostname } = endpoint;
    this.#options = options;
    this.names = new DestinationCache(endpoint);
    this.#socket = new DatagramSocket(hostname, (bytes, from) => this.#receive(bytes, from));
    this.#identity = new Identity({
      endpoint,
      sessionOptions,
      log,
      ...(onLost && { onLost }),
      holdsClients: true,
      datagramsTo: { hostname, port: this.#socket.port },
    });
  }

  /** {@linkcode Identity.open} */
  open(): Promise<SamSession> {
    return this.#identity.open();
  }

  /** {@linkcode Identity.session} */
  session(signal: Signal): Promise<SamSession> {
    return this.#identity.session(signal);
  }

  /** Whether datagrams can be sent now. */
  get isReady(): boolean {
    return this.#identity.status.session !== undefined;
  }

  /** Has somebody take datagrams from now on. */
  join(taker: DatagramTaker): void {
    this.#takers.add(taker);
  }

  /** Takes that back. */
  leave(taker: DatagramTaker): void {
    this.#takers.delete(taker);
  }

  /** A number for the next datagram, above all before it. */
  nextNumber(): number {
    return ++this.#sent;
  }

  /** Sends a datagram, or drops it. */
  async send({ destination }: Peer, payload: Uint8Array): Promise<void> {
    const { drops, endpoint: { hostname }, udpPort, counters } = this.#options;
    const { session } = this.#identity.status;
    if (session === undefined) return drops.add("not-ready");
    const bytes = formatSamDatagram(session.id, destination, payload);
    if (!await this.#socket.send(bytes, { hostname, port: udpPort })) return drops.add("not-sent");
    counters.add("udp-sent");
    if (++this.#unanswered === UNANSWERED) this.#tellSilence();
    counters.add("bytes-sent", payload.length);
  }

  /** Ends the session and everything else. */
  async close(): Promise<void> {
    await Promise.all([this.#socket.close(), this.#identity.close(), this.names.close()]);
  }

  async #receive(bytes: Uint8Array, { hostname, port }: Deno.NetAddr): Promise<void> {
    const { endpoint, udpPort, drops } = this.#options;
    // Any program of this machine can send to our port; only the bridge can send from its own.
    if (hostname !== endpoint.hostname || port !== udpPort) return drops.add("not-sam");
    const datagram = parseSamDatagram(bytes);
    const b32 = datagram && await this.#recognise(datagram.from);
    if (datagram === undefined || b32 === undefined) return drops.add("not-sam");
    this.#unanswered = -Infinity;
    const taker = this.#takerOf(b32);
    if (taker === undefined) return drops.add("unclaimed");
    await taker.take(b32, datagram.fromPort, datagram.payload);
  }

  #tellSilence(): void {
    this.#options.log.info(`${UNANSWERED} datagrams were sent, and none has come`, {
      hint: "Where answers are expected: is --sam-udp the UDP port of the bridge? i2pd's may be its TCP port - 1",
    });
  }

  /** The address of a sender, who can be answered from now on; undefined if it is none. */
  async #recognise(from: string): Promise<string | undefined> {
    if (this.#known?.from === from) return this.#known.b32;
    const destination = readSender(from);
    if (destination === undefined) return undefined;
    const b32 = await b32Address(destination);
    this.names.learn({ destination: encodeI2pBase64(destination), b32 });
    this.#known = { from, b32 };
    return b32;
  }

  /** Who has sent to a peer last; the only client, where nobody has. */
  #takerOf(b32: string): DatagramTaker | undefined {
    let [last, at]: [DatagramTaker | undefined, number] = [undefined, -1];
    for (const taker of this.#takers) {
      const sent = taker.lastSent(b32);
      if (sent !== undefined && sent > at) [last, at] = [taker, sent];
    }
    return last ?? (this.#takers.size === 1 ? [...this.#takers][0] : undefined);
  }
}
