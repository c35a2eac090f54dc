import { Method } from "../../lib/socks/socks5.ts";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { encodeHex } from "@std/encoding/hex";
import { type LoginPolicy, MAX_HANDSHAKE, readHandshake } from "../../lib/socks/handshake.ts";
import { CONNECT, latin1, SocksError, type SocksRequest } from "../../lib/socks/wire.ts";
import { bytesOf, concat } from "../support/bytes.ts";
import { FakeStream } from "../support/fake_stream.ts";
import type { Random } from "../support/random.ts";
import { encodeGreeting, encodeLogin, encodeRequest4, encodeRequest5 } from "../clients/socks_wire.ts";
import type { Target } from "./engine.ts";
import { hex } from "./literal.ts";
import { fragments, mutateBytes } from "./mutate.ts";

/** What a client sends, and the number of the policy that it meets. */
interface Talk {
  bytes: Uint8Array;
  policy: number;
}

/** How a handshake ended. */
interface Outcome {
  request: SocksRequest | undefined;
  problem: string | undefined;
  /** The bytes that the handshake left, as text. */
  rest: string;
  /** What the client heard, in hexadecimal digits. */
  written: string;
}

const POLICIES: readonly LoginPolicy[] = [
  { login: "accepted" },
  { login: "preferred" },
  { login: "required", verify: () => Promise.resolve(true) },
  { login: "required", verify: () => Promise.resolve(false) },
];

const HTTP_METHODS = ["GET ", "HEAD ", "POST ", "PUT ", "DELETE ", "CONNECT ", "OPTIONS ", "TRACE ", "PATCH "];

/** Any bytes from a client: one answer for every way to cut them, no byte too many read, and no word out of place. */
export const socksHandshake: Target<Talk> = {
  name: "socks-handshake",
  weight: 18,
  corpus: [
    { bytes: hex(""), policy: 0 },
    { bytes: hex("05"), policy: 0 },
    // No method, all methods, and a login whose lengths are at their limits.
    { bytes: hex("05 00"), policy: 0 },
    { bytes: concat(hex("05 ff"), new Uint8Array(255).fill(2), hex("01 00 00 05 01 00 03 00 00 00")), policy: 2 },
    { bytes: hex("05 01 02 01 ff"), policy: 2 },
    { bytes: hex("05 01 02 01 00 00 05 01 00 01 00 00 00 00 00 00"), policy: 3 },
    // Another version behind the greeting.
    { bytes: hex("05 01 00 04 01 00 50 00 00 00 01 00 61 00"), policy: 0 },
    // Fields of SOCKS4 that do not end, or end one byte too late.
    { bytes: concat(hex("04 01 00 50 00 00 00 01 00"), new Uint8Array(256).fill(0x61), hex("00")), policy: 0 },
    { bytes: concat(hex("04 01 00 50 7f 00 00 01"), new Uint8Array(3000).fill(0x61)), policy: 0 },
    // HTTP that ends within its method.
    { bytes: new TextEncoder().encode("OPTIONS"), policy: 0 },
  ],
  generate: (random) => {
    const policy = random.below(POLICIES.length);
    const bytes = concat(randomHandshake(random, policy), random.bytes(random.below(20)));
    const isWhole = random.below(8) === 0;
    return { bytes: isWhole ? bytes : mutateBytes(bytes, random, { other: randomHandshake(random, policy) }), policy };
  },
  check: async ({ bytes, policy: number }, random) => {
    const policy = POLICIES[number] ?? { login: "accepted" };
    const outcome = await readFrom([bytes], policy);
    checkOutcome(outcome, bytes, policy);
    assertEquals(await readFrom(fragments(bytes, random), policy, 1), outcome, "cut into fragments");
    if (bytes.length <= 300) assertEquals(await readFrom(singles(bytes), policy), outcome, "byte by byte");
    if (outcome.request === undefined) return;
    const again = await readFrom([encode(outcome.request)], policy);
    assertEquals(again.request, outcome.request, "written anew");
  },
};

async function readFrom(chunks: Iterable<Uint8Array>, policy: LoginPolicy, writeSize = Infinity): Promise<Outcome> {
  const stream = new FakeStream(chunks, { writeSize });
  const length = stream.unread.length;
  let outcome: Pick<Outcome, "request" | "problem" | "rest">;
  try {
    const { request, early } = await readHandshake(stream, policy);
    outcome = { request, problem: undefined, rest: latin1(concat(early, stream.unread)) };
  } catch (error) {
    assertInstanceOf(error, SocksError);
    outcome = { request: undefined, problem: `${error.problem} ${error.version}`, rest: "" };
  }
  assert(length - stream.unread.length <= MAX_HANDSHAKE, "more was read than a handshake may have");
  return { ...outcome, written: encodeHex(Uint8Array.from(stream.written)) };
}

