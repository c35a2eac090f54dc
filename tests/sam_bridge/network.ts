import type { Keys } from "./keys.ts";
import { atMost, type Wire } from "./wire.ts";

/** One stream that somebody asks for, until both ends are joined. */
export class Call {
  /** The caller's destination in I2P base64. */
  readonly from: string;
  readonly fromPort: string;
  readonly toPort: string;
  /** The socket at the other end, or `undefined` if the peer refuses. */
  readonly answered: PromiseWithResolvers<Wire | undefined> = Promise.withResolvers();
  /** Resolves when the stream is over. */
  readonly over: PromiseWithResolvers<void> = Promise.withResolvers();

  constructor(from: string, fromPort: string, toPort: string) {
    this.from = from;
    this.fromPort = fromPort;
    this.toPort = toPort;
  }
}

/** One `STREAM ACCEPT` that waits for a caller. */
export class Offer {
  readonly called: PromiseWithResolvers<Call> = Promise.withResolvers();
  /** Set as soon as a caller was found, in the same turn of the event loop. */
  call: Call | undefined;

  take(call: Call): void {
    this.call = call;
    this.called.resolve(call);
  }
}

/** A destination whose lease set can be found: its session is ready. */
export class LiveDestination {
  readonly keys: Keys;
  /** More than one only where a router lets sessions share a destination. */
  readonly sessions: Set<Session> = new Set();
  readonly #callers: Call[] = [];
  readonly #offers: Offer[] = [];
  #forward: ((call: Call) => void) | undefined;

  constructor(keys: Keys) {
    this.keys = keys;
  }

  /** Where a `STREAM FORWARD` sends callers; those who wait already go there too. */
  get forward(): ((call: Call) => void) | undefined {
    return this.#forward;
  }
  set forward(forward: ((call: Call) => void) | undefined) {
    this.#forward = forward;
    if (forward) this.#callers.splice(0).forEach(forward);
  }

