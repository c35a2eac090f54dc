import { assertEquals, assertStringIncludes } from "@std/assert";
import { REASONS } from "../../lib/reasons/reasons.ts";
import { lastOutcome, startHarness } from "../support/harness.ts";
import { until } from "../support/wait.ts";
import { socksConnect } from "../clients/socks_client.ts";

Deno.test("the log's advice is that for the router in use, and has both where it does not say", async (t) => {
  const { i2pd = "", java = "" } = REASONS["name-unknown"].fix ?? {};
  for (const [manners, own, other] of [["i2pd", i2pd, java], ["java", java, i2pd]] as const) {
    await t.step(manners, async () => {
      await using harness = await startHarness({ bridge: { manners } });
      const { conn } = await socksConnect(harness.port, "unknown.i2p", 80);
      conn.close();
      const line = lastOutcome(harness.log);
      assertStringIncludes(line, own);
      assertEquals(line.includes(other), false, line);
    });
  }
  await t.step("a router that is gone", async () => {
    await using harness = await startHarness({ settings: { timeouts: { connect: 300 } } });
    await harness.bridge.stopListening();
    harness.dropSessions();
    await harness.ask();
    const { i2pd: one = "", java: two = "" } = REASONS["router-down"].fix ?? {};
    const line = lastOutcome(harness.log).replaceAll('\\"', '"');
    for (const part of [one, two, "i2p-socks check --sam "]) assertStringIncludes(line, part);
  });
  await t.step("a router that is gone for a login", async () => {
    await using harness = await startHarness({ settings: { isolation: ["auth"], timeouts: { connect: 15_000 } } });
    const login = { user: "work", password: "x" };
    // With this reply it is known which router it is.
    (await socksConnect(harness.port, "unknown.i2p", 80, { login })).conn.close();
    await harness.bridge.stopListening();
    harness.dropSessions();
    const held = socksConnect(harness.port, harness.name, 80, { login });
    const advice = (): readonly string[] =>
      harness.proxy.identities.find(({ group }) => group !== undefined)?.advice ?? [];
    await until("its identity finds no router", () => advice().length > 0);
    const { i2pd: fix, java } = REASONS["router-down"].fix ?? {};
    assertEquals([advice()[0], advice().some((line) => line.includes(String(java)))], [fix, false]);
    harness.bridge.listen();
    (await held).conn.close();
  });
});
