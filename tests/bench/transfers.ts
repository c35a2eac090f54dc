import { processorSeconds } from "./child.ts";
import { AT_ONCE, OURS } from "./goals.ts";
import type { Stage } from "./stage.ts";
import { turns } from "./statistics.ts";
import { DIRECT, FLOOR, type Variant } from "./variants.ts";

/** Streams of the uploads beside which round trips are measured. */
const BUSY = 4;

/** Whose round trips are of interest: the others' say no more. */
const PINGED: readonly string[] = [OURS, "socat", "copy loop", DIRECT];

/** Parts of a bulk transfer that a slow peer is spared, so that it does not take most of the time. */
const SPARED: Readonly<Record<string, number>> = { microsocks: 4 };

/** Parts of the connects that a peer is spared which forks for each. */
const SPARED_CONNECTS: Readonly<Record<string, number>> = { socat: 8 };

/** Throughput over 1 and 64 streams, and with 1 the processor time of the relay. */
export async function measureBulk(stage: Stage): Promise<void> {
  for (const [streams, way] of [[1, "up"], [1, "down"], [64, "up"], [64, "down"]] as const) {
    stage.say(`bulk, ${streams} ${way}`);
    for (const variant of turns(relays(stage), stage.plan.rounds)) {
      await stage.attempt(variant, () => bulk(stage, variant, streams, way));
    }
  }
}

/** Connections a second, and how long one takes. */
export async function measureConnects(stage: Stage): Promise<void> {
  for (const count of AT_ONCE) {
    stage.say(`connects, ${count} at once`);
    const planned = count === 1 ? stage.plan.connects / 4 : stage.plan.connects;
    for (const variant of turns(stage.variants, stage.plan.rounds)) {
      const total = Math.max(count, Math.round(planned / (SPARED_CONNECTS[variant.name] ?? 1)));
      await stage.attempt(variant, async () => {
        const { count: done = NaN, seconds = NaN, p50 = NaN, p99 = NaN } = await stage.load(
          ...["connects", variant.via, count, total],
        );
        const name = `connects-${count}`;
        return { [`${name}-rate`]: done / seconds, [`${name}-p50`]: p50, [`${name}-p99`]: p99 };
      });
    }
  }
}

/** Round trips beside uploads, and the uploads alone. */
export async function measurePings(stage: Stage): Promise<void> {
  stage.say(`round trips beside ${BUSY} uploads`);
  const variants = stage.variants.filter(({ name }) => PINGED.includes(name));
  for (const variant of turns(variants, stage.plan.rounds)) {
    await stage.attempt(variant, async () => {
      const ping = await stage.load("ping", variant.via, BUSY, stage.plan.pings);
      const steady = await stage.load("steady", variant.via, BUSY, stage.plan.pings);
      return {
        "ping-p50": ping["p50"] ?? NaN,
        "ping-p99": ping["p99"] ?? NaN,
        "ping-max": ping["max"] ?? NaN,
        "ping-rate": megabytes(ping["bytesPerSecond"] ?? NaN),
        "steady-rate": megabytes(steady["bytesPerSecond"] ?? NaN),
      };
    });
  }
}

/** Round trips of two writes and one answer, which waits of the system would show in. */
export async function measureExchanges(stage: Stage): Promise<void> {
  stage.say("two writes and one answer");
  for (const variant of turns(relays(stage), stage.plan.rounds)) {
    await stage.attempt(variant, async () => {
      const { p50 = NaN } = await stage.load("exchange", variant.via, stage.plan.exchanges);
      return { "exchange-p50": p50 };
    });
  }
}

async function bulk(stage: Stage, variant: Variant, streams: number, way: string): Promise<Record<string, number>> {
  const { pid } = variant;
  const each = Math.round(stage.plan.bulkBytes / streams / (SPARED[variant.name] ?? 1));
  const before = pid === undefined ? 0 : await processorSeconds(pid);
  const { seconds = NaN } = await stage.load("bulk", variant.via, streams, each, way);
  const rate = { [`bulk-${streams}-${way}`]: megabytes(each * streams / seconds) };
  if (pid === undefined || streams > 1) return rate;
  // A forked relay counts with its parent only when that has waited for it.
  const spent = await processorSeconds(pid) - before;
  return { ...rate, [`cpu-${way}`]: spent / (each / 1e9) };
}

/** All but the bare loop, which is there for its connections: it has small buffers and no more. */
function relays({ variants }: Stage): Variant[] {
  return variants.filter(({ name }) => name !== FLOOR);
}

function megabytes(bytes: number): number {
  return bytes / 1e6;
}
