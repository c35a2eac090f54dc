import { ipBytes } from "../i2p/ip_address.ts";
import { closeOnAbort, writeAll } from "../io/conn.ts";
import { DatagramSocket } from "../io/datagrams.ts";
import { Deadline } from "../io/deadline.ts";
import { LruMap } from "../io/lru_map.ts";
import { MAX_DATAGRAM } from "../sam/datagrams.ts";
import {
  encodeAssociated,
  encodeDatagram,
  parseDatagram,
  type SocksDatagram,
  writtenAddress,
} from "../socks/datagram.ts";
import type { Handshake } from "../socks/handshake.ts";
import { SocksError, type SocksRequest } from "../socks/wire.ts";
import { Refusal } from "../reasons/refusal.ts";
import type { DropBook, DropReason } from "../reasons/datagram_drops.ts";
import type { DatagramPort, DatagramTaker } from "../identity/datagram_port.ts";
import type { Found, Peer } from "../identity/destination_cache.ts";
import { type Client, type ClientContext, groupOf } from "./context.ts";
import { MappingLeases } from "./mapping_leases.ts";
import { mappingGroup } from "../identity/isolation.ts";
import { checkDestination } from "./policy.ts";

/** Peers of an association that are remembered, to know the port that was meant. */
export const MAX_PEERS = 1024;

/** Datagrams of an association that wait for the router to look up where they go. */
export const MAX_WAITING = 64;

/**
 * Serves UDP ASSOCIATE (RFC 1928 §4) until the client ends its TCP connection, which is left open.
 *
 * The reply is written when the session for datagrams stands.
 *
 * @throws whatever keeps the association from being granted; nothing after the reply.
 */
