import { assertEquals, assertRejects } from "@std/assert";
import { SamError, type SamFailure, type SamPhase } from "../../lib/sam/error.ts";
import { GENERATE_TIMEOUT, generateKey } from "../../lib/sam/generate.ts";
import { lookupName } from "../../lib/sam/naming.ts";
import { createSession, SESSION_TIMEOUT } from "../../lib/sam/session.ts";
import { MAX_SAM_LINE } from "../../lib/sam/line_reader.ts";
import { SAM_HELLO_TIMEOUT, type SamEndpoint } from "../../lib/sam/socket.ts";
import { connectStream } from "../../lib/sam/stream.ts";
import { fillBacklog } from "./backlog.ts";
import { Clock } from "../support/clock.ts";
import { type SamBridge, type SamSocket, startSamBridge } from "../sam_bridge/bridge.ts";
import { delay } from "../support/wait.ts";

const NEVER = new AbortController().signal;

/** Everything that is asked of a bridge, by the first words of the request. */
const STEPS: Readonly<Record<string, (endpoint: SamEndpoint) => Promise<unknown>>> = {
  "SESSION CREATE": (endpoint) => createSession(endpoint, { options: {} }, NEVER),
  "STREAM CONNECT": (endpoint) => connectStream(endpoint, "id", { host: "x.i2p", port: 0 }, NEVER),
  "NAMING LOOKUP": (endpoint) => lookupName(endpoint, "x.i2p", NEVER),
  "DEST GENERATE": (endpoint) => generateKey(endpoint),
};

const PHASES: Readonly<Record<string, SamPhase>> = {
  "SESSION CREATE": "session",
  "STREAM CONNECT": "stream",
  "NAMING LOOKUP": "naming",
  "DEST GENERATE": "keys",
};

function at({ port }: { port: number }): SamEndpoint {
  return { hostname: "127.0.0.1", port };
}

/** What becomes of a step, so far. */
interface Outcome {
  failure?: [SamPhase, SamFailure];
  isOver: boolean;
}

/** Follows a step without waiting for it. */
function follow(work: Promise<unknown>): Outcome {
  const outcome: Outcome = { isOver: false };
  work.then(() => outcome.isOver = true, (error) => {
    outcome.isOver = true;
    if (error instanceof SamError) outcome.failure = [error.phase, error.failure];
  });
  return outcome;
}

/** Makes sure that a step which gets no answer fails after a time, to the millisecond, and closes its socket. */
async function assertGivesUp(
  clock: Clock,
  bridge: SamBridge,
  work: (endpoint: SamEndpoint) => Promise<unknown>,
  { silentAt, after, expected }: { silentAt: string; after: number; expected: [SamPhase, SamFailure] },
): Promise<void> {
  const asked = bridge.lines.length;
  const outcome = follow(work(at(bridge)));
  await clock.until(silentAt, () => bridge.lines.slice(asked).some((line) => line.startsWith(silentAt)));
  await clock.skip(after - 1);
  assertEquals(outcome, { isOver: false }, `${silentAt}: it waited less than ${after} ms`);
  await clock.skip(1);
  await clock.until("it is over", () => outcome.isOver);
  assertEquals(outcome.failure, expected, silentAt);
  await clock.until("its socket is closed", () => bridge.openSockets === 0);
}

Deno.test("A bridge that does not answer HELLO is given up after ten seconds, whatever is wanted of it", async () => {
  await using bridge = await startSamBridge({ intercept: (line) => line.startsWith("HELLO") });
  using clock = new Clock({ runs: false });
  for (const work of Object.values(STEPS)) {
    await assertGivesUp(clock, bridge, work, {
      silentAt: "HELLO",
      after: SAM_HELLO_TIMEOUT,
      expected: ["hello", "silent"],
    });
  }
});

Deno.test("Single bytes of an answer to HELLO do not put its limit off", async () => {
  let socket: SamSocket | undefined;
  await using bridge = await startSamBridge({
    intercept: (_line, from) => {
      socket = from;
      return true;
    },
  });
  using clock = new Clock({ runs: false });
  const outcome = follow(createSession(at(bridge), { options: {} }, NEVER));
  await clock.until("HELLO", () => socket !== undefined);
  for (const character of "HELLO REP") {
    await socket?.write(character);
    await clock.skip(SAM_HELLO_TIMEOUT / 10);
  }
  assertEquals(outcome.isOver, false);
  await clock.skip(SAM_HELLO_TIMEOUT / 10);
  await clock.until("it is over", () => outcome.isOver);
  assertEquals(outcome.failure, ["hello", "silent"]);
});

