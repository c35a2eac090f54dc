import { assertEquals, assertStringIncludes } from "@std/assert";
import { hashPassword, LoginBook } from "../../lib/config/login_book.ts";
import { type Reason, REASONS } from "../../lib/reasons/reasons.ts";
import { concat } from "../support/bytes.ts";
import { type Harness, lastOutcome, startHarness } from "../support/harness.ts";
import type { Manners } from "../sam_bridge/bridge.ts";
import { pureTest } from "../support/pure.ts";
import { INSTEAD } from "../../lib/manual/tables.ts";
import { readToEnd, socksConnect } from "../clients/socks_client.ts";
import { encodeGreeting, encodeLogin, encodeRequest4, encodeRequest5 } from "../clients/socks_wire.ts";
import { until } from "../support/wait.ts";

const ABSENT = `${"a".repeat(52)}.b32.i2p`;

/** Requests that get no stream: host, SOCKS5 reply code, reason in the log. */
const REFUSED: readonly [string, number, string][] = [
  ["example.com", 2, "clearnet"],
  ["localhost", 2, "clearnet"],
  ["i2p", 2, "clearnet"],
  ["93.184.216.34", 8, "ip"],
  ["127.0.0.1", 8, "ip"],
  ["2001:db8::1", 8, "ip"],
  ["unknown.i2p", 4, "name-unknown"],
  ["short.b32.i2p", 4, "malformed-address"],
  ["-.i2p", 4, "malformed-address"],
  ["spa ce.i2p", 4, "malformed-address"],
];

/** Nothing can be done about these: the application is at fault, has left, or the program ends. */
const WITHOUT_ADVICE = ["address-type", "malformed-request", "client-closed", "stopping"];

pureTest("every reason has advice for the status and the log, but where there is none", () => {
  const advised = Object.entries(REASONS).filter(([, { hint, sign }]) => (hint ?? sign?.fix ?? "").length > 10);
  const without = Object.keys(REASONS).filter((reason) => !advised.some(([other]) => other === reason));
  assertEquals(without, WITHOUT_ADVICE);
  // They are clauses of a line: no full stop behind them.
  assertEquals(Object.values(REASONS).filter(({ hint }) => hint?.endsWith(".")), []);
});

for (const manners of ["i2pd", "java"] as Manners[]) {
  Deno.test(`The proxy refuses with the codes of the answer table, ${manners}`, async (t) => {
    await using harness = await startHarness({ bridge: { manners } });
    const absent = manners === "java" ? "lease-set-not-found" : "peer-unreachable";
    for (const [host, code, reason] of [...REFUSED, [ABSENT, 4, absent] as const]) {
      await t.step(`SOCKS5 ${host}`, () => refused(harness, host, 5, code, reason));
      if (!host.includes(":")) await t.step(`SOCKS4 ${host}`, () => refused(harness, host, 4, 0x5b, reason));
    }
    assertEquals(harness.counters.get("connected"), 0);
  });
}

async function refused(harness: Harness, host: string, version: 4 | 5, code: number, reason: string): Promise<void> {
  const { reply, conn } = await socksConnect(harness.port, host, 80, { version });
  assertEquals(reply, { code, host: "0.0.0.0", port: 0 });
  assertEquals(await readToEnd(conn), new Uint8Array());
  conn.close();
  await until("the client is forgotten", () => harness.proxy.connections === 0);
  await until("its socket is closed", () => harness.streams() <= 0);
  assertStringIncludes(lastOutcome(harness.log), `reason=${reason}`);
}

