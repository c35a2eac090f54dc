import { assert, assertEquals, assertMatch } from "@std/assert";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address } from "../../lib/i2p/destination.ts";
import { runCommand, runProxy } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { startPrivateNet } from "./private_net.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { associate, type UdpClient } from "../clients/socks_udp.ts";
import { only, statusPort } from "../status/status_client.ts";
import { startUdpService } from "../sam_bridge/udp_service.ts";

/** Debian's own: it has the package python3-socks, which another one on the PATH does not see. */
const PYTHON = "/usr/bin/python3";
const HAS_PYSOCKS = await runCommand(PYTHON, ["-c", "import socks"]).then(({ code }) => code === 0, () => false);

/** What a session needs in a network of one router. */
const ALONE = [
  ...["inbound.length=0", "outbound.length=0", "inbound.quantity=1", "outbound.quantity=1"],
  ...["i2cp.leaseSetType=1", "i2cp.leaseSetEncType=0"],
];

/** Milliseconds and attempts for an answer: a datagram may be lost, above all while lease sets are on their way. */
const [PATIENCE, ATTEMPTS] = [2_000, 45];

/** As PySocks' own documentation has it: rdns is on by default, and the association names the client's port. */
const PYSOCKS = `
import socket, socks, sys
s = socks.socksocket(socket.AF_INET, socket.SOCK_DGRAM)
s.set_proxy(socks.SOCKS5, "127.0.0.1", int(sys.argv[1]))
s.settimeout(5)
for attempt in range(5):
    try:
        s.sendto(b"asked by python", (sys.argv[2], 53))
        payload, sender = s.recvfrom(2048)
        print(payload.decode(), sender[0].decode(), sender[1])
        break
    except socket.timeout:
        pass
`;

e2eTest("datagrams go to real services of i2pd and back, through the sandbox", ["i2pd"], async (t) => {
  await using net = await startPrivateNet();
  const sam = [net.samPort, net.samUdpPort] as const;
  // At once: i2pd takes 20 seconds for each.
  const [echo, shout, proxy] = await Promise.all([
    startUdpService(...sam, { options: ALONE }),
    startUdpService(...sam, { options: ALONE, answer: (text) => text.toUpperCase() }),
    startProxyProcess([
      ...["--sam", `127.0.0.1:${net.samPort}`, "--udp", "--sam-udp", `${net.samUdpPort}`, ...net.sessionOptions],
      ...["--log-level", "debug", "--log-destinations", "--status", "127.0.0.1:0"],
    ]),
  ]);
  await using _echo = echo;
  await using _shout = shout;
  await using _proxy = proxy;
  using client = await associate(proxy.port, { timeout: 60_000 });

  await t.step("check finds that datagrams pass", async () => {
    const words = [
      "--sam",
      `127.0.0.1:${net.samPort}`,
      "--udp",
      "--sam-udp",
      `${net.samUdpPort}`,
      ...net.sessionOptions,
    ];
    const { code, stdout } = await runProxy(["check", ...words]);
    assertMatch(stdout, /✓ destinations: two: .* because this router lacks SAM 3\.3 \(/);
    assertMatch(stdout, /✓ kinds of datagrams: DATAGRAM, .* DATAGRAM2 .*: no, .*Unknown STYLE.* DATAGRAM3 .*: no, /);
    assertMatch(stdout, /✓ datagrams: one from a session to another arrived/);
    assertEquals(code, 0);
    const refused = await runProxy(["check", ...words, "--udp-style", "datagram2"]);
    assertMatch(refused.stdout, /✗ destinations: .*Unknown STYLE.*\n {2}(i2pd: )?DATAGRAM2 and DATAGRAM3 are in 2\.58/);
    assertEquals(refused.code, 1);
  });

  await t.step("the log says once that datagrams have a destination of their own", () => {
    const told = /This router lacks SAM 3\.3, so UDP uses a separate, temporary I2P address/g;
    assertEquals(proxy.stderr().match(told)?.length, 1, proxy.stderr());
  });

  await t.step("a request to a b32 address is answered from that address and port", async () => {
    assertEquals(client.reply.code, 0);
    const answer = await ask(client, echo.b32, 53, "one");
    assertEquals(answer, { host: echo.b32, port: 53, text: "one" }, proxy.stderr());
  });

  await t.step("one association has many destinations", async () => {
    assertEquals(await ask(client, shout.b32, 7, "two"), { host: shout.b32, port: 7, text: "TWO" }, proxy.stderr());
    assertEquals(await ask(client, echo.b32, 54, "three"), { host: echo.b32, port: 54, text: "three" });
  });

  await t.step("a service can speak first", async () => {
    const own = echo.received[0]?.from ?? "";
    await shout.send(own, "hello");
    assertEquals(await client.receive(), { host: shout.b32, port: 7, text: "hello" });
  });

  await t.step("31,744 bytes arrive whole", async () => {
    const text = "x".repeat(31_744);
    assertEquals((await ask(client, echo.b32, 53, text))?.text, text);
  });

  await t.step({
    name: `Python with PySocks is answered${HAS_PYSOCKS ? "" : " [ignored: python3-socks is not installed]"}`,
    ignore: !HAS_PYSOCKS && Deno.env.get("I2P_SOCKS_REQUIRE_E2E") !== "1",
    fn: async () => {
      const { stdout, stderr } = await runCommand(PYTHON, ["-c", PYSOCKS, `${proxy.port}`, shout.b32]);
      assertEquals(stdout, `ASKED BY PYTHON ${shout.b32} 53\n`, stderr);
    },
  });

  await t.step("the destination of datagrams is not that of streams, and the status has both", async () => {
    const [from, ...others] = new Set(echo.received.map((datagram) => datagram.from));
    assertEquals(others, []);
    const { identities, udp } = await only(await statusPort(proxy));
    assertEquals(identities.map(({ kind, state, b32 }) => [kind, state, b32]), [
      ["base", "ready", proxy.ready["b32"] ?? ""],
      ["datagrams", "ready", await b32Address(decodeI2pBase64(from ?? ""))],
    ]);
    assert((udp?.sent ?? 0) >= 5 && (udp?.received ?? 0) >= 5, JSON.stringify(udp));
  });

  await t.step("the association outlives a restart of the router", async () => {
    await net.restartRouter();
    await client.send(echo.b32, 53, "into the void");
    // With the destination that it had, as a service has it that keeps its keys.
    await using again = await startUdpService(...sam, { options: ALONE, keys: echo.keys });
    assertEquals(again.b32, echo.b32);
    const answer = await ask(client, echo.b32, 53, "after");
    assertEquals(answer, { host: echo.b32, port: 53, text: "after" }, proxy.stderr());
    assertMatch(proxy.stderr(), /Session lost/);
    assertMatch(proxy.stderr(), /reason=not-ready/);
  });
  assertEquals(await proxy.stop("SIGTERM"), 143);
});

/** Asks until there is an answer, and leaves none of it behind. */
async function ask(client: UdpClient, host: string, port: number, text: string): ReturnType<UdpClient["receive"]> {
  for (let i = 0; i < ATTEMPTS; i++) {
    await client.send(host, port, text);
    const answer = await client.receive(PATIENCE);
    if (answer === undefined) continue;
    while (await client.receive(300) !== undefined);
    return answer;
  }
  return undefined;
}
