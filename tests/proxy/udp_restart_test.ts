import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { type Harness } from "../support/harness.ts";
import { type Manners, startSamBridge } from "../sam_bridge/bridge.ts";
import { associate } from "../clients/socks_udp.ts";
import { startUdpService } from "../sam_bridge/udp_service.ts";
import { startUdpStage } from "./udp_stage.ts";
import { until } from "../support/wait.ts";

/** Milliseconds in which a datagram would have come that must not come. */
const NEVER = 150;

/** Waits until so many sessions are there again; attempts at that have pauses between them. */
async function untilHealed({ log }: Harness, sessions: number): Promise<void> {
  const healed = (): boolean => log.filter((line) => line.includes("Session ready again")).length === sessions;
  for (let i = 0; i < 5 && !healed(); i++) await until("they are there", healed).catch(() => {});
  assert(healed(), log.join("\n"));
}

for (const manners of ["i2pd", "java"] as Manners[]) {
  Deno.test(`an association outlives a restart of the router, and its datagrams go again by themselves, ${manners}`, async () => {
    await using stage = await startUdpStage({ bridge: { manners } });
    const { harness, echo } = stage;
    const { port, udpPort } = harness.bridge;
    const dropped = (reason: string): number => harness.counters.get(`udp-dropped-${reason}`);
    using client = await associate(harness.port);
    using second = await associate(harness.port);
    for (const one of [client, second]) {
      await one.send("udp.i2p", 1, "before");
      assertEquals((await one.receive())?.text, "before");
    }
    await harness.bridge.close();
    await until("the loss is noticed", () => harness.log.some((line) => line.includes("Session lost")));
    for (const [index, host] of ["udp.i2p", echo.b32, "late.i2p"].entries()) {
      await client.send(host, 1, "into the void");
      await until("it is dropped", () => dropped("not-ready") === index + 1);
    }
    assertEquals(dropped("name-unknown") + dropped("name-unanswered"), 0);
    assertEquals(harness.log.filter((line) => /info .*reason=not-ready/.test(line)).length, 1, "told once");
    await using bridge = await startSamBridge({ manners, port, udp: true, udpPort });
    await using again = await startUdpService(port, udpPort, { keys: echo.keys });
    assertEquals(again.b32, echo.b32);
    for (const name of ["udp.i2p", "late.i2p"]) bridge.setName(name, again.destination);
    // Java I2P has one session for streams and datagrams.
    await untilHealed(harness, manners === "java" ? 1 : 2);
    // At once, and without a new look-up of what was known; nor is a name forgotten that nobody could be asked for.
    for (const [one, host] of [[client, "udp.i2p"], [second, echo.b32], [client, "late.i2p"]] as const) {
      await one.send(host, 2, "after");
      assertEquals(await one.receive(), { host: echo.b32, port: 2, text: "after" });
    }
    assertEquals(bridge.lines.filter((line) => line.startsWith("NAMING")), ["NAMING LOOKUP NAME=late.i2p"]);
    // A service knows the new destination of the client from what it has sent.
    assertNotEquals(again.received[0]?.from, echo.received[0]?.from);
    await again.send(again.received.at(-1)?.from ?? "", "unasked");
    assertEquals((await client.receive())?.text, "unasked");
    assertEquals(await second.receive(NEVER), undefined);
    assertEquals([harness.proxy.associations, harness.counters.get("udp-associations")], [2, 2]);
    client.conn.close();
    second.conn.close();
    await until("they are forgotten", () => harness.proxy.associations === 0);
  });
}

Deno.test("a router that goes away while it is asked where a datagram goes is told apart from an unknown name", async () => {
  const asked = Promise.withResolvers<void>();
  let isAway = true;
  await using stage = await startUdpStage({
    bridge: {
      intercept: (line, socket) => {
        if (!isAway || !line.startsWith("NAMING LOOKUP NAME=udp.i2p")) return false;
        asked.resolve();
        socket.close();
        return true;
      },
    },
  });
  const { harness, echo } = stage;
  const dropped = (reason: string): number => harness.counters.get(`udp-dropped-${reason}`);
  using client = await associate(harness.port);
  await client.send("udp.i2p", 1, "x");
  await asked.promise;
  await until("it is dropped", () => dropped("name-unanswered") === 1);
  await client.send("udp.i2p", 1, "at once");
  await until("it is dropped", () => dropped("name-unanswered") === 2);
  isAway = false;
  let answer: Awaited<ReturnType<typeof client.receive>>;
  for (let i = 0; i < 20 && answer === undefined; i++) {
    await client.send("udp.i2p", 1, "later");
    answer = await client.receive(NEVER);
  }
  assertEquals(answer?.text, "later", "it is asked again a second later");
  assertEquals([dropped("name-unknown"), echo.received.length], [0, 1]);
});