/** What a router answers to STREAM CONNECT, and what the client is told: SOCKS5 code, reason. */
const STREAM_ANSWERS: readonly [string, number, string][] = [
  ["STREAM STATUS RESULT=CANT_REACH_PEER\n", 4, "peer-unreachable"],
  ['STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE="Connection timed out"\n', 4, "peer-silent"],
  ["STREAM STATUS RESULT=CANT_REACH_PEER", 4, "peer-unreachable"],
  ["STREAM STATUS RESULT=PEER_NOT_FOUND\n", 4, "peer-unreachable"],
  ["STREAM STATUS RESULT=LEASESET_NOT_FOUND\n", 4, "lease-set-not-found"],
  ["STREAM STATUS RESULT=CONNECTION_REFUSED\n", 5, "peer-refused"],
  ["STREAM STATUS RESULT=INVALID_KEY\n", 4, "name-unknown"],
  ["STREAM STATUS RESULT=KEY_NOT_FOUND\n", 4, "name-unknown"],
  ["STREAM STATUS RESULT=INVALID_ID\n", 3, "not-ready"],
  ["STREAM STATUS RESULT=TIMEOUT\n", 6, "timed-out"],
  ["STREAM STATUS RESULT=I2P_ERROR MESSAGE=x\r\n", 1, "router-error"],
  ["STREAM STATUS RESULT=FLUX_CAPACITOR\n", 1, "router-error"],
  ['SESSION STATUS RESULT=I2P_ERROR MESSAGE="Socket already in use"\n', 1, "router-error"],
  ["STREAM STATUS\n", 1, "router-error"],
  ["SESSION STATUS RESULT=OK\n", 1, "router-error"],
  ["HTTP/1.1 400 Bad Request\r\n\r\n", 1, "router-error"],
  ["\n", 1, "router-error"],
  ["\0\xff\xfe\n", 1, "router-error"],
  ["x".repeat(20_000), 1, "router-error"],
  ["", 1, "router-error"],
];

Deno.test("The proxy tells each RESULT of a router apart", async (t) => {
  let answer = "";
  await using harness = await startHarness({
    bridge: {
      intercept: async (line, socket) => {
        if (!line.startsWith("STREAM CONNECT")) return false;
        await socket.write(answer);
        socket.close();
        return true;
      },
    },
  });
  for (const [given, code, reason] of STREAM_ANSWERS) {
    await t.step(JSON.stringify(given.slice(0, 60)), async () => {
      answer = given;
      await refused(harness, harness.name, 5, code, reason);
      assertEquals(
        lastOutcome(harness.log).includes("Connection timed out"),
        given.includes("Connection timed out"),
      );
      await refused(harness, harness.name, 4, 0x5b, reason);
    });
  }
});

Deno.test("The proxy answers what it does not support", async (t) => {
  await using harness = await startHarness();
  const cases: [string, Uint8Array, number[]][] = [
    ["BIND", encodeRequest5({ host: "x.i2p", port: 1, command: 2 }), [5, 7]],
    ["UDP ASSOCIATE", encodeRequest5({ host: "0.0.0.0", port: 0, command: 3 }), [5, 7]],
    ["Tor's RESOLVE", encodeRequest5({ host: "x.i2p", port: 0, command: 0xf0 }), [5, 7]],
    ["an unknown address type", Uint8Array.of(5, 1, 0, 9, 0, 0), [5, 8]],
  ];
  for (const [name, request, expected] of cases) {
    await t.step(name, async () => {
      const bytes = await converse(harness.port, concat(encodeGreeting([0]), request));
      assertEquals([...bytes.subarray(0, 4)], [5, 0, ...expected]);
      assertEquals(bytes.length, 12);
    });
  }
  await t.step("no acceptable method", async () => {
    assertEquals([...await converse(harness.port, encodeGreeting([1, 3]))], [5, 0xff]);
  });
  await t.step("SOCKS4 BIND", async () => {
    const bytes = await converse(harness.port, Uint8Array.of(4, 2, 0, 80, 0, 0, 0, 1, 0, 120, 0));
    assertEquals([...bytes], [0, 0x5b, 0, 0, 0, 0, 0, 0]);
  });
  await t.step("HTTP is told where it came to", async () => {
    const text = new TextDecoder().decode(
      await converse(harness.port, "GET http://x.i2p/ HTTP/1.1\r\nHost: x.i2p\r\n\r\n"),
    );
    assertStringIncludes(text, "HTTP/1.1 400 ");
    assertStringIncludes(text, `curl --socks5-hostname 127.0.0.1:${harness.port} http://NAME.i2p/`);
  });
  await t.step("a TLS hello, zeros and a NUL are closed without a word", async () => {
    for (const bytes of [[0x16, 3, 1, 2, 0], [0, 0, 0, 0], [6]]) {
      assertEquals((await converse(harness.port, Uint8Array.from(bytes))).length, 0);
    }
  });
  await until("all clients are forgotten", () => harness.proxy.connections === 0);
});

