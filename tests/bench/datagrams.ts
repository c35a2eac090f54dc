import { startChild } from "./child.ts";
import { OURS } from "./goals.ts";
import type { Stage } from "./stage.ts";
import { turns } from "./statistics.ts";
import { DIRECT, startOurs, type Variant } from "./variants.ts";

/** Who carries datagrams: microsocks has no UDP ASSOCIATE, and the others no SOCKS. */
const PEERS: readonly string[] = ["dante", DIRECT];

/** Datagrams a second: of the round trips, and of what most of is to come back. */
const [CALM, BUSY] = [1_000, 10_000];

/** Parts of the datagrams whose round trips are measured: they take longest. */
const SPARED = 10;

/**
 * Datagrams through an association: ours in front of a bridge that reflects them in the repliable format, dante's in front
 * of an echo. Both far ends and the generator have room for a whole flood, so what is lost is lost in between.
 */
export async function measureDatagrams(stage: Stage): Promise<void> {
  stage.say("datagrams");
  const { ends, plan } = stage;
  const { child, via } = await startOurs(ends, ["--udp", "--sam-udp", `${ends.sam}`]);
  await using _child = child;
  const revive = (): Promise<void> => Promise.resolve();
  const ours: Variant = { name: OURS, via, pid: child.pid, revive, [Symbol.asyncDispose]: revive };
  const variants = [ours, ...stage.variants.filter(({ name }) => PEERS.includes(name))];
  for (const variant of turns(variants, plan.rounds)) {
    await stage.attempt(variant, async () => {
      const calm = await stage.load("paced", variant.via, CALM, plan.datagrams / SPARED);
      const busy = await stage.load("paced", variant.via, BUSY, plan.datagrams);
      const loaded = await besideWork(() => stage.load("paced", variant.via, BUSY, plan.datagrams));
      const flood = await stage.load("flood", variant.via, plan.datagrams);
      return {
        "udp-p50": calm["p50"] ?? NaN,
        "udp-back": share(busy),
        "udp-loaded-back": share(loaded),
        "udp-flood-back": share(flood),
        "udp-flood-rate": flood["gotPerSecond"] ?? NaN,
      };
    });
  }
}

/** Measures while each core has something else to do as well. */
async function besideWork<T>(measure: () => Promise<T>): Promise<T> {
  await using work = new AsyncDisposableStack();
  for (let core = 0; core < navigator.hardwareConcurrency; core++) {
    work.use(startChild("sh", ["-c", "while :; do :; done"]));
  }
  return await measure();
}

/** Per cent of what was sent that came back. */
function share({ sent = NaN, got = NaN }: Record<string, number>): number {
  return 100 * got / sent;
}
