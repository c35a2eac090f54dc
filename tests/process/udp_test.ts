import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address, publicPart } from "../../lib/i2p/destination.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { makeScratch } from "../support/scratch.ts";
import { associate } from "../clients/socks_udp.ts";
import { startUdpService } from "../sam_bridge/udp_service.ts";

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

Deno.test("with Java I2P a lasting identity's address is that of datagrams, and of every application that shares it", async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge({ manners: "java", udp: true });
  await using echo = await startUdpService(bridge.port, bridge.udpPort);
  bridge.setName("udp.i2p", echo.destination);
  const file = await scratch.file(
    "config.yaml",
    `sam: 127.0.0.1:${bridge.port}
sam-udp: ${bridge.udpPort}
keys-dir: ${scratch.dir}/keys
applications:
  - { name: game, listen: "127.0.0.1:0", udp: true, identity: shared }
  - { name: chat, listen: "127.0.0.1:0", udp: true, identity: shared }
  - { name: web, listen: "127.0.0.1:0", identity: shared }
  - { name: other, listen: "127.0.0.1:0", udp: true }
`,
  );
  await using proxy = await startProxyProcess(["--config", file], { freePort: false });
  await proxy.waitFor("stdout", /(ready .*\n[^]*){4}/);
  const seen: Record<string, string | undefined> = {};
  for (const name of ["game", "chat", "other"]) {
    const line = proxy.stdout().split("\n").find((one) => one.endsWith(`name=${name}`)) ?? "";
    using client = await associate(Number(/listen=127\.0\.0\.1:(\d+)/.exec(line)?.[1]));
    await client.send("udp.i2p", 1, name);
    assertEquals((await client.receive())?.text, name, proxy.stderr());
    seen[name] = await b32Address(publicPart(decodeI2pBase64(echo.received.at(-1)?.from ?? "")));
    assertEquals(/b32=(\S+) sam=3\.3/.exec(line)?.[1], seen[name], line);
  }
  assertEquals([seen["chat"] === seen["game"], seen["other"] === seen["game"]], [true, false]);
  const warned = proxy.stderr().match(/They differ in UDP: /g);
  assertEquals(warned?.length, 1, proxy.stderr());
  assertEquals(bridge.lines.filter((line) => line.includes("STYLE=DATAGRAM ID=i2p-socks-")).length, 2);
  await proxy.stop("SIGTERM");
});

Deno.test("with i2pd all applications of a process say once that datagrams have a destination of their own", async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge({ udp: true });
  const applications = ["a", "b", "c"].map((name) => `  - { name: ${name}, listen: "127.0.0.1:0", udp: true }\n`);
  const common = `sam: 127.0.0.1:${bridge.port}\nsam-udp: ${bridge.udpPort}\napplications:\n`;
  const file = await scratch.file("config.yaml", common + applications.join(""));
  await using proxy = await startProxyProcess(["--config", file], { freePort: false });
  await proxy.waitFor("stdout", /(ready .*sam=3\.1 .*\n[^]*){3}/);
  const told = proxy.stderr().match(/so UDP uses a separate, temporary I2P address/g);
  assertEquals(told?.length, 1, proxy.stderr());
  await proxy.stop("SIGTERM");
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
