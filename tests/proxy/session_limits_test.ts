import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { PrivateKey } from "../../lib/i2p/private_key.ts";
import { Identity, IN_USE_TIMEOUT } from "../../lib/identity/identity.ts";
import { SILENT_PEER_TIMEOUT } from "../../lib/proxy/connect.ts";
import { LOST_GRACE } from "../../lib/relay/relay.ts";
import { createLog, type Log } from "../../lib/report/log.ts";
import { SamError } from "../../lib/sam/error.ts";
import { Clock } from "../support/clock.ts";
import { startHarness } from "../support/harness.ts";
import { type SamSocket, startSamBridge } from "../sam_bridge/bridge.ts";
import { makeKeys } from "../sam_bridge/keys.ts";
import { socksConnect, writeAll } from "../clients/socks_client.ts";

/** A log whose lines are kept. */
function keepLog(lines: string[]): Log {
  return createLog({ level: "debug", format: "text", destinations: false, write: (line) => void lines.push(line) });
}

Deno.test("A destination that the router has in use is asked for every three seconds, for five minutes and a half", async () => {
  let asked = 0;
  await using bridge = await startSamBridge({
    intercept: async (line, socket) => {
      if (!line.startsWith("SESSION CREATE")) return false;
      asked++;
      await socket.write("SESSION STATUS RESULT=DUPLICATED_DEST\n");
      socket.close();
      return true;
    },
  });
  const lines: string[] = [];
  const endpoint = { hostname: "127.0.0.1", port: bridge.port };
  const key = new PrivateKey(decodeI2pBase64((await makeKeys(7)).blob));
  const identity = new Identity({ endpoint, key, sessionOptions: {}, log: keepLog(lines) });
  using clock = new Clock({ runs: false });
  let failure: unknown;
  const opened = identity.open().catch((error) => failure = error);
  for (let seconds = 0; seconds < IN_USE_TIMEOUT / 1_000; seconds += 3) {
    assertEquals(failure, undefined, `it gave up after ${seconds} s`);
    // The whole time has three seconds left once, too: so it is the line that says it waits.
    await clock.until("it waits", () => lines.length > seconds / 3 && clock.pending.includes(3_000));
    assertEquals([asked, lines.length], [seconds / 3 + 1, seconds / 3 + 1]);
    await clock.skip(3_000);
  }
  await opened;
  assert(failure instanceof SamError);
  assertEquals([failure.result, asked], ["DUPLICATED_DEST", IN_USE_TIMEOUT / 3_000 + 1]);
  await assertRejects(() => identity.session(new AbortController().signal), SamError);
  await identity.close();
});

Deno.test("While clients are held and nothing listens at SAM's port, the next knock is two seconds away at most", async () => {
  const bridge = await startSamBridge();
  const lines: string[] = [];
  const attempts = (): number => lines.filter((line) => /No new session|Router unreachable/.test(line)).length;
  const endpoint = { hostname: "127.0.0.1", port: bridge.port };
  const identity = new Identity({ endpoint, sessionOptions: {}, log: keepLog(lines) });
  const random = Math.random;
  Math.random = () => 1;
  using _random = { [Symbol.dispose]: () => Math.random = random };
  await identity.open();
  using clock = new Clock({ runs: false });
  await bridge.close();
  const waits = (milliseconds: number): Promise<void> =>
    clock.until(`it waits for ${milliseconds} ms`, () => clock.pending.join() === String(milliseconds));
  // Nobody is held: each wait is twice as long as the one before, up to half a minute.
  for (const [i, wait] of [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) {
    for (const part of [Math.min(wait, 2_000), wait - 2_000]) {
      if (part <= 0) continue;
      await waits(part);
      assertEquals(attempts(), i);
      await clock.skip(part);
    }
    await clock.until("it has knocked", () => attempts() === i + 1);
  }
  await waits(2_000);
  await clock.skip(2_000);
  await waits(28_000);
  const before = attempts();
  const held = new AbortController();
  const waiting = identity.session(held.signal).catch(() => {});
  // A client that comes cuts a long wait short, and those that wait are waited for shortly.
  for (let i = 1; i <= 5; i++) {
    await clock.until("it knocks", () => attempts() === before + i);
    await waits(2_000);
    await clock.skip(2_000);
  }
  held.abort(new Error("left"));
  await waiting;
  await identity.close();
});

Deno.test("A stream whose session is lost ends after a second of silence, and not while bytes come", async () => {
  let control: SamSocket | undefined;
  const streams: SamSocket[] = [];
  await using harness = await startHarness({
    bridge: {
      intercept: async (line, socket) => {
        if (line.startsWith("SESSION CREATE")) control = socket;
        if (!line.startsWith("STREAM CONNECT")) return false;
        streams.push(socket);
        await socket.write("STREAM STATUS RESULT=OK\n");
        // The double would end the streams that it knows with the session.
        await new Promise<void>((resolve) => ended.signal.addEventListener("abort", () => resolve()));
        return true;
      },
    },
  });
  const ended = new AbortController();
  using _ended = { [Symbol.dispose]: () => ended.abort() };
  const [silent, busy] = [
    await socksConnect(harness.port, harness.name, 80),
    await socksConnect(harness.port, harness.name, 80),
  ];
  using clock = new Clock({ runs: false });
  control?.close();
  await clock.until("the loss is noticed", () => harness.log.some((line) => line.includes("Session lost")));
  const buffer = new Uint8Array(10);
  for (let i = 0; i < 5; i++) {
    await clock.skip(LOST_GRACE - 1);
    await writeAll(streams[1]?.conn ?? busy.conn, Uint8Array.of(i));
    assertEquals(await busy.conn.read(buffer), 1);
    assertEquals(buffer[0], i);
  }
  const cut = (): number => harness.log.filter((line) => line.includes("Stream ended: session lost")).length;
  await clock.until("the silent one has ended", () => cut() === 1);
  assertEquals(await silent.conn.read(buffer), null);
  // The grace, and the time for a client to take what had arrived.
  for (let i = 0; i < 6; i++) await clock.skip(LOST_GRACE);
  await clock.until("the busy one has ended", () => cut() === 2);
  assertEquals(await busy.conn.read(buffer), null);
  silent.conn.close();
  busy.conn.close();
});

Deno.test("A router that does not say whether a peer answers is given 80 seconds, and then the peer is silent", async () => {
  await using harness = await startHarness({
    settings: { timeouts: { connect: 120_000 } },
    bridge: { intercept: (line) => line.startsWith("STREAM CONNECT") },
  });
  using clock = new Clock({ runs: false });
  let code: number | undefined;
  const asked = socksConnect(harness.port, harness.name, 80, { timeout: 1_000_000 }).then(({ conn, reply }) => {
    conn.close();
    code = reply.code;
  });
  await clock.until("the router is asked", () => harness.sent("STREAM CONNECT", "ID").length === 1);
  await clock.skip(SILENT_PEER_TIMEOUT - 1);
  assertEquals(code, undefined);
  await clock.skip(1);
  await clock.until("the client is told", () => code !== undefined);
  assertEquals(code, 4);
  assert(harness.log.some((line) => line.includes("reason=peer-silent")));
  await clock.skip(10_000);
  await asked;
});
