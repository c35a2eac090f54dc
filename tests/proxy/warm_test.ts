import { assert, assertEquals } from "@std/assert";
import { type Harness, startHarness } from "../support/harness.ts";
import type { Manners } from "../sam_bridge/bridge.ts";
import { until } from "../support/wait.ts";

/** Sends clients until a socket waits for the next one; where the processor is short, the first ones do not see to it. */
async function warmUp(harness: Harness): Promise<void> {
  for (let i = 0; i < 100 && harness.bridge.idleSockets === 0; i++) {
    assertEquals(await harness.ask(), 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert(harness.bridge.idleSockets > 0, "no socket waits");
}

for (const manners of ["i2pd", "java"] satisfies Manners[]) {
  Deno.test(`A client that follows others is served though the router answers no HELLO, ${manners}`, async () => {
    await using harness = await startHarness({ bridge: { manners } });
    await warmUp(harness);
    harness.bridge.intercept = (line) => line.startsWith("HELLO");
    assertEquals(await harness.ask(), 0);
  });

  Deno.test(`A client whose waiting socket turns out dead is served all the same, ${manners}`, async () => {
    await using harness = await startHarness({ bridge: { manners } });
    await warmUp(harness);
    let cut = 0;
    harness.bridge.intercept = (line, socket) => {
      if (cut > 0 || !line.startsWith("STREAM CONNECT")) return false;
      cut++;
      socket.close();
      return true;
    };
    assertEquals([await harness.ask(), cut], [0, 1]);
    assertEquals(harness.sent("SESSION CREATE", "ID").length, 1);
  });
}

Deno.test("Clients are served after a loss of the session, with sockets that have waited since before it", async () => {
  await using harness = await startHarness();
  await warmUp(harness);
  harness.dropSessions();
  assertEquals(await harness.ask(), 0);
  assertEquals(harness.sent("SESSION CREATE", "ID").length, 2);
});

Deno.test("A proxy that ends leaves no socket at the bridge", async () => {
  await using harness = await startHarness();
  await warmUp(harness);
  await harness.proxy.close();
  await until("none waits", () => harness.bridge.idleSockets === 0 && harness.streams() === 0);
});

Deno.test("Where clients cannot be accepted for lack of descriptors, sockets that wait give theirs", async () => {
  const listeners: Deno.TcpListener[] = [];
  const { listen } = Deno;
  Deno.listen = ((options: Deno.TcpListenOptions) => {
    const listener = listen(options);
    listeners.push(listener);
    return listener;
  }) as typeof listen;
  await using harness = await startHarness().finally(() => Deno.listen = listen);
  await warmUp(harness);
  const listener = listeners.find(({ addr }) => addr.port === harness.port);
  assert(listener !== undefined);
  const accept = listener.accept.bind(listener);
  let waiting = Infinity;
  listener.accept = () => {
    // Only now, for the client that comes first is accepted by a call of before.
    listener.accept = () => {
      waiting = harness.bridge.idleSockets;
      listener.accept = accept;
      return accept();
    };
    return Promise.reject(Object.assign(new Error("Too many open files"), { code: "EMFILE" }));
  };
  const conn = await Deno.connect({ hostname: "127.0.0.1", port: harness.port });
  // Long before their age would end them.
  await until("none waits", () => waiting < Infinity && harness.bridge.idleSockets === 0);
  conn.close();
});
