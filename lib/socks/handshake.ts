import { UDP_ASSOCIATE } from "./datagram.ts";
import { looksLikeHttp } from "./http.ts";
import { RESOLVE, RESOLVE_PTR } from "./resolve.ts";
import { parseRequest4 } from "./socks4.ts";
import { encodeLoginStatus, encodeMethod, Method, parseGreeting, parseLogin, parseRequest5 } from "./socks5.ts";
import { BIND, CONNECT, latin1, type Login, type Parsed, SocksError, type SocksRequest } from "./wire.ts";

/** What a handshake needs of a connection. */
export interface ByteStream {
  /** Reads into the buffer; resolves to the number of bytes, or null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of the bytes; resolves to how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Bytes that a handshake may take, greeting, login and request together. More than any valid handshake has
 * (257 + 513 + 262), so it is the size of the buffer and no message can exceed it.
 */
export const MAX_HANDSHAKE = 1088;

const NOTHING = new Uint8Array();

/** Names of the commands that may be switched off. */
const COMMAND_NAMES: Readonly<Record<number, string>> = {
  [BIND]: "BIND",
  [UDP_ASSOCIATE]: "UDP ASSOCIATE",
  [RESOLVE]: "RESOLVE",
  [RESOLVE_PTR]: "RESOLVE_PTR",
};

/** What becomes of user names and passwords. */
export interface LoginPolicy {
  /**
   * Whether clients are asked for a login: `accepted` from those that offer nothing else, `preferred` from those that
   * offer one, `required` from all. SOCKS 4 has no password, so it is refused where a login is required.
   */
  login: "accepted" | "preferred" | "required";
  /** Is told when the first byte has come. */
  onFirst?: () => void;
  /** Whether a client that offers these methods is asked for a login, where one is preferred. @default {always} */
  isWanted?: (methods: Uint8Array) => boolean;
  /** Is told of the methods of a client that is asked for a login although it could go without. */
  onAsked?: (methods: Uint8Array) => void;
  /** Whether a login is right; only asked where one is required. */
  verify?: (login: Login) => Promise<boolean>;
  /** Commands that are served in addition to CONNECT. @default {none} */
  commands?: ReadonlySet<number>;
}

/** A request, and the bytes that the client sent behind it without waiting for the reply. */
export interface Handshake {
  /** What the client asks for. */
  request: SocksRequest;
  /** Optimistic data: payload, to be sent once the stream is open. */
  early: Uint8Array;
  /** What the handshake was read into, {@linkcode MAX_HANDSHAKE} bytes: nobody needs it any more. */
  buffer: Uint8Array<ArrayBuffer>;
}

/**
 * Reads a client's handshake up to its request: version 4, 4a or 5, told apart by the first byte.
 *
 * The answer to a greeting and to a login is written here; the reply to the request is the caller's.
 *
 * @throws {SocksError} if the client closes, sends what is no SOCKS, or asks for something that does not exist.
 */
export async function readHandshake(
  client: ByteStream,
  policy: LoginPolicy = { login: "accepted" },
): Promise<Handshake> {
  const reader = new HandshakeReader(client);
  while (reader.isEmpty) await reader.readMore();
  policy.onFirst?.();
  const request = await readRequest(client, reader, policy);
  if (request.command !== CONNECT && !policy.commands?.has(request.command)) {
    const { command, version } = request;
    throw new SocksError("command", `The command ${COMMAND_NAMES[command] ?? command} is not served`, version);
  }
  return { request, early: reader.takeRest(), buffer: reader.buffer };
}

async function readRequest(client: ByteStream, reader: HandshakeReader, policy: LoginPolicy): Promise<SocksRequest> {
  const version = reader.first;
  if (version === 4) {
    const request = reader.tryTake(parseRequest4) ?? await reader.take(parseRequest4);
    if (policy.login !== "required") return request;
    throw new SocksError("loginRefused", "A password is required, and SOCKS4 has none", 4);
  }
  if (version === 5) {
    const { login, wantsReason } = await authenticate(client, reader, policy);
    const request = reader.tryTake(parseRequest5) ?? await reader.take(parseRequest5);
    if (login !== undefined) request.login = login;
    if (wantsReason) request.wantsReason = true;
    return request;
  }
  const parseHttp = (bytes: Uint8Array): Parsed<boolean> => {
    const value = looksLikeHttp(bytes);
    return value === undefined ? undefined : { value, length: 0 };
  };
  const http = reader.tryTake(parseHttp) ?? await reader.take(parseHttp);
  if (http) {
    throw new SocksError("http", "An HTTP request came to the SOCKS port", undefined, { sent: latin1(reader.rest()) });
  }
  throw new SocksError("notSocks", `The first byte is ${version}, so this is not a SOCKS client`);
}

/** Methods in the order of our liking. Clients that offer nothing but a login exist, so one is always taken. */
const METHODS: Readonly<Record<LoginPolicy["login"], readonly number[]>> = {
  accepted: [Method.none, Method.userPassword],
  preferred: [Method.userPassword, Method.none],
  required: [Method.userPassword],
};

/** The answers to greetings, by method. */
const ANSWERS: Readonly<Record<number, Uint8Array>> = {
  [Method.none]: encodeMethod(Method.none),
  [Method.userPassword]: encodeMethod(Method.userPassword),
};

/** Chooses the method, and reads the login where there is one. */
async function authenticate(
  client: ByteStream,
  reader: HandshakeReader,
  { login: wanted, isWanted = () => true, onAsked, verify }: LoginPolicy,
): Promise<{ login?: Login; wantsReason: boolean }> {
  const offered = reader.tryTake(parseGreeting) ?? await reader.take(parseGreeting);
  // Some clients send their login without waiting for the answer: 1 is the version of a login, and 5 that of a request.
  const hasSentLogin = !reader.isEmpty && reader.first === 1;
  const preferred = wanted === "preferred" && !hasSentLogin && !isWanted(offered) ? "accepted" : wanted;
  const method = METHODS[preferred].find((m) => offered.includes(m)) ?? Method.noneAcceptable;
  if (method === Method.userPassword && offered.includes(Method.none)) onAsked?.(offered);
  const answer = ANSWERS[method] ?? encodeMethod(method);
  const sent = await client.write(answer);
  if (sent < answer.length) await writeAll(client, answer.subarray(sent));
  if (method === Method.noneAcceptable) {
    throw new SocksError(
      "authMethod",
      wanted === "required" ? "The client offers no login" : "The client offers neither to go without a login nor one",
    );
  }
  const wantsReason = offered.includes(Method.reasons);
  if (method === Method.none) return { wantsReason };
  const takeLogin = async (): Promise<Login> => reader.tryTake(parseLogin) ?? await reader.take(parseLogin);
  const login = await takeLogin().catch((error) => {
    if (wanted === "required" || !offered.includes(Method.none)) throw error;
    throw new SocksError("loginMissing", "The client offered a login, and then sent none", undefined, { cause: error });
  });
  const isRight = wanted !== "required" || (await verify?.(login) ?? false);
  await writeAll(client, encodeLoginStatus(isRight));
  if (!isRight) throw new SocksError("loginRefused", "The user name or the password is wrong");
  return { login, wantsReason };
}

/** Collects bytes until a parser has enough, and keeps those that follow. */
class HandshakeReader {
  readonly #client: ByteStream;
  readonly buffer: Uint8Array<ArrayBuffer> = new Uint8Array(MAX_HANDSHAKE);
  #start = 0;
  #end = 0;