  /** Rings. Whoever is there answers through the call; else it waits until {@linkcode hangUp}. */
  ring(call: Call): void {
    const offer = this.#forward ? undefined : this.#offers.shift();
    if (this.#forward) this.#forward(call);
    else if (offer) offer.take(call);
    else this.#callers.push(call);
  }

  /** Takes back a call that nobody has answered; `false` if somebody is about to. */
  hangUp(call: Call): boolean {
    return remove(this.#callers, call);
  }

  /** Waits for a caller, or takes the one who has waited longest. */
  offer(offer: Offer): void {
    const call = this.#callers.shift();
    if (call) offer.take(call);
    else this.#offers.push(offer);
  }

  /** Whether somebody waits for a caller. */
  get isAccepting(): boolean {
    return this.#offers.length > 0;
  }

  /** Takes back an offer. */
  withdraw(offer: Offer): void {
    remove(this.#offers, offer);
  }

  /** Refuses everybody who waits. */
  die(): void {
    for (const call of this.#callers.splice(0)) call.answered.resolve(undefined);
  }
}

/** A session of the bridge. */
export interface Session {
  readonly id: string;
  /** What `STYLE=` said. */
  readonly style: string;
  /** The session that it is part of, if it is part of one. */
  readonly within?: Session;
  /** All pairs of `SESSION CREATE` but STYLE, ID and DESTINATION. */
  readonly options: Record<string, string>;
  readonly control: Wire;
  /** What `DESTINATION=` said. */
  keysGiven?: string | undefined;
  /** Whether it is over, although its control socket is there. */
  isOver?: boolean;
  /** Whether its destination has ended, and nobody says so. */
  isStranded?: boolean;
  /** Where its datagrams go, if it is a session of datagrams. */
  readonly datagramsTo?: Deno.NetAddr;
  /** Its stream sockets, in both directions, forwarded ones included: they die with it. */
  readonly sockets: Set<Wire>;
  /** Missing while its tunnels are being built. */
  destination?: LiveDestination;
}

/** The I2P network as the sessions of one bridge make it, and the address book. */
export class Network {
  /** By ID, those under construction included. */
  readonly sessions: Map<string, Session> = new Map();
  /** Destinations in I2P base64. */
  readonly names: Map<string, string> = new Map();
  readonly #live = new Map<string, LiveDestination>();
  readonly #releaseDelay: number;
  readonly #releases = new Set<ReturnType<typeof setTimeout>>();

  /** Destinations end this many milliseconds after a session of theirs, whoever has another one on them by then. */
  constructor(releaseDelay = 0) {
    this.#releaseDelay = releaseDelay;
  }

  /** The destination with an address, if its lease set can be found. */
  live(b32: string): LiveDestination | undefined {
    return this.#live.get(b32);
  }

  /** Makes a session ready: from now on its destination can be reached. */
  publish(session: Session, keys: Keys): void {
    const destination = this.#live.get(keys.b32) ?? new LiveDestination(keys);
    this.#live.set(keys.b32, destination);
    destination.sessions.add(session);
    session.destination = destination;
  }

  /** Takes a destination off the network, and says so to nobody. */
  hide(destination: LiveDestination): void {
    this.#live.delete(destination.keys.b32);
  }

  /** Ends what a session carries, and says so to nobody: its name and its control socket stay. */
  stop(session: Session): void {
    session.isOver = true;
    if (session.destination) this.hide(session.destination);
    for (const wire of session.sockets) wire.close();
  }

  /** Takes a subsession out of its session. */
  remove(session: Session): void {
    this.sessions.delete(session.id);
    session.destination?.sessions.delete(session);
    for (const wire of session.sockets) wire.close();
  }

  /**
   * Ends a session with its streams, and those that share its destination (which only i2pd allows), control sockets
   * included. Its own control socket stays, for a last reply.
   */
  end(session: Session): void {
    const destination = session.destination;
    if (destination !== undefined && this.#releaseDelay > 0) return this.#endLate(session, destination);
    // Unless a later session has the same keys: ending twice must not end that one.
    if (destination && this.live(destination.keys.b32) === destination) this.#live.delete(destination.keys.b32);
    destination?.die();
    for (const ended of [session, ...destination?.sessions ?? []]) {
      if (this.sessions.get(ended.id) === ended) this.sessions.delete(ended.id);
      if (ended.control !== session.control) ended.control.close();
      for (const wire of ended.sockets) wire.close();
    }
  }

  /** How many destinations are to end later. */
  get releases(): number {
    return this.#releases.size;
  }

  /** Forgets about destinations that are to end later. */
  close(): void {
    this.#releases.forEach(clearTimeout);
  }

  /** Ends a session with its streams now, and its destination later. */
  #endLate(session: Session, destination: LiveDestination): void {
    if (this.sessions.get(session.id) === session) this.sessions.delete(session.id);
    destination.sessions.delete(session);
    for (const wire of session.sockets) wire.close();
    const timer = setTimeout(() => {
      this.#releases.delete(timer);
      if (this.live(destination.keys.b32) === destination) this.hide(destination);
      destination.die();
      for (const stranded of destination.sessions) {
        stranded.isStranded = true;
        for (const wire of stranded.sockets) wire.close();
      }
    }, this.#releaseDelay);
    this.#releases.add(timer);
  }
}

/**
 * Calls a destination and waits for an answer.
 *
 * @returns the socket at the other end; `refused` if there is nobody behind it; `silent` if nobody accepts in time, or
 * the caller has left.
 */
export async function reach(
  peer: LiveDestination,
  call: Call,
  caller: Wire,
  ms: number,
): Promise<Wire | "refused" | "silent"> {
  peer.ring(call);
  const left = caller.peek().then((chunk) => chunk === null ? undefined : call.answered.promise);
  const answer = await atMost(ms, call.answered.promise, left);
  if (answer) return answer;
  if (peer.hangUp(call)) return "silent";
  return await call.answered.promise ?? "refused";
}

function remove<T>(list: T[], item: T): boolean {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}
