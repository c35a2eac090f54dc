import { assertEquals, assertRejects } from "@std/assert";
import { MAX_HANDSHAKE, readHandshake } from "../../lib/socks/handshake.ts";
import { SocksError, type SocksProblem, type SocksRequest } from "../../lib/socks/wire.ts";
import { concat, FakeStream, type FakeStreamOptions } from "../support/fake_stream.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";
import { encodeGreeting, encodeLogin, encodeRequest4, encodeRequest5 } from "../support/socks_wire.ts";

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
    request: { version: 4, command: 1, host: "10.1.2.3", port: 80 },
    written: [],
  },
  {
    name: "SOCKS4a",
    bytes: encodeRequest4({ host: "stats.i2p", port: 443, userId: "me" }),
    request: { version: 4, command: 1, host: "stats.i2p", port: 443 },
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
    request: { version: 5, command: 1, host: "a.i2p", port: 80 },
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
  ];
  for (const [methods, method] of chosen) {
    const login = method === 2 ? encodeLogin("u", "p") : new Uint8Array();
    const { stream, request } = await read([
      encodeGreeting(methods),
      login,
      encodeRequest5({ host: "a.i2p", port: 80 }),
    ]);
    assertEquals(stream.written, method === 2 ? [5, 2, 1, 0] : [5, 0], `methods ${methods}`);
    assertEquals(request.host, "a.i2p");
  }
});

pureTest("readHandshake() answers 0xff to a client without a method that it knows", async () => {
  for (const methods of [[], [1], [3, 0xfe], [0xff]]) {
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
    const { stream } = await read([
      encodeGreeting([2]),
      encodeLogin(user, password),
      encodeRequest5({ host: "a.i2p", port: 80 }),
    ]);
    assertEquals(stream.written, [5, 2, 1, 0]);
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
  options: FakeStreamOptions = {},
): Promise<{ stream: FakeStream; request: SocksRequest; early: Uint8Array }> {
  const stream = new FakeStream(chunks, options);
  return { stream, ...await readHandshake(stream) };
}

async function refusal(
  chunks: Iterable<Uint8Array>,
  options: FakeStreamOptions = {},
): Promise<{ stream: FakeStream; error: SocksError }> {
  const stream = new FakeStream(chunks, options);
  return { stream, error: await assertRejects(() => readHandshake(stream), SocksError) };
}

async function problemOf(...chunks: readonly Uint8Array[]): Promise<[SocksProblem, 4 | 5 | undefined]> {
  const { error } = await refusal(chunks);
  return [error.problem, error.version];
}