  constructor(client: ByteStream) {
    this.#client = client;
  }

  /** Whether nothing is unread. */
  get isEmpty(): boolean {
    return this.#start === this.#end;
  }

  /** The first byte, which stays unread. */
  get first(): number {
    return this.buffer[this.#start] ?? 0;
  }

  /** What a parser finds in what has come; undefined if more is needed. */
  tryTake<T>(parse: (bytes: Uint8Array) => Parsed<T>): T | undefined {
    if (this.isEmpty) return undefined;
    const parsed = parse(this.rest());
    if (parsed !== undefined) this.#start += parsed.length;
    return parsed?.value;
  }

  /** What a parser finds as soon as enough has come, where that is not enough. */
  async take<T>(parse: (bytes: Uint8Array) => Parsed<T>): Promise<T> {
    for (;;) {
      await this.readMore();
      const found = this.tryTake(parse);
      if (found !== undefined) return found;
    }
  }

  rest(): Uint8Array {
    return this.buffer.subarray(this.#start, this.#end);
  }

  /** A copy of what is unread. */
  takeRest(): Uint8Array {
    return this.#start === this.#end ? NOTHING : this.rest().slice();
  }

  /** @throws {SocksError} if the client closes. */
  async readMore(): Promise<void> {
    const count = await this.#client.read(this.#end === 0 ? this.buffer : this.buffer.subarray(this.#end));
    if (count === null) throw new SocksError("closed", "The client closed the connection during the handshake");
    this.#end += count;
  }
}

async function writeAll(client: ByteStream, bytes: Uint8Array): Promise<void> {
  let sent = await client.write(bytes);
  while (sent < bytes.length) sent += await client.write(bytes.subarray(sent));
}
