import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { decodeI2pBase32 } from "../../lib/i2p/base32.ts";
import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { startHarness } from "../support/harness.ts";
import { makeKeys } from "../sam_bridge/keys.ts";
import { associate } from "../clients/socks_udp.ts";
import { startUdpService } from "../sam_bridge/udp_service.ts";
import { startUdpStage } from "./udp_stage.ts";
import { until } from "../support/wait.ts";

for (const [style, manners] of [["DATAGRAM2", "java"], ["DATAGRAM3", "java"], ["DATAGRAM3", "i2pd"]] as const) {
  Deno.test(`${style} passes between those who have chosen it, and the sender can be answered, ${manners}`, async () => {
    await using stage = await startUdpStage({ bridge: { manners, laterStyles: [style] }, udp: { style } });
    const { harness, echo } = stage;
    const { bridge } = harness;
    await using plain = await startUdpService(bridge.port, bridge.udpPort);
    await using stranger = await startUdpService(bridge.port, bridge.udpPort, { style });
    using client = await associate(harness.port);
    await client.send(plain.b32, 1, "not understood");
    await client.send(echo.b32, 2, "x");
    assertEquals(await client.receive(), { host: echo.b32, port: 2, text: "x" });
    const from = echo.received[0]?.from ?? "";
    assertEquals(from.length, style === "DATAGRAM3" ? 44 : 524);
    await stranger.send(bridge.sessions.find(({ id }) => id.startsWith("i2p-socks-"))?.b32 ?? "", "hello");
    if (manners === "java") {
      // A sender that nothing has been sent to: its address is all that a DATAGRAM3 says.
      assertEquals(await client.receive(), { host: stranger.b32, port: 0, text: "hello" });
      await client.send(stranger.b32, 3, "answer");
      assertEquals(await client.receive(), { host: stranger.b32, port: 3, text: "answer" });
      const asked = bridge.lines.filter((line) => line === `NAMING LOOKUP NAME=${stranger.b32}`).length;
      assertEquals(asked, style === "DATAGRAM3" ? 1 : 0);
    }
    assertEquals(plain.received, []);
    assertEquals(harness.counters.get("udp-received"), manners === "java" ? 3 : 1);
  });
}

Deno.test("A hash is no sender where datagrams are signed, and nothing else is one where they are not", async () => {
  for (const style of ["DATAGRAM", "DATAGRAM3"] as const) {
    // What the proxy takes for the bridge's own port.
    const forger = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    using _forger = { [Symbol.dispose]: () => forger.close() };
    const { port } = forger.addr as Deno.NetAddr;
    await using harness = await startHarness({
      udp: { port, style },
      bridge: { manners: "java", laterStyles: ["DATAGRAM3"] },
    });
    using client = await associate(harness.port, { host: "127.0.0.1", port: "own" });
    const ours = harness.bridge.lines.find((line) => line.startsWith(`SESSION ADD STYLE=${style} `)) ?? "";
    const to: Deno.NetAddr = { transport: "udp", hostname: "127.0.0.1", port: Number(/ PORT=(\d+)/.exec(ours)?.[1]) };
    const { destination, b32 } = await makeKeys(7);
    const hash = encodeI2pBase64(decodeI2pBase32(b32.replace(".b32.i2p", "")));
    for (const [index, from] of [destination, hash].entries()) {
      await forger.send(new TextEncoder().encode(`${from} FROM_PORT=5 TO_PORT=0\n${index}`), to);
    }
    const text = style === "DATAGRAM3" ? "1" : "0";
    assertEquals(await client.receive(), { host: b32, port: 5, text });
    await until("the other one is dropped", () => harness.counters.get("udp-dropped-not-sam") === 1);
  }
});

for (const manners of ["java", "i2pd"] as const) {
  Deno.test(`A kind that the router does not have is refused by that name, and streams go on, ${manners}`, async () => {
    await using harness = await startHarness({ udp: { style: "DATAGRAM2" }, bridge: { manners } });
    using client = await associate(harness.port);
    assertEquals(client.reply.code, 3);
    assertEquals(harness.counters.get("refused-datagrams-refused"), 1);
    const story = "The router does not support datagrams, or not the kind that --udp-style names";
    assert(harness.log.some((line) => line.includes(story)), harness.log.join(""));
    assertEquals(await harness.ask(), 0);
    const told = harness.log.filter((line) => /separate, temporary|there is no UDP/.test(line));
    assertEquals(told.length, 1);
    // With i2pd it is not known by then.
    assertStringIncludes(
      told[0] ?? "",
      manners === "java" ? "The router has no datagrams of the kind DATAGRAM2" : "separate",
    );
  });
}
