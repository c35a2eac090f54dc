import { Method } from "../../lib/socks/socks5.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { type LoginPolicy, MAX_HANDSHAKE, readHandshake } from "../../lib/socks/handshake.ts";
import { type Login, SocksError, type SocksProblem, type SocksRequest } from "../../lib/socks/wire.ts";
import { concat } from "../support/bytes.ts";
import { FakeStream, type FakeStreamOptions } from "../support/fake_stream.ts";
import { loginOf } from "../support/login.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";
import { encodeGreeting, encodeLogin, encodeRequest4, encodeRequest5 } from "../clients/socks_wire.ts";

/** A whole handshake, what it asks for, and what the client hears meanwhile. */
interface Example {
  name: string;
  bytes: Uint8Array;
  request: SocksRequest;
  written: readonly number[];
}

const IPV6 = "fd60:db4d:ddb5:0:0:0:0:1";

const EXAMPLES: readonly Example[] = [
  {
    name: "SOCKS4",
    bytes: encodeRequest4({ host: "10.1.2.3", port: 80, userId: "me" }),
    request: { version: 4, command: 1, host: "10.1.2.3", port: 80, login: loginOf("me") },
    written: [],
  },
  {
    name: "SOCKS4a",
    bytes: encodeRequest4({ host: "stats.i2p", port: 443, userId: "me" }),
    request: { version: 4, command: 1, host: "stats.i2p", port: 443, login: loginOf("me") },
    written: [],
  },
  {
    name: "SOCKS5 with a name",
    bytes: concat(encodeGreeting([0]), encodeRequest5({ host: "stats.i2p", port: 443 })),
    request: { version: 5, command: 1, host: "stats.i2p", port: 443 },
    written: [5, 0],
  },
  {
    name: "SOCKS5 with an IPv4 address",
    bytes: concat(encodeGreeting([0, 1, 2]), encodeRequest5({ host: "10.1.2.3", port: 65535 })),
    request: { version: 5, command: 1, host: "10.1.2.3", port: 65535 },
    written: [5, 0],
  },
  {
    name: "SOCKS5 with an IPv6 address",
    bytes: concat(encodeGreeting([0]), encodeRequest5({ host: IPV6, port: 1 })),
    request: { version: 5, command: 1, host: IPV6, port: 1 },
    written: [5, 0],
  },
  {
    name: "SOCKS5 with a login",
    bytes: concat(encodeGreeting([2]), encodeLogin("user", "secret"), encodeRequest5({ host: "a.i2p", port: 80 })),
    request: { version: 5, command: 1, host: "a.i2p", port: 80, login: loginOf("user", "secret") },
    written: [5, 2, 1, 0],
  },
];

/** Payload that could be taken for another handshake. */
const PAYLOAD = Uint8Array.of(5, 1, 0, 4, 1, 0, 80, 0, 0, 0, 1, 0, 0x47, 0x45, 0x54, 0x20);

/** The longest handshake: every field has 255 bytes. */
const LONGEST = concat(
  encodeGreeting([2, ...new Uint8Array(254).fill(9)]),
  encodeLogin("u".repeat(255), "p".repeat(255)),
  encodeRequest5({ host: "h".repeat(255), port: 80 }),
);

for (const { name, bytes, request, written } of EXAMPLES) {
  pureTest(`readHandshake() reads ${name}`, async () => {
    const { stream, ...handshake } = await read([bytes]);
    assertEquals(handshake, { request, early: new Uint8Array() });
    assertEquals(stream.written, [...written]);
  });

  pureTest(`readHandshake() reads ${name} in every two fragments, payload behind it or not`, async () => {
    for (const payload of [new Uint8Array(), PAYLOAD]) {
      const whole = concat(bytes, payload);
      for (let at = 0; at <= whole.length; at++) {
        const { stream, ...handshake } = await read([whole.subarray(0, at), whole.subarray(at)]);
        // A fragment that ends behind the handshake is the last one that is read.
        const early = at < bytes.length ? payload : payload.subarray(0, at - bytes.length);
        assertEquals(handshake, { request, early }, `split at ${at}`);
        assertEquals(concat(handshake.early, stream.unread), concat(payload), `split at ${at}`);
        assertEquals(stream.written, [...written]);
      }
    }
  });

  pureTest(`readHandshake() reads ${name} byte by byte, and not a byte of the payload`, async () => {
    for (const writeSize of [1, Infinity]) {
      const whole = concat(bytes, PAYLOAD);
      const { stream, ...handshake } = await read(Array.from(whole, (byte) => Uint8Array.of(byte)), { writeSize });
      assertEquals(handshake, { request, early: new Uint8Array() });
      assertEquals(stream.unread, concat(PAYLOAD));
      assertEquals(stream.written, [...written]);
    }
  });

  pureTest(`readHandshake() reports a client that closes within ${name}`, async () => {
    for (let length = 0; length < bytes.length; length++) {
      for (const cut of [[bytes.subarray(0, length)], Array.from(bytes.subarray(0, length), (b) => Uint8Array.of(b))]) {
        const { stream, error } = await refusal(cut);
        assertEquals([error.problem, error.version], ["closed", undefined], `closed after ${length}`);
        assertEquals(stream.written, written.slice(0, stream.written.length));
      }
    }
  });
}