/** What holds for every handshake, however it ends. */
function checkOutcome({ request, problem, rest, written }: Outcome, bytes: Uint8Array, policy: LoginPolicy): void {
  const isRequired = policy.login === "required";
  const said = isRequired ? /^(05ff|0502(010[01])?)?$/ : /^(05ff|0500|0502(0100)?)?$/;
  assert(said.test(written), `the client heard ${written}`);
  assertEquals(problem === "authMethod undefined", written === "05ff");
  assertEquals(problem === "loginRefused undefined", written === "05020101");
  const isSocks = bytes[0] === 4 || bytes[0] === 5;
  const text = latin1(bytes.subarray(0, 8));
  const isHttp = HTTP_METHODS.some((method) => text.startsWith(method));
  const mayBeHttp = HTTP_METHODS.some((method) => method.startsWith(text));
  assertEquals(problem === "http undefined", isHttp);
  assertEquals(problem === "notSocks undefined", !isSocks && !isHttp && !mayBeHttp);
  if (request === undefined) return;
  assertEquals(rest, latin1(bytes.subarray(endOf(request, bytes))), "what was left is not all that follows");
  assertEquals([request.version, request.command], [bytes[0], CONNECT]);
  const { host, port, login } = request;
  assert(Number.isInteger(port) && port >= 0 && port <= 65_535, `port ${port}`);
  assert(host.length <= 255 && bytesOf(host).every((byte, i) => byte === host.charCodeAt(i)), "a host of no bytes");
  if (request.version === 4) {
    assertEquals([written, isRequired, login?.password.length], ["", false, 0]);
  } else assertEquals(written, login === undefined ? "0500" : "05020100");
}

/** Where a handshake ends, by its own lengths. */
function endOf({ version, host, login }: SocksRequest, bytes: Uint8Array): number {
  const user = login?.user.length ?? 0;
  if (version === 4) {
    const isName = bytes[4] === 0 && bytes[5] === 0 && bytes[6] === 0 && bytes[7] !== 0;
    return 8 + user + 1 + (isName ? host.length + 1 : 0);
  }
  const request = 2 + (bytes[1] ?? 0) + (login === undefined ? 0 : 3 + user + login.password.length);
  const sizes = new Map([[1, 4], [3, 1 + host.length], [4, 16]]);
  return request + 4 + (sizes.get(bytes[request + 3] ?? 0) ?? NaN) + 2;
}

/** The bytes of a request that was read, in the one way that takes any host: as a name. */
function encode({ version, host, port, login, wantsReason }: SocksRequest): Uint8Array {
  const user = latin1(login?.user ?? new Uint8Array());
  if (version === 4) return encodeRequest4({ host, port, userId: user, as: "name" });
  const request = encodeRequest5({ host, port, as: "name" });
  const methods = [login === undefined ? Method.none : Method.userPassword, ...(wantsReason ? [Method.reasons] : [])];
  if (login === undefined) return concat(encodeGreeting(methods), request);
  return concat(encodeGreeting(methods), encodeLogin(user, latin1(login.password)), request);
}

/** What a client may well send to a policy; the login is there where it is asked for, mostly. */
function randomHandshake(random: Random, policy: number): Uint8Array {
  const field = (): string => random.latin1(random.below(8) === 0 ? random.below(256) : random.below(12), 1);
  const host = random.pick(["10.0.0.1", "0.0.0.1", "0.0.0.0", "a.i2p", "fd60:db4d:ddb5:0:0:0:0:1", field()]);
  const request = { host, port: random.below(65_536), command: random.below(8) === 0 ? random.below(256) : CONNECT };
  const choice = random.below(10);
  if (choice === 0) return new TextEncoder().encode(`${random.pick(HTTP_METHODS)}/ HTTP/1.1\r\n`);
  if (choice < 5) return encodeRequest4({ ...request, userId: field(), ...(host.includes(":") && { as: "name" }) });
  const methods = random.pick([[0], [2], [0, 2], [2, 0], [1, 2], [], [...random.bytes(random.below(256))]]);
  const isName = !/^([\d.]+|fd60:.*)$/.test(host);
  const rest = encodeRequest5({ ...request, ...(isName && { as: "name" }) });
  const isAsked = methods.includes(2) && (policy > 0 || !methods.includes(0));
  const login = isAsked === (random.below(8) > 0) ? encodeLogin(field(), field()) : new Uint8Array();
  return concat(encodeGreeting(methods), login, rest);
}

function singles(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte));
}
