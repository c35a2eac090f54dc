import { assertEquals, assertNotEquals } from "@std/assert";
import { ISOLATION_FLAGS, type IsolationFlag } from "../../lib/config/choices.ts";
import { type IsolationFacts, isolationGroup } from "../../lib/identity/isolation.ts";
import type { Login } from "../../lib/socks/wire.ts";
import { loginOf } from "../support/login.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";

/** A client that nothing sets apart, unless by where it goes. */
const PLAIN: IsolationFacts = { login: undefined, host: "a.i2p", port: 80, clientAddress: "127.0.0.1", serial: 1 };

/** Facts that differ from the plain client's in what one flag looks at. */
const OTHER: Readonly<Record<IsolationFlag, Partial<IsolationFacts>>> = {
  auth: { login: loginOf("me", "secret") },
  destination: { host: "b.i2p" },
  port: { port: 81 },
  client: { clientAddress: "127.0.0.2" },
  stream: { serial: 2 },
};

/** Every set of flags, the empty one first. */
const FLAG_SETS: readonly (readonly IsolationFlag[])[] = Array.from(
  { length: 2 ** ISOLATION_FLAGS.length },
  (_, bits) => ISOLATION_FLAGS.filter((_, i) => (bits >> i & 1) === 1),
);

pureTest("isolationGroup() gives everybody the base identity without flags", () => {
  for (const facts of [{}, ...Object.values(OTHER)]) assertEquals(group([], facts), undefined);
  assertEquals(group([], Object.assign({}, ...Object.values(OTHER))), undefined);
});

pureTest("isolationGroup() gives the base identity to clients without login and label", () => {
  assertEquals(group(["auth"]), undefined);
  assertEquals(group(["client"]), undefined);
  assertEquals(group(["auth", "client"]), undefined);
});

pureTest("isolationGroup() looks at what each flag names, and at nothing else", () => {
  for (const flag of ISOLATION_FLAGS) {
    for (const [other, facts] of Object.entries(OTHER)) {
      const groups = [group([flag]), group([flag], facts)];
      if (other === flag) assertNotEquals(groups[0], groups[1], `${flag} with other ${other}`);
      else assertEquals(groups[0], groups[1], `${flag} with other ${other}`);
    }
  }
});

pureTest("isolationGroup() sets every client apart with destination, port or stream", () => {
  for (const flag of ["destination", "port", "stream"] as const) {
    assertEquals(typeof group([flag]), "string", flag);
    assertEquals(typeof group(["auth", flag]), "string", flag);
  }
});

pureTest("isolationGroup() sets clients apart that differ in what any flag of a combination looks at", () => {
  for (const flags of FLAG_SETS) {
    for (const [other, facts] of Object.entries(OTHER)) {
      const same = group(flags) === group(flags, facts);
      assertEquals(same, !flags.some((flag) => flag === other), `${flags} with other ${other}`);
    }
  }
});

pureTest("isolationGroup() does not depend on the order of the flags", () => {
  const facts = { ...PLAIN, ...OTHER.auth, ...OTHER.client };
  for (const flags of FLAG_SETS) {
    assertEquals(group(flags.toReversed(), facts), group(flags, facts), `${flags}`);
  }
});

pureTest("isolationGroup() takes an empty login for none", () => {
  assertEquals(group(["auth"], { login: loginOf("", "") }), undefined);
  for (const flags of FLAG_SETS) {
    assertEquals(group(flags, { login: loginOf("", "") }), group(flags), `${flags}`);
  }
});

pureTest("isolationGroup() sets a login apart that has a user or a password only", () => {
  const groups = [
    group(["auth"]),
    ...[["u", ""], ["", "u"], ["u", "u"]].map(([user = "", password = ""]) => auth(user, password)),
  ];
  assertAllApart(groups);
});

pureTest("isolationGroup() gives equal logins one group, whatever their buffers", () => {
  assertEquals(auth("me", "secret"), auth("me", "secret"));
  const bytes = Uint8Array.of(9, 9, 0x6d, 0x65, 9, 9);
  assertEquals(group(["auth"], { login: { user: bytes.subarray(2, 4), password: bytes.subarray(6) } }), auth("me", ""));
});