Deno.test("A bridge that accepts no connection is given up after ten seconds", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns = await fillBacklog(listener.addr.port);
  using clock = new Clock({ runs: false });
  const outcome = follow(createSession(at(listener.addr), { options: {} }, NEVER));
  await clock.skip(SAM_HELLO_TIMEOUT - 1);
  assertEquals(outcome, { isOver: false });
  await clock.skip(1);
  await clock.until("it is over", () => outcome.isOver);
  assertEquals(outcome.failure, ["connect", "silent"]);
  conns.forEach((conn) => conn.close());
});

Deno.test("A router that never finishes a session is given up after ten minutes, or as long as it is told", async () => {
  await using bridge = await startSamBridge({ intercept: (line) => line.startsWith("SESSION CREATE") });
  using clock = new Clock({ runs: false });
  const times: readonly [number | undefined, number][] = [[undefined, SESSION_TIMEOUT], [90_000, 90_000]];
  for (const [timeout, after] of times) {
    const request = { options: {}, ...(timeout !== undefined && { timeout }) };
    await assertGivesUp(clock, bridge, (endpoint) => createSession(endpoint, request, NEVER), {
      silentAt: "SESSION CREATE",
      after,
      expected: ["session", "silent"],
    });
  }
  assertEquals(SESSION_TIMEOUT, 600_000);
});

Deno.test("A session that a slow router finishes within the limit stands, also when the limit is over", async () => {
  const sessionDelay = SESSION_TIMEOUT - 1_000;
  await using bridge = await startSamBridge({ sessionDelay });
  using clock = new Clock({ runs: false });
  const creating = createSession(at(bridge), { options: {} }, NEVER);
  await clock.until("the router is at it", () => clock.pending.includes(sessionDelay));
  await clock.skip(sessionDelay);
  const session = await creating;
  await clock.skip(2 * SESSION_TIMEOUT);
  assertEquals(session.ended.aborted, false);
  assertEquals(bridge.sessions.map(({ id }) => id), [session.id]);
  session.close();
  await session.lost;
});

Deno.test("A router that makes no key is given up after half a minute", async () => {
  await using bridge = await startSamBridge({ intercept: (line) => line.startsWith("DEST GENERATE") });
  using clock = new Clock({ runs: false });
  await assertGivesUp(clock, bridge, generateKey, {
    silentAt: "DEST GENERATE",
    after: GENERATE_TIMEOUT,
    expected: ["keys", "silent"],
  });
});

Deno.test("Streams and lookups have no limit here but that of who asks", async () => {
  await using bridge = await startSamBridge({ intercept: (line) => /^(STREAM|NAMING)/.test(line) });
  using clock = new Clock({ runs: false });
  for (const silentAt of ["STREAM CONNECT", "NAMING LOOKUP"]) {
    const outcome = follow(STEPS[silentAt]?.(at(bridge)) ?? Promise.resolve());
    await clock.until(silentAt, () => bridge.lines.some((line) => line.startsWith(silentAt)));
    await clock.skip(3_600_000);
    assertEquals(outcome, { isOver: false }, silentAt);
  }
});

Deno.test("A line of the bridge may have 16,384 bytes and its end, and no more, at every step", async () => {
  let parts: string[] = [];
  await using bridge = await startSamBridge({
    intercept: async (asked, socket) => {
      if (asked.startsWith("HELLO")) return false;
      for (const [i, part] of parts.entries()) {
        if (i > 0) await delay(5);
        await socket.write(part);
      }
      return true;
    },
  });
  for (const [step, work] of Object.entries(STEPS)) {
    const refusal = `${step.split(" ")[0]} STATUS RESULT=NO MESSAGE=`;
    // The end for itself, and a moment later: what has come before must not be too much.
    parts = [refusal.padEnd(MAX_SAM_LINE, "m"), "\n"];
    const error = await assertRejects(() => work(at(bridge)), SamError);
    assertEquals([error.phase, error.failure, error.result], [PHASES[step], "refused", "NO"], step);
    for (const tooLong of [`${refusal.padEnd(MAX_SAM_LINE + 1, "m")}\n`, "x".repeat(10 * MAX_SAM_LINE)]) {
      parts = [tooLong];
      const garbled = await assertRejects(() => work(at(bridge)), SamError);
      assertEquals([garbled.phase, garbled.failure], [PHASES[step], "garbled"], step);
    }
  }
});

Deno.test("A session is lost when the bridge says a line of its own that has no end", async () => {
  let control: SamSocket | undefined;
  await using bridge = await startSamBridge({
    intercept: (line, socket) => {
      if (line.startsWith("SESSION CREATE")) control = socket;
      return false;
    },
  });
  const session = await createSession(at(bridge), { options: {} }, NEVER);
  await control?.write("x".repeat(MAX_SAM_LINE + 1));
  const { phase, failure } = await session.lost;
  assertEquals([phase, failure], ["session", "garbled"]);
});
