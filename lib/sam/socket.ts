import type { Signal } from "../io/signal.ts";
import { Deadline, TimeoutError } from "../io/deadline.ts";
import { SamError, type SamPhase } from "./error.ts";
import { closeOnAbort, closeQuietly, connectTcp, isOfRuntime, writeAll } from "../io/conn.ts";
import { LineReader, LineTooLong } from "./line_reader.ts";
import { formatCommand, parseMessage, type SamMessage, type SamValues } from "./message.ts";

/** Where a SAM bridge listens, and how it wants to be greeted. */
export interface SamEndpoint {
  /** A loopback address. */
  hostname: string;
  /** TCP port; 7656 by convention. */
  port: number;
  /** User and password of SAM 3.2, which Java I2P asks for when authorization is switched on. */
  login?: SamLogin;
}

/** Credentials for a SAM bridge. */
export interface SamLogin {
  /** User name. */
  user: string;
  /** Password. */
  password: string;
}

/** Milliseconds for connecting to a bridge and its answer to HELLO: it needs neither tunnels nor the network for it. */
export const SAM_HELLO_TIMEOUT = 10_000;

/**
 * The one version asked for. Every router of today speaks it; above it routers differ in what they answer, and nothing
 * that streams need was added later: Java I2P takes USER, PASSWORD and TO_PORT in 3.1 as well.
 */
export const SAM_VERSION = "3.1";

/** Routers by the version of SAM that they choose where none is asked for: i2pd 2.45 and 2.58, Java I2P 2.8, emissary. */
export const ROUTERS: Readonly<Record<string, string>> = {
  "3.0": "i2pd",
  "3.1": "i2pd",
  "3.2": "emissary",
  "3.3": "Java I2P",
};

/**
 * Which version HELLO asks for: the one that the program speaks, one that also sends the I2P ports of callers (3.2) or
 * has sessions within sessions (3.3), or whichever the bridge likes best (SAM 3.1).
 */
export type WantedVersion = "ours" | "ports" | "subsessions" | "any";

const ENCODER = new TextEncoder();

/** What begins a line by which a bridge asks whether somebody is there. */
const PING = "PING";

/** What HELLO says for each. */
const VERSIONS: Readonly<Record<WantedVersion, Record<string, string>>> = {
  ours: { MIN: SAM_VERSION, MAX: SAM_VERSION },
  ports: { MIN: SAM_VERSION, MAX: "3.2" },
  subsessions: { MIN: SAM_VERSION, MAX: "3.3" },
  any: {},
};

/** HELLO without a login, for each. */
const HELLOS: Readonly<Record<WantedVersion, Uint8Array>> = {
  ours: encodeHello("ours"),
  ports: encodeHello("ports"),
  subsessions: encodeHello("subsessions"),
  any: encodeHello("any"),
};

/**
 * A connection to a SAM bridge that has said HELLO: one request, then its reply, then the next.
 *
 * Requests are never sent ahead: i2pd drops what follows a command in the same segment.
 */
export class SamSocket {
  /** The version that the bridge agreed to, such as "3.1". */
  readonly version: string;
  readonly #conn: Deno.TcpConn;
  readonly #lines: LineReader;
  #unfollow: () => void;
  /** What the bridge says next, where that is waited for already. */
  #heard: Promise<SamMessage> | undefined;

  private constructor(conn: Deno.TcpConn, lines: LineReader, version: string, unfollow: () => void) {
    this.#conn = conn;
    this.#lines = lines;
    this.version = version;
    this.#unfollow = unfollow;
  }

  /**
   * Connects and exchanges HELLO.
   *
   * @param signal ends everything on this socket until {@linkcode SamSocket.detach}, by closing it.
   * @param wanted which version: `any` shows what a bridge chooses by itself.
   * @param connected a connection to the bridge that has said nothing yet, in place of a new one.
   * @throws {SamError} if the bridge is not there, is not a SAM bridge, refuses, or does not answer in time: within
   * {@linkcode SAM_HELLO_TIMEOUT}, or until the signal is aborted by a {@linkcode TimeoutError}.
   * @throws the signal's reason if it was aborted otherwise.
   */
  static async open(
    endpoint: SamEndpoint,
    signal: Signal,
    wanted: WantedVersion = "ours",
    connected: Deno.TcpConn | undefined = undefined,
  ): Promise<SamSocket> {
    using deadline = new Deadline(SAM_HELLO_TIMEOUT, signal);
    let conn = connected;
    try {
      conn ??= await connectTcp(endpoint, deadline);
      closeOnAbort(conn, deadline);
      conn.setNoDelay(true);
      const lines = new LineReader(conn);
      const hello = endpoint.login === undefined ? HELLOS[wanted] : encodeHello(wanted, endpoint.login);
      const sent = await conn.write(hello);
      if (sent < hello.length) await writeAll(conn, hello.subarray(sent));
      const version = checked(parseMessage(await lines.next()), "hello", "HELLO").get("VERSION");
      if (version === undefined || !/^\d+\.\d+$/.test(version)) throw new SamError("hello", "garbled");
      signal.throwIfAborted();
      return new SamSocket(conn, lines, version, closeOnAbort(conn, signal));
    } catch (error) {
      if (conn !== undefined) closeQuietly(conn);
      if (signal.aborted && !(signal.reason instanceof TimeoutError)) throw signal.reason;
      if (deadline.aborted) throw new SamError(conn === undefined ? "connect" : "hello", "silent");
      throw conn === undefined ? unreachable(error) : toSamError(error, "hello");
    }
  }

