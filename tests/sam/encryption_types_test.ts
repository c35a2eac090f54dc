import { assertEquals, assertRejects } from "@std/assert";
import { laterEncryptionTypes, requireEncryptionTypes } from "../../lib/sam/encryption_types.ts";
import { SamError } from "../../lib/sam/error.ts";
import { createSession } from "../../lib/sam/session.ts";
import { pureTest } from "../support/pure.ts";
import { ROUTERS, startSamBridge } from "../sam_bridge/bridge.ts";

const NEVER = new AbortController().signal;

for (const manners of ROUTERS) {
  Deno.test(`Types that no old router documents are kept from an old i2pd, and from no other: ${manners}`, async () => {
    await using bridge = await startSamBridge({ manners });
    const endpoint = { hostname: "127.0.0.1", port: bridge.port };
    const ask = (): Promise<void> => requireEncryptionTypes(endpoint, ["5"], NEVER);
    if (manners !== "i2pd 2.45.1") await ask();
    else assertEquals((await assertRejects(ask, SamError)).failure, "withheld");
  });
}

pureTest("laterEncryptionTypes() names those that not every router has", () => {
  for (const types of ["4", "0", "4,0", "1", ""]) {
    assertEquals(laterEncryptionTypes({ "i2cp.leaseSetEncType": types }), [], types);
  }
  assertEquals(laterEncryptionTypes({}), []);
  assertEquals(laterEncryptionTypes({ "i2cp.leaseSetEncType": "255,4,5" }), ["255", "5"]);
});

Deno.test("createSession() sends an old i2pd no session with such types", async () => {
  await using bridge = await startSamBridge({ manners: "i2pd 2.45.1" });
  const endpoint = { hostname: "127.0.0.1", port: bridge.port };
  const error = await assertRejects(
    () => createSession(endpoint, { options: { "i2cp.leaseSetEncType": "5" } }, NEVER),
    SamError,
    "the router was not asked",
  );
  assertEquals(error.text, "it has no encryption type 5");
  assertEquals(bridge.lines, ["HELLO VERSION"]);
});
