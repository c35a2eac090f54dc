import { assertEquals } from "@std/assert";
import { startHarness } from "../support/harness.ts";

Deno.test("close() does not wait for silent clients, not even for those that come at that very moment", async () => {
  for (let i = 0; i < 5; i++) {
    await using harness = await startHarness();
    const clients: Deno.TcpConn[] = [];
    const { promise: firstIsThere, resolve } = Promise.withResolvers<void>();
    const connecting = Array.from({ length: 30 }, async () => {
      clients.push(await Deno.connect({ hostname: "127.0.0.1", port: harness.port }));
      resolve();
    });
    await firstIsThere;
    const { promise: late, resolve: timeIsOver } = Promise.withResolvers<string>();
    const timer = setTimeout(timeIsOver, 5_000, "still waits");
    const how = await Promise.race([late, harness.proxy.close().then(() => "closed")]);
    clearTimeout(timer);
    // Some come too late.
    await Promise.allSettled(connecting);
    clients.forEach((client) => client.close());
    assertEquals(how, "closed");
  }
});
