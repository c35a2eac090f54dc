import { Method } from "../../lib/socks/socks5.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { MAX_HANDSHAKE, readHandshake } from "../../lib/socks/handshake.ts";
import { encodeHttpAnswer } from "../../lib/socks/http.ts";
import { formatIp } from "../../lib/i2p/ip_address.ts";
import { encodeName5, encodeResolved4, encodeResolved5, RESOLVE, RESOLVE_COMMANDS } from "../../lib/socks/resolve.ts";
import { encodeReply4 } from "../../lib/socks/socks4.ts";
import { encodeReply5 } from "../../lib/socks/socks5.ts";
import { CONNECT, latin1, Reply4, Reply5, SocksError, type SocksRequest } from "../../lib/socks/wire.ts";
import { concat } from "../support/bytes.ts";
import { FakeStream } from "../support/fake_stream.ts";
import type { Random } from "../support/random.ts";
import {
  encodeGreeting,
  encodeLogin,
  encodeRequest4,
  encodeRequest5,
  parseReply4,
  parseReply5,
} from "../clients/socks_wire.ts";
import type { Target } from "./engine.ts";
import { hex } from "./literal.ts";
import { fragments } from "./mutate.ts";

/** A request in parts, of which any bytes will do. */
interface Parts {
  /** 0 SOCKS4, 1 SOCKS4a, and of SOCKS5: 2 IPv4, 3 name, 4 IPv6. */
  form: number;
  command: number;
  port: number;
  /** The name, or bytes that an address takes as many of as it needs. */
  address: Uint8Array;
  methods: Uint8Array;
  user: Uint8Array;
  password: Uint8Array;
  payload: Uint8Array;
}

/** What a request asks for, and its bytes. */
interface Encoded {
  request: SocksRequest;
  bytes: Uint8Array;
}

/** Requests that clients write well: what was written is read, and what follows is left whole. */
export const socksRequest: Target<Parts> = {
  name: "socks-request",
  weight: 10,
  corpus: [
    // 0.0.0.0 and 0.0.1.0 are no marks of SOCKS4a.
    ...["00 00 00 00", "00 00 01 00", "00 00 01 01", "00 01 00 01", "01 00 00 01"].map((digits) =>
      partsOf({ address: hex(digits), port: 65_535 })
    ),
    // The longest fields of each kind, and much behind them.
    ...[1, 3].map((form) =>
      partsOf({
        form,
        address: new Uint8Array(255).fill(0xff),
        methods: hex("02"),
        user: new Uint8Array(255).fill(0x3a),
        password: new Uint8Array(255),
        payload: new Uint8Array(3000).fill(5),
      })
    ),
    partsOf({ form: 3, methods: new Uint8Array(255).fill(2) }),
    partsOf({ form: 4, command: 3 }),
  ],
  generate: (random) => {
    const field = (): Uint8Array => random.bytes(random.below(6) === 0 ? random.below(256) : random.below(20));
    return {
      form: random.below(5),
      command: random.below(10) === 0 ? random.pick([RESOLVE, random.below(256)]) : CONNECT,
      port: random.pick([0, 80, 65_535, random.below(65_536)]),
      address: random.pick([field(), random.bytes(4).map((byte) => byte & 1)]),
      methods: random.pick([hex("00"), hex("02"), hex("00 02"), field()]),
      user: field(),
      password: field(),
      payload: random.bytes(random.below(30) === 0 ? random.below(4000) : random.below(30)),
    };
  },
  check: async (parts, random) => {
    const { request, bytes } = encode(parts);
    const { methods, payload } = parts;
    const sent = concat(bytes, payload);
    const [stream, cut] = [new FakeStream([sent]), new FakeStream(fragments(sent, random))];
    const policy = { login: "accepted", commands: RESOLVE_COMMANDS } as const;
    const takesCommand = request.command === CONNECT || RESOLVE_COMMANDS.has(request.command);
    const takesMethod = request.version === 4 || methods.includes(0) || methods.includes(2);
    if (!takesMethod || !takesCommand) {
      const { problem, version } = await assertRejects(() => readHandshake(stream, policy), SocksError);
      assertEquals(`${problem} ${version}`, takesMethod ? `command ${request.version}` : "authMethod undefined");
      return;
    }
    const early = payload.subarray(0, MAX_HANDSHAKE - bytes.length);
    const { buffer: _buffer, ...whole } = await readHandshake(stream, policy);
    assertEquals(whole, { request, early });
    assertEquals(concat(early, stream.unread), concat(payload));
    const handshake = await readHandshake(cut, policy);
    assertEquals(handshake.request, request);
    assertEquals(concat(handshake.early, cut.unread), concat(payload));
    checkAnswers(request, random);
  },
};