export async function handleAssociate(client: Client, { request }: Handshake, context: ClientContext): Promise<void> {
  const { conn, clientAddress } = client;
  const { datagrams, settings, signal, log, counters, admission } = context;
  if (datagrams === undefined || request.version !== 5) {
    throw new SocksError("command", "UDP ASSOCIATE is not supported", request.version);
  }
  // Any user of this machine can send to a port; a socket in the file system may be for one alone.
  if (!("setNoDelay" in conn) || clientAddress !== relayAddress(conn)) throw new Refusal("client-address");
  await admission.claim(client, context.signal);
  using deadline = new Deadline(settings.timeouts.connect, signal);
  const ended = untilEnd(conn);
  ended.then(() => deadline.abort(new Refusal("client-closed")));
  const group = groupOf(client, { host: "", port: 0 }, settings);
  using lease = await datagrams.lease(group, deadline);
  const association = new Association(conn, clientAddress, request, lease.port, datagrams.drops, context);
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

/**
 * Where the relay of a client has its port. What runs this program lets it send to no other address of the machine, so a
 * client that connects from 127.0.0.2 would hear nothing.
 */
function relayAddress({ localAddr }: Deno.TcpConn): "127.0.0.1" | "::1" {
  return localAddr.hostname === "::1" ? "::1" : "127.0.0.1";
}

/**
 * The port that a client will send its datagrams from; 0 where the first one has to show it.
 *
 * RFC 1928 §4 wants the client's own address and port in the request, or zeros. Many clients name the peer that they are
 * about to ask, or 0.0.0.0 with its port: so a port counts only with the client's own address, or with 0.0.0.0 where it is
 * that of its connection. Datagrams must come from the address of that connection in any case.
 */
function portOf({ host, port }: SocksRequest, client: Deno.NetAddr): number {
  const named = ipBytes(host);
  if (named === undefined) return 0;
  const isUnspecified = named.every((byte) => byte === 0);
  const isOwn = isUnspecified ? port === client.port : named.join() === ipBytes(client.hostname)?.join();
  return isOwn ? port : 0;
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

/** Where a datagram goes. */
interface Target {
  /** The host, as the client may call it: no address that stands for a name. */
  readonly host: string;
  /** The port, which is not sent. */
  readonly port: number;
  /** The IP address by which the client knows the host, as it wrote it; undefined where it is a name. */
  readonly written: Uint8Array | undefined;
}

/** What is known of a peer to which something was sent. */
interface KnownPeer {
  /** The port that was meant. */
  readonly port: number;
  /** The number of the last datagram. */
  readonly number: number;
  /** {@linkcode Target.written} */
  readonly written: Uint8Array | undefined;
}

/** A relay for the datagrams of one client. */
class Association implements DatagramTaker {
  readonly #context: ClientContext;
  readonly drops: DropBook;
  readonly #port: DatagramPort;
  readonly #socket: DatagramSocket;
  readonly #hostname: "127.0.0.1" | "::1";
  readonly #client: { hostname: string; port: number };
  readonly #mapped: MappingLeases | undefined;
  /** By the address of a peer. */
  readonly #peers = new LruMap<string, KnownPeer>(MAX_PEERS);
  #waiting = 0;
  #isClosed = false;

  constructor(
    conn: Deno.TcpConn,
    clientAddress: string,
    request: SocksRequest,
    through: DatagramPort,
    drops: DropBook,
    context: ClientContext,
  ) {
    this.#context = context;
    this.drops = drops;
    this.#port = through;
    this.#hostname = relayAddress(conn);
    this.#client = { hostname: clientAddress, port: portOf(request, conn.remoteAddr) };
    const { names, settings } = context;
    const { login } = request;
    this.#mapped = names && new MappingLeases(names, mappingGroup(settings.isolation, { login, clientAddress }));
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
    this.#mapped?.release();
  }

  lastSent(b32: string): number | undefined {
    return this.#peers.get(b32)?.number;
  }

  async take(b32: string, fromPort: number | undefined, payload: Uint8Array): Promise<void> {
    const { counters } = this.#context;
    if (this.#client.port === 0) return this.#drop("unclaimed");
    const peer = this.#peers.get(b32);
    // I2P's port 0 is none: then it is an answer of the port that was asked, as far as anybody knows.
    const port = fromPort || (peer?.port ?? 0);
    if (!await this.#socket.send(encodeDatagram({ host: peer?.written ?? b32, port, payload }), this.#client)) {
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
    const target = this.#targetOf(bytes, datagram);
    const host = target && this.#checkDestination(target, datagram);
    if (target === undefined || host === undefined) return;
    // Nor is the router asked for anything while it is away.
    if (!this.#port.isReady) return this.#drop("not-ready", target);
    const found = this.#port.names.get(host);
    if (found === undefined) return this.#resolve(host, target, datagram.payload);
    await this.#sendTo(found, target, datagram.payload);
  }

  async #sendTo(found: Found, target: Target, payload: Uint8Array): Promise<void> {
    if (typeof found === "string") return this.#drop(`name-${found}`, target);
    await this.#send(found, target, payload);
  }

  /** Where a datagram goes, with the name behind an address that stands for one; undefined if it was dropped. */
  #targetOf(bytes: Uint8Array, datagram: SocksDatagram): Target | undefined {
    const { host, port } = datagram;
    if (ipBytes(host) === undefined) return { host, port, written: undefined };
    const written = writtenAddress(bytes, datagram).slice();
    if (this.#mapped === undefined || !this.#mapped.covers(host)) return { host, port, written };
    const name = this.#mapped.nameOf(host);
    return name === undefined ? void this.#drop("address-unmapped", datagram) : { host: name, port, written };
  }

  /** The host to ask for; undefined if the datagram was dropped. */
  #checkDestination(target: Target, { fragment, payload }: SocksDatagram): string | undefined {
    const { settings, hosts } = this.#context;
    if (fragment !== 0) return void this.#drop("fragment", target);
    if (payload.length > MAX_DATAGRAM) return void this.#drop("too-large", target);
    try {
      return checkDestination(target, settings.policy, hosts).host;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#context.leaks.refused(error.reason);
      return void this.#drop(error.reason as DropReason, target);
    }
  }

  /** Looks a host up, then sends the datagram; others are served in between. */
  #resolve(host: string, target: Target, payload: Uint8Array): void {
    if (this.#waiting >= MAX_WAITING || this.#port.names.isBusy(host)) {
      return this.#drop("too-many-lookups", target);
    }
    this.#waiting++;
    const kept = payload.slice();
    this.#port.names.resolve(host).then(async (found) => {
      this.#waiting--;
      if (!this.#isClosed) await this.#sendTo(found, target, kept);
    });
  }

  async #send(peer: Peer, { host, port, written }: Target, payload: Uint8Array): Promise<void> {
    const isNew = !this.#peers.has(peer.b32);
    this.#peers.set(peer.b32, { port, number: this.#port.nextNumber(), written });
    if (isNew) this.#context.audit?.visit(`${host}:${port}`);
    this.#port.visit(host);
    const problem = await this.#port.send(peer, payload);
    if (problem !== undefined) return this.#drop(problem);
    this.#context.counters.add("udp-sent");
    this.#context.counters.add("bytes-sent", payload.length);
  }

  #drop(reason: DropReason, target?: Pick<Target, "host" | "port">): void {
    this.drops.add(reason, target && `${target.host}:${target.port}`);
  }
}