pureTest("isolationGroup() keeps user and password apart, and takes both as bytes", () => {
  const pairs: readonly (readonly [string, string])[] = [
    // Where the one ends and the other begins.
    ["ab", "c"],
    ["a", "bc"],
    ["abc", ""],
    ["", "abc"],
    // Characters that could separate them.
    ["a:b", "c"],
    ["a", "b:c"],
    ["a:", "b"],
    ["a", ":b"],
    ["a/b", ""],
    ["a", "/b"],
    ["a/", "b"],
    ["a.b", ""],
    ["a", ".b"],
    ["a.", "b"],
    ["a\0", "b"],
    ["a", "\0b"],
    ["a", "b"],
    ["a", "b\0"],
    ["\0a", "b"],
    ["\0", ""],
    ["", "\0"],
    ["\0\0", ""],
    ["\0", "\0"],
    ['a","b', "c"],
    ["a", 'b","c'],
    // Bytes, and texts that spell them.
    ["\x01", "\x02"],
    ["1", "2"],
    ["1.2", ""],
    ["\x01\x02", ""],
    ["1/2", ""],
    ["12", ""],
    ["\x0c", ""],
    ["97.98", "99"],
    ["97.98/99", ""],
    // Upper case, white space, and bytes that are not UTF-8.
    ["AB", "c"],
    ["ab", "C"],
    ["ab ", "c"],
    [" ab", "c"],
    ["\xe9", ""],
    ["\xc3\xa9", ""],
    ["\xff", ""],
    ["\xfe", ""],
    ["\xef\xbf\xbd", ""],
    ["u".repeat(255), "p".repeat(255)],
    ["u".repeat(255), "p".repeat(254)],
    ["u".repeat(254), "p".repeat(255)],
  ];
  assertAllApart([group(["auth"]), ...pairs.map(([user, password]) => auth(user, password))]);
});

pureTest("isolationGroup() takes a SOCKS4 user id for a SOCKS5 user with an empty password", () => {
  const userId: Login = { user: Uint8Array.of(0x6d, 0x65), password: new Uint8Array() };
  assertEquals(group(["auth"], { login: userId }), auth("me", ""));
  assertNotEquals(group(["auth"], { login: userId }), auth("me", "x"));
});

pureTest("isolationGroup() takes Tor's <torS0X> forms for logins like others", () => {
  assertEquals(auth("<torS0X>0", "a"), auth("<torS0X>0", "a"));
  assertAllApart([
    group(["auth"]),
    auth("<torS0X>0", "a"),
    auth("<torS0X>0", "b"),
    auth("<torS0X>0", ""),
    auth("<torS0X>1", "a"),
    auth("<torS0X>0a", ""),
    auth("<torS0X>", "0a"),
    auth("", "a"),
    auth("0", "a"),
  ]);
});

pureTest("isolationGroup() takes 127.0.0.1 and ::1 for no label, and every other client address for one", () => {
  for (const plain of ["127.0.0.1", "::1", "::ffff:127.0.0.1"]) {
    assertEquals(group(["client"], { clientAddress: plain }), undefined, plain);
    assertEquals(group(["port", "client"], { clientAddress: plain }), group(["port", "client"]), plain);
  }
  const labels = ["127.0.0.2", "127.0.0.3", "127.0.0.12", "127.0.1.1", "127.255.255.254", "::ffff:127.0.0.2", "::2"];
  assertAllApart([undefined, ...labels.map((clientAddress) => group(["client"], { clientAddress }))]);
});

pureTest("isolationGroup() never gives two streams one group", () => {
  const serials = [0, 1, 2, 10, 11, 12, 100, 1e9, Number.MAX_SAFE_INTEGER - 1, Number.MAX_SAFE_INTEGER];
  for (const flags of FLAG_SETS.filter((set) => set.includes("stream"))) {
    assertAllApart(serials.map((serial) => group(flags, { serial })));
  }
});

