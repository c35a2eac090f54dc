import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { type Manners, publishService, startSamBridge } from "./bridge.ts";
import { until } from "../support/wait.ts";
import { Probe, withBridge } from "./probe.ts";
import { echo } from "../support/harness.ts";

const BOTH: Manners[] = ["i2pd", "java"];
const OK = "STREAM STATUS RESULT=OK";

/** A loopback service that hands each connection to a function. */
function serve(handle: (conn: Deno.TcpConn) => Promise<void>): { port: number; close(): Promise<void> } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const done = (async () => {
    for await (const conn of listener) {
      await handle(conn).catch(() => {});
      try {
        conn.close();
      } catch {
        // The handler did.
      }
    }
  })();
  const close = async (): Promise<void> => {
    listener.close();
    await done;
  };
  return { port: listener.addr.port, close };
}

for (const manners of BOTH) {
  Deno.test(`${manners}: a service behind STREAM FORWARD is reached, with and without the caller's line`, async () => {
    const service = serve(echo);
    await withBridge({ manners }, async (bridge) => {
      const client = await Probe.session(bridge, "client");
      for (const header of [false, true]) {
        await using published = await publishService(bridge.port, service.port, { header, sessionOptions: "a.b=c" });
        assertEquals(bridge.sessions.at(-1)?.options, { SIGNATURE_TYPE: "7", "a.b": "c" });
        const caller = await Probe.greet(bridge);
        await caller.expect(`STREAM CONNECT ID=client DESTINATION=${published.b32}`, OK);
        if (header) assertEquals(await caller.line(), client.destination);
        await caller.say("echo");
        assertEquals(await caller.text(4), "echo");
        await caller.close();
        await (await Probe.greet(bridge)).expect(
          `NAMING LOOKUP NAME=${published.b32}`,
          `NAMING REPLY RESULT=OK NAME=${published.b32} VALUE=${published.destination}`,
        );
      }
      assertEquals(bridge.sessions.length, 1, "closed services are gone at once");
    });
    await service.close();
  });
}

Deno.test("both: a service that is down", async () => {
  const service = serve(echo);
  await service.close();
  for (const manners of BOTH) {
    await withBridge({ manners, silentPeerTimeout: 10_000 }, async (bridge) => {
      await Probe.session(bridge, "client");
      await using published = await publishService(bridge.port, service.port);
      const caller = await Probe.greet(bridge);
      await caller.say(`STREAM CONNECT ID=client DESTINATION=${published.b32}\n`);
      const refused = 'STREAM STATUS RESULT=CANT_REACH_PEER MESSAGE="Connection reset"';
      assertEquals(await caller.rest(), `${manners === "i2pd" ? OK : refused}\n`);
    });
  }
});

Deno.test("both: STREAM FORWARD needs a port, and there is one at a time, until its socket closes", async () => {
  for (const manners of BOTH) {
    await withBridge({ manners }, async (bridge) => {
      const { b32 } = await Probe.session(bridge, "server");
      await Probe.session(bridge, "client");
      const [i2pd, java] = [
        'SESSION STATUS RESULT=I2P_ERROR MESSAGE="PORT is missing"',
        /"Forwarding failed : receiver port not specified"$/,
      ];
      await Probe.ask(bridge, "STREAM FORWARD ID=server", manners === "i2pd" ? i2pd : java);
      const forward = await Probe.greet(bridge);
      await forward.expect("STREAM FORWARD ID=server PORT=9 SILENT=true", OK);
      await Probe.ask(
        bridge,
        "STREAM FORWARD ID=server PORT=9",
        manners === "i2pd"
          ? 'SESSION STATUS RESULT=I2P_ERROR MESSAGE="Already accepting"'
          : "STREAM STATUS RESULT=ALREADY_ACCEPTING",
      );
      const beside = await Probe.greet(bridge);
      await beside.expect(
        "STREAM ACCEPT ID=server",
        manners === "i2pd" ? OK : "STREAM STATUS RESULT=ALREADY_ACCEPTING",
      );
      if (manners === "i2pd") {
        const caller = await Probe.greet(bridge);
        await caller.expect(`STREAM CONNECT ID=client DESTINATION=${b32}`, OK);
        assert(await beside.isQuiet(), "OK, but never a caller");
      }
      await beside.close();
      await forward.close();
      await until("the forward is gone", () => bridge.openSockets === 2);
      const acceptor = await Probe.accepting(bridge, "server");
      await (await Probe.greet(bridge)).expect(`STREAM CONNECT ID=client DESTINATION=${b32}`, OK);
      assertMatch(await acceptor.line() ?? "", /^.{524}$/);
    });
  }
});

Deno.test("publishService: says what the router refused", async () => {
  await using bridge = await startSamBridge({
    intercept: (line, socket) =>
      line.startsWith("STREAM") && socket.write("STREAM STATUS RESULT=I2P_ERROR\n").then(() => true),
  });
  await assertRejects(
    () => publishService(bridge.port, 9),
    Error,
    'Cannot publish a service: the router answered "STREAM STATUS RESULT=I2P_ERROR" to "STREAM FORWARD ID=service-',
  );
  await until("nothing is left", () => bridge.openSockets === 0);
});