pureTest("readHandshake() reads the longest handshake", async () => {
  const { request, early } = await read([LONGEST, PAYLOAD]);
  assertEquals(LONGEST.length, 257 + 513 + 262);
  assertEquals([request.host, early.length], ["h".repeat(255), 0]);
  assertEquals(request.login, loginOf("u".repeat(255), "p".repeat(255)));
});

pureTest("readHandshake() keeps payload that is larger than its buffer whole", async () => {
  const payload = new Random(2048).bytes(5000);
  for (const bytes of [...EXAMPLES.map((example) => example.bytes), LONGEST]) {
    const { stream, early } = await read([concat(bytes, payload)]);
    assertEquals(early.length, MAX_HANDSHAKE - bytes.length);
    assertEquals(concat(early, stream.unread), payload);
  }
});

pureTest("readHandshake() reads the longest handshake when its last byte comes with much payload", async () => {
  const payload = new Random(2049).bytes(5000);
  const { stream, early } = await read([LONGEST.subarray(0, -1), concat(LONGEST.subarray(-1), payload)]);
  assertEquals(concat(early, stream.unread), payload);
});

pureTest("readHandshake() chooses no login where it can, and a login where it must", async () => {
  const chosen: readonly (readonly [readonly number[], number])[] = [
    [[0], 0],
    [[2], 2],
    [[0, 2], 0],
    [[2, 0], 0],
    [[1, 2], 2],
    [[1, 0], 0],
    [[0x80, 1, 2, 3], 2],
    [[Method.reasons, 0], 0],
    [[2, Method.reasons], 2],
  ];
  for (const [methods, method] of chosen) {
    const login = method === 2 ? encodeLogin("u", "p") : new Uint8Array();
    const { stream, request } = await read([
      encodeGreeting(methods),
      login,
      encodeRequest5({ host: "a.i2p", port: 80 }),
    ]);
    assertEquals(stream.written, method === 2 ? [5, 2, 1, 0] : [5, 0], `methods ${methods}`);
    assertEquals([request.host, request.login], ["a.i2p", method === 2 ? loginOf("u", "p") : undefined]);
    assertEquals(request.wantsReason, methods.includes(Method.reasons) ? true : undefined);
  }
});

pureTest("readHandshake() answers 0xff to a client without a method that it knows", async () => {
  for (const methods of [[], [1], [3, 0xfe], [0xff], [Method.reasons]]) {
    for (const writeSize of [1, Infinity]) {
      const greeting = [concat(encodeGreeting(methods), encodeRequest5({ host: "a.i2p", port: 80 }))];
      const { stream, error } = await refusal(greeting, { writeSize });
      assertEquals([error.problem, error.version], ["authMethod", undefined], `methods ${methods}`);
      assertEquals(stream.written, [5, 0xff], `methods ${methods}`);
    }
  }
});

pureTest("readHandshake() accepts any login, empty fields included", async () => {
  for (
    const [user, password] of [["", ""], ["u", ""], ["", "p"], ["\0", "\xff"], [
      "u".repeat(255),
      "p".repeat(255),
    ]] as const
  ) {
    const { stream, request } = await read([
      encodeGreeting([2]),
      encodeLogin(user, password),
      encodeRequest5({ host: "a.i2p", port: 80 }),
    ]);
    assertEquals(stream.written, [5, 2, 1, 0]);
    assertEquals(request.login, loginOf(user, password));
  }
});