pureTest("isolationGroup() does not take one fact for another", () => {
  // Each pair writes the same text into different facts.
  const pairs: readonly (readonly [readonly IsolationFlag[], Partial<IsolationFacts>, Partial<IsolationFacts>])[] = [
    [["port", "stream"], { port: 1, serial: 2 }, { port: 2, serial: 1 }],
    [["port", "stream"], { port: 1, serial: 11 }, { port: 11, serial: 1 }],
    [["auth", "client"], { login: loginOf("127.0.0.2") }, { clientAddress: "127.0.0.2" }],
    [["auth", "destination", "client"], { login: loginOf("\x01"), host: "127.0.0.2" }, {
      host: "1/",
      clientAddress: "127.0.0.2",
    }],
    [["destination", "client"], { host: "127.0.0.2" }, { clientAddress: "127.0.0.2" }],
    [["destination", "port"], { host: "a.i2p", port: 80 }, { host: "a.i2p8", port: 0 }],
    [["auth", "destination"], { login: loginOf("a.i2p"), host: "b.i2p" }, { login: loginOf("b.i2p"), host: "a.i2p" }],
  ];
  for (const [flags, one, other] of pairs) assertNotEquals(group(flags, one), group(flags, other), `${flags}`);
});

pureTest("isolationGroup() is equal where the facts of the flags in force are, and nowhere else", () => {
  const counts = { same: 0, apart: 0 };
  for (let seed = 0; seed < 20_000; seed++) {
    const random = new Random(seed);
    const flags = random.pick(FLAG_SETS);
    const one = randomFacts(random);
    // Clients that have most in common find more mistakes than clients that have nothing.
    const drawn = randomFacts(random);
    const other: IsolationFacts = {
      login: random.below(2) === 0 ? one.login : drawn.login,
      host: random.pick([one.host, drawn.host]),
      port: random.pick([one.port, drawn.port]),
      clientAddress: random.pick([one.clientAddress, drawn.clientAddress]),
      serial: random.pick([one.serial, drawn.serial]),
    };
    const same = flags.every((flag) => isEqual[flag](one, other));
    const label = `seed ${seed}: ${flags} of ${JSON.stringify([one, other])}`;
    assertEquals(group(flags, one) === group(flags, other), same, label);
    counts[same ? "same" : "apart"]++;
  }
  // One outcome alone would prove nothing.
  assertEquals(Math.min(counts.same, counts.apart) > 4000, true, JSON.stringify(counts));
});

/** Whether two clients are one for a flag, said in another way than the program's. */
const isEqual: Readonly<Record<IsolationFlag, (a: IsolationFacts, b: IsolationFacts) => boolean>> = {
  auth: (a, b) => loginText(a.login) === loginText(b.login),
  destination: (a, b) => a.host === b.host,
  port: (a, b) => a.port === b.port,
  client: (a, b) => {
    const isPlain = ({ clientAddress }: IsolationFacts): boolean => /^(127\.0\.0\.1|::1)$/.test(clientAddress);
    return a.clientAddress === b.clientAddress || isPlain(a) && isPlain(b);
  },
  stream: (a, b) => a.serial === b.serial,
};

/** Hexadecimal has no comma; no login and an empty one are the same text. */
function loginText(login: Login = loginOf("")): string {
  return [login.user, login.password].map((bytes) => bytes.toHex()).join();
}

function randomFacts(random: Random): IsolationFacts {
  const field = (): string =>
    Array.from({ length: random.below(3) }, () => random.pick(["\0", ".", "/", "1"])).join("");
  return {
    login: random.below(3) === 0 ? undefined : loginOf(field(), field()),
    host: random.pick(["a.i2p", "b.i2p", "1", `${"a".repeat(52)}.b32.i2p`]),
    port: random.pick([0, 1, 80, 65_535]),
    clientAddress: random.pick(["127.0.0.1", "::1", "127.0.0.2", "127.0.0.11"]),
    serial: random.below(12),
  };
}

function group(flags: readonly IsolationFlag[], facts: Partial<IsolationFacts> = {}): string | undefined {
  return isolationGroup(flags, { ...PLAIN, ...facts });
}

function auth(user: string, password: string): string | undefined {
  return group(["auth"], { login: loginOf(user, password) });
}

function assertAllApart(groups: readonly (string | undefined)[]): void {
  for (const [i, one] of groups.entries()) {
    assertEquals(groups.indexOf(one), i, `Groups ${groups.indexOf(one)} and ${i} are one: ${one}`);
  }
}
