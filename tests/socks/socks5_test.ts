import { assertEquals, assertThrows } from "@std/assert";
import {
  encodeLoginStatus,
  encodeMethod,
  encodeReply5,
  Method,
  parseGreeting,
  parseLogin,
  parseRequest5,
} from "../../lib/socks/socks5.ts";
import { Reply5, SocksError, type SocksRequest } from "../../lib/socks/wire.ts";
import { concat } from "../support/bytes.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";
import { encodeGreeting, encodeLogin, encodeRequest5, parseReply5 } from "../clients/socks_wire.ts";

const GREETINGS: readonly (readonly [readonly number[], readonly number[]])[] = [
  [[5, 1, 0], [0]],
  [[5, 1, 2], [2]],
  [[5, 2, 0, 2], [0, 2]],
  [[5, 3, 2, 1, 0], [2, 1, 0]],
  [[5, 0], []],
  [[5, 1, 0xff], [0xff]],
];

const LOGINS: readonly (readonly [readonly number[], readonly number[], readonly number[]])[] = [
  [[1, 2, 0x6d, 0x65, 3, 0x70, 0x77, 0x64], [0x6d, 0x65], [0x70, 0x77, 0x64]],
  [[1, 0, 0], [], []],
  [[1, 0, 1, 0x70], [], [0x70]],
  [[1, 1, 0x75, 0], [0x75], []],
  [[1, 2, 0, 0xff, 2, 0xff, 0], [0, 0xff], [0xff, 0]],
];

const REQUESTS: readonly (readonly [readonly number[], Omit<SocksRequest, "version">])[] = [
  // Name a.i2p, port 80.
  [[5, 1, 0, 3, 5, 0x61, 0x2e, 0x69, 0x32, 0x70, 0, 80], { command: 1, host: "a.i2p", port: 80 }],
  // IPv4, port 8080.
  [[5, 1, 0, 1, 192, 168, 0, 255, 0x1f, 0x90], { command: 1, host: "192.168.0.255", port: 8080 }],
  // IPv6, highest port.
  [
    [5, 1, 0, 4, 0xfd, 0x60, 0xdb, 0x4d, 0xdd, 0xb5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff],
    { command: 1, host: "fd60:db4d:ddb5:0:0:0:0:1", port: 65535 },
  ],
  // Empty name.
  [[5, 1, 0, 3, 0, 0, 1], { command: 1, host: "", port: 1 }],
  // UDP ASSOCIATE, and port 0; a reserved byte that is not 0 does not matter.
  [[5, 3, 7, 1, 0, 0, 0, 0, 0, 0], { command: 3, host: "0.0.0.0", port: 0 }],
  // Unknown command; bytes above 127.
  [[5, 0xf0, 0, 3, 2, 0xe9, 0xff, 1, 0], { command: 0xf0, host: "\xe9\xff", port: 256 }],
];

pureTest("parseGreeting() reads the methods", () => {
  for (const [bytes, methods] of GREETINGS) {
    const expected = { value: Uint8Array.from(methods), length: bytes.length };
    assertEquals(parseGreeting(Uint8Array.from(bytes)), expected);
    assertEquals(parseGreeting(Uint8Array.of(...bytes, 5, 1)), expected);
    for (let length = 0; length < bytes.length; length++) {
      assertEquals(parseGreeting(Uint8Array.from(bytes.slice(0, length))), undefined);
    }
  }
});

pureTest("parseGreeting() is the inverse of a client's encoder", () => {
  const random = new Random(51);
  for (let count = 0; count < 256; count++) {
    const methods = random.bytes(count);
    const bytes = encodeGreeting([...methods]);
    assertEquals(parseGreeting(concat(bytes, random.bytes(9))), { value: methods, length: 2 + count });
    assertEquals(parseGreeting(bytes.subarray(0, -1)), undefined);
  }
});

pureTest("parseLogin() reads user and password, empty ones too", () => {
  for (const [bytes, user, password] of LOGINS) {
    const value = { user: Uint8Array.from(user), password: Uint8Array.from(password) };
    assertEquals(parseLogin(Uint8Array.from(bytes)), { value, length: bytes.length });
    assertEquals(parseLogin(Uint8Array.of(...bytes, 5, 1, 0)), { value, length: bytes.length });
    for (let length = 0; length < bytes.length; length++) {
      assertEquals(parseLogin(Uint8Array.from(bytes.slice(0, length))), undefined, `${bytes} to ${length}`);
    }
  }
});

