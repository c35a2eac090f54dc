import { assertEquals } from "@std/assert";
import type { TimeoutSettings } from "../../lib/config/settings.ts";
import { closeQuietly } from "../../lib/io/conn.ts";
import { concat } from "../support/bytes.ts";
import type { Random } from "../support/random.ts";
import { readToEnd, socksConnect } from "../clients/socks_client.ts";
import { encodeGreeting, encodeLogin, encodeRequest4, encodeRequest5 } from "../clients/socks_wire.ts";
import { AS_EVER } from "./fault_table.ts";
import type { Lag, Moment } from "./lag.ts";
import type { Faults, Ticket } from "./faults.ts";

/** Where clients live. */
export interface World {
  /** The proxy's port. */
  readonly port: number;
  /** Names of the service in I2P. */
  readonly hosts: readonly string[];
  /** What the bridge does wrong. */
  readonly faults: Faults;
  /** The proxy's limits of time. */
  readonly timeouts: Omit<TimeoutSettings, "identityIdle" | "wait">;
  /** Clients that got code 1 without a fault: there was no identity left for their isolation group. */
  crowdedOut: number;
  /** How busy the machine is. */
  readonly lag: Lag;
  /** Clients that a limit of time hit without a fault, and without a busy machine, one sentence each. */
  readonly strained: string[];
}

/** How a client speaks to the proxy. */
export interface Manner {
  version: 4 | 5;
  login?: { user: string; password: string };
  /** The isolation group that this makes; empty for the base identity. */
  group: string;
}

/** A client with a stream. */
export interface Dialled extends Disposable {
  conn: Deno.TcpConn;
  /** Bytes that came behind the reply. */
  early: Uint8Array;
  ticket: Ticket;
}

/** Users of isolation groups: with their two versions more groups than identities. */
const USERS = ["ann", "bob", "cid"];

/** What a client may be told while sessions are lost around it. */
const TROUBLE_CODES = [1, 3, 6];

/** Chooses version and login. */
export function chooseManner(random: Random, host: string): Manner {
  const version = random.below(3) === 0 && !host.includes(":") ? 4 : 5;
  if (random.below(5) < 3) return { version, group: "" };
  const login = { user: random.pick(USERS), password: version === 4 ? "" : "secret" };
  return { version, login, group: `${login.user}/${login.password}` };
}

/** A whole handshake, sent without waiting for any answer. */
export function encodeHandshake({ version, login }: Manner, host: string, port: number): Uint8Array {
  if (version === 4) return encodeRequest4({ host, port, userId: login?.user ?? "" });
  const request = encodeRequest5({ host, port });
  if (login === undefined) return concat(encodeGreeting([0]), request);
  return concat(encodeGreeting([0, 2]), encodeLogin(login.user, login.password), request);
}

/**
 * Asks for a host, by default for the service.
 *
 * @param early payload to send behind the request.
 * @returns the stream, or a refusal in words.
 * @throws {Error} if this client may not be told so.
 */
export async function dial(
  world: World,
  random: Random,
  early: Uint8Array = new Uint8Array(),
  [host, expected]: readonly [host: string, code: number] = [random.pick(world.hosts), 0],
): Promise<Dialled | string> {
  const manner = chooseManner(random, host);
  const { version, login } = manner;
  const ticket = world.faults.ticket(manner.group);
  const attempt: Attempt = { manner, ticket, expected, since: world.lag.moment() };
  const dialled = await socksConnect(world.port, host, ticket.port, { version, early, ...login && { login } })
    .catch((error) => {
      ticket[Symbol.dispose]();
      return strain(world, attempt.since, world.timeouts.handshake, `${error.message} ${describe(ticket)}`);
    });
  if (typeof dialled === "string") return dialled;
  const { reply, conn } = dialled;
  const client = {
    conn,
    early: dialled.early,
    ticket,
    [Symbol.dispose]: () => {
      closeQuietly(conn);
      ticket[Symbol.dispose]();
    },
  };
  if (isGranted(reply.code, attempt, world)) return client;
  using _refused = client;
  assertEquals(dialled.early.length + (await readToEnd(conn)).length, 0, "bytes behind a refusal");
  return `refused ${reply.code}`;
}

/** What a client has asked for. */
export interface Attempt {
  manner: Manner;
  ticket: Ticket;
  /** The SOCKS5 code that it must get if no fault has hit it. */
  expected: number;
  /** When it began. */
  since: Moment;
}

/**
 * Whether a reply grants a stream.
 *
 * @throws {Error} if it may not be this one.
 */
export function isGranted(code: number, attempt: Attempt, world: World): boolean {
  const { manner: { version, group }, ticket, expected, since } = attempt;
  const codes = permittedCodes(expected, ticket, world);
  const inVersion = (code5: number): number => version === 5 ? code5 : code5 === 0 ? 0x5a : 0x5b;
  if (codes.map(inVersion).includes(code)) return code === inVersion(0);
  if (group !== "" && code === inVersion(1)) {
    world.crowdedOut++;
    return false;
  }
  const problem = `It got reply ${code}, and may get ${codes.join(" or ")}, ${describe(ticket)}`;
  // The limit of time is over before there was an answer, or before there was a session.
  if (![6, 3].map(inVersion).includes(code)) throw new Error(problem);
  strain(world, since, world.timeouts.connect, problem);
  return false;
}

/**
 * Puts up with what a limit of time explains. Where the machine was not busy meanwhile, it is put down, for that may
 * happen to a few clients only.
 *
 * @param limit milliseconds.
 * @param silence milliseconds that must be over the limit, if they are not all since the beginning.
 * @throws {Error} `problem` if the time was not over.
 */
export function strain(
  world: World,
  since: Moment,
  limit: number,
  problem: string,
  silence: number = Infinity,
): string {
  const { elapsed, lagged } = world.lag.since(since);
  // The proxy may have heard of a byte, or of its absence, as much earlier as the machine was late.
  if (Math.min(elapsed, silence + lagged) < limit) throw new Error(problem);
  if (lagged < limit / 4) world.strained.push(`${problem}, after ${Math.round(elapsed)} ms`);
  return "strained";
}

/** A client, for a problem and to find its log lines. */
export function describe({ port, hits }: Ticket): string {
  return `at port ${port}, hit by ${[...hits.keys()].join(" and ") || "nothing"}`;
}

/** Whether a client's stream may end before its last byte. */
export function mayBeCut({ hits }: Ticket, { faults }: World): boolean {
  return faults.isTrouble || hits.values().some((hit) => hit.cuts);
}

function permittedCodes(expected: number, { hits }: Ticket, { faults }: World): number[] {
  const codes = [...hits.values()].flatMap((hit) => hit.codes).map((code) => code === AS_EVER ? expected : code);
  if (hits.size === 0 || faults.isTrouble) codes.push(expected);
  return faults.isTrouble ? [...codes, ...TROUBLE_CODES] : codes;
}
