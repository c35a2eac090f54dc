import { writeAll } from "./socks_client.ts";
import {
  type ClientRequest4,
  type ClientRequest5,
  encodeGreeting,
  encodeLogin,
  encodeRequest4,
  encodeRequest5,
  parseReply4,
  parseReply5,
  type ServerReply,
} from "./socks_wire.ts";
import { concat } from "../support/bytes.ts";

/** Something that a client says in one segment, and how the answer to it is read. */
export interface Message {
  /** The bytes. */
  bytes: Uint8Array;
  /** What has to be answered, one thing after the other. A `login` is left out where the method makes none necessary. */
  answers: readonly Answer[];
  /**
   * Whether each byte goes in a segment of its own.
   *
   * @default {false}
   */
  slowly?: boolean;
  /**
   * Whether the payload is among the bytes.
   *
   * @default {false}
   */
  hasPayload?: boolean;
  /**
   * Whether the client ends its side behind it.
   *
   * @default {false}
   */
  last?: boolean;
}

/** Kinds of answers. */
export type Answer = "method" | "login" | "reply5" | "reply4";

/** How a conversation goes on after the handshake. */
export interface Continuation {
  /** Said after success, where no message has it and the client has not ended its side. */
  payload: Uint8Array;
  /** Text that has to come after success. */
  token: string;
  /** Milliseconds without a byte until the server counts as silent. */
  patience: number;
}

/** A greeting with methods. */
export function greeting(...methods: number[]): Message {
  return { bytes: encodeGreeting(methods), answers: ["method"] };
}

/** A user name and password. */
export function login(user: string, password: string): Message {
  return { bytes: encodeLogin(user, password), answers: ["login"] };
}

/** A request of SOCKS5. */
export function request5(request: ClientRequest5): Message {
  return { bytes: encodeRequest5(request), answers: ["reply5"] };
}

/** A request of SOCKS 4 or 4a. */
export function request4(request: ClientRequest4): Message {
  return { bytes: encodeRequest4(request), answers: ["reply4"] };
}

/** Any bytes. */
export function raw(bytes: Iterable<number>, ...answers: Answer[]): Message {
  return { bytes: Uint8Array.from(bytes), answers };
}

/** Several messages in one segment. */
export function together(...messages: readonly Message[]): Message {
  return {
    bytes: concat(...messages.map(({ bytes }) => bytes)),
    answers: messages.flatMap(({ answers }) => answers),
  };
}

/**
 * Talks to a SOCKS server on 127.0.0.1, whatever the server does, and tells in words what it did:
 *
 * - `method 02`, `login 00`, `reply 5b`: its codes in hex; `bytes 05 01 00 01` or `HTTP 400` where something else came
 * - `page`: after success the token came
 * - `closed`, `reset`, `silent`: how it ended otherwise
 */
export async function converse(port: number, messages: readonly Message[], then: Continuation): Promise<string> {
  const ear = new Ear(await Deno.connect({ hostname: "127.0.0.1", port }), then.patience);
  try {
    for (const message of messages) {
      if (message.answers[0] === "login" && ear.words.at(-1) === "method 00") continue;
      // RFC 1928 §3: a client whose methods are all refused says no more.
      if (ear.words.at(-1) === "method ff") break;
      await ear.say(message);
      for (const answer of message.answers) await ear.hear(answer);
    }
    const isSaid = messages.some(({ last, hasPayload }) => last || hasPayload);
    if (!ear.isGranted()) await ear.until(() => undefined);
    else await ear.carry(isSaid ? new Uint8Array() : then.payload, then.token);
  } catch (error) {
    if (!(error instanceof TalkOver)) throw error;
  } finally {
    await ear.close();
  }
  return ear.words.join(", ");
}

/** The server has ended the conversation, or does not go on with it. */
class TalkOver extends Error {}

/** One connection, and what is heard on it. */
class Ear {
  /** What was heard. */
  readonly words: string[] = [];
  readonly #conn: Deno.TcpConn;
  readonly #patience: number;
  #held: Uint8Array = new Uint8Array();
  #reading: Promise<unknown> = Promise.resolve();

  constructor(conn: Deno.TcpConn, patience: number) {
    conn.setNoDelay(true);
    this.#conn = conn;
    this.#patience = patience;
  }

  async say({ bytes, slowly = false, last = false }: Message): Promise<void> {
    for (const part of slowly ? Array.from(bytes, (byte) => Uint8Array.of(byte)) : [bytes]) {
      await this.#orOver(writeAll(this.#conn, part));
      if (slowly) await new Promise((resolve) => setTimeout(resolve, 5));
    }
    if (last) await this.#orOver(this.#conn.closeWrite());
  }