const REASONED = { wantsReason: true } as const;

function encode({ form, command, port, address, methods, user, password }: Parts): Encoded {
  const groups = (width: number, count: number): number[][] =>
    Array.from({ length: count }, (_, i) => Array.from({ length: width }, (_, j) => address[i * width + j] ?? 0));
  const ipv4 = groups(1, 4).join(".");
  if (form < 2) {
    const userId = latin1(user).replaceAll("\0", "\x01");
    // 0.0.0.x would be SOCKS4a.
    const host = form === 0 ? ipv4.replace(/^0(?=\.0\.0\.[1-9])/, "1") : latin1(address).replaceAll("\0", "\x01");
    const login = { user: Uint8Array.from(userId, (c) => c.charCodeAt(0)), password: new Uint8Array() };
    const bytes = encodeRequest4({ host, port, command, userId, as: form === 0 ? "ipv4" : "name" });
    return { request: { version: 4, command, host, port, login }, bytes };
  }
  const ipv6 = groups(2, 8).map(([high = 0, low = 0]) => (high << 8 | low).toString(16)).join(":");
  const [host, as] = form === 2
    ? [ipv4, "ipv4"] as const
    : form === 3
    ? [latin1(address), "name"] as const
    : [ipv6, "ipv6"] as const;
  const hasLogin = !methods.includes(0) && methods.includes(2);
  const login = hasLogin ? encodeLogin(latin1(user), latin1(password)) : new Uint8Array();
  const bytes = concat(encodeGreeting([...methods]), login, encodeRequest5({ host, port, command, as }));
  const asked = { ...(hasLogin && { login: { user, password } }), ...(methods.includes(Method.reasons) && REASONED) };
  return { request: { version: 5, command, host, port, ...asked }, bytes };
}

/** The answers to a request are what a client reads. */
function checkAnswers({ port }: SocksRequest, random: Random): void {
  const [code4, code5] = [random.pick(Object.values(Reply4)), random.pick(Object.values(Reply5))];
  const none = { host: "0.0.0.0", port: 0 };
  assertEquals(parseReply4(encodeReply4(code4)), { value: { code: code4, ...none }, length: 8 });
  assertEquals(parseReply5(encodeReply5(code5)), { value: { code: code5, ...none }, length: 10 });
  const [ipv4, ipv6] = [random.bytes(4), random.bytes(16)];
  const found = (host: string): { code: number; host: string; port: number } => ({ code: 0, host, port: 0 });
  assertEquals(parseReply5(encodeResolved5(ipv4)), { value: found(formatIp(ipv4)), length: 10 });
  assertEquals(parseReply5(encodeResolved5(ipv6)), { value: found(formatIp(ipv6)), length: 22 });
  assertEquals(parseReply4(encodeResolved4(ipv4)), { value: { ...found(formatIp(ipv4)), code: 0x5a }, length: 8 });
  assertEquals(parseReply5(encodeName5("a.i2p")), { value: found("a.i2p"), length: 12 });
  const [head = "", body = ""] = new TextDecoder().decode(encodeHttpAnswer(`[::1]:${port}`)).split("\r\n\r\n");
  assertEquals(/\r\nContent-Length: (\d+)\r\n/.exec(head)?.[1], String(body.length));
}

function partsOf(parts: Partial<Parts>): Parts {
  const none = new Uint8Array();
  const rest = { address: hex("61 2e 69 32 70"), methods: hex("00"), user: none, password: none, payload: none };
  return { form: 0, command: CONNECT, port: 80, ...rest, ...parts };
}