/** What a client offers, and the method chosen by each policy: 0 none, 2 login, 0xff neither. */
const CHOICES: readonly (readonly [readonly number[], Readonly<Record<LoginPolicy["login"], 0 | 2 | 0xff>>])[] = [
  [[0], { accepted: 0, preferred: 0, required: 0xff }],
  [[2], { accepted: 2, preferred: 2, required: 2 }],
  [[0, 2], { accepted: 0, preferred: 2, required: 2 }],
  [[2, 0], { accepted: 0, preferred: 2, required: 2 }],
  [[1], { accepted: 0xff, preferred: 0xff, required: 0xff }],
  [[1, 2], { accepted: 2, preferred: 2, required: 2 }],
  [[1, 0], { accepted: 0, preferred: 0, required: 0xff }],
  [[3, 2, 1, 0], { accepted: 0, preferred: 2, required: 2 }],
  [[0xff], { accepted: 0xff, preferred: 0xff, required: 0xff }],
  [[], { accepted: 0xff, preferred: 0xff, required: 0xff }],
];

const POLICIES = ["accepted", "preferred", "required"] as const;

/** A policy that finds logins right or wrong, and keeps those that it was asked about. */
function policyOf(login: LoginPolicy["login"], isRight = true): { policy: LoginPolicy; asked: Login[] } {
  const asked: Login[] = [];
  const verify = (given: Login): Promise<boolean> => {
    asked.push(given);
    return Promise.resolve(isRight);
  };
  return { policy: { login, verify }, asked };
}

pureTest("readHandshake() chooses the method by policy, and the request has the login that was made", async () => {
  for (const wanted of POLICIES) {
    for (const [offered, { [wanted]: method }] of CHOICES) {
      const label = `${wanted}, offered ${offered}`;
      const { policy, asked } = policyOf(wanted);
      const login = method === 2 ? encodeLogin("me", "secret") : new Uint8Array();
      const chunks = [encodeGreeting(offered), login, encodeRequest5({ host: "a.i2p", port: 80 })];
      if (method === 0xff) {
        const { stream, error } = await refusal(chunks, {}, policy);
        assertEquals([error.problem, error.version], ["authMethod", undefined], label);
        assertEquals(stream.written, [5, 0xff], label);
      } else {
        const { stream, request } = await read(chunks, {}, policy);
        const expected = { version: 5, command: 1, host: "a.i2p", port: 80 } as const;
        assertEquals(request, method === 2 ? { ...expected, login: loginOf("me", "secret") } : expected, label);
        assertEquals(stream.written, method === 2 ? [5, 2, 1, 0] : [5, 0], label);
      }
      assertEquals(asked, wanted === "required" && method === 2 ? [loginOf("me", "secret")] : [], label);
    }
  }
});

pureTest(
  "readHandshake() takes the login of a client that has no choice as it comes, unless one is required",
  async () => {
    for (const wanted of ["accepted", "preferred"] as const) {
      const { policy, asked } = policyOf(wanted, false);
      const chunks = [encodeGreeting([2]), encodeLogin("me", "wrong"), encodeRequest5({ host: "a.i2p", port: 80 })];
      const { stream, request } = await read(chunks, {}, policy);
      assertEquals([stream.written, request.login, asked], [[5, 2, 1, 0], loginOf("me", "wrong"), []], wanted);
    }
  },
);

pureTest("readHandshake() has a required login verified, each of its bytes", async () => {
  const logins = [["", ""], ["u", ""], ["", "p"], ["\0:\xff", "\n\0"], ["u".repeat(255), "p".repeat(255)]] as const;
  for (const [user, password] of logins) {
    const { policy, asked } = policyOf("required");
    const chunks = [encodeGreeting([0, 2]), encodeLogin(user, password), encodeRequest5({ host: "a.i2p", port: 80 })];
    const { stream, request } = await read(chunks, {}, policy);
    assertEquals(asked, [loginOf(user, password)]);
    assertEquals(request, { version: 5, command: 1, host: "a.i2p", port: 80, login: loginOf(user, password) });
    assertEquals(stream.written, [5, 2, 1, 0]);
  }
});

