import { makeFinder } from "../../lib/guard/identifiers.ts";
import { PROTOCOLS } from "../../lib/guard/protocols.ts";
import { StreamGuard } from "../../lib/guard/stream_guard.ts";
import { processorMicroseconds, processorSeconds } from "./child.ts";
import { AT_ONCE, FLOOR, OURS } from "./goals.ts";
import type { Stage } from "./stage.ts";
import { turns } from "./statistics.ts";
import { DIRECT, startFloor, startOurs, type Variant } from "./variants.ts";

/** Streams of the uploads beside which round trips are measured. */
const BUSY = 4;

/** Whose round trips are of interest: the others' say no more. */
const PINGED: readonly string[] = [OURS, "socat", "copy loop", DIRECT];

/** Bytes of a buffer of the bare loop, where it carries a lot. */
const BULK_BUFFER = 262_144;

/** Requests of a round that measures the guard, and how many at once. */
const [GUARDED, GUARDED_AT_ONCE] = [200, 8];

/** Parts of a bulk transfer that a slow peer is spared, so that it does not take most of the time. */
const SPARED: Readonly<Record<string, number>> = { microsocks: 4 };

/** Parts of the connects that a peer is spared which forks for each. */
const SPARED_CONNECTS: Readonly<Record<string, number>> = { socat: 8 };

/** Throughput over 1 and 64 streams, and with 1 the processor time of the relay. */
export async function measureBulk(stage: Stage): Promise<void> {
  await using floor = await startFloor(stage, BULK_BUFFER);
  const variants = [...relays(stage), ...(floor === undefined ? [] : [floor])];
  for (const [streams, way] of [[1, "up"], [1, "down"], [64, "up"], [64, "down"]] as const) {
    stage.say(`bulk, ${streams} ${way}`);
    for (const variant of turns(variants, stage.plan.rounds)) {
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
        const name = `connects-${count}`;
        const { done, seconds, p50, p99, cpu } = await visits(stage, variant, "connects", count, total);
        const isThreads = variant.name === OURS || variant.name === FLOOR;
        return {
          ...{ [`${name}-rate`]: done / seconds, [`${name}-p50`]: p50, [`${name}-p99`]: p99 },
          ...(isThreads && { [`${name}-cpu`]: cpu }),
        };
      });
    }
  }
}

/** What the leak guard costs streams of one request, and a head that comes in the smallest pieces. */
export async function measureGuard(stage: Stage): Promise<void> {
  stage.say("the leak guard");
  if (!stage.variants.some(({ name }) => name === OURS)) return;
  await using started = new AsyncDisposableStack();
  const start = async (mode: string): Promise<Variant> => {
    const { child, via } = await startOurs(stage.ends, ["--leaks", mode]);
    started.use(child);
    const nothing = (): Promise<void> => Promise.resolve();
    return { name: OURS, via, pid: child.pid, revive: nothing, [Symbol.asyncDispose]: nothing };
  };
  const ways = [["guard", await start("warn")], ["guard-off", await start("off")]] as const;
  // The rounds are short and many, so that whatever else the machine does falls on both alike; the first warms up.
  for (const [round, [name, variant]] of turns(ways, 1 + stage.plan.guardRounds).entries()) {
    await stage.attempt(variant, async () => {
      const count = round < ways.length ? 10 * GUARDED : GUARDED;
      const { done, seconds, cpu } = await visits(stage, variant, "requests", GUARDED_AT_ONCE, count);
      return round < ways.length
        ? {}
        : { [`${name}-rate`]: done / seconds, [`${name}-cpu`]: cpu, [`${name}-cpu-rate`]: 1e6 / cpu };
    });
  }
  for (let i = 0; i < stage.plan.rounds; i++) {
    await stage.attempt(ways[0][1], () => Promise.resolve(guardLines()));
  }
}

/** Milliseconds of a head that comes in writes of three bytes, and of one of half its size; the least of some. */
function guardLines(): Record<string, number> {
  const finder = makeFinder({ addresses: ["10.1.2.3"], hostName: "wobbegong", userName: "alicia", secrets: [] });
  const timeOf = (bytes: number): number => {
    const guard = new StreamGuard({
      ...{ host: "site.i2p", protocols: PROTOCOLS, finder, scrubbers: [], blocks: true, onLeak: () => {} },
    });
    const head = new TextEncoder().encode(`GET / HTTP/1.1\r\n${"a:\n".repeat(bytes / 3)}`);
    const since = performance.now();
    for (let at = 0; at < head.length; at += 3) guard.sent.pass(head.subarray(at, at + 3));
    return performance.now() - since;
  };
  const least = (bytes: number): number => Math.min(...Array.from({ length: 8 }, () => timeOf(bytes)));
  return { "guard-lines": least(16_000), "guard-half-lines": least(8_000) };
}

/** Visits of the load generator, and the processor time of the relay for each, in microseconds. */
async function visits(
  stage: Stage,
  { via, pid }: Variant,
  what: "connects" | "requests",
  atOnce: number,
  total: number,
): Promise<Record<"done" | "seconds" | "p50" | "p99" | "cpu", number>> {
  const before = pid === undefined ? NaN : await processorMicroseconds(pid);
  const { count: done = NaN, seconds = NaN, p50 = NaN, p99 = NaN } = await stage.load(what, via, atOnce, total);
  const cpu = pid === undefined ? NaN : (await processorMicroseconds(pid) - before) / done;
  return { done, seconds, p50, p99, cpu };
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
