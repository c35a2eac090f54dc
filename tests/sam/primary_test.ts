import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { SamError } from "../../lib/sam/error.ts";
import { PrimaryRefused } from "../../lib/sam/primary.ts";
import { createSession, type SessionRequest } from "../../lib/sam/session.ts";
import type { SamEndpoint } from "../../lib/sam/socket.ts";
import { connectStream } from "../../lib/sam/stream.ts";
import { publishService, type SamBridge, type SamBridgeOptions, startSamBridge } from "../sam_bridge/bridge.ts";
import { until } from "../support/wait.ts";

const NEVER = new AbortController().signal;

/** Wants a session for streams and datagrams. */
const BOTH: SessionRequest = {
  options: { "inbound.length": "0" },
  datagrams: { hostname: "127.0.0.1", port: 9, style: "DATAGRAM" },
  withStreams: true,
};

function at({ port }: SamBridge): SamEndpoint {
  return { hostname: "127.0.0.1", port };
}

/** A bridge that answers one command by itself. */
function answering(pattern: RegExp, answer: string, more: SamBridgeOptions = {}): SamBridgeOptions {
  return {
    ...{ manners: "java", udp: true },
    intercept: async (line, socket) => {
      if (!pattern.test(line)) return false;
      await socket.write(answer);
      if (answer === "") socket.close();
      return true;
    },
    ...more,
  };
}

Deno.test("A session for both is PRIMARY, with a name of its own for each", async () => {
  await using bridge = await startSamBridge({ manners: "java", udp: true });
  const session = await createSession(at(bridge), BOTH, NEVER);
  const [hello, create, streams, datagrams, ...more] = bridge.lines;
  assertEquals(hello, "HELLO VERSION MIN=3.1 MAX=3.3");
  assertMatch(
    create ?? "",
    /^SESSION CREATE STYLE=PRIMARY ID=\S+ DESTINATION=TRANSIENT SIGNATURE_TYPE=7 inbound.length=0$/,
  );
  assertEquals(streams, `SESSION ADD STYLE=STREAM ID=${session.id}`);
  assertEquals(datagrams, `SESSION ADD STYLE=DATAGRAM ID=${session.datagramId} HOST=127.0.0.1 PORT=9`);
  assertEquals(more, []);
  const [whole] = bridge.sessions;
  assertEquals(new Set([session.id, session.datagramId, whole?.id]).size, 3);
  assertEquals([session.address, session.version], [whole?.b32, "3.3"]);
  await using service = await publishService(bridge.port, 9);
  const refused = await assertRejects(
    () => connectStream(at(bridge), session.datagramId ?? "", { host: service.b32, port: 0 }, NEVER),
    SamError,
  );
  assertEquals(refused.text, `specified ID ${session.datagramId} is not a STREAM session`);
  session.close();
  assertEquals((await session.lost).failure, "closed");
  await until("the bridge has seen it", () => bridge.sessions.every(({ id }) => id !== whole?.id));
});

Deno.test("A session for one of them has one name, and its wire is that of before", async () => {
  for (const style of [undefined, "DATAGRAM"] as const) {
    await using bridge = await startSamBridge({ manners: "java", udp: true });
    const request = style === undefined ? { options: {} } : { ...BOTH, withStreams: false };
    const session = await createSession(at(bridge), request, NEVER);
    assertEquals(session.datagramId, style && session.id);
    assertEquals(bridge.lines.length, 2);
    assertEquals(bridge.lines[0], "HELLO VERSION MIN=3.1 MAX=3.1");
    session.close();
    await session.lost;
  }
});

Deno.test("A session for both answers the PINGs of its version, and lives on", async () => {
  await using bridge = await startSamBridge({ manners: "java", udp: true, pingInterval: 1_000, sessionDelay: 100 });
  const session = await createSession(at(bridge), BOTH, NEVER);
  await until("two are answered", () => bridge.lines.filter((line) => line.startsWith("PONG ")).length === 2);
  assertEquals(session.ended.aborted, false);
  session.close();
  await session.lost;
});

/** Answers to a wish for both: what they mean, and whether they leave a doubt. */
const REFUSED: readonly [string, SamBridgeOptions, PrimaryRefused["step"], boolean][] = [
  ["a lower version", answering(/^HELLO/, "HELLO REPLY RESULT=OK VERSION=3.2\n"), "version", true],
  ["no version", answering(/^HELLO/, "HELLO REPLY RESULT=NOVERSION\n"), "version", true],
  ["i2pd", { udp: true }, "style", false],
  ["an end without a word", answering(/=PRIMARY/, ""), "style", false],
  ["another word", answering(/=PRIMARY/, "SESSION STATUS RESULT=FLUX_CAPACITOR\n"), "style", false],
  ["no streams", answering(/ADD STYLE=STREAM/, "SESSION STATUS RESULT=I2P_ERROR\n"), "subsession", true],
  ["no datagrams", { manners: "java" }, "subsession", true],
  ["an end instead of an addition", answering(/ADD STYLE=DATAGRAM/, ""), "subsession", false],
];

/** Answers that would come to any session. */
const FAILED: readonly [string, SamBridgeOptions][] = [
  ["DUPLICATED_DEST", answering(/=PRIMARY/, "SESSION STATUS RESULT=DUPLICATED_DEST\n")],
  ["DUPLICATE_ID", answering(/=PRIMARY/, "SESSION STATUS RESULT=DUPLICATE_ID\n")],
  ["INVALID_KEY", answering(/=PRIMARY/, "SESSION STATUS RESULT=INVALID_KEY\n")],
  ["TIMEOUT", answering(/=PRIMARY/, "SESSION STATUS RESULT=TIMEOUT\n")],
  ["I2P_ERROR", { manners: "java", login: { user: "me", password: "x" } }],
];

Deno.test("A bridge that has no session for both is told apart from one that has none at all", async (t) => {
  for (const [what, options, step, isCertain] of REFUSED) {
    await t.step(what, async () => {
      await using bridge = await startSamBridge(options);
      const error = await assertRejects(() => createSession(at(bridge), BOTH, NEVER), PrimaryRefused);
      assertEquals([error.step, error.isCertain], [step, isCertain]);
      await until("no socket is left", () => bridge.openSockets === 0);
    });
  }
  for (const [result, options] of FAILED) {
    await t.step(result, async () => {
      await using bridge = await startSamBridge(options);
      const error = await assertRejects(() => createSession(at(bridge), BOTH, NEVER), SamError);
      assertEquals([error.failure, error.result], ["refused", result]);
      await until("no socket is left", () => bridge.openSockets === 0);
    });
  }
});

Deno.test("A wish for both ends with its signal, and with its time", async () => {
  for (const pattern of [/=PRIMARY/, /ADD STYLE=STREAM/, /ADD STYLE=DATAGRAM/]) {
    let asked: () => void = () => {};
    const waits = new Promise<void>((resolve) => asked = resolve);
    await using bridge = await startSamBridge({
      ...{ manners: "java", udp: true },
      intercept: (line) => {
        if (pattern.test(line)) asked();
        return pattern.test(line);
      },
    });
    const stop = new AbortController();
    waits.then(() => stop.abort(new RangeError("enough")));
    await assertRejects(() => createSession(at(bridge), BOTH, stop.signal), RangeError, "enough");
    const late = await assertRejects(() => createSession(at(bridge), { ...BOTH, timeout: 60 }, NEVER), SamError);
    assertEquals([late.phase, late.failure], ["session", "silent"]);
    await until("no socket is left", () => bridge.openSockets === 0);
  }
});
