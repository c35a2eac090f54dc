import type { RawOptions } from "../config/raw_options.ts";
import { ConfigError } from "../config/settings.ts";
import { concat } from "../io/bytes.ts";
import { errorText } from "../io/error_text.ts";
import type { Signal } from "../io/signal.ts";
import { closeOnAbort, closeQuietly, connectTcp, writeAll } from "../io/conn.ts";
import { type Reason, REASONS } from "../reasons/reasons.ts";
import type { Log } from "../report/log.ts";
import type { StreamTarget } from "../sam/stream.ts";
import {
  encodeConnect,
  encodeGreeting,
  encodeLogin,
  methodFor,
  parseLoginStatus,
  parseMethod,
  parseReply5,
} from "../socks/client5.ts";
import { Method } from "../socks/socks5.ts";
import { Extended5, type Login, type Parsed, Reply5, SocksError } from "../socks/wire.ts";
import { readPassword } from "./input_files.ts";

export type { Login };

/** A running proxy to go through. */
interface Upstream {
  /** A loopback address. */
  hostname: string;
  /** TCP port. */
  port: number;
  /** Login for it, which also selects its isolation group. */
  login?: Login | undefined;
}

/**
 * How a proxy did not give a stream:
 *
 * - `unreachable`: no TCP connection to it
 * - `not-socks`: what listens there is no SOCKS5 proxy, or closes
 * - `login`: it wants a login, or another one
 * - `not-permitted`, `not-ready`, `peer`, `timed-out`, `failed`: it said so
 */
export type UpstreamProblem =
  | "unreachable"
  | "not-socks"
  | "login"
  | "not-permitted"
  | "not-ready"
  | "peer"
  | "timed-out"
  | "failed";

/** A proxy did not give a stream. */
export class UpstreamError extends Error {
  /** How. */
  readonly problem: UpstreamProblem;
  /** Why, where the proxy is one of this program, and its SAM bridge. */
  readonly refusal: { reason: Reason; sam: string } | undefined;

  constructor(problem: UpstreamProblem, message: string, cause?: unknown, refusal?: UpstreamError["refusal"]) {
    super(message, { cause });
    this.name = "UpstreamError";
    this.problem = problem;
    this.refusal = refusal;
  }
}

/** What a refusal means, and what it says. */
const REFUSALS: Readonly<Record<number, readonly [UpstreamProblem, string]>> = {
  [Reply5.generalFailure]: ["failed", "The proxy or its router failed"],
  [Reply5.notAllowed]: ["not-permitted", "The proxy does not permit this destination"],
  [Reply5.networkUnreachable]: ["not-ready", "The proxy has no session: its router is not there or not ready"],
  [Reply5.hostUnreachable]: ["peer", "The proxy cannot reach the site: its name is unknown, or it is offline"],
  [Reply5.connectionRefused]: ["peer", "The site refused the connection"],
  [Reply5.ttlExpired]: ["timed-out", "No answer within the proxy's time limit"],
  [Extended5.leaseSetNotFound]: ["peer", "The site is offline or does not exist"],
  [Extended5.peerUnreachable]: ["peer", "The proxy cannot reach the site"],
  [Extended5.malformedAddress]: ["not-permitted", "The proxy does not accept this as an I2P address"],
  [Extended5.timedOut]: ["timed-out", "No answer within the proxy's time limit"],
};

/** The login for a running proxy, if options give one. Where it wants no password any one will do, or none. */
export async function readViaLogin(given: RawOptions, log: Log): Promise<Login | undefined> {
  const user = given.get("via-user")?.at(-1)?.text;
  const file = given.get("via-password-file")?.at(-1)?.text;
  if (user === undefined && file === undefined) return undefined;
  if (!user) throw new ConfigError(["--via-password-file needs --via-user"]);
  const password = file === undefined ? "" : await readPassword(file, "--via-password-file", log);
  const encoder = new TextEncoder();
  const login = { user: encoder.encode(user), password: encoder.encode(password) };
  for (const bytes of Object.values(login)) {
    if (bytes.length > 255) throw new ConfigError(["A login for --via has at most 255 bytes of each"]);
  }
  return login;
}

