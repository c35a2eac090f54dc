import { SharedSignal } from "../io/signal.ts";
import { encodeI2pBase64 } from "../i2p/base64.ts";
import { b32Address } from "../i2p/destination.ts";
import { DatagramSocket } from "../io/datagrams.ts";
import type { Log } from "../report/log.ts";
import {
  type DatagramTarget,
  formatSamDatagram,
  parseSamDatagram,
  readSender,
  readSenderHash,
} from "../sam/datagrams.ts";
import type { SamSession } from "../sam/session.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { Refusal } from "../reasons/refusal.ts";
import type { DropBook, DropReason } from "../reasons/datagram_drops.ts";
import { DestinationCache, type Peer } from "./destination_cache.ts";
import type { UdpOptions } from "./primary_support.ts";
import type { SiteCount } from "./site_count.ts";

/** Datagrams that are sent before the log says that none has come: a wrong UDP port of the bridge swallows them all. */
const UNANSWERED = 20;

/** Receives the datagrams that arrive for one client. */
export interface DatagramTaker {
  /** Takes note of what is dropped of its application. */
  readonly drops: DropBook;
  /** A number that grows with every datagram sent: of the last one to a peer; undefined if there was none. */
  lastSent(b32: string): number | undefined;
  /** Takes a datagram; `fromPort` is undefined if the router does not say. */
  take(b32: string, fromPort: number | undefined, payload: Uint8Array): Promise<void>;
}

interface DatagramPortOptions {
  endpoint: SamEndpoint;
  /** Its UDP port, and the kind of datagrams. */
  udp: UdpOptions;
  /** The session whose datagrams they are, if there is one just now. */
  session: () => SamSession | undefined;
  /** Takes the sites that datagrams go to. */
  sites: Pick<SiteCount, "add">;
  log: Log;
}

/**
 * The UDP port of ours through which the datagrams of an identity pass: over it the bridge is given what goes out, and to it
 * sends what comes in, whatever session the identity has. Clients share it as their streams would share a destination.
 */
export class DatagramPort {
  /** The destinations behind names. */
  readonly names: DestinationCache;
  /** Aborted when the identity stops carrying datagrams. */
  readonly ended: SharedSignal = new SharedSignal();
  readonly #options: DatagramPortOptions;
  readonly #socket: DatagramSocket;
  readonly #takers = new Set<DatagramTaker>();
  #sent = 0;
  #unanswered = 0;
  /** The last sender: most datagrams come from one that was heard a moment ago. */
  #known: { from: string; peer: Peer } | undefined;

  /** Binds any free port. */
  constructor(options: DatagramPortOptions) {
    this.#options = options;
    this.names = new DestinationCache(options.endpoint);
    this.#socket = new DatagramSocket(options.endpoint.hostname, (bytes, from) => this.#receive(bytes, from));
  }

  /** Where a session is to send its datagrams. */
  get target(): DatagramTarget {
    const { endpoint: { hostname }, udp: { style } } = this.#options;
    return { hostname, port: this.#socket.port, style };
  }

  /** Whether datagrams can be sent now. */
  get isReady(): boolean {
    return this.#options.session()?.datagramId !== undefined;
  }

  /** Has somebody take datagrams from now on. */
  join(taker: DatagramTaker): void {
    this.#takers.add(taker);
  }

  leave(taker: DatagramTaker): void {
    this.#takers.delete(taker);
  }

  /** Takes note of a site that has seen the identity. */
  visit(host: string): void {
    this.#options.sites.add(host);
  }

  /** A number for the next datagram, above all before it. */
  nextNumber(): number {
    return ++this.#sent;
  }

  /** Sends a datagram, or says why it is dropped. */
  async send({ destination }: Peer, payload: Uint8Array): Promise<DropReason | undefined> {
    const { endpoint: { hostname }, udp: { port }, session } = this.#options;
    const id = session()?.datagramId;
    if (id === undefined) return "not-ready";
    if (!await this.#socket.send(formatSamDatagram(id, destination, payload), { hostname, port })) return "not-sent";
    if (++this.#unanswered === UNANSWERED) this.#logSilence();
    return undefined;
  }

  /** Ends it, and those who use it. */
  async close(): Promise<void> {
    this.ended.abort(new Refusal("stopping"));
    await Promise.all([this.#socket.close(), this.names.close()]);
  }

  async #receive(bytes: Uint8Array, { hostname, port }: Deno.NetAddr): Promise<void> {
    const { endpoint, udp } = this.#options;
    // Any program of this machine can send to our port; only the bridge can send from its own.
    if (hostname !== endpoint.hostname || port !== udp.port) return this.#drop("not-sam");
    const datagram = parseSamDatagram(bytes);
    const b32 = datagram && await this.#recognise(datagram.from);
    if (datagram === undefined || b32 === undefined) return this.#drop("not-sam");
    this.#unanswered = -Infinity;
    const taker = this.#takerOf(b32);
    if (taker === undefined) return this.#drop("unclaimed");
    await taker.take(b32, datagram.fromPort, datagram.payload);
  }

  /** Takes note of what nobody gets, once for each application whose clients may miss it. */
  #drop(reason: DropReason): void {
    const books = new Set([...this.#takers].map(({ drops }) => drops));
    books.forEach((book) => book.add(reason));
  }

  #logSilence(): void {
    this.#options.log.info(`${UNANSWERED} datagrams were sent, and none has come`, {
      hint: "Where answers are expected: is --sam-udp the UDP port of the bridge? i2pd's may be its TCP port - 1",
    });
  }

  /** The address of a sender; undefined if it is none. One that names its destination can be answered from now on. */
  async #recognise(from: string): Promise<string | undefined> {
    if (this.#options.udp.style === "DATAGRAM3") return readSenderHash(from);
    const peer = this.#known?.from === from ? this.#known.peer : await peerOf(from);
    if (peer === undefined) return undefined;
    this.#known = { from, peer };
    // Each time, or it would be forgotten while it goes on: the router may not find one whose lease set is not published.
    this.names.learn(peer);
    return peer.b32;
  }

  /** The client that has sent to a peer last; if none has, the only one. */
  #takerOf(b32: string): DatagramTaker | undefined {
    let [last, at]: [DatagramTaker | undefined, number] = [undefined, -1];
    for (const taker of this.#takers) {
      const sent = taker.lastSent(b32);
      if (sent !== undefined && sent > at) [last, at] = [taker, sent];
    }
    return last ?? (this.#takers.size === 1 ? [...this.#takers][0] : undefined);
  }
}

/** What is known of a sender by its destination; undefined if it is none. */
async function peerOf(from: string): Promise<Peer | undefined> {
  const destination = readSender(from);
  if (destination === undefined) return undefined;
  return { destination: encodeI2pBase64(destination), b32: await b32Address(destination) };
}
