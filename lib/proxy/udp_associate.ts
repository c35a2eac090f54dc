import type { Hosts } from "../config/hosts.ts";
import type { IsolationFlag } from "../config/isolation_flag.ts";
import { type Address, parseAddress } from "../i2p/address.ts";
import { closeOnAbort, writeAll } from "../io/conn.ts";
import { DatagramSocket } from "../io/datagrams.ts";
import { Deadline } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import type { AuditBook } from "../report/audit_book.ts";
import type { Counters } from "../report/counters.ts";
import type { Log } from "../report/log.ts";
import { MAX_DATAGRAM } from "../sam/datagrams.ts";
import { encodeAssociated, encodeDatagram, parseDatagram, type SocksDatagram } from "../socks/datagram.ts";
import { SocksError, type SocksRequest } from "../socks/wire.ts";
import { Refusal } from "./answers.ts";
import type { DropBook, DropReason } from "./datagram_drops.ts";
import type { DatagramPool } from "./datagram_pool.ts";
import type { DatagramPort, DatagramTaker } from "./datagram_port.ts";
import type { Peer } from "./destination_cache.ts";
import { isolationGroup } from "./isolation.ts";
import type { LeakWatch } from "./leak_watch.ts";
import { checkTarget, type DestinationRules } from "./policy.ts";

/** Peers of an association that are remembered, to know the port that was meant. */
export const MAX_PEERS = 1024;

/** Datagrams of an association that wait for the router to look up where they go. */
export const MAX_WAITING = 64;

/** What an association needs of the proxy around it. */
export interface AssociateContext {
  /** The identities for datagrams; undefined where UDP is switched off. */
  datagrams?: DatagramPool | undefined;
  /** What tells clients apart. */
  isolation: ReadonlySet<IsolationFlag>;
  /** Where clients may go. */
  rules: DestinationRules;
  /** Host names of the user's own, asked before the router. */
  hosts: Hosts;
  /** Explains what a refused address says about the application. */
  leaks: LeakWatch;
  /** Time limits. */
  timeouts: { connect: number };
  /** Takes the story. */
  log: Log;
  /** Takes the counts. */
  counters: Counters;
  /** Takes note of destinations, where an audit is under way. */
  audit?: AuditBook | undefined;
  /** Ends the client at once; its reason is a {@linkcode Refusal}. */
  signal: Signal;
  /** Makes sure that a client of this IP address is not one too many; throws a {@linkcode Refusal} if it is. */
  claimPlace: (address: string) => void;
}

/**
 * Serves an association (RFC 1928 §4, UDP ASSOCIATE) until the client ends its TCP connection, which is left open.
 *
 * The reply is written when the session for datagrams stands.
 *
 * @throws whatever keeps the association from being granted; nothing after the reply.
 */
export async function serveAssociate(
  { conn, serial }: { conn: Deno.TcpConn; serial: number },
  request: SocksRequest,
  context: AssociateContext,
): Promise<void> {
  const { datagrams, isolation, signal, timeouts, log, counters, claimPlace } = context;
  if (datagrams === undefined || request.version !== 5) {
    throw new SocksError("command", "UDP ASSOCIATE is not supported", request.version);
  }
  const clientAddress = conn.remoteAddr.hostname;
  claimPlace(clientAddress);
  const { login } = request;
  const group = isolationGroup(isolation, { login, host: "", port: 0, clientAddress, serial });
  using deadline = new Deadline(timeouts.connect, signal);
  const ended = untilEnd(conn);
  ended.then(() => deadline.abort(new Refusal("client-closed")));
  using lease = await datagrams.lease(group, isolation.has("stream"), deadline.signal);
  const association = new Association(conn, request, lease.port, datagrams.drops, context);
  const unfollow = [signal, datagrams.ending, lease.port.ended].map((end) => closeOnAbort(conn, end));
  try {
    await association.grant(conn);
    counters.add("udp-associations");
    await ended;
    log.debug("Association ended");
  } finally {
    unfollow.forEach((stop) => stop());
    await association.close();
  }
}

/** Reads a connection to its end; what it says there means nothing (RFC 1928 has no words for it). */
async function untilEnd(conn: Deno.TcpConn): Promise<void> {
  const scratch = new Uint8Array(256);
  try {
    while (await conn.read(scratch) !== null);
  } catch {
    // Reset, or closed by this side.
  }
}

/** A relay for the datagrams of one client. */
class Association implements DatagramTaker {
  readonly #context: AssociateContext;
  readonly drops: DropBook;
  readonly #port: DatagramPort;
  readonly #socket: DatagramSocket;
  readonly #hostname: "127.0.0.1" | "::1";
  readonly #client: { hostname: string; port: number };
  /** The port that was meant, and the last datagram, by the address of a peer; the least recently used first. */
  readonly #peers = new Map<string, { port: number; number: number }>();
  #waiting = 0;
  #isClosed = false;