Deno.test("What goes out in place of a code is what the manual says", async (t) => {
  const { book } = await LoginBook.parse(`alice:${await hashPassword("right", 1)}\n`);
  const request = encodeRequest5({ host: "x.i2p", port: 80 });
  const cases: Record<string, { socks5?: Uint8Array; socks4?: Uint8Array; logins?: boolean }> = {
    "login-missing": { socks5: concat(encodeGreeting([0, 2]), new TextEncoder().encode("GET / HTTP/1.0\r\n")) },
    "login-refused": {
      socks5: concat(encodeGreeting([2]), encodeLogin("alice", "wrong"), request),
      socks4: encodeRequest4({ host: "x.i2p", port: 80, userId: "alice" }),
      logins: true,
    },
    "address-type": { socks5: concat(encodeGreeting([0]), Uint8Array.of(5, 1, 0, 9, 0, 0)) },
    "auth-method": { socks5: encodeGreeting([1, 3]) },
    "http": { socks5: new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n") },
    "not-socks": { socks5: Uint8Array.of(0x16, 3, 1, 2, 0) },
    "handshake-timeout": { socks5: encodeGreeting([]).subarray(0, 1), socks4: Uint8Array.of(4, 1, 0) },
    "client-closed": {},
  };
  assertEquals(Object.keys(cases), Object.keys(INSTEAD));
  for (const [reason, { socks5, socks4, logins = false }] of Object.entries(cases)) {
    await t.step(reason, async () => {
      await using harness = await startHarness({
        ...(logins && { logins: book }),
        settings: { isolation: ["auth"], timeouts: { handshake: reason === "handshake-timeout" ? 100 : 5_000 } },
      });
      const told = await Promise.all([socks5, socks4].map((bytes) => bytes === undefined ? "" : hear(harness, bytes)));
      assertEquals(told, [...INSTEAD[reason as Reason] ?? []]);
      const asked = [socks5, socks4].filter((bytes) => bytes !== undefined).length;
      assertEquals(harness.counters.get(`refused-${reason}`), asked);
    });
  }
});

Deno.test("A login that cannot be checked, by a mistake of ours, is no client that has closed", async () => {
  const logins = { verify: () => Promise.reject(new TypeError("no such hash")) } as unknown as LoginBook;
  await using harness = await startHarness({ logins });
  const told = await converse(harness.port, concat(encodeGreeting([2]), encodeLogin("alice", "right")));
  assertEquals([...told], [5, 2]);
  await until("it is told", () => harness.counters.get("refused-internal") === 1);
  assertEquals(harness.counters.get("refused-client-closed"), 0);
  assertStringIncludes(
    lastOutcome(harness.log),
    "error Connection failed: TypeError",
  );
});

/** What a client is told that sends bytes and does not end its side, in the manual's words. */
async function hear({ port }: Harness, sent: Uint8Array): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(sent);
  let bytes: Uint8Array = await readToEnd(conn);
  if (bytes.length === 0) return "closed";
  if (new TextDecoder().decode(bytes).startsWith("HTTP/1.1 400 ")) return "HTTP 400";
  const hex = (byte: number | undefined): string => `0x${byte?.toString(16).padStart(2, "0").toUpperCase()}`;
  if (bytes[0] === 0) return hex(bytes[1]);
  if (bytes[1] === 0xff) return `method ${hex(bytes[1])}`;
  bytes = bytes.subarray(2);
  if (bytes.length === 0) return "closed";
  return bytes[0] === 1 ? `status ${hex(bytes[1])}` : hex(bytes[1]);
}

/** Sends bytes, ends its side, and returns all that comes back. */
async function converse(port: number, bytes: Uint8Array | string): Promise<Uint8Array> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  return await readToEnd(conn);
}