  async hear(answer: Answer): Promise<void> {
    switch (answer) {
      case "method":
        return await this.#code("method", (bytes) => parsePair(bytes, 5));
      case "login":
        return await this.#code("login", (bytes) => parsePair(bytes, 1));
      case "reply5":
        return await this.#code("reply", parseReply5);
      case "reply4":
        return await this.#code("reply", parseReply4);
    }
  }

  isGranted(): boolean {
    return /^reply (00|5a)$/.test(this.words.at(-1) ?? "");
  }

  /** Says the payload, and waits for the token. What else comes is no matter. */
  async carry(payload: Uint8Array, token: string): Promise<void> {
    if (payload.length > 0) await this.#orOver(writeAll(this.#conn, payload));
    await this.until((bytes) => latin1(bytes).includes(token) ? bytes.length : undefined, false);
    this.words.push("page");
  }

  /**
   * Reads until it is told how many bytes to take.
   *
   * @throws {TalkOver} if the end or silence comes first; what came before it is told where `tellsRest`.
   */
  async until(taken: (bytes: Uint8Array) => number | undefined, tellsRest = true): Promise<void> {
    for (;;) {
      const length = this.#held.length > 0 ? taken(this.#held) : undefined;
      if (length !== undefined) {
        this.#held = this.#held.subarray(length);
        return;
      }
      const more = await this.#read();
      if (typeof more === "string") this.#end(more, tellsRest ? describe(this.#held) : []);
      this.#held = concat(this.#held, more);
    }
  }

  async close(): Promise<void> {
    this.#conn.close();
    // A read that nobody waits for any more fails now.
    await this.#reading.catch(() => {});
  }

  /** Hears an answer, or, where something else comes, all of that. */
  async #code(what: string, parse: (bytes: Uint8Array) => ReturnType<typeof parseReply5>): Promise<void> {
    let reply: ServerReply | undefined;
    let isOther = false;
    await this.until((bytes) => {
      try {
        const parsed = isOther ? undefined : parse(bytes);
        reply = parsed?.value;
        return parsed?.length;
      } catch (error) {
        if (!(error instanceof SyntaxError)) throw error;
        isOther = true;
        return undefined;
      }
    });
    this.words.push(`${what} ${hex(reply?.code ?? 0)}`);
  }

  async #read(): Promise<Uint8Array | "closed" | "reset" | "silent"> {
    const buffer = new Uint8Array(4096);
    const reading = this.#conn.read(buffer).catch(nameOfReset);
    this.#reading = reading;
    const { promise: silence, resolve } = Promise.withResolvers<"silent">();
    const timer = setTimeout(() => resolve("silent"), this.#patience);
    const count = await Promise.race([reading, silence]);
    clearTimeout(timer);
    return typeof count === "number" ? buffer.subarray(0, count) : count ?? "closed";
  }

  async #orOver(writing: Promise<void>): Promise<void> {
    try {
      await writing;
    } catch (error) {
      this.#end(nameOfReset(error), describe(this.#held));
    }
  }

  #end(how: string, before: string[]): never {
    this.words.push(...before, how);
    throw new TalkOver();
  }
}

/** Two bytes, the first of which is known. */
function parsePair(bytes: Uint8Array, first: number): ReturnType<typeof parseReply5> {
  if (bytes[0] !== first) throw new SyntaxError(`Cannot read answer: it begins with ${bytes[0]}`);
  const code = bytes[1];
  return code === undefined ? undefined : { value: { code, host: "", port: 0 }, length: 2 };
}

/** What nobody expected: the first four bytes, or the status where it is HTTP. */
function describe(bytes: Uint8Array): string[] {
  const status = /^HTTP\/1\.[01] (\d{3}) /.exec(latin1(bytes))?.[1];
  if (status !== undefined) return [`HTTP ${status}`];
  return bytes.length === 0 ? [] : [`bytes ${Array.from(bytes.subarray(0, 4), hex).join(" ")}`];
}

function nameOfReset(error: unknown): "reset" {
  const resets = [Deno.errors.ConnectionReset, Deno.errors.BrokenPipe, Deno.errors.NotConnected];
  if (resets.some((type) => error instanceof type)) return "reset";
  throw error;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, "0");
}

function latin1(bytes: Uint8Array): string {
  return new TextDecoder("latin1").decode(bytes);
}