/** Most bytes of one answer of the dialogue, with what may come behind the last one. */
const MAX_ANSWER = 4096;

/**
 * Opens a stream through a SOCKS5 proxy on this machine.
 *
 * @returns the connection, and the peer's bytes that came behind the reply.
 * @throws {UpstreamError} if the proxy is not there or refuses.
 * @throws the signal's reason if it was aborted.
 */
export async function connectThrough(
  { hostname, port, login }: Upstream,
  target: StreamTarget,
  signal: Signal,
): Promise<{ conn: Deno.TcpConn; early: Uint8Array }> {
  const conn = await reach(hostname, port, signal);
  const unfollow = closeOnAbort(conn, signal);
  try {
    const early = await talk(conn, login, target);
    signal.throwIfAborted();
    return { conn, early };
  } catch (error) {
    closeQuietly(conn);
    signal.throwIfAborted();
    if (error instanceof UpstreamError) throw error;
    throw new UpstreamError("not-socks", describe(error), error);
  } finally {
    unfollow();
  }
}

async function reach(hostname: string, port: number, signal: Signal): Promise<Deno.TcpConn> {
  try {
    return await connectTcp({ hostname, port }, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new UpstreamError("unreachable", errorText(error), error);
  }
}

/** The dialogue up to the reply: what came behind it. */
async function talk(conn: Deno.TcpConn, login: Login | undefined, { host, port }: StreamTarget): Promise<Uint8Array> {
  conn.setNoDelay(true);
  const answers = new Answers(conn);
  await writeAll(conn, encodeGreeting(methodFor(login)));
  const method = await answers.take(parseMethod);
  if (method === Method.noneAcceptable) throw new UpstreamError("login", "The proxy wants a login");
  if (login !== undefined && method === Method.userPassword) {
    await writeAll(conn, encodeLogin(login));
    if (!await answers.take(parseLoginStatus)) throw new UpstreamError("login", "The proxy refuses the login");
  }
  await writeAll(conn, encodeConnect(host, port));
  const { code, words } = await answers.take(parseReply5);
  if (code === Reply5.succeeded) return answers.rest;
  // It becomes part of a command to type, so it must be what it says.
  const [, word = "", sam = ""] = /^([a-z-]+) ((?:127\.0\.0\.1|\[::1\]):\d{1,5})$/.exec(words) ?? [];
  if (isReason(word)) throw new UpstreamError("failed", REASONS[word].message, undefined, { reason: word, sam });
  const [problem, message] = REFUSALS[code] ?? ["failed", `The proxy answered with code ${code}`];
  throw new UpstreamError(problem, message);
}

function isReason(word: string): word is Reason {
  return Object.hasOwn(REASONS, word);
}

/** Reads a dialogue, whatever the pieces that it comes in. */
class Answers {
  readonly #conn: Deno.TcpConn;
  /** What has come and was not taken. */
  rest: Uint8Array = new Uint8Array();

  constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /** Reads the next answer. @throws {SocksError} if the proxy closes instead. */
  async take<T>(parse: (bytes: Uint8Array) => Parsed<T>): Promise<T> {
    for (;;) {
      const parsed = parse(this.rest);
      if (parsed !== undefined) {
        this.rest = this.rest.slice(parsed.length);
        return parsed.value;
      }
      const buffer = new Uint8Array(MAX_ANSWER);
      const count = await this.#conn.read(buffer);
      if (count === null) throw new SocksError("closed", "it closes the connection");
      this.rest = concat([this.rest, buffer.subarray(0, count)]);
    }
  }
}

function describe(error: unknown): string {
  if (error instanceof SocksError && error.problem !== "closed") return "it speaks something else";
  return error instanceof SocksError ? error.message : "it closes the connection";
}
