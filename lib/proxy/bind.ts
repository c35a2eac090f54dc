import { type CallerRules, mayCall } from "../config/forward.ts";
import type { Hosts } from "../config/hosts.ts";
import { type Address, parseAddress } from "../i2p/address.ts";
import { b32Address } from "../i2p/destination.ts";
import { ipBytes } from "../i2p/ip_address.ts";
import type { Counters } from "../report/counters.ts";
import { closeQuietly, writeAll } from "../io/conn.ts";
import { Deadline, sleep } from "../io/deadline.ts";
import type { Signal } from "../io/signal.ts";
import { acceptStream, type IncomingStream } from "../sam/accept.ts";
import { SamError } from "../sam/error.ts";
import { lookupName } from "../sam/naming.ts";
import type { SamSession } from "../sam/session.ts";
import type { SamEndpoint } from "../sam/socket.ts";
import { encodeBound4 } from "../socks/socks4.ts";
import { encodeBound5 } from "../socks/socks5.ts";
import type { Handshake } from "../socks/handshake.ts";
import { BIND, type SocksRequest } from "../socks/wire.ts";
import { Refusal } from "../reasons/refusal.ts";
import { unknownReason } from "../reasons/classify.ts";
import type { IdentityLease } from "../identity/identity_groups.ts";
import { checkTarget, type DestinationRules } from "./policy.ts";
import { ReadAhead } from "../relay/read_ahead.ts";

/** What waiting for a caller needs of the proxy. */
export interface BindContext {
  /** The SAM bridge. */
  endpoint: SamEndpoint;
  /** Where clients may go: a caller that they name must be one of those. */
  rules: DestinationRules;
  /** Host names of the user's own. */
  hosts: Hosts;
  /** Who may call. */
  callers?: CallerRules | undefined;
  /** Milliseconds from the request to the caller. */
  timeouts: { connect: number };
  /** Takes the counts. */
  counters: Counters;
  /** Ends it at once; its reason is a {@linkcode Refusal}. */
  signal: Signal;
}

/** A caller that has come. */
export interface Caller {
  /** Its stream. */
  stream: IncomingStream;
  /** Through which the client is read. */
  clientBytes: ReadAhead;
  /** Aborted when the session of the stream is lost. */
  sessionEnded: Signal;
  /** The second reply, which names the caller. */
  reply: Uint8Array;
}

/** Addresses that stand for "whoever calls" in a BIND. */
const ANYBODY: readonly string[] = ["", "0.0.0.0", "0:0:0:0:0:0:0:0"];

/**
 * Whom a client waits for: the I2P address that it names, or anybody, where it names none.
 *
 * @param request with the name in place of an address that stands for one.
 * @returns undefined for anybody.
 * @throws {Refusal} if it names what it may not connect to either.
 */
export function expectedCaller({ host, port }: SocksRequest, { rules, hosts }: BindContext): Address | undefined {
  if (ANYBODY.includes(host)) return undefined;
  const address = parseAddress(host);
  checkTarget(address, port, rules);
  const known = hosts.get(address.host);
  return known === undefined ? address : parseAddress(known);
}

/**
 * Waits for a caller on the client's own identity (RFC 1928 §4, BIND): tells the client that and where it waits, with the
 * first reply, as soon as the router does. Callers that the client does not want are closed, and the wait goes on. A client
 * that named its caller by an IP address is told that address again: it may know no names.
 *
 * @throws {Refusal} `client-closed` if the client leaves, or what {@linkcode expectedCaller} and the session throw.
 * @throws {SamError} if the router refuses.
 * @throws {TimeoutError} if nobody has called in time.
 */
export async function awaitCaller(
  conn: Deno.TcpConn,
  { request, early, buffer }: Handshake,
  identity: IdentityLease,
  expected: Address | undefined,
  context: BindContext,
): Promise<Caller> {
  const { endpoint, counters, timeouts, callers = OPEN } = context;
  using deadline = new Deadline(timeouts.connect, context.signal);
  const clientBytes = new ReadAhead(conn, buffer, (how) => {
    if (how === "failed" || early.length === 0) deadline.abort(new Refusal("client-closed"));
  });
  const session = await identity.session(deadline.signal);
  if (waitingOn.has(session)) {
    throw new Refusal("command", "Another client waits on this identity: a login gives the client one of its own");
  }
  waitingOn.set(session, counters);
  using _turn = { [Symbol.dispose]: () => waitingOn.delete(session) };
  const wanted = expected && await hashOf(expected, endpoint, deadline.signal);
  using attempt = new Deadline(Infinity, deadline.signal, session.ended);
  let told: Promise<void> | undefined;
  const waiting = (): void => {
    if (told !== undefined) return;
    counters.add("bind-waiting");
    // A client that cannot be written to is gone, which the read ahead finds out.
    told = writeAll(conn, boundReply(request, session.address)).catch(() => {});
  };
  for (;;) {
    let stream: IncomingStream;
    try {
      stream = await acceptStream(endpoint, session.id, attempt.signal, { waiting });
    } catch (error) {
      // Who has waited until now did so in vain, however far asking the router again has come.
      if (told !== undefined) deadline.signal.throwIfAborted();
      // i2pd closes some of those that wait on a destination when a caller comes to another.
      if (attempt.signal.aborted || told === undefined || !(error instanceof SamError) || error.failure !== "closed") {
        throw error;
      }
      await sleep(RETRY, attempt.signal);
      attempt.signal.throwIfAborted();
      continue;
    }
    const { caller } = stream;
    if ((wanted === undefined || wanted === caller) && mayCall(caller, callers)) {
      counters.add("bind-connected");
      await told;
      const reply = boundReply(request, caller, expected && ipBytes(request.host));
      return { stream, clientBytes, sessionEnded: session.ended, reply };
    }
    counters.add("bind-denied");
    closeQuietly(stream.conn);
  }
}

/**
 * Sessions on which somebody waits: where several did, i2pd 2.45.1 brought two callers into one socket, and let others wait
 * for ever. Applications may share a session, so each has the counters of the one whose client waits.
 */
const waitingOn = new WeakMap<SamSession, Counters>();

/** Whether a client of the application that has these counters waits for a caller on a session. */
export function isAwaited(session: SamSession | undefined, counters: Counters): boolean {
  return session !== undefined && waitingOn.get(session) === counters;
}

/** The command that waits for a caller. */
export const BIND_COMMANDS: ReadonlySet<number> = new Set([BIND]);

/** Milliseconds until the router is asked again, where it has closed a socket that waited. */
const RETRY = 100;

const OPEN: CallerRules = { allow: [], deny: [] };

/** The hash that the caller will show; a name is looked up once. */
async function hashOf({ kind, host }: Address, endpoint: SamEndpoint, signal: Signal): Promise<string> {
  if (kind === "b32") return host;
  const destination = await lookupName(endpoint, host, signal);
  if (destination === undefined) throw new Refusal(unknownReason(kind));
  return await b32Address(destination);
}

function boundReply({ version, port }: SocksRequest, address: string, ip?: Uint8Array): Uint8Array {
  return version === 4 ? encodeBound4(port, ip) : encodeBound5(ip ?? address, port);
}
