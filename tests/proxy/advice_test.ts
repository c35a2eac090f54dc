import { assertEquals, assertStringIncludes } from "@std/assert";
import { REASONS } from "../../lib/reasons/reasons.ts";
import { lastOutcome, startHarness } from "../support/harness.ts";
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
});
