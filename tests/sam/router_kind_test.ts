import { assertEquals } from "@std/assert";
import { routerAt, RouterKind } from "../../lib/sam/router_kind.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { Clock } from "../support/clock.ts";
import { freePort } from "../support/free_port.ts";
import { startImpostor } from "../support/impostor.ts";

const never = new AbortController().signal;

/** How often a bridge was greeted. */
function greetings({ lines }: { lines: readonly string[] }): number {
  return lines.filter((line) => line.startsWith("HELLO")).length;
}

Deno.test("routerAt() tells routers apart, and says nothing of what is none or is silent", async () => {
  const at = (port: number): Promise<string | undefined> => routerAt({ hostname: "127.0.0.1", port }, never);
  for (const [manners, name] of [["i2pd", "i2pd"], ["java", "Java I2P"]] as const) {
    await using bridge = await startSamBridge({ manners });
    assertEquals(await at(bridge.port), name);
  }
  assertEquals(await at(freePort()), undefined);
  await using silent = startImpostor((conn) => conn.read(new Uint8Array(9)).then(() => conn.read(new Uint8Array(9))));
  assertEquals(await at(silent.port), undefined);
});

Deno.test("RouterKind asks once for all who want to know at once, and later", async () => {
  await using bridge = await startSamBridge({ manners: "java" });
  const kind = new RouterKind({ hostname: "127.0.0.1", port: bridge.port }, never);
  assertEquals(greetings(bridge), 0);
  assertEquals(await Promise.all([kind.get(), kind.get()]), ["Java I2P", "Java I2P"]);
  assertEquals([await kind.get(), greetings(bridge)], ["Java I2P", 1]);
});

Deno.test("RouterKind still knows a router that has gone, however long ago it was asked", async () => {
  await using bridge = await startSamBridge({ manners: "java" });
  using clock = new Clock();
  const kind = new RouterKind({ hostname: "127.0.0.1", port: bridge.port }, never);
  await kind.get();
  await bridge.stopListening();
  await clock.skip(3_600_000);
  assertEquals([await kind.get(), kind.known], ["Java I2P", "Java I2P"]);
});
