import type { Hosts } from "../config/hosts.ts";
import type { ApplicationSettings } from "../config/settings.ts";
import type { Address } from "../i2p/address.ts";
import type { IdentityPool } from "../identity/identity_pool.ts";
import { isolationGroup, mappingGroup } from "../identity/isolation.ts";
import type { SharedSignal, Signal } from "../io/signal.ts";
import type { ClientConn } from "../io/unix_socket.ts";
import { Refusal } from "../reasons/refusal.ts";
import type { BufferPool } from "../relay/buffer_pool.ts";
import type { FairnessGate } from "../relay/fairness_gate.ts";
import type { HalfClosedStreams } from "../relay/half_closed.ts";
import type { KeepLimit } from "../relay/keeper.ts";
import type { AuditBook } from "../report/audit_book.ts";
import type { Counter, Counters } from "../report/counters.ts";
import type { Log } from "../report/log.ts";
import type { OutcomeBook } from "../report/outcome_book.ts";
import type { RouterKind } from "../sam/router_kind.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import type { WarmSockets } from "../sam/warm_sockets.ts";
import type { SocksRequest } from "../socks/wire.ts";
import type { Admission, Guest } from "./admission.ts";
import type { DatagramPool } from "./datagram_pool.ts";
import type { LeakWatch } from "./leak_watch.ts";
import type { LoginOffers } from "./login_offers.ts";
import type { LoginGuard } from "./login_guard.ts";
import type { MappingLease, NameMap } from "./name_map.ts";
import type { SilenceWatch } from "./silence_watch.ts";

/** A client, and what is known of it so far. */
export interface Client extends Guest {
  /** Its connection; once it is closed it cannot be asked for its address. */
  readonly conn: ClientConn;
  /** A number that no other client has. */
  readonly serial: number;
  /** What it asked for, with the name in place of an address that stands for one; undefined until it has. */
  request?: SocksRequest;
  /** Where that is, once it may go there. */
  address?: Address;
  /** Whose identity it has, in words; undefined until it has one. */
  identity?: string;
}

/** What is open now. */
interface Gauges {
  streams: number;
  /** Clients that wait for a caller. */
  waiting: number;
  /** Bytes that are kept for clients and services that do not take them. */
  readonly kept: Counter;
}

/** What the clients of an application share. Every handler takes this, and takes from it what it needs. */
export interface ClientContext {
  /** How the application is served. */
  readonly settings: ApplicationSettings;
  /** Holds clients to the limits of their number. */
  readonly admission: Admission;
  /** SOCKS commands that are served in addition to CONNECT. */
  readonly commands: ReadonlySet<number>;
  /** Who may connect; everybody where undefined. */
  readonly logins: LoginGuard | undefined;
  /** Tells logins that somebody chose from those that programs offer by themselves. */
  readonly loginOffers: LoginOffers;
  /** Host names of the user's own, asked before the router. */
  readonly hosts: Hosts;
  /** Addresses that stand for names; where undefined, nobody may ask for one. */
  readonly names: NameMap | undefined;
  /** Whose destinations streams use. */
  readonly identities: IdentityPool;
  /** Whose destinations datagrams use; undefined where UDP is switched off. */
  readonly datagrams: DatagramPool | undefined;
  readonly endpoint: SamEndpoint;
  /** Which router that is, for advice. */
  readonly router: RouterKind;
  /** Sockets of the bridge that wait for a stream. */
  readonly warm: WarmSockets;
  /** Watches what the application gives away. */
  readonly leaks: LeakWatch;
  /** Lends buffers for fast transfers. */
  readonly pool: BufferPool;
  /** What may be kept of streams whose clients do not take it; of the whole process. */
  readonly keepLimit: KeepLimit;
  /** Gives other work its turn. */
  readonly gate: FairnessGate;
  /** Notices sessions whose streams bring nothing. */
  readonly silence: SilenceWatch;
  /** Watches over streams whose client has ended its side. */
  readonly halfClosed: HalfClosedStreams;
  /** Receives a line for each client that does not get its stream, and at debug level for each that does. */
  readonly log: Log;
  /** Numbers since the start. */
  readonly counters: Counters;
  /** Numbers of now. */
  readonly gauges: Gauges;
  /** What did not come out well last. */
  readonly outcomes: OutcomeBook;
  /** Destinations, where an audit is under way. */
  readonly audit: AuditBook | undefined;
  /** Aborted once no more clients are accepted, for a {@linkcode Refusal}: ends those that only wait for something. */
  readonly ending: SharedSignal;
  /** Ends the client at once; its reason is a {@linkcode Refusal}. */
  readonly signal: Signal;
}

/** What the client asked for, for log and audit; undefined if it did not come so far. */
export function destinationOf({ request }: Client): string | undefined {
  return request && `${request.host}:${request.port}`;
}

/** Takes note of what became of a client, with whose identity it had or would have had. */
export function noteOutcome(client: Client, { outcomes, identities, settings }: ClientContext, what: {
  reason: string;
  message: string;
}): void {
  const { request, address } = client;
  const key = request && groupOf(client, { host: address?.host ?? request.host, port: request.port }, settings);
  const identity = client.identity ?? (request && identities.labelOf(key));
  outcomes.add({ ...what, identity, destination: destinationOf(client) });
}

/** The isolation group of a client that goes to a host and port; undefined for the base identity. */
export function groupOf(
  { request, clientAddress, serial }: Client,
  { host, port }: { host: string; port: number },
  { isolation }: ApplicationSettings,
): string | undefined {
  return isolationGroup(isolation, { login: request?.login, host, port, clientAddress, serial });
}

/**
 * Finds the name behind the address of a request to connect or to wait for a caller, and keeps it until the result is
 * disposed of; undefined where the host is not an address of the range.
 *
 * @throws {Refusal} `address-unmapped` if the address stands for no name of this client.
 */
export function acquireMapping(
  { clientAddress }: Client,
  { host, login }: SocksRequest,
  { names, settings }: ClientContext,
): MappingLease | undefined {
  if (names === undefined || !names.covers(host)) return undefined;
  const lease = names.acquire(mappingGroup(settings.isolation, { login, clientAddress }), host);
  if (lease === undefined) throw new Refusal("address-unmapped");
  return lease;
}
