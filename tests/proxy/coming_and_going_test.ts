import { assert, assertEquals } from "@std/assert";
import { Random } from "../support/random.ts";
import type { Manners } from "../sam_bridge/bridge.ts";
import { BindClient } from "../clients/socks_bind.ts";
import { associate } from "../clients/socks_udp.ts";
import { startUdpStage, type UdpStage } from "./udp_stage.ts";
import { delay, until } from "../support/wait.ts";

/** Milliseconds for which clients come and go; on a slow machine longer, until some of each kind were served. */
const DURATION = 2_000;
const MOST = 60_000;

/** Milliseconds that a session takes, so that clients leave while theirs is made. */
const SESSION_DELAY = 40;

/** How many clients there are at once, and how many logins: more than there may be identities. */
const [CLIENTS, LOGINS] = [12, 12];

for (const manners of ["i2pd", "java"] as Manners[]) {
  Deno.test(`clients of UDP and BIND that come and go while sessions are lost leave nothing behind, ${manners}`, async () => {
    await using stage = await startUdpStage({
      bridge: { manners, sessionDelay: SESSION_DELAY },
      settings: { bind: true, timeouts: { connect: 1_000, identityIdle: 100 } },
    });
    const { proxy, log, counters } = stage.harness;
    const start = performance.now();
    const isServed = (): boolean => counters.get("udp-received") > 0 && counters.get("bind-waiting") > 0;
    const isGoingOn = (): boolean => performance.now() < start + (isServed() ? DURATION : MOST);
    const losing = (async () => {
      // Where nobody is served in between, there is more time until the next loss.
      for (let pause = 300; isGoingOn(); pause *= isServed() ? 1 : 1.2) {
        stage.harness.dropSessions();
        await delay(pause);
      }
    })();
    await Promise.all([
      losing,
      ...Array.from({ length: CLIENTS }, async (_, i) => {
        const random = new Random(i);
        while (isGoingOn()) await comeAndGo(stage, random);
      }),
    ]);
    await until("all clients are forgotten", () => proxy.connections === 0);
    assertEquals([proxy.associations, proxy.waiting, proxy.streams], [0, 0, 0]);
    await until("no identity but the base is left", () => proxy.identities.length === 1);
    await until("nor one for datagrams", () => proxy.datagramIdentities?.length === 0);
    assertEquals(log.filter((line) => /reason=internal| error /.test(line)), []);
    assert(isServed(), "nobody was served");
  });
}

/** A client that leaves whether it is served or not. */
async function comeAndGo({ harness }: UdpStage, random: Random): Promise<void> {
  const login = { user: `${random.below(LOGINS)}`, password: "" };
  if (random.below(3) === 0) {
    using client = await BindClient.ask(harness.port, { login });
    await Promise.race([client.reply().catch(() => {}), delay(random.below(2 * SESSION_DELAY))]);
    return;
  }
  const timeout = 1 + random.pick([random.below(2 * SESSION_DELAY), 2_000]);
  const client = await associate(harness.port, { login, timeout }).catch(() => undefined);
  using _client = client;
  if (client?.reply.code !== 0) return void await delay(5);
  await client.send(random.pick(["udp.i2p", "unknown.i2p"]), 1, "x");
  await client.receive(random.pick([20, 1_000]));
}