pureTest("parseLogin() is the inverse of a client's encoder", () => {
  const random = new Random(52);
  for (let i = 0; i < 2000; i++) {
    const user = random.latin1(i < 256 ? i : random.below(256));
    const password = random.latin1(i < 256 ? 255 - i : random.below(256));
    const bytes = encodeLogin(user, password);
    const parsed = parseLogin(concat(bytes, random.bytes(9)));
    assertEquals(parsed?.length, 3 + user.length + password.length);
    assertEquals(String.fromCharCode(...parsed?.value.user ?? []), user);
    assertEquals(String.fromCharCode(...parsed?.value.password ?? []), password);
  }
});

pureTest("parseLogin() refuses every other version at its first byte", () => {
  for (let version = 0; version < 256; version++) {
    if (version === 1) continue;
    const { problem, version: reply } = assertThrows(
      () => parseLogin(Uint8Array.of(version)),
      SocksError,
      `The version of a login must be 1, not ${version}`,
    );
    assertEquals([problem, reply], ["malformed", undefined]);
  }
});

pureTest("parseRequest5() reads names, IPv4 and IPv6", () => {
  for (const [bytes, request] of REQUESTS) {
    const expected = { value: { version: 5, ...request } as const, length: bytes.length };
    assertEquals(parseRequest5(Uint8Array.from(bytes)), expected);
    assertEquals(parseRequest5(Uint8Array.of(...bytes, 5, 1, 0, 3)), expected);
  }
});

pureTest("parseRequest5() waits for the rest of every beginning", () => {
  for (const [bytes] of REQUESTS) {
    for (let length = 0; length < bytes.length; length++) {
      assertEquals(parseRequest5(Uint8Array.from(bytes.slice(0, length))), undefined, `${bytes} to ${length}`);
    }
  }
});

pureTest("parseRequest5() refuses every other version at its first byte", () => {
  for (let version = 0; version < 256; version++) {
    if (version === 5) continue;
    const { problem, version: reply } = assertThrows(
      () => parseRequest5(Uint8Array.of(version)),
      SocksError,
      `must be 5, not ${version}`,
    );
    assertEquals([problem, reply], ["malformed", 5]);
  }
});

pureTest("parseRequest5() refuses every unknown address type at its byte", () => {
  for (let type = 0; type < 256; type++) {
    if (type === 1 || type === 3 || type === 4) continue;
    const { problem, version } = assertThrows(
      () => parseRequest5(Uint8Array.of(5, 1, 0, type)),
      SocksError,
      `Address type ${type} does not exist`,
    );
    assertEquals([problem, version], ["addressType", 5]);
  }
});

pureTest("parseRequest5() is the inverse of a client's encoder", () => {
  const random = new Random(53);
  const hosts = {
    name: (): string => random.latin1(random.below(256)),
    ipv4: (): string => random.bytes(4).join("."),
    ipv6: (): string => Array.from({ length: 8 }, () => random.below(65536).toString(16)).join(":"),
  };
  for (let i = 0; i < 3000; i++) {
    const as = random.pick(["name", "ipv4", "ipv6"] as const);
    const request = { command: random.below(256), host: hosts[as](), port: random.below(65536) };
    const bytes = encodeRequest5({ ...request, as });
    const tail = random.bytes(random.below(20));
    assertEquals(parseRequest5(concat(bytes, tail)), { value: { version: 5, ...request }, length: bytes.length });
    assertEquals(parseRequest5(bytes.subarray(0, -1)), undefined);
  }
});

pureTest("encodeMethod() and encodeLoginStatus() write two bytes", () => {
  assertEquals(encodeMethod(Method.none), Uint8Array.of(5, 0));
  assertEquals(encodeMethod(Method.userPassword), Uint8Array.of(5, 2));
  assertEquals(encodeMethod(Method.noneAcceptable), Uint8Array.of(5, 0xff));
  assertEquals(encodeLoginStatus(true), Uint8Array.of(1, 0));
  assertEquals(encodeLoginStatus(false), Uint8Array.of(1, 1));
});

pureTest("encodeReply5() writes ten bytes with an address of zeros", () => {
  assertEquals(encodeReply5(Reply5.succeeded), Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
  assertEquals(encodeReply5(Reply5.addressTypeNotSupported), Uint8Array.of(5, 8, 0, 1, 0, 0, 0, 0, 0, 0));
  assertEquals(Object.values(Reply5), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
});

pureTest("encodeReply5() is read by a client", () => {
  for (const code of Object.values(Reply5)) {
    assertEquals(parseReply5(encodeReply5(code)), { value: { code, host: "0.0.0.0", port: 0 }, length: 10 });
    assertEquals(parseReply5(encodeReply5(code).subarray(0, 9)), undefined);
  }
});
