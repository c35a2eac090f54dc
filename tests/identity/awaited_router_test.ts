import { assert, assertEquals } from "@std/assert";
import { AWAITED_RETRY_MAX, AwaitedRouter, isRouterAway } from "../../lib/identity/awaited_router.ts";
import { Identity } from "../../lib/identity/identity.ts";
import { createLog } from "../../lib/report/log.ts";
import { SamError } from "../../lib/sam/error.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { freePort } from "../support/free_port.ts";
import { pureTest } from "../support/pure.ts";
import { until } from "../support/wait.ts";

function recordingLog(lines: string[]): ReturnType<typeof createLog> {
  return createLog({ level: "debug", format: "text", destinations: false, write: (line) => lines.push(line) });
}

const ENDPOINT = { hostname: "127.0.0.1", port: 7656 };

pureTest("only a router that is not there is worth waiting for, for as long as there is patience", () => {
  const lines: string[] = [];
  const away = new SamError("connect", "unreachable");
  const patient = new AwaitedRouter(ENDPOINT, 60_000, recordingLog(lines));
  assertEquals([patient.isWorthWaiting(away), patient.isWorthWaiting(away)], [true, true]);
  assertEquals(lines.length, 1, "said once");
  assertEquals(patient.isWorthWaiting(new SamError("session", "refused", { result: "DUPLICATED_DEST" })), false);
  assertEquals(patient.isWorthWaiting(new Error("other")), false);
  assertEquals(new AwaitedRouter(ENDPOINT, 0, recordingLog(lines)).isWorthWaiting(away), false);
  for (let i = 0; i < 20; i++) assert(patient.next() <= AWAITED_RETRY_MAX);
  assertEquals([isRouterAway(new SamError("hello", "silent")), isRouterAway(new SamError("hello", "garbled"))], [
    true,
    false,
  ]);
});

Deno.test("an identity waits for a router that starts later, says so, and ends its wait when it is closed", async () => {
  const port = freePort();
  const lines: string[] = [];
  const endpoint = { hostname: "127.0.0.1", port };
  const options = { endpoint, sessionOptions: {}, routerPatience: 120_000, log: recordingLog(lines) };
  const identity = new Identity(options);
  const opened = identity.open();
  await until("the wait is logged", () => lines.some((line) => line.includes("The router is not there yet")));
  assertEquals(identity.status.state, "building");
  assert(identity.status.reason?.startsWith("Nothing answers at 127.0.0.1:"), identity.status.reason);
  await using _bridge = await startSamBridge({ port });
  assertEquals((await opened).address, identity.status.session?.address);
  await identity.close();

  const closed = new Identity({ ...options, endpoint: { hostname: "127.0.0.1", port: freePort() } });
  const never = closed.open().then(() => "opened", (error) => String(error));
  await until("it waits", () => lines.filter((line) => line.includes("not there yet")).length === 2);
  await closed.close();
  assert((await never) !== "opened");
});
