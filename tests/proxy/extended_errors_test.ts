import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { connectThrough, UpstreamError } from "../../lib/command/connect_via.ts";
import { Deadline } from "../../lib/io/deadline.ts";
import { REASONS } from "../../lib/reasons/reasons.ts";
import { type Harness, lastOutcome, startHarness } from "../support/harness.ts";
import { socksConnect } from "../clients/socks_client.ts";
import { until } from "../support/wait.ts";

/** A refusal: plain code, extended code, reason. */
type Refused = readonly [number, number, string];

/** By what is asked for; the router has no say. */
const HOSTS: Readonly<Record<string, Refused>> = {
  "short.b32.i2p": [4, 0xf6, "malformed-address"],
  "-.i2p": [4, 0xf6, "malformed-address"],
  "example.com": [2, 2, "clearnet"],
  "127.0.0.1": [8, 8, "ip"],
};

/** By what the router answers to STREAM CONNECT. */
const ANSWERS: Readonly<Record<string, Refused>> = {
  'INVALID_KEY MESSAGE="Lease set not found: x"': [4, 0xf0, "lease-set-not-found"],
  'CANT_REACH_PEER MESSAGE="LeaseSet not found"': [4, 0xf0, "lease-set-not-found"],
  "LEASESET_NOT_FOUND": [4, 0xf0, "lease-set-not-found"],
  "CANT_REACH_PEER": [4, 0xf3, "peer-unreachable"],
  'CANT_REACH_PEER MESSAGE="Connection timed out"': [4, 0xf3, "peer-silent"],
  'CANT_REACH_PEER MESSAGE="Incompatible crypto"': [4, 0xf3, "incompatible-encryption"],
  'CANT_REACH_PEER MESSAGE="Can\'t connect to myself"': [4, 0xf3, "own-address"],
  "TIMEOUT": [6, 0xf7, "timed-out"],
  "INVALID_KEY": [4, 4, "name-unknown"],
  'CANT_REACH_PEER MESSAGE="Connection reset"': [5, 5, "peer-refused"],
  "INVALID_ID": [3, 3, "not-ready"],
  "I2P_ERROR": [1, 1, "router-error"],
};

for (const extendedErrors of [false, true]) {
  Deno.test(`SOCKS5 gets ${extendedErrors ? "extended" : "plain"} codes, and SOCKS4 its one`, async (t) => {
    let answer = "";
    await using harness = await startHarness({
      bridge: {
        intercept: async (line, socket) => {
          if (!line.startsWith("STREAM CONNECT")) return false;
          await socket.write(`STREAM STATUS RESULT=${answer}\n`);
          socket.close();
          return true;
        },
      },
      settings: { switches: { "extended-errors": extendedErrors } },
    });
    const check = async (host: string, [plain, extended, reason]: Refused): Promise<void> => {
      await assertRefused(harness, host, 5, extendedErrors ? extended : plain, reason);
      await assertRefused(harness, host, 4, 0x5b, reason);
    };
    for (const [host, refused] of Object.entries(HOSTS)) await t.step(host, () => check(host, refused));
    for (const [given, refused] of Object.entries(ANSWERS)) {
      await t.step(given, async () => {
        answer = given;
        await check(harness.name, refused);
      });
    }
  });

  Deno.test(`The connect timeout has an ${extendedErrors ? "extended" : "ordinary"} code`, async () => {
    await using harness = await startHarness({
      bridge: { intercept: (line) => line.startsWith("STREAM CONNECT") },
      settings: { switches: { "extended-errors": extendedErrors }, timeouts: { connect: 100 } },
    });
    await assertRefused(harness, harness.name, 5, extendedErrors ? 0xf7 : 6, "timed-out");
    await assertRefused(harness, harness.name, 4, 0x5b, "timed-out");
  });
}

Deno.test("A client that offers the method of reasons is told the reason by name, and nobody else is", async () => {
  await using harness = await startHarness();
  const via = { hostname: "127.0.0.1", port: harness.port };
  for (
    const [host, reason] of [["none.i2p", "name-unknown"], ["example.com", "clearnet"], ["10.0.0.1", "ip"]] as const
  ) {
    using deadline = new Deadline(20_000);
    const error = await assertRejects(() => connectThrough(via, { host, port: 80 }, deadline), UpstreamError);
    assertEquals([error.refusal?.reason, error.message], [reason, REASONS[reason].message]);
    // As every other client: zeros.
    const { reply, conn } = await socksConnect(harness.port, host, 80);
    conn.close();
    assertEquals(reply.host, "0.0.0.0");
  }
  const [latest] = harness.outcomes.latest;
  assertEquals([latest?.reason, latest?.identity, latest?.count], ["ip", "own identity", 2]);
  using deadline = new Deadline(20_000);
  const { conn, early } = await connectThrough(via, { host: harness.name, port: 80 }, deadline);
  assertEquals(early.length, 0);
  conn.close();
});

async function assertRefused(
  harness: Harness,
  host: string,
  version: 4 | 5,
  code: number,
  reason: string,
): Promise<void> {
  const { reply, conn } = await socksConnect(harness.port, host, 80, { version });
  conn.close();
  assertEquals(reply, { code, host: "0.0.0.0", port: 0 }, reason);
  assertStringIncludes(lastOutcome(harness.log), `reason=${reason}`);
  await until("the client is forgotten", () => harness.proxy.connections === 0);
}
