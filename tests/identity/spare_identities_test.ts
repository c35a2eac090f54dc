import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Identity } from "../../lib/identity/identity.ts";
import { SpareIdentities } from "../../lib/identity/spare_identities.ts";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address } from "../../lib/i2p/destination.ts";
import { readToEnd, type SocksClientOptions, socksConnect } from "../clients/socks_client.ts";
import { Clock } from "../support/clock.ts";
import { type Harness, startHarness } from "../support/harness.ts";
import { until } from "../support/wait.ts";

/** Milliseconds that the bridge takes to build tunnels. */
const BUILDING = 400;

Deno.test("A new login takes a spare identity at once; nobody else ever gets it, and another is built behind it", async () => {
  using clock = new Clock({ runs: true });
  await using harness = await start({ spareIdentities: 1 });
  assertEquals(sessions(harness), 1, "none is built before a login is used");
  const alice = await seen(harness, "alice");
  await until("a spare one is ready", () => sessions(harness) === 3);
  const since = performance.now();
  const bob = await seen(harness, "bob");
  assert(performance.now() - since < BUILDING, "it waited for tunnels");
  assertNotEquals(bob, alice);
  assertEquals(sessions(harness), 3);
  // The next one comes after a random time, so that its age does not say whose it followed.
  await clock.skip(60_000);
  await until("another is ready", () => sessions(harness) === 4);
  const carol = await seen(harness, "carol");
  assertEquals(new Set([alice, bob, carol]).size, 3);
  assertEquals(await seen(harness, "alice"), alice);
});

Deno.test("Six logins at once find six spare identities, and each gets another", async () => {
  await using harness = await start({ spareIdentities: 6, identities: 8 });
  await seen(harness, "first");
  await until("six are ready", () => sessions(harness) === 8);
  const since = performance.now();
  const addresses = await Promise.all(Array.from({ length: 6 }, (_, i) => seen(harness, `login ${i}`)));
  assert(performance.now() - since < BUILDING, "one waited for tunnels");
  assertEquals(new Set(addresses).size, 6);
  assertEquals(sessions(harness), 8);
});

Deno.test("Spare identities are counted by the limit, and no group is refused because of them", async () => {
  await using harness = await start({ spareIdentities: 3, identities: 2 });
  const [alice] = [await seen(harness, "alice")];
  await until("one is ready", () => sessions(harness) === 3);
  const bob = await seen(harness, "bob");
  // Both places are taken: the one that has been without clients for longest gives way.
  const carol = await seen(harness, "carol");
  assertEquals(new Set([alice, bob, carol]).size, 3);
  assertEquals(sessions(harness) <= 3, true);
});

Deno.test("With 0 none is built, and by default there is one where logins are isolated", async () => {
  for (
    const [limit, isolation, expected] of [[0, "auth", 2], [undefined, "auth", 3], [undefined, "client", 1]] as const
  ) {
    await using harness = await start({ spareIdentities: limit }, isolation);
    await seen(harness, "alice");
    await until("they are ready", () => sessions(harness) >= expected);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assertEquals(sessions(harness), expected, `${limit} ${isolation}`);
  }
});

Deno.test("A spare identity that nobody uses is thrown away after a random time, and replaced while there are groups", async () => {
  for (const [random, milliseconds] of [[0, 600_000], [1, 1_800_000]] as const) {
    using clock = new Clock({ runs: false });
    let made = 0;
    let isWanted = true;
    const spares = new SpareIdentities({
      count: 1,
      make: () => (made++, idle()),
      isWanted: () => isWanted,
      random: () => random,
    });
    spares.fill();
    await clock.skip(milliseconds - 1);
    assertEquals([spares.size, made], [1, 1]);
    await clock.skip(1);
    assertEquals(spares.size, 0);
    await clock.skip(60_000);
    assertEquals([spares.size, made], [1, 2]);
    isWanted = false;
    await clock.skip(milliseconds + 60_000);
    assertEquals([spares.size, made], [0, 2]);
    await spares.close();
  }
});

Deno.test("A spare identity whose session is lost is dropped, and the next login is served all the same", async () => {
  await using harness = await start({ spareIdentities: 1 });
  await seen(harness, "alice");
  await until("a spare one is ready", () => sessions(harness) === 3);
  harness.dropSessions();
  await until("the base is back", () => sessions(harness) >= 1);
  assertEquals((await seen(harness, "bob")).endsWith(".b32.i2p"), true);
});

/** An identity that never asks a router for anything. */
function idle(): Identity {
  const log = { debug: (): void => {}, info: (): void => {}, warn: (): void => {}, error: (): void => {} };
  return new Identity({ endpoint: { hostname: "127.0.0.1", port: 1 }, sessionOptions: {}, log });
}

function start(
  limits: { spareIdentities?: number | undefined; identities?: number },
  isolation: "auth" | "client" = "auth",
): Promise<Harness> {
  return startHarness({
    bridge: { sessionDelay: BUILDING },
    header: true,
    service: tellCaller,
    settings: { isolation: [isolation], limits: limits as { spareIdentities: number } },
  });
}

/** Sessions of the proxy, its base identity's included. */
function sessions(harness: Harness): number {
  return harness.bridge.sessions.length - 1;
}

async function seen(harness: Harness, user: string): Promise<string> {
  const login: SocksClientOptions = { login: { user, password: "" } };
  const { reply, conn, early } = await socksConnect(harness.port, harness.name, 80, login);
  using _conn = conn;
  assertEquals(reply.code, 0);
  return new TextDecoder().decode(early) + new TextDecoder().decode(await readToEnd(conn));
}

/** Answers each caller with the caller's own address. */
async function tellCaller(conn: Deno.TcpConn): Promise<void> {
  let line = "";
  const buffer = new Uint8Array(1024);
  while (!line.includes("\n")) {
    const count = await conn.read(buffer);
    if (count === null) return;
    line += new TextDecoder().decode(buffer.subarray(0, count));
  }
  const [destination = ""] = line.split(/[ \n]/);
  await conn.write(new TextEncoder().encode(await b32Address(decodeI2pBase64(destination))));
}
