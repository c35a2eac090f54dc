import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { SharedSignal } from "../../lib/io/signal.ts";
import { SilenceWatch, SILENT_STREAMS, SILENT_TIME, SILENT_WAIT } from "../../lib/proxy/silence_watch.ts";
import { HALF_CLOSED_TIMEOUT } from "../../lib/relay/half_closed.ts";
import type { RelayResult } from "../../lib/relay/relay.ts";
import { createLog } from "../../lib/report/log.ts";
import { readToEnd, socksConnect } from "../clients/socks_client.ts";
import { encode } from "../support/bytes.ts";
import { Clock } from "../support/clock.ts";
import { startHarness } from "../support/harness.ts";
import { delay, until } from "../support/wait.ts";

const SILENT: RelayResult = { sent: 100, received: 0, end: "client closed" };

/** A watch, its log, and a session on which it is told of ends. */
function watched(): {
  log: string[];
  total: { value: number };
  session: SharedSignal;
  watch: SilenceWatch;
  end(result?: Partial<RelayResult>, lasted?: number): boolean;
} {
  const [log, total, session] = [[] as string[], { value: 0 }, new SharedSignal()];
  const watch = new SilenceWatch(
    createLog({ level: "info", format: "text", destinations: true, write: (line) => log.push(line) }),
    total,
  );
  return {
    ...{ log, total, session, watch },
    end: (result = {}, lasted = SILENT_WAIT) => watch.ended(session, "own identity", { ...SILENT, ...result }, lasted),
  };
}

Deno.test("SilenceWatch tells once that streams in a row bring nothing, and when one does again", async () => {
  using clock = new Clock({ runs: false });
  const { end, log, watch, session, total } = watched();
  for (let i = 1; i < SILENT_STREAMS; i++) assertEquals(end(), false);
  await clock.skip(SILENT_TIME);
  assertEquals([end({ end: "peer closed" }), end()], [true, false]);
  assertEquals(log.length, 1);
  assertStringIncludes(log[0] ?? "", "The last 5 streams have brought no byte for 1 min 10 s");
  assertStringIncludes(log[0] ?? "", "reason=no-answers");
  watch.received(session).value += 7;
  assertEquals([end({ received: 7 }), total.value], [false, 7]);
  assertStringIncludes(log[1] ?? "", "Streams bring bytes again");
  assertEquals(end(), false);
});

Deno.test("SilenceWatch waits for the time, for as many streams, and for one session", async () => {
  using clock = new Clock({ runs: false });
  const { end, watch, log } = watched();
  for (let i = 0; i < 10; i++) assertEquals(end(), false, "too soon");
  const other = watched();
  await clock.skip(SILENT_TIME);
  for (let i = 1; i < SILENT_STREAMS; i++) assertEquals(other.end(), false, "too few");
  for (let i = 0; i < 10; i++) assertEquals(watch.ended(new SharedSignal(), "login 1", SILENT, SILENT_WAIT), false);
  assertEquals([end(), log.length], [true, 1]);
});

Deno.test("SilenceWatch leaves out streams that say nothing of the session", async () => {
  using clock = new Clock({ runs: false });
  const { end, session, watch, log } = watched();
  const tell = (): boolean[] => [
    end({ sent: 0 }),
    end({}, SILENT_WAIT - 1),
    end({ end: "blocked" }),
    end({ end: "ended by the proxy" }),
    end({ end: "session lost" }),
  ];
  for (let i = 0; i < SILENT_STREAMS; i++) assert(!tell().includes(true));
  for (let i = 1; i < SILENT_STREAMS; i++) end();
  await clock.skip(SILENT_TIME);
  assert(!tell().includes(true));
  // A stream that is still open has brought a byte meanwhile.
  watch.received(session).value += 1;
  assertEquals(end(), false);
  session.abort("lost");
  await clock.skip(SILENT_TIME);
  for (let i = 0; i < SILENT_STREAMS; i++) assertEquals(end(), false);
  assertEquals(log, []);
});

Deno.test("Clients that give up on streams without an answer leave a line and an outcome", async () => {
  await using harness = await startHarness({ service: (conn) => readToEnd(conn).then(() => {}) });
  using clock = new Clock();
  let asked = 0;
  for (const count of [1, SILENT_STREAMS - 1]) {
    for (let i = 0; i < count; i++) {
      const { conn } = await socksConnect(harness.port, harness.name, 80, { early: encode("hello") });
      await conn.closeWrite();
      conn.close();
    }
    asked += count;
    await until("the clients have asked", () => harness.counters.get("bytes-sent") === 5 * asked);
    // Each time for those whose end has been noticed by then.
    while (harness.proxy.connections > 0) {
      await clock.skip(HALF_CLOSED_TIMEOUT);
      await delay(5);
    }
  }
  const told = harness.log.filter((line) => line.includes("reason=no-answers"));
  assertEquals(told.length, 1);
  assertStringIncludes(told[0] ?? "", 'identity="own identity"');
  assertEquals(harness.outcomes.latest[0]?.reason, "no-answers");
});
