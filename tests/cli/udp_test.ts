import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startProxyProcess } from "../support/proxy_process.ts";
import { startSamBridge } from "../support/sam_bridge.ts";
import { associate } from "../support/socks_udp.ts";
import { startUdpService } from "../support/udp_service.ts";

Deno.test("the program serves UDP in both families of loopback, within what is left of its permissions", async () => {
  await using bridge = await startSamBridge({ udp: true });
  await using echo = await startUdpService(bridge.port, bridge.udpPort);
  bridge.setName("udp.i2p", echo.destination);
  const options = ["--sam", `127.0.0.1:${bridge.port}`, "--udp", "--sam-udp", `${bridge.udpPort}`];
  for (const [listen, hostname] of [["127.0.0.1:0", "127.0.0.1"], ["[::1]:0", "::1"]] as const) {
    await using proxy = await startProxyProcess([...options, "--listen", listen]);
    using client = await associate(proxy.port, { proxy: hostname });
    assertEquals(client.reply.code, 0, proxy.stderr());
    await client.send("udp.i2p", 53, listen);
    assertEquals(await client.receive(), { host: echo.b32, port: 53, text: listen }, proxy.stderr());
    await client.send("example.com", 53, "x");
    await proxy.waitFor("stderr", /Dropped a datagram: Not an I2P name/);
    assert(!proxy.stderr().includes("example.com") && !proxy.stderr().includes(echo.b32), proxy.stderr());
    const asked = performance.now();
    assertEquals(await proxy.stop("SIGTERM"), 143);
    assert(performance.now() - asked < 8_000, "an association holds up the end");
    assertMatch(proxy.stderr(), /udp-associations=1 .*udp-sent=1/);
    assertEquals(await client.conn.read(new Uint8Array(1)), null);
  }
});

Deno.test("a file can have UDP for one application, and not for another", async () => {
  await using bridge = await startSamBridge({ udp: true });
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  const applications = [
    `  - { name: game, listen: "127.0.0.1:0", udp: true, sam-udp: ${bridge.udpPort} }`,
    `  - { name: web, listen: "127.0.0.1:0" }`,
  ];
  await Deno.writeTextFile(file, `sam: 127.0.0.1:${bridge.port}\napplications:\n${applications.join("\n")}\n`);
  await using proxy = await startProxyProcess(["--config", file], { freePort: false });
  await proxy.waitFor("stdout", /(ready .*\n[^]*){2}/);
  for (const [name, code] of [["game", 0], ["web", 7]] as const) {
    const line = proxy.stdout().split("\n").find((one) => one.endsWith(`name=${name}`)) ?? "";
    using client = await associate(Number(/listen=127\.0\.0\.1:(\d+)/.exec(line)?.[1]));
    assertEquals(client.reply.code, code, name);
  }
  await proxy.stop("SIGTERM");
  assertStringIncludes(proxy.stderr(), "udp-associations=1");
  await Deno.remove(file);
});