pureTest("readHandshake() answers a wrong login with status 1, and reads no request", async () => {
  const login = encodeLogin("me", "wrong");
  const request = encodeRequest5({ host: "a.i2p", port: 80 });
  for (
    const { policy, asked } of [policyOf("required", false), { policy: { login: "required" } as const, asked: [] }]
  ) {
    for (const writeSize of [1, Infinity]) {
      asked.length = 0;
      const { stream, error } = await refusal([encodeGreeting([2]), login, request], { writeSize }, policy);
      assertEquals([error.problem, error.version], ["loginRefused", undefined]);
      assertEquals(error.message, "The user name or the password is wrong");
      assertEquals([stream.written, stream.unread], [[5, 2, 1, 1], concat(request)]);
      assertEquals(asked, policy.verify === undefined ? [] : [loginOf("me", "wrong")]);
    }
  }
});

pureTest("readHandshake() writes no status before the login is verified", async () => {
  const stream = new FakeStream([concat(
    encodeGreeting([2]),
    encodeLogin("me", "secret"),
    encodeRequest5({ host: "a.i2p", port: 80 }),
  )]);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const verified = Promise.withResolvers<void>();
  const handshake = readHandshake(stream, {
    login: "required",
    verify: () => {
      verified.resolve();
      return promise;
    },
  });
  await verified.promise;
  assertEquals(stream.written, [5, 2]);
  resolve(true);
  assertEquals((await handshake).request.host, "a.i2p");
  assertEquals(stream.written, [5, 2, 1, 0]);
});

pureTest("readHandshake() passes on what goes wrong with the verification, without a status", async () => {
  const stream = new FakeStream([encodeGreeting([2]), encodeLogin("me", "secret")]);
  const verify = (): Promise<boolean> => Promise.reject(new RangeError("No book"));
  await assertRejects(() => readHandshake(stream, { login: "required", verify }), RangeError, "No book");
  assertEquals(stream.written, [5, 2]);
});

pureTest("readHandshake() refuses SOCKS4 where a login is required, in version 4, and nowhere else", async () => {
  for (const host of ["a.i2p", "10.1.2.3"]) {
    for (const userId of ["", "me"]) {
      for (const command of [1, 2]) {
        const { policy, asked } = policyOf("required");
        const bytes = [encodeRequest4({ host, port: 80, userId, command })];
        const { stream, error } = await refusal(bytes, {}, policy);
        assertEquals([error.problem, error.version], ["loginRefused", 4]);
        assertEquals([stream.written, asked], [[], []]);
      }
      for (const wanted of ["accepted", "preferred"] as const) {
        const { policy, asked } = policyOf(wanted, false);
        const { stream, request } = await read([encodeRequest4({ host, port: 80, userId })], {}, policy);
        assertEquals(request, { version: 4, command: 1, host, port: 80, login: loginOf(userId) });
        assertEquals([stream.written, asked], [[], []]);
      }
    }
  }
});

pureTest("readHandshake() still tells HTTP and garbage where a login is required", async () => {
  const { policy } = policyOf("required");
  for (const [text, problem] of [["GET / HTTP/1.1", "http"], ["\x16\x03\x01", "notSocks"]] as const) {
    const { stream, error } = await refusal([new TextEncoder().encode(text)], {}, policy);
    assertEquals([error.problem, error.version, stream.written], [problem, undefined, []]);
  }
});

pureTest("readHandshake() reads a login under each policy in every two fragments, and byte by byte", async () => {
  const bytes = concat(
    encodeGreeting([1, 2]),
    encodeLogin("user", "secret"),
    encodeRequest5({ host: "a.i2p", port: 80 }),
  );
  const whole = concat(bytes, PAYLOAD);
  const twoFragments = Array.from({ length: bytes.length }, (_, at) => [whole.subarray(0, at), whole.subarray(at)]);
  const single = Array.from(whole, (byte) => Uint8Array.of(byte));
  for (const wanted of POLICIES) {
    for (const isRight of [true, false]) {
      for (const chunks of [...twoFragments, single]) {
        const { policy, asked } = policyOf(wanted, isRight);
        const label = `${wanted}, right ${isRight}, first fragment ${chunks[0]?.length}`;
        if (wanted === "required" && !isRight) {
          const { stream, error } = await refusal(chunks, { writeSize: 1 }, policy);
          assertEquals([error.problem, stream.written], ["loginRefused", [5, 2, 1, 1]], label);
        } else {
          const { stream, request, early } = await read(chunks, { writeSize: 1 }, policy);
          assertEquals(request.login, loginOf("user", "secret"), label);
          assertEquals([request.host, concat(early, stream.unread)], ["a.i2p", concat(PAYLOAD)], label);
          assertEquals(stream.written, [5, 2, 1, 0], label);
        }
        assertEquals(asked, wanted === "required" ? [loginOf("user", "secret")] : [], label);
      }
    }
  }
});

