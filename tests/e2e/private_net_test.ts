import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { untilItWorks } from "../support/wait.ts";
import { e2eTest } from "../support/e2e.ts";
import { type PrivateNet, socksGet, startPrivateNet } from "./private_net.ts";

e2eTest("private network: works, and again after its router was killed", ["i2pd"], async (t) => {
  await using net = await startPrivateNet();

  await t.step("SAM answers HELLO", async () => {
    assertMatch(await hello(net.samPort), /^HELLO REPLY RESULT=OK VERSION=3\.\d\n$/);
  });

  await t.step("the site has two addresses", () => {
    assertMatch(net.siteB32, /^[a-z2-7]{52}\.b32\.i2p$/);
    assertMatch(net.siteHttpB32, /^[a-z2-7]{52}\.b32\.i2p$/);
    assertNotEquals(net.siteB32, net.siteHttpB32);
  });

  for (const address of ["siteB32", "siteHttpB32", "siteName"] as const) {
    await t.step(`the router's SOCKS fetches the page by ${address}`, () => assertPage(net, net[address]));
  }

  await t.step("only the HTTP tunnel tells the site who calls", async () => {
    const [raw, http] = [await headers(net, net.siteB32), await headers(net, net.siteHttpB32)];
    assertMatch(http, /^x-i2p-destb32: [a-z2-7]{52}\.b32\.i2p$/m);
    assertEquals(raw.includes("x-i2p-"), false);
  });

  await t.step("the killed router comes back as it was", async () => {
    await net.restartRouter();
    assertStringIncludes(await hello(net.samPort), "RESULT=OK");
    await untilItWorks(() => assertPage(net, net.siteB32));
    await assertPage(net, net.siteName);
  });
});

async function assertPage(net: PrivateNet, host: string): Promise<void> {
  const { status, text } = await socksGet(net.socksPort, host, "/");
  assertEquals(status, 200);
  assertStringIncludes(text, net.site.token);
}

async function headers(net: PrivateNet, host: string): Promise<string> {
  return (await socksGet(net.socksPort, host, "/headers")).text;
}

async function hello(port: number): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await conn.write(new TextEncoder().encode("HELLO VERSION MIN=3.0 MAX=3.3\n"));
  const reply = new Uint8Array(200);
  const length = await conn.read(reply);
  return new TextDecoder().decode(reply.subarray(0, length ?? 0));
}
