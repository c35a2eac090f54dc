import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { CLOSED_AGE, LACK_AGE, LoginOffers, MAX_LACKING } from "../../lib/proxy/login_offers.ts";
import { createLog } from "../../lib/report/log.ts";
import { Clock } from "../support/clock.ts";
import { concat } from "../support/bytes.ts";
import { type Harness, type HarnessOptions, startHarness } from "../support/harness.ts";
import { pureTest } from "../support/pure.ts";
import { until } from "../support/wait.ts";
import { readToEnd, socksConnect, writeAll } from "../clients/socks_client.ts";
import { encodeGreeting, encodeLogin, encodeRequest5 } from "../clients/socks_wire.ts";

const BOTH = Uint8Array.of(0, 2);

/** What a client does that offers to go without a login, and a login, and is asked for it. */
type Manner = { user: string; password: string } | "closes" | "goes on with its payload" | "stays silent";

/** Has a client offer both: the method that it is asked for, and whether it has the application's own identity. */
async function offer(harness: Harness, manner: Manner, methods: readonly number[] = [0, 2]): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
  await writeAll(conn, encodeGreeting([...methods]));
  const method = new Uint8Array(2);
  // The whole answer is one write.
  assertEquals(await conn.read(method), 2);
  if (method[1] === 2) {
    if (manner === "closes") return "asked, closed";
    if (manner === "stays silent") return `asked, ${(await readToEnd(conn)).length} bytes`;
    if (manner === "goes on with its payload") {
      await writeAll(conn, new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
      return `asked, ${(await readToEnd(conn).catch(() => "")).length} bytes`;
    }
    await writeAll(conn, encodeLogin(manner.user, manner.password));
    await conn.read(new Uint8Array(2));
  }
  await writeAll(conn, encodeRequest5({ host: harness.name, port: 80 }));
  const reply = new Uint8Array(300);
  const count = await conn.read(reply) ?? 0;
  assertEquals([...reply.subarray(0, count)], [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return `${method[1] === 2 ? "asked" : "not asked"}, ${lastIdentity(harness)}`;
}

function lastIdentity(harness: Harness): "own" | "isolated" {
  const id = harness.sent("STREAM CONNECT", "ID").at(-1);
  return id === harness.identity.status.session?.id ? "own" : "isolated";
}

const startIsolating = (options: HarnessOptions = {}): Promise<Harness> =>
  startHarness({ ...options, settings: { isolation: ["auth"], ...options.settings } });

Deno.test("a login that is the system's user name without a password is nobody's choice", async () => {
  await using harness = await startIsolating();
  assertEquals(await offer(harness, { user: "daniel", password: "" }), "asked, own");
  assertEquals(await offer(harness, { user: "", password: "" }), "asked, own");
  const prompt = "Enter SOCKS5 password for daniel@127.0.0.1: ";
  assertEquals(await offer(harness, { user: "daniel", password: prompt }), "asked, own");
  assertEquals(await offer(harness, { user: "work", password: prompt }), "asked, isolated");
  assertEquals(await offer(harness, { user: "daniel", password: "x" }), "asked, isolated");
  assertEquals(await offer(harness, { user: "work", password: "" }), "asked, isolated");
  const told = harness.log.filter((line) => line.includes("as a login by itself"));
  assertEquals(told.length, 1, "told once");
  for (const [user, identity] of [["daniel", "own"], ["anonymous", "own"], ["work", "isolated"]] as const) {
    const { reply, conn } = await socksConnect(harness.port, harness.name, 80, {
      version: 4,
      login: { user, password: "" },
    });
    conn.close();
    assertEquals([reply.code, lastIdentity(harness)], [0x5a, identity], user);
  }
});

for (const manner of ["closes", "goes on with its payload", "stays silent"] as const) {
  Deno.test(`a client that is asked for a login and ${manner} is not asked next time`, async () => {
    await using harness = await startIsolating({ settings: { timeouts: { handshake: 500 } } });
    await offer(harness, manner);
    await until("it is noticed", () => harness.counters.get("refused-login-missing") === 1);
    const line = harness.log.find((line) => line.includes("offers a login that it may not have")) ?? "";
    assertStringIncludes(line, "--isolate none");
    for (const reason of ["handshake-timeout", "malformed-request", "client-closed"]) {
      assertEquals(harness.counters.get(`refused-${reason}`), 0, reason);
    }
    for (let i = 0; i < 3; i++) assertEquals(await offer(harness, manner), "not asked, own");
    assertEquals(await offer(harness, manner, [0, 1, 2]).catch(() => "gone"), await other(manner), "another kind");
    assertEquals(harness.log.filter((line) => line.includes("may not have")).length, 1, "told once");
  });
}

/** What a client gets that greets in another way. */
const other = (manner: Manner): Promise<string> =>
  Promise.resolve(manner === "closes" ? "asked, closed" : "asked, 0 bytes");

Deno.test("a login that somebody chose isolates, also after a connection like it was cut off", async () => {
  await using harness = await startIsolating();
  assertEquals(await offer(harness, { user: "work", password: "x" }), "asked, isolated");
  await offer(harness, "closes");
  await until("it is noticed", () => harness.counters.get("refused-login-missing") === 1);
  assertEquals(await offer(harness, { user: "work", password: "x" }), "asked, isolated");
});

Deno.test("a client that sends its login without waiting is understood, also after a connection like it was cut off", async () => {
  await using harness = await startIsolating();
  await offer(harness, "closes");
  await until("it is noticed", () => harness.counters.get("refused-login-missing") === 1);
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
  const request = encodeRequest5({ host: harness.name, port: 80 });
  await writeAll(conn, concat(encodeGreeting([0, 2]), encodeLogin("work", "x"), request));
  const answer = new Uint8Array(14);
  for (let count = 0; count < answer.length;) count += await conn.read(answer.subarray(count)) ?? answer.length;
  assertEquals([...answer.subarray(0, 6), lastIdentity(harness)], [5, 2, 1, 0, 5, 0, "isolated"]);
});

Deno.test("a client that has nothing but a login is always asked, and CONNECT never gets a name as bound address", async () => {
  await using harness = await startIsolating({ settings: { timeouts: { handshake: 500 } } });
  for (let i = 0; i < 2; i++) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
    await writeAll(conn, encodeGreeting([2]));
    assertEquals([...await readToEnd(conn)], [5, 2]);
  }
  assertEquals(harness.counters.get("refused-handshake-timeout"), 2);
  for (const [host, code] of [["example.com", 2], ["10.0.0.1", 8]] as const) {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
    await writeAll(conn, concat(encodeGreeting([0]), encodeRequest5({ host, port: 80 })));
    assertEquals([...await readToEnd(conn)], [5, 0, 5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
  }
});

Deno.test("LoginOffers forgets after a while, and does not remember more than so many kinds", () => {
  const clock = new Clock({ runs: false });
  using _clock = clock;
  const lines: string[] = [];
  const log = createLog({ level: "debug", format: "text", destinations: false, write: (line) => lines.push(line) });
  const offers = new LoginOffers(undefined, log);
  assert(offers.isWanted("127.0.0.1", BOTH));
  offers.lacked("127.0.0.1", BOTH, "other");
  assertEquals([offers.isWanted("127.0.0.1", BOTH), offers.isWanted("127.0.0.2", BOTH)], [false, true]);
  for (let i = 0; i < MAX_LACKING; i++) offers.lacked(`10.0.${i >> 8}.${i & 255}`, BOTH, "other");
  assert(offers.isWanted("127.0.0.1", BOTH), "the oldest was not forgotten");
});

Deno.test("LoginOffers asks again after an hour", async () => {
  using clock = new Clock({ runs: false });
  const log = createLog({ level: "error", format: "text", destinations: false, write: () => {} });
  const offers = new LoginOffers(undefined, log);
  offers.lacked("127.0.0.1", BOTH, "other");
  await clock.skip(LACK_AGE - 1);
  assertEquals(offers.isWanted("127.0.0.1", BOTH), false);
  await clock.skip(1);
  assertEquals(offers.isWanted("127.0.0.1", BOTH), true);
});

Deno.test("LoginOffers asks again after a minute where one client closed, and after an hour where the next one does", async () => {
  using clock = new Clock({ runs: false });
  const log = createLog({ level: "error", format: "text", destinations: false, write: () => {} });
  const offers = new LoginOffers(undefined, log);
  const isWanted = (): boolean => offers.isWanted("127.0.0.1", BOTH);
  // Connections that were open together are one sign.
  for (let i = 0; i < 3; i++) offers.lacked("127.0.0.1", BOTH, "closed");
  await clock.skip(CLOSED_AGE - 1);
  assertEquals(isWanted(), false);
  await clock.skip(1);
  assertEquals(isWanted(), true);
  offers.lacked("127.0.0.1", BOTH, "closed");
  await clock.skip(LACK_AGE - 1);
  assertEquals(isWanted(), false);
  await clock.skip(1);
  assertEquals(isWanted(), true);
  const login = { user: new TextEncoder().encode("work"), password: new TextEncoder().encode("x") };
  offers.judge({ version: 5, command: 1, host: "a.i2p", port: 80, login }, "127.0.0.1", BOTH);
  offers.lacked("127.0.0.1", BOTH, "closed");
  assertEquals(isWanted(), true, "one that greets alike has a login");
});

pureTest("LoginOffers leaves a request without a login as it is", () => {
  const log = createLog({ level: "error", format: "text", destinations: false, write: () => {} });
  const request = { version: 5, command: 1, host: "a.i2p", port: 80 } as const;
  assertEquals(new LoginOffers("daniel", log).judge(request, "127.0.0.1", undefined), request);
});