pureTest("readHandshake() verifies nothing before the login is whole", async () => {
  const bytes = concat(encodeGreeting([2]), encodeLogin("user", "secret"));
  for (let length = 0; length < bytes.length; length++) {
    const { policy, asked } = policyOf("required");
    const { error } = await refusal([bytes.subarray(0, length)], {}, policy);
    assertEquals([error.problem, error.version, asked], ["closed", undefined, []], `closed after ${length}`);
  }
});

pureTest("readHandshake() refuses wrong versions within SOCKS5", async () => {
  const request = encodeRequest5({ host: "a.i2p", port: 80 });
  const login = encodeLogin("u", "p");
  assertEquals(await problemOf(encodeGreeting([2]), Uint8Array.of(5), login.subarray(1)), ["malformed", undefined]);
  assertEquals(await problemOf(encodeGreeting([2]), request), ["malformed", undefined]);
  assertEquals(await problemOf(encodeGreeting([0]), Uint8Array.of(4), request.subarray(1)), ["malformed", 5]);
  assertEquals(await problemOf(encodeGreeting([0]), login), ["malformed", 5]);
  assertEquals(await problemOf(encodeGreeting([0]), Uint8Array.of(0)), ["malformed", 5]);
});

pureTest("readHandshake() refuses unknown address types", async () => {
  for (const type of [0, 2, 5, 255]) {
    assertEquals(await problemOf(encodeGreeting([0]), Uint8Array.of(5, 1, 0, type)), ["addressType", 5]);
  }
});

pureTest("readHandshake() refuses every command but CONNECT, in the version that asked", async () => {
  for (const command of [0, 2, 3, 0xf0, 0xf1, 255]) {
    const five = encodeRequest5({ command, host: "a.i2p", port: 80 });
    assertEquals(await problemOf(encodeGreeting([0]), five), ["command", 5], `command ${command}`);
    assertEquals(await problemOf(encodeRequest4({ command, host: "a.i2p", port: 80 })), ["command", 4]);
    assertEquals(await problemOf(encodeRequest4({ command, host: "1.2.3.4", port: 80 })), ["command", 4]);
  }
});

pureTest("readHandshake() names the command that it refuses, by number where it has no name", async () => {
  const names = { 2: "BIND", 3: "UDP ASSOCIATE", 0xf0: "RESOLVE", 0xf1: "RESOLVE_PTR", 9: "9" };
  for (const [command, name] of Object.entries(names)) {
    const request = encodeRequest5({ command: Number(command), host: "a.i2p", port: 80 });
    const { error } = await refusal([encodeGreeting([0]), request]);
    assertEquals(error.message, `The command ${name} is not served`);
  }
});

pureTest("readHandshake() refuses a user id and a host name of 256 bytes as soon as they are that long", async () => {
  const head = Uint8Array.of(4, 1, 0, 80, 0, 0, 0, 1);
  const long = new Uint8Array(256).fill(0x78);
  assertEquals(await problemOf(head, long), ["tooLong", 4]);
  assertEquals(await problemOf(head, Uint8Array.of(0), long), ["tooLong", 4]);
  assertEquals(await problemOf(head, long.subarray(1)), ["closed", undefined]);
  const { request } = await read([head, long.subarray(1), Uint8Array.of(0), long.subarray(1), Uint8Array.of(0)]);
  assertEquals(request.host, "x".repeat(255));
});

pureTest("readHandshake() tells HTTP, in any fragments, from what is no SOCKS", async () => {
  const http = [
    "GET / HTTP/1.1",
    "CONNECT a.i2p:443 HTTP/1.1",
    "POST ",
    "HEAD ",
    "PUT ",
    "DELETE ",
    "OPTIONS *",
    "TRACE ",
    "PATCH ",
  ];
  for (const text of http) {
    const bytes = new TextEncoder().encode(text);
    for (let at = 0; at < bytes.length; at++) {
      assertEquals(await problemOf(bytes.subarray(0, at), bytes.subarray(at)), ["http", undefined], text);
    }
  }
  for (const text of ["GEX", "PO\0", "get ", "\x06", "\0", "\x16\x03\x01\x02", "SSH-2.0-x\r\n", "\xff"]) {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    assertEquals(await problemOf(bytes), ["notSocks", undefined], JSON.stringify(text));
  }
  assertEquals(await problemOf(new TextEncoder().encode("GET")), ["closed", undefined]);
});

