import type { Random } from "../support/random.ts";
import type { SamBridge, SamSocket } from "../sam_bridge/bridge.ts";
import {
  type Fault,
  type FaultTable,
  type FaultTools,
  FORGETFUL_FAULTS,
  HELLO_FAULTS,
  SESSION_FAULTS,
  STREAM_FAULTS,
} from "./fault_table.ts";
import { Tally } from "./tally.ts";

/** A session option of groups, which tells their sessions from the base identity's. */
export const GROUP_OPTIONS: Readonly<Record<string, string>> = { "inbound.nickname": "group" };
const GROUP_MARK = " inbound.nickname=";

/** How the proxy's sessions are told from the service's. */
const PROXY_ID = /^i2p-socks-/;

/** One in how many lines is answered with a fault. */
const ODDS = { stream: 4, session: 3, hello: 25 };
const SAID = { stream: "STREAM CONNECT", session: "SESSION CREATE", hello: "HELLO" };

/**
 * Milliseconds between two losses of the base session. The more often it is lost, the longer the proxy waits before it
 * builds another, and then there would be little traffic to watch.
 */
const BASE_PEACE = 40_000;

/** A client as the bridge can tell it from others: by the port that it asks for. */
export interface Ticket extends Disposable {
  /** Port for the client to ask for; no other client has it. */
  readonly port: number;
  /** Faults that hit its streams, by name. */
  readonly hits: Map<string, Fault>;
}

/** Makes the bridge misbehave, and knows whom that hit. */
export class Faults {
  /** Faults by what they hit and what they were. */
  readonly counts: Tally = new Tally();
  /** What must never happen and did. */
  readonly violations: string[] = [];
  readonly #random: Random;
  readonly #tools: FaultTools;
  readonly #tickets = new Map<number, Ticket & { group: string }>();
  /** Control sockets of the proxy by session ID. */
  readonly #controls = new Map<string, SamSocket>();
  /** Isolation groups by session ID. */
  readonly #owners = new Map<string, string>();
  /** Session IDs of the base identity. */
  readonly #bases = new Set<string>();
  /** Sockets whose line a fault has dealt with: some wait for an answer that will not come. */
  readonly #touched = new Set<SamSocket>();
  #lastPort = 0;
  #lastBaseLoss = -Infinity;
  #pending = 0;
  #state: "calm" | "streams" | "sessions" = "calm";

  /** Makes faults that wait for {@linkcode begin}. */
  constructor(random: Random) {
    this.#random = random;
    this.#tools = { random, pause: (milliseconds) => this.#pause(milliseconds) };
  }

  /** Faults that are still at work. */
  get pending(): number {
    return this.#pending;
  }

  /** Whether sessions may be lost since the last calm: then it cannot be told which clients that hit. */
  get isTrouble(): boolean {
    return this.#state === "sessions";
  }

  /** Registers a client; dispose of the ticket when it has ended. */
  ticket(group: string): Ticket {
    this.#lastPort = this.#lastPort % 65_535 + 1;
    const port = this.#lastPort;
    const ticket = { port, group, hits: new Map(), [Symbol.dispose]: () => void this.#tickets.delete(port) };
    this.#tickets.set(port, ticket);
    return ticket;
  }

  /** From now on streams fail. */
  begin(): void {
    this.#state = "streams";
  }

  /** From now on sessions fail as well; each call takes some away. */
  strike(bridge: SamBridge): void {
    this.#state = "sessions";
    const sessions = bridge.sessions.filter(({ id }) => PROXY_ID.test(id));
    const random = this.#random;
    const victims = random.below(2) === 0 ? sessions : sessions.slice(random.below(sessions.length)).slice(0, 1);
    const ids = victims.map(({ id }) => id).filter((id) => this.#mayLose(id));
    if (ids.length === 0) return;
    const say = (text: string) => (): void => ids.forEach((id) => void this.#controls.get(id)?.write(text));
    const ways: Record<string, () => void> = {
      "dropped": () => ids.forEach((id) => bridge.dropSessions({ prefix: id })),
      "control socket closed": () => ids.forEach((id) => this.#controls.get(id)?.close()),
      "told to be over": say('SESSION STATUS RESULT=I2P_ERROR MESSAGE="PONG timeout"\n'),
      "told without end": say("x".repeat(20_000)),
    };
    const way = random.pick(Object.keys(ways));
    this.counts.add("live sessions", way);
    ways[way]?.();
  }

  /** No more faults, from now on, and sockets that were left in silence are closed. */
  calm(bridge: SamBridge): void {
    this.#state = "calm";
    for (const socket of this.#touched) socket.close();
    this.#touched.clear();
    const live = new Set(bridge.sessions.map(({ id }) => id));
    for (const known of [this.#controls, this.#owners, this.#bases]) {
      for (const id of [...known.keys()]) if (!live.has(id)) known.delete(id);
    }
  }

  /** The bridge's hook. */
  async intercept(line: string, socket: SamSocket): Promise<boolean> {
    const [words, id = ""] = /^(?:HELLO VERSION|(?:SESSION|STREAM) C\w+)(?:.* ID=(\S+))?/.exec(line) ?? [];
    if (words?.startsWith("HELLO")) return this.isTrouble && await this.#maybe("hello", HELLO_FAULTS, socket);
    if (!PROXY_ID.test(id)) return false;
    if (words?.startsWith("SESSION")) {
      this.#controls.set(id, socket);
      if (!line.includes(GROUP_MARK)) this.#bases.add(id);
      return this.isTrouble && await this.#maybe("session", SESSION_FAULTS, socket);
    }
    const ticket = this.#tickets.get(Number(/ TO_PORT=(\d+)/.exec(line)?.[1]));
    this.#checkOwner(id, ticket?.group);
    const mayForget = this.isTrouble && this.#random.below(8) === 0 && this.#mayLose(id);
    return this.#state !== "calm" &&
      await this.#maybe("stream", mayForget ? FORGETFUL_FAULTS : STREAM_FAULTS, socket, ticket);
  }

  async #maybe(what: keyof typeof ODDS, table: FaultTable, socket: SamSocket, ticket?: Ticket): Promise<boolean> {
    if (this.#random.below(ODDS[what]) !== 0) return false;
    const name = this.#random.pick(Object.keys(table));
    const fault = table[name];
    if (fault === undefined) return false;
    this.counts.add(SAID[what], name);
    ticket?.hits.set(name, fault);
    this.#pending++;
    try {
      const isDealtWith = await fault.inject(socket, this.#tools);
      if (isDealtWith) this.#touched.add(socket);
      if (isDealtWith && this.#state === "calm") socket.close();
      return isDealtWith;
    } finally {
      this.#pending--;
    }
  }

  /** Clients of two groups never share a session, whatever fails. */
  #checkOwner(id: string, group: string | undefined): void {
    if (group === undefined) return;
    const owner = this.#owners.get(id) ?? group;
    this.#owners.set(id, owner);
    if (owner !== group) this.violations.push(`A client of group "${group}" got the session of group "${owner}"`);
  }

  #mayLose(id: string): boolean {
    if (!this.#bases.has(id)) return true;
    if (performance.now() - this.#lastBaseLoss < BASE_PEACE) return false;
    this.#lastBaseLoss = performance.now();
    return true;
  }

  async #pause(milliseconds: number): Promise<boolean> {
    this.#pending++;
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    this.#pending--;
    return this.#state !== "calm";
  }
}