  constructor(
    conn: Deno.TcpConn,
    { port }: SocksRequest,
    through: DatagramPort,
    drops: DropBook,
    context: AssociateContext,
  ) {
    this.#context = context;
    this.drops = drops;
    this.#port = through;
    this.#hostname = conn.localAddr.hostname === "::1" ? "::1" : "127.0.0.1";
    // Port 0 is one that the client does not know yet (RFC 1928 §4). Which address it names does not matter: what comes
    // must come from where its connection comes from.
    this.#client = { hostname: conn.remoteAddr.hostname, port };
    this.#socket = new DatagramSocket(this.#hostname, (bytes, from) => this.#receive(bytes, from));
    through.join(this);
  }

  /** Tells the client where to send its datagrams. */
  async grant(conn: Deno.TcpConn): Promise<void> {
    try {
      await writeAll(conn, encodeAssociated(this.#hostname, this.#socket.port));
    } catch (error) {
      throw this.#context.signal.aborted ? this.#context.signal.reason : new Refusal("client-closed", undefined, error);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#port.leave(this);
    await this.#socket.close();
  }

  lastSent(b32: string): number | undefined {
    return this.#peers.get(b32)?.number;
  }

  async take(b32: string, fromPort: number | undefined, payload: Uint8Array): Promise<void> {
    const { counters } = this.#context;
    if (this.#client.port === 0) return this.#drop("unclaimed");
    // I2P's port 0 is none: then it is an answer of the port that was asked, as far as anybody knows.
    const port = fromPort || (this.#peers.get(b32)?.port ?? 0);
    if (!await this.#socket.send(encodeDatagram({ host: b32, port, payload }), this.#client)) {
      return this.#drop("not-sent");
    }
    counters.add("udp-received");
    counters.add("bytes-received", payload.length);
  }

  async #receive(bytes: Uint8Array, from: Deno.NetAddr): Promise<void> {
    const isClient = from.hostname === this.#client.hostname &&
      (this.#client.port === 0 || from.port === this.#client.port);
    if (!isClient) return this.#drop("foreign");
    const datagram = parseDatagram(bytes);
    if (datagram === undefined) return this.#drop("malformed");
    this.#client.port = from.port;
    const host = this.#judge(datagram);
    if (host === undefined) return;
    const peer = this.#port.names.get(host);
    if (peer === null) return this.#drop("name-unknown", datagram);
    if (peer !== undefined) return await this.#send(peer, datagram, datagram.payload);
    this.#resolve(host, datagram);
  }

  /** The host to ask for; undefined if the datagram was dropped. */
  #judge(datagram: SocksDatagram): string | undefined {
    const { rules, hosts } = this.#context;
    if (datagram.fragment !== 0) return void this.#drop("fragment", datagram);
    if (datagram.payload.length > MAX_DATAGRAM) return void this.#drop("too-large", datagram);
    const address: Address = parseAddress(datagram.host);
    try {
      checkTarget(address, datagram.port, rules);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#context.leaks.refused(error.reason);
      return void this.#drop(error.reason as DropReason, datagram);
    }
    return parseAddress(hosts.get(address.host) ?? address.host).host;
  }

  /** Sends a datagram once it is known where to; the client goes on meanwhile. */
  #resolve(host: string, datagram: SocksDatagram): void {
    if (this.#waiting >= MAX_WAITING || this.#port.names.isBusy(host)) {
      return this.#drop("too-many-lookups", datagram);
    }
    this.#waiting++;
    const payload = datagram.payload.slice();
    this.#port.names.resolve(host).then(async (peer) => {
      this.#waiting--;
      if (this.#isClosed) return;
      if (peer === undefined) this.#drop("name-unknown", datagram);
      else await this.#send(peer, datagram, payload);
    });
  }

  async #send(peer: Peer, { host, port }: SocksDatagram, payload: Uint8Array): Promise<void> {
    const isNew = !this.#peers.has(peer.b32);
    this.#peers.delete(peer.b32);
    this.#peers.set(peer.b32, { port, number: this.#port.nextNumber() });
    const [oldest] = this.#peers.keys();
    if (this.#peers.size > MAX_PEERS && oldest !== undefined) this.#peers.delete(oldest);
    if (isNew) this.#context.audit?.visit(`${host}:${port}`);
    const problem = await this.#port.send(peer, payload);
    if (problem !== undefined) return this.#drop(problem);
    this.#context.counters.add("udp-sent");
    this.#context.counters.add("bytes-sent", payload.length);
  }

  #drop(reason: DropReason, datagram?: SocksDatagram): void {
    this.drops.add(reason, datagram && `${datagram.host}:${datagram.port}`);
  }
}