  /**
   * Sends one command and waits for its reply; no time limit but the signal's.
   *
   * @param topic the first word of the expected reply.
   * @returns the values of a reply whose RESULT is OK.
   * @throws {SamError} for any other RESULT, a closed connection, or what is no SAM.
   */
  async request(command: string, phase: SamPhase, topic: string): Promise<SamValues> {
    try {
      const bytes = ENCODER.encode(command);
      const sent = await this.#conn.write(bytes);
      if (sent < bytes.length) await writeAll(this.#conn, bytes.subarray(sent));
      const heard = this.#heard;
      this.#heard = undefined;
      return checked(heard === undefined ? parseMessage(await this.#nextLine()) : await heard, phase, topic);
    } catch (error) {
      throw toSamError(error, phase);
    }
  }

  /**
   * Sends one command, where the caller reads what comes then, with {@linkcode SamSocket.line}.
   *
   * @throws {SamError} for a closed connection.
   */
  async tell(command: string, phase: SamPhase): Promise<void> {
    try {
      await writeAll(this.#conn, ENCODER.encode(command));
    } catch (error) {
      throw toSamError(error, phase);
    }
  }

  /**
   * Waits for a line that is not a SAM message, such as that in front of an accepted stream; no time limit but the
   * signal's.
   *
   * @throws {SamError} for a closed connection, or a line that is too long.
   */
  async line(phase: SamPhase): Promise<string> {
    try {
      return await this.#nextLine();
    } catch (error) {
      throw toSamError(error, phase);
    }
  }

  /**
   * Reads what the bridge says of its own accord, answering PINGs, until it says that the session is over or closes
   * the connection.
   *
   * @returns why it is over.
   */
  async watch(): Promise<SamError> {
    try {
      for (;;) {
        const { topic, values } = await this.#nextMessage();
        const result = values.get("RESULT");
        if (topic === "SESSION" && result !== undefined && result !== "OK") return refusal("session", values);
      }
    } catch (error) {
      const reason = toSamError(error, "session");
      if (reason instanceof SamError) return reason;
      throw reason;
    }
  }

  /**
   * Listens to the bridge before the next request is known, and goes on with its reply.
   *
   * @param heard called once when the bridge says something or closes: unasked, if that is before the request.
   */
  listen(heard: () => void): void {
    this.#heard = this.#nextMessage();
    this.#heard.then(heard, heard);
  }

  /** Has another signal end everything on this socket from now on. */
  follow(signal: Signal): void {
    this.#unfollow();
    this.#unfollow = closeOnAbort(this.#conn, signal);
  }

  /**
   * Detaches the connection, with the bytes that came behind the last reply, and what they were read into: from here
   * on it is a stream.
   */
  detach(): { conn: Deno.TcpConn; early: Uint8Array; buffer: Uint8Array<ArrayBuffer> } {
    this.#unfollow();
    return { conn: this.#conn, early: this.#lines.rest(), buffer: this.#lines.buffer };
  }

  /** Closes the connection; a second call does nothing. */
  close(): void {
    this.#unfollow();
    closeQuietly(this.#conn);
  }

  #nextMessage(): Promise<SamMessage> {
    return this.#nextLine().then(parseMessage);
  }

  async #nextLine(): Promise<string> {
    for (;;) {
      const line = await this.#lines.next();
      if (!line.startsWith(PING) || line.length > PING.length && line.charAt(PING.length) !== " ") return line;
      await writeAll(this.#conn, ENCODER.encode(`PONG${line.slice(PING.length)}\n`));
    }
  }
}

/**
 * Connects to a SAM bridge, and says nothing.
 *
 * @throws {SamError} `unreachable` if it cannot be connected to.
 * @throws the signal's reason if it was aborted.
 */
export async function connectBridge({ hostname, port }: SamEndpoint, signal: Signal): Promise<Deno.TcpConn> {
  try {
    return await connectTcp({ hostname, port }, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw unreachable(error);
  }
}

/** What the failure of a connection to a bridge says. */
function unreachable(error: unknown): unknown {
  return error instanceof Deno.errors.NotCapable ? error : new SamError("connect", "unreachable", { cause: error });
}

function encodeHello(wanted: WantedVersion, login?: SamLogin): Uint8Array {
  const credentials = login && { USER: login.user, PASSWORD: login.password };
  return ENCODER.encode(formatCommand("HELLO VERSION", VERSIONS[wanted], credentials));
}

/** First words of replies. */
const TOPICS: ReadonlySet<string> = new Set(["HELLO", "SESSION", "STREAM", "NAMING", "DEST"]);

function checked({ topic, values }: SamMessage, phase: SamPhase, expected: string): SamValues {
  // The one reply that has no RESULT when all is well (SAM 3.0, DEST GENERATE).
  const result = values.get("RESULT") ?? (topic === "DEST" && values.has("PRIV") ? "OK" : undefined);
  if (!TOPICS.has(topic) || result === undefined) {
    throw new SamError(phase, "garbled");
  }
  if (result !== "OK") throw refusal(phase, values);
  // i2pd answers a STREAM command with a SESSION STATUS, but only to refuse it.
  if (topic !== expected) throw new SamError(phase, "garbled");
  return values;
}

function refusal(phase: SamPhase, values: SamValues): SamError {
  const result = values.get("RESULT") ?? "";
  const text = values.get("MESSAGE");
  return new SamError(phase, "refused", text === undefined ? { result } : { result, text });
}

/** What reading and writing throw says that the connection is gone. Anything else is a mistake of this program. */
function toSamError(error: unknown, phase: SamPhase): unknown {
  if (error instanceof LineTooLong) return new SamError(phase, "garbled", { cause: error });
  if (!isOfRuntime(error) || error instanceof Deno.errors.NotCapable) return error;
  return new SamError(phase, "closed", { cause: error });
}
