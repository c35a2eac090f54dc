import { assertEquals, assertThrows } from "@std/assert";
import { encodeReply4, MAX_SOCKS4_FIELD, parseRequest4 } from "../../lib/socks/socks4.ts";
import { Reply4, SocksError, type SocksRequest } from "../../lib/socks/wire.ts";
import { concat } from "../support/bytes.ts";
import { loginOf } from "../support/login.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";
import { encodeRequest4, parseReply4 } from "../clients/socks_wire.ts";

/** Requests byte by byte, what they say, and their user ids. */
const REQUESTS: readonly (readonly [readonly number[], Omit<SocksRequest, "version" | "login">, string])[] = [
  // CONNECT 66.102.7.99:80, user id "Fred".
  [[4, 1, 0, 80, 66, 102, 7, 99, 0x46, 0x72, 0x65, 0x64, 0], { command: 1, host: "66.102.7.99", port: 80 }, "Fred"],
  // No user id.
  [[4, 1, 0x1f, 0x90, 127, 0, 0, 1, 0], { command: 1, host: "127.0.0.1", port: 8080 }, ""],
  // BIND, highest port.
  [[4, 2, 0xff, 0xff, 255, 255, 255, 255, 0], { command: 2, host: "255.255.255.255", port: 65535 }, ""],
  // 0.0.0.0 is an address, not the mark of 4a.
  [[4, 1, 0, 0, 0, 0, 0, 0, 0], { command: 1, host: "0.0.0.0", port: 0 }, ""],
  // Addresses that begin with one and with two zeros are no mark of 4a either.
  [[4, 1, 0, 1, 0, 1, 0, 1, 0], { command: 1, host: "0.1.0.1", port: 1 }, ""],
  [[4, 1, 0, 1, 0, 0, 1, 1, 0], { command: 1, host: "0.0.1.1", port: 1 }, ""],
  [[4, 1, 0, 1, 1, 0, 0, 1, 0], { command: 1, host: "1.0.0.1", port: 1 }, ""],
  // 4a: a.i2p with an empty user id and 0.0.0.1, with user id "x" and 0.0.0.255.
  [[4, 1, 0, 80, 0, 0, 0, 1, 0, 0x61, 0x2e, 0x69, 0x32, 0x70, 0], { command: 1, host: "a.i2p", port: 80 }, ""],
  [[4, 1, 1, 2, 0, 0, 0, 255, 0x78, 0, 0x61, 0x2e, 0x69, 0x32, 0x70, 0], { command: 1, host: "a.i2p", port: 258 }, "x"],
  // An empty name.
  [[4, 1, 0, 80, 0, 0, 0, 1, 0, 0], { command: 1, host: "", port: 80 }, ""],
  // Bytes above 127 and an unknown command.
  [[4, 0xf0, 0, 80, 0, 0, 0, 1, 0xff, 0, 0xe9, 0x80, 0], { command: 0xf0, host: "\xe9\x80", port: 80 }, "\xff"],
];

pureTest("parseRequest4() reads requests of SOCKS 4 and 4a", () => {
  for (const [bytes, request, userId] of REQUESTS) {
    const value = { version: 4, ...request, login: loginOf(userId) } as const;
    assertEquals(parseRequest4(Uint8Array.from(bytes)), { value, length: bytes.length });
  }
});

pureTest("parseRequest4() leaves bytes behind the request alone", () => {
  for (const [bytes, request, userId] of REQUESTS) {
    for (const tail of [[0], [4, 1, 0, 80], [0x47, 0x45, 0x54, 0]]) {
      const expected = { value: { version: 4, ...request, login: loginOf(userId) } as const, length: bytes.length };
      assertEquals(parseRequest4(Uint8Array.of(...bytes, ...tail)), expected);
    }
  }
});

pureTest("parseRequest4() waits for the rest of every beginning", () => {
  for (const [bytes] of REQUESTS) {
    for (let length = 0; length < bytes.length; length++) {
      assertEquals(parseRequest4(Uint8Array.from(bytes.slice(0, length))), undefined, `${bytes} to ${length}`);
    }
  }
});

pureTest("parseRequest4() takes a user id and a name of 255 bytes", () => {
  assertEquals(MAX_SOCKS4_FIELD, 255);
  const [userId, host] = ["u".repeat(255), "h".repeat(255)];
  const bytes = encodeRequest4({ host, port: 80, userId });
  assertEquals(bytes.length, 8 + 256 + 256);
  const value = { version: 4, command: 1, host, port: 80, login: loginOf(userId) } as const;
  assertEquals(parseRequest4(bytes), { value, length: bytes.length });
});

pureTest("parseRequest4() gives a login that keeps its bytes when the buffer is used again", () => {
  const bytes = encodeRequest4({ host: "a.i2p", port: 80, userId: "\x80me" });
  const parsed = parseRequest4(bytes);
  bytes.fill(0x21);
  assertEquals(parsed?.value.login, loginOf("\x80me"));
});

pureTest("parseRequest4() refuses 256 bytes, with the end of the field in sight or not", () => {
  const long = "x".repeat(256);
  const messages: readonly (readonly [Uint8Array, string])[] = [
    [encodeRequest4({ host: "1.2.3.4", port: 80, userId: long }), "The user id has more than 255 bytes"],
    [encodeRequest4({ host: "a.i2p", port: 80, userId: long }), "The user id has more than 255 bytes"],
    [encodeRequest4({ host: long, port: 80 }), "The host name has more than 255 bytes"],
    [encodeRequest4({ host: long, port: 80, userId: "u".repeat(255) }), "The host name has more than 255 bytes"],
  ];
  for (const [bytes, message] of messages) {
    for (const given of [bytes, bytes.subarray(0, -1)]) {
      const { problem, version } = assertThrows(() => parseRequest4(given), SocksError, message);
      assertEquals([problem, version], ["tooLong", 4]);
    }
  }
});

pureTest("parseRequest4() is the inverse of a client's encoder", () => {
  const random = new Random(4);
  for (let i = 0; i < 3000; i++) {
    const name = random.below(2) === 0;
    const host = name ? random.latin1(random.below(256), 1) : [1 + random.below(255), ...random.bytes(3)].join(".");
    const request = { command: random.below(256), host, port: random.below(65536) };
    const userId = random.latin1(random.below(256), 1);
    const bytes = encodeRequest4({ ...request, userId, as: name ? "name" : "ipv4" });
    const value = { version: 4, ...request, login: loginOf(userId) } as const;
    const tail = random.bytes(random.below(20));
    assertEquals(parseRequest4(concat(bytes, tail)), { value, length: bytes.length });
  }
});

pureTest("encodeReply4() writes eight bytes, the first one 0", () => {
  assertEquals(encodeReply4(Reply4.granted), Uint8Array.of(0, 0x5a, 0, 0, 0, 0, 0, 0));
  assertEquals(encodeReply4(Reply4.rejected), Uint8Array.of(0, 0x5b, 0, 0, 0, 0, 0, 0));
  assertEquals(encodeReply4(Reply4.loginRefused), Uint8Array.of(0, 0x5d, 0, 0, 0, 0, 0, 0));
});

pureTest("encodeReply4() is read by a client", () => {
  for (const code of Object.values(Reply4)) {
    assertEquals(parseReply4(encodeReply4(code)), { value: { code, host: "0.0.0.0", port: 0 }, length: 8 });
    assertEquals(parseReply4(encodeReply4(code).subarray(0, 7)), undefined);
  }
});
