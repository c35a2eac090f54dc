import { type Keys, makeKeys } from "./keys.ts";
import { type Command, type Incoming, LineTooLong } from "./line.ts";
import { Call, type LiveDestination, type Network, Offer, reach, type Session } from "./network.ts";
import type { Login, Refusal, Reply, Router } from "./router.ts";
import { forwardAddress } from "./datagrams.ts";
import { atMost, relay, type SamSocket, Wire } from "./wire.ts";

/** Sees a line before the bridge does. `true`: the hook has dealt with it. */
export type Intercept = (line: string, socket: SamSocket) => boolean | Promise<boolean>;

/** What the conversations of one bridge have in common. */
export interface Host {
  readonly router: Router;
  readonly network: Network;
  readonly login: Login | undefined;
  /** Milliseconds, see the options of the bridge. */
  readonly sessionDelay: number;
  readonly silentPeerTimeout: number;
  readonly pingInterval: number;
  /** Whether streams lose their end where nobody reads them. */
  readonly losesEnds: boolean;
  /** Styles of sessions of datagrams that there are. */
  readonly styles: readonly string[];
  readonly accept: (socket: SamSocket) => boolean | Promise<boolean>;
  readonly intercept: Intercept;
  /** The destination of the router itself. */
  sharedDestination(): Promise<Keys>;
  /** Takes down a command line. */
  note(line: string): void;
  /** Takes charge of a socket that the bridge has opened, to close it with the others. */
  adopt(conn: Deno.TcpConn): Wire;
}

/** Version of a socket whose HELLO the `intercept` hook has answered. */
const INTERCEPTED_VERSION = "3.1";

/** Talks with one client until either side has enough. */
export async function converse(host: Host, wire: Wire): Promise<void> {
  const conversation = new Conversation(host, wire);
  try {
    if (await outlived(wire, host.accept(wire))) await wire.drain();
    else await conversation.run();
  } catch (error) {
    if (!(error instanceof LineTooLong)) throw error;
    await wire.write(host.router.refuse("too long", error.message).text ?? "");
  } finally {
    conversation.endSession();
    await conversation.bidFarewell();
    await wire.finish();
  }
}

/** What a hook says. One that never ends does not outlive its socket. */
async function outlived(wire: Wire, hook: boolean | Promise<boolean>): Promise<boolean> {
  return await Promise.race([hook, wire.closed.then(() => true)]);
}

class Conversation {
  readonly #host: Host;
  readonly #router: Router;
  readonly #wire: Wire;
  #session: Session | undefined;
  /** Text of the PING that waits for its PONG. */
  #ping: string | undefined;
  /** Whether the client closed while the router waited for a command. */
  #isLeft = false;

  constructor(host: Host, wire: Wire) {
    this.#host = host;
    this.#router = host.router;
    this.#wire = wire;
  }