pureTest("readHandshake() says no other byte than 4 and 5 is a version", async () => {
  for (let first = 0; first < 256; first++) {
    const [problem] = await problemOf(Uint8Array.of(first), new Uint8Array(20));
    const expected = first === 4 ? undefined : first === 5 ? "authMethod" : "notSocks";
    if (expected !== undefined) assertEquals(problem, expected, `first byte ${first}`);
  }
});

pureTest(
  "readHandshake() ends garbage with a SocksError, and passes on every byte of a request's payload",
  async () => {
    const seen = new Map<SocksProblem | "read", number>();
    for (let seed = 0; seed < 20_000; seed++) {
      const random = new Random(seed);
      const input = garbage(random);
      const stream = new FakeStream(fragments(input, random), { writeSize: random.pick([1, Infinity]) });
      let outcome: SocksProblem | "read" = "read";
      try {
        const { request, early } = await readHandshake(stream);
        const tail = concat(early, stream.unread);
        assertEquals(tail, input.slice(input.length - tail.length), `seed ${seed}`);
        assertEquals(request.command === 1 && request.host.length <= 255 && request.port < 65536, true, `seed ${seed}`);
      } catch (error) {
        if (!(error instanceof SocksError)) throw new Error(`Seed ${seed} ends with another error`, { cause: error });
        outcome = error.problem;
      }
      assertEquals(["", "5,0", "5,2", "5,2,1,0", "5,255"].includes(stream.written.join()), true, `seed ${seed}`);
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1);
    }
    // Garbage that reaches no outcome but one would prove nothing.
    const outcomes = [
      "addressType",
      "authMethod",
      "closed",
      "command",
      "http",
      "malformed",
      "notSocks",
      "read",
      "tooLong",
    ];
    assertEquals([...seen.keys()].sort(), outcomes);
  },
);

/** Random bytes, or a handshake with some of its bytes changed, cut or followed by more. */
function garbage(random: Random): Uint8Array<ArrayBuffer> {
  const bytes = concat(
    random.pick([
      random.bytes(random.below(40)),
      concat(Uint8Array.of(random.pick([4, 5])), random.bytes(random.below(700), random.below(2))),
      new TextEncoder().encode(random.pick(["GET / ", "POST /", "CONNECT a.i2p:80", "HEAD"])),
      LONGEST,
      ...EXAMPLES.map((example) => example.bytes),
    ]),
  );
  for (let changes = random.below(4); changes > 0 && bytes.length > 0; changes--) {
    bytes[random.below(bytes.length)] = random.below(256);
  }
  return concat(
    bytes.subarray(0, random.pick([bytes.length, random.below(bytes.length + 1)])),
    random.bytes(random.pick([0, 3, 3000])),
  );
}

/** Cuts bytes into random fragments. */
function fragments(bytes: Uint8Array, random: Random): Uint8Array[] {
  const longest = random.pick([1, 5, 100, bytes.length]);
  const cut: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = 1 + random.below(longest);
    cut.push(bytes.subarray(at, at + length));
    at += length;
  }
  return cut;
}

async function read(
  chunks: Iterable<Uint8Array>,
  options?: FakeStreamOptions,
  policy?: LoginPolicy,
): Promise<{ stream: FakeStream; request: SocksRequest; early: Uint8Array }> {
  const stream = new FakeStream(chunks, options);
  const { request, early } = await readHandshake(stream, policy);
  return { stream, request, early };
}

async function refusal(
  chunks: Iterable<Uint8Array>,
  options?: FakeStreamOptions,
  policy?: LoginPolicy,
): Promise<{ stream: FakeStream; error: SocksError }> {
  const stream = new FakeStream(chunks, options);
  return { stream, error: await assertRejects(() => readHandshake(stream, policy), SocksError) };
}

async function problemOf(...chunks: readonly Uint8Array[]): Promise<[SocksProblem, 4 | 5 | undefined]> {
  const { error } = await refusal(chunks);
  return [error.problem, error.version];
}
