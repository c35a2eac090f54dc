import { findI2pd } from "../support/e2e.ts";
import { startPrivateNet } from "../e2e/private_net.ts";
import { firstByte, getPage } from "./first_byte.ts";
import { OURS } from "./goals.ts";
import type { Stage } from "./stage.ts";
import { turns } from "./statistics.ts";
import { startProxy, type Variant } from "./variants.ts";

/** Bytes of a download through a router. */
const DOWNLOAD = 8_000_000;

/** First bytes that are waited for in one turn. */
const FIRSTS = 10;

/** Milliseconds until the network stands, and until a session does. */
const BUILD_TIMEOUT = 90_000;

/** A real router: a download and the time to the first byte, through ours and through the router's own SOCKS. */
export async function measureRouter(stage: Stage): Promise<void> {
  const reason = !stage.plan.router ? "skipped by --quick" : findI2pd() === undefined ? "i2pd is not installed" : "";
  if (reason !== "") {
    stage.missing.set("i2pd", reason);
    return;
  }
  stage.say("a real router: builds tunnels for a while");
  await using net = await startPrivateNet({ timeout: BUILD_TIMEOUT });
  const { child, port } = await startProxy(net.samPort, net.sessionOptions);
  await using _child = child;
  const variants = [way(OURS, port, child.pid), way("i2pd", net.socksPort, undefined)];
  // The first stream to a destination looks up its lease set.
  for (const { via } of variants) await firstByte(Number(via), net.siteB32);
  for (const variant of turns(variants, stage.plan.rounds)) {
    await stage.attempt(variant, async () => {
      const times: number[] = [];
      for (let i = 0; i < FIRSTS; i++) times.push(await firstByte(Number(variant.via), net.siteB32));
      times.sort((a, b) => a - b);
      const seconds = await download(Number(variant.via), net.siteB32);
      return { "router-first": times[FIRSTS >> 1] ?? NaN, "router-rate": DOWNLOAD / 1e6 / seconds };
    });
  }
}

function way(name: string, port: number, pid: number | undefined): Variant {
  const nothing = (): Promise<void> => Promise.resolve();
  return { name, via: `${port}`, pid, revive: nothing, [Symbol.asyncDispose]: nothing };
}

/** Seconds of a download. */
async function download(port: number, host: string): Promise<number> {
  const since = performance.now();
  await getPage(port, host, `/bytes/${DOWNLOAD}`, DOWNLOAD);
  return (performance.now() - since) / 1000;
}