  /** Reads and answers line by line; every turn waits for the client, and ends with it. */
  async run(): Promise<void> {
    if (!await this.#greet()) return;
    for (let incoming = await this.#next(); incoming; incoming = await this.#next()) {
      this.#wire.isIdle = false;
      if (await this.#intercepted(incoming.line)) continue;
      const reply = await this.#answer(incoming);
      if (reply.text !== undefined) await this.#wire.write(reply.text);
      if (reply.close) return;
    }
  }

  /** Says what its router says to a client that has closed behind HELLO. */
  async bidFarewell(): Promise<void> {
    if (this.#isLeft) await this.#wire.write(this.#router.farewell);
  }

  endSession(): void {
    if (this.#session) this.#host.network.end(this.#session);
    this.#session = undefined;
  }

  async #greet(): Promise<boolean> {
    const incoming = await this.#router.hear(this.#wire, true);
    if (!incoming) return false;
    if (await this.#intercepted(incoming.line)) {
      this.#wire.version = INTERCEPTED_VERSION;
      return true;
    }
    const greeting = this.#router.greet(incoming.line, this.#host.login);
    await this.#wire.write(greeting.text ?? "");
    this.#wire.version = greeting.version ?? "";
    this.#wire.isIdle = greeting.version !== undefined;
    return this.#wire.isIdle;
  }

  /** The next line; where the router sends PINGs, it does so while it waits. */
  async #next(): Promise<Incoming | undefined> {
    while (this.#router.pings(this.#wire.version)) {
      const heard = await atMost(this.#host.pingInterval, this.#wire.peek());
      if (heard !== undefined) break;
      if (this.#ping !== undefined) {
        await this.#wire.write('SESSION STATUS RESULT=I2P_ERROR MESSAGE="PONG timeout"\n');
        return undefined;
      }
      this.#ping = String(Date.now());
      await this.#wire.write(`PING ${this.#ping}\n`);
    }
    const incoming = await this.#router.hear(this.#wire, false);
    this.#isLeft = incoming === undefined;
    return incoming;
  }

  /** Notes a line, and shows it to the hook. */
  async #intercepted(line: string): Promise<boolean> {
    this.#host.note(line);
    return await outlived(this.#wire, this.#host.intercept(line, this.#wire));
  }

  async #answer({ line, behind }: Incoming): Promise<Reply> {
    if (this.#ping !== undefined && line === `PONG ${this.#ping}`) {
      this.#ping = undefined;
      return {};
    }
    // Java I2P says nothing to what makes no sense on a socket without a session.
    if (this.#router.kind === "java" && !this.#session && /^(HELLO|RAW|DATAGRAM)\b/.test(line)) return { close: true };
    const command = this.#router.parse(line);
    if (!("domain" in command)) return command;
    switch (command.domain) {
      case "SESSION":
        if (command.opcode === "CREATE") return await this.#create(command);
        return command.opcode === "ADD" ? this.#add(command) : this.#remove(command);
      case "STREAM":
        return await this.#stream(command, behind);
      case "NAMING":
        return await this.#lookup(command.pairs.get("NAME") ?? "");
      default:
        return await this.#generate(command.pairs.get("SIGNATURE_TYPE"));
    }
  }

  async #create({ pairs }: Command): Promise<Reply> {
    const { STYLE = "", ID = "", DESTINATION, ...options } = Object.fromEntries(pairs);
    const refusal = this.#cannotCreate(ID, pairs.get("STYLE"), DESTINATION);
    if (refusal) return this.#router.refuse(refusal, STYLE);
    const forbidden = isPrimary(STYLE) ? this.#router.primary?.forbidden.find((key) => key in options) : undefined;
    if (forbidden !== undefined) return this.#router.primary?.refuseOption(forbidden) ?? {};
    const type = this.#router.signatureType(options["SIGNATURE_TYPE"]);
    if (type === undefined) return this.#router.refuse("bad signature type", options["SIGNATURE_TYPE"]);
    // The ID is taken from here on, before anything is waited for.
    const datagrams = this.#host.styles.includes(STYLE) && { datagramsTo: forwardAddress(options) };
    const session: Session = { id: ID, style: STYLE, options, control: this.#wire, sockets: new Set(), ...datagrams };
    this.#host.network.sessions.set(ID, session);
    const keys = await (DESTINATION === "TRANSIENT" ? makeKeys(type) : this.#router.readKeys(DESTINATION ?? ""));
    const problem = keys ? this.#cannotPublish(keys, DESTINATION) : "bad keys";
    const limit = this.#router.tunnelTimeout;
    if (keys && !problem && this.#host.sessionDelay > limit && await this.#build(limit)) {
      this.#host.network.end(session);
      return this.#router.refuse("no tunnels");
    }
    if (keys && !problem && this.#host.sessionDelay <= limit && await this.#build(this.#host.sessionDelay)) {
      this.#session = session;
      session.keysGiven = DESTINATION;
      this.#host.network.publish(session, keys);
      return { text: `SESSION STATUS RESULT=OK DESTINATION=${keys.blob}\n` };
    }
    this.#host.network.end(session);
    return problem ? this.#router.refuse(problem) : { close: true };
  }

  #cannotCreate(id: string, style: string | undefined, destination: string | undefined): Refusal | undefined {
    const { isStrictWithSessions } = this.#router;
    if (this.#session && isStrictWithSessions) return "session exists";
    if (id === "" && isStrictWithSessions) return "no id";
    if (!this.#router.acceptsId(id)) return "bad id";
    if (this.#host.network.sessions.has(id)) return "duplicated id";
    if (style === undefined) return "no style";
    const isKnown = style === "STREAM" || this.#host.styles.includes(style) ||
      this.#router.primary !== undefined && isPrimary(style);
    if (!isKnown) return "bad style";
    return destination === undefined ? "no destination" : undefined;
  }

  /** Adds a subsession: it has the destination of the session, and ends with it. */
  #add({ pairs }: Command): Reply {
    const { primary } = this.#router;
    const within = this.#session;
    // i2pd 2.45.1 says nothing at all to a socket that has no session.
    if (!within && !this.#router.isStrictWithSessions) return {};
    if (!primary || !within?.destination || !isPrimary(within.style)) return this.#router.refuse("no subsessions");
    if (!pairs.has("ID")) return this.#router.refuse("no id");
    if (!pairs.has("STYLE")) return this.#router.refuse("no style");
    const { STYLE = "", ID = "", ...options } = Object.fromEntries(pairs);
    const siblings = [...within.destination.sessions].filter((session) => session !== within);
    const listens = ({ style, options }: Pick<Session, "style" | "options">): string =>
      `protocol ${PROTOCOLS[style]} and port ${options["LISTEN_PORT"] ?? options["FROM_PORT"] ?? "0"}`;
    const own = listens({ style: STYLE, options });
    const isOfDatagrams = this.#host.styles.includes(STYLE);
    let problem: string | undefined;
    if ("DESTINATION" in options) problem = "SESSION ADD may not contain DESTINATION";
    else if (this.#host.network.sessions.has(ID)) problem = `Duplicate ID ${ID}`;
    else if (!["STREAM", "RAW"].includes(STYLE) && !isOfDatagrams) problem = `Unrecognized SESSION STYLE ${STYLE}`;
    else if (isOfDatagrams && !("PORT" in options)) problem = `${STYLE} subsession must specify PORT`;
    else if (siblings.some((sibling) => listens(sibling) === own)) problem = `Duplicate ${own}`;
    if (problem !== undefined) return primary.added(ID, problem);
    const session: Session = {
      ...{ id: ID, style: STYLE, within, options, control: this.#wire, sockets: new Set() },
      ...(isOfDatagrams && { datagramsTo: forwardAddress(options) }),
    };
    this.#host.network.sessions.set(ID, session);
    this.#host.network.publish(session, within.destination.keys);
    return primary.added(ID);
  }

  /** Removes a subsession. */
  #remove({ pairs }: Command): Reply {
    const { primary } = this.#router;
    const within = this.#session;
    if (!primary || !within?.destination || !isPrimary(within.style)) return this.#router.refuse("no subsessions");
    const removed = this.#host.network.sessions.get(pairs.get("ID") ?? "");
    const isThere = removed !== undefined && removed.within === within;
    if (isThere) this.#host.network.remove(removed);
    return primary.removed(pairs.get("ID") ?? "", isThere);
  }

  /** Java I2P knows its own session by the text of the keys; of any other it only hears from the router. */
  #cannotPublish(keys: Keys, given: string | undefined): Refusal | undefined {
    const taken = this.#router.sharesDestinations ? undefined : this.#host.network.live(keys.b32);
    if (taken === undefined) return undefined;
    const isOwn = [...taken.sessions].some(({ keysGiven }) => keysGiven === given);
    if (!isOwn && this.#router.keepsControl) this.#host.network.hide(taken);
    return isOwn ? "duplicated destination" : "taken destination";
  }

  /**
   * Waits as if tunnels were built; `false` if the client has left meanwhile. i2pd does not look at the socket until
   * then; Java I2P does, and refuses whatever comes.
   */
  async #build(milliseconds: number): Promise<boolean> {
    const ready = Date.now() + milliseconds;
    for (let left = milliseconds; left > 0; left = ready - Date.now()) {
      const signs: Promise<unknown>[] = [this.#wire.closed];
      if (this.#router.readsWhileBuilding) signs.push(this.#wire.peek());
      if (await atMost(left, ...signs.map((sign) => sign.then(() => true))) === undefined) break;
      const incoming = this.#wire.open ? await this.#router.hear(this.#wire, false) : undefined;
      if (!incoming) return false;
      if (await this.#intercepted(incoming.line)) continue;
      const domain = incoming.line.split(" ")[0]?.toUpperCase();
      await this.#wire.write(`${domain} STATUS RESULT=I2P_ERROR MESSAGE="invalid state"\n`);
    }
    return this.#wire.open;
  }

  async #stream(command: Command, behind: number): Promise<Reply> {
    const { pairs, opcode } = command;
    const silent = this.#router.isSilent(pairs.get("SILENT"));
    const refuse = (refusal: Refusal, about?: string): Reply => {
      const reply = this.#router.refuse(refusal, about);
      return silent && opcode !== "FORWARD" && this.#router.silences(refusal) ? { close: true } : reply;
    };
    if (this.#session) return refuse("control socket");
    if (!pairs.has("ID") && this.#router.isStrictWithSessions) return refuse("no stream id");
    const session = this.#host.network.sessions.get(pairs.get("ID") ?? "");
    if (!session) return refuse("unknown id", pairs.get("ID"));
    const destination = session.destination;
    if (!destination) return refuse("not ready", session.id);
    if (session.isOver) {
      const reply = refuse("session over");
      if (!this.#router.keepsControl) await this.#endControl(session);
      return reply;
    }
    if (this.#router.primary && session.style !== "STREAM") return this.#router.primary.noStreams(session, opcode);
    if (this.#router.kind === "java" && /\D/.test(pairs.get("TO_PORT") ?? "")) {
      return refuse("bad port", pairs.get("TO_PORT"));
    }
    session.sockets.add(this.#wire);
    try {
      if (opcode === "CONNECT") return await this.#connect(pairs, session, destination, { silent, refuse, behind });
      if (opcode === "ACCEPT") return await this.#accept(destination, { silent, refuse });
      return await this.#forward(pairs, session, destination, { silent, refuse });
    } finally {
      session.sockets.delete(this.#wire);
    }
  }

  /** Says on the control socket that the session is over, and closes it. */
  async #endControl({ control }: Session): Promise<void> {
    await control.write('SESSION STATUS RESULT=I2P_ERROR MESSAGE="Session is closed"\n');
    control.close();
  }

  async #connect(
    pairs: Map<string, string>,
    session: Session,
    own: LiveDestination,
    { silent, refuse, behind }: StreamManners & { behind: number },
  ): Promise<Reply> {
    const given = pairs.get("DESTINATION");
    if (given === undefined) return refuse("no target");
    const target = await this.#router.locate(given, this.#host.network.names);
    if (!target) return refuse("unknown name", given);
    if (session.isStranded) return refuse("no lease set", given);
    const peer = this.#host.network.live(target.b32);
    if (peer === own && !this.#router.reachesItself) return refuse("myself");
    if (!peer) return refuse(target.destination === undefined ? "no lease set" : "unreachable", given);

    const ok = async (): Promise<void> => silent ? undefined : await this.#wire.write(OK);
    if (this.#router.connectsBlindly) await ok();
    // Bytes that came with the command: i2pd sends the peer as many, but other ones.
    this.#wire.unread(new Uint8Array(behind));
    const port = (key: string): string => pairs.get(key) ?? session.options[key] ?? "0";
    const call = new Call(own.keys.destination, port("FROM_PORT"), port("TO_PORT"));
    const end = await reach(peer, call, this.#wire, this.#host.silentPeerTimeout);
    if (!(end instanceof Wire)) return this.#router.connectsBlindly ? { close: true } : refuse(end);
    if (!this.#router.connectsBlindly) await ok();
    if (this.#router.dropsElGamalCallers && isElGamalAmiss(session, peer)) {
      end.close();
      call.over.resolve();
      // The caller hears no more of it.
      await this.#wire.closed;
      return { close: true };
    }
    await relay(this.#wire, end, this.#host.losesEnds);
    call.over.resolve();
    return { close: true };
  }

  async #accept(own: LiveDestination, { silent, refuse }: StreamManners): Promise<Reply> {
    if (own.forward && !this.#router.acceptsBesideForward) return refuse("already accepting");
    const offer = new Offer();
    own.offer(offer);
    // i2pd hands over a caller who has waited before it answers the command: that line comes ahead of STATUS.
    const late = offer.call !== undefined && this.#router.connectsBlindly;
    if (!silent && !late) await this.#wire.write(OK);
    const call = await this.#called(own, offer);
    if (!call) return { close: true };
    if (!silent) await this.#wire.write(this.#router.callerLine(call, this.#wire.version) + (late ? OK : ""));
    call.answered.resolve(this.#wire);
    await call.over.promise;
    return { close: true };
  }

  /** Waits for a caller; nothing if the socket ends, or says what this router wants to hear only later. */
  async #called(own: LiveDestination, offer: Offer): Promise<Call | undefined> {
    const first = await Promise.race([offer.called.promise, this.#wire.peek()]);
    if (this.#router.acceptsForTheGone || first !== null && this.#router.keepsEarlyBytes) {
      await Promise.race([offer.called.promise, this.#wire.closed]);
    }
    own.withdraw(offer);
    return offer.call;
  }

  async #forward(
    pairs: Map<string, string>,
    session: Session,
    own: LiveDestination,
    { silent, refuse }: StreamManners,
  ): Promise<Reply> {
    const port = Number(pairs.get("PORT") ?? NaN);
    if (own.forward) return refuse("already accepting");
    if (own.isAccepting && !this.#router.acceptsBesideForward) return refuse("already forwarding");
    if (!Number.isInteger(port) || port < 1 || port > 65535) return refuse("no port");
    const forward = async (call: Call): Promise<void> => {
      const end = await this.#dial(port);
      if (end) {
        session.sockets.add(end);
        call.over.promise.then(() => session.sockets.delete(end));
        if (!silent) await end.write(this.#router.callerLine(call, this.#wire.version));
      }
      call.answered.resolve(end);
    };
    own.forward = forward;
    await this.#wire.write(OK);
    await this.#wire.drain();
    if (own.forward === forward) own.forward = undefined;
    return { close: true };
  }

  /** HOST is not honoured: a forwarded stream goes to loopback, where the client is. */
  async #dial(port: number): Promise<Wire | undefined> {
    try {
      return this.#host.adopt(await Deno.connect({ hostname: "127.0.0.1", port }));
    } catch {
      return undefined;
    }
  }

  async #lookup(name: string): Promise<Reply> {
    const { network } = this.#host;
    const found = (value: string): Reply => ({ text: `NAMING REPLY RESULT=OK NAME=${name} VALUE=${value}\n` });
    if (name === "ME") {
      const own = this.#session?.destination?.keys;
      if (!own && !this.#router.hasSharedDestination) return { close: true };
      return found((own ?? await this.#host.sharedDestination()).destination);
    }
    const target = await this.#router.locate(name, network.names);
    const value = target && (target.destination ?? network.live(target.b32)?.keys.destination);
    return value === undefined ? this.#router.refuse("not found", name) : found(value);
  }

  async #generate(given: string | undefined): Promise<Reply> {
    const type = this.#router.signatureType(given);
    if (type === undefined) return this.#router.refuse("cannot generate", given);
    const keys = await makeKeys(type);
    return { text: `DEST REPLY PUB=${keys.destination} PRIV=${keys.blob}\n` };
  }
}

/** I2P protocol numbers of styles. */
const PROTOCOLS: Readonly<Record<string, number>> = { STREAM: 6, DATAGRAM: 17, DATAGRAM2: 19, DATAGRAM3: 20 };

/** Whether a style is that of sessions which have subsessions; MASTER is its name before 0.9.47. */
function isPrimary(style: string): boolean {
  return style === "PRIMARY" || style === "MASTER";
}

/** How one STREAM command wants its answers. */
interface StreamManners {
  silent: boolean;
  refuse: (refusal: Refusal, about?: string) => Reply;
}

const OK = "STREAM STATUS RESULT=OK\n";

/** Whether a caller uses ElGamal, as one does who names no types, and who is called has it and prefers another. */
function isElGamalAmiss(caller: Session, { sessions }: LiveDestination): boolean {
  const [called] = sessions;
  const [wanted, types] = [caller, called].map((session) => session?.options["i2cp.leaseSetEncType"]?.split(","));
  return wanted === undefined && types?.includes("0") === true && types.length > 1;
}
