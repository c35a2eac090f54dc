import { assert, assertEquals, assertRejects } from "@std/assert";
import { FairnessGate } from "../../lib/relay/fairness_gate.ts";
import { KEEP_BLOCK, Keeper, KeepLimit, MAX_KEPT, MAX_KEPT_BY_STREAM } from "../../lib/relay/keeper.ts";
import { Random } from "../support/random.ts";
import { pureTest } from "../support/pure.ts";
import { until } from "../support/wait.ts";

/** Bytes of the smallest read. */
const SPARE = 100;

/** A stream in memory: what was given and not read yet comes at once; a read with nothing left waits for more. */
class Source {
  /** Bytes that were read. */
  read_ = 0;
  /** Lengths of the buffers that it was asked to fill. */
  readonly asked: number[] = [];
  readonly #chunks: (Uint8Array | null | Error)[] = [];
  #waiting: (() => void) | undefined;

  give(...chunks: (Uint8Array | null | Error)[]): void {
    this.#chunks.push(...chunks);
    this.#waiting?.();
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    this.asked.push(buffer.length);
    while (this.#chunks.length === 0) await new Promise<void>((resolve) => this.#waiting = resolve);
    const chunk = this.#chunks.shift() ?? null;
    if (chunk === null) return null;
    if (chunk instanceof Error) throw chunk;
    const count = Math.min(chunk.length, buffer.length);
    buffer.set(chunk.subarray(0, count));
    if (count < chunk.length) this.#chunks.unshift(chunk.subarray(count));
    this.read_ += count;
    return count;
  }
}

interface Stage extends AsyncDisposable {
  source: Source;
  keeper: Keeper;
  limit: KeepLimit;
  gauge: { value: number };
  /** Times that the limit was met. */
  full: () => number;
}

async function start(limit = new KeepLimit()): Promise<Stage> {
  const gate = await FairnessGate.open();
  const source = new Source();
  const gauge = { value: 0 };
  let full = 0;
  const keeper = new Keeper(source, SPARE, { gate, limit, gauge, onFull: () => full++ });
  return {
    source,
    keeper,
    limit,
    gauge,
    full: () => full,
    [Symbol.asyncDispose]: () => {
      keeper.close();
      return Promise.resolve(gate.close());
    },
  };
}

/** Takes so many bytes. */
async function take(keeper: Keeper, count: number, size = 1_000): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  for (let taken = 0; taken < count;) {
    const length = await keeper.read(bytes.subarray(taken, taken + size));
    if (length === null) throw new Error(`Ended after ${taken} bytes`);
    taken += length;
  }
  return bytes;
}

Deno.test("Keeper reads as its connection does while nobody has it read on", async () => {
  await using stage = await start();
  stage.source.give(Uint8Array.of(1, 2, 3), null);
  assertEquals([...await take(stage.keeper, 3)], [1, 2, 3]);
  assertEquals(await stage.keeper.read(new Uint8Array(5)), null);
  assertEquals([stage.gauge.value, stage.limit.taken], [0, 0]);
});

Deno.test("Keeper takes all that comes, hands it over in its order, then the end, and gives its memory back", async () => {
  await using stage = await start();
  const { keeper, source, gauge, limit } = stage;
  const data = new Random(3).bytes(1_000_003);
  keeper.readOn();
  for (let at = 0; at < data.length; at += 7_919) source.give(data.subarray(at, at + 7_919));
  source.give(null);
  await until("all is kept", () => gauge.value === data.length);
  assert(limit.taken >= data.length && limit.taken < data.length + 2 * KEEP_BLOCK, `${limit.taken}`);
  keeper.pause();
  assertEquals(await take(keeper, data.length), data);
  assertEquals(await keeper.read(new Uint8Array(5)), null);
  assertEquals([gauge.value, limit.taken], [0, 0]);
});

Deno.test("Keeper stops asking when it is paused, and what was under way comes first", async () => {
  await using stage = await start();
  const { keeper, source } = stage;
  keeper.readOn();
  await until("it asks", () => source.asked.length === 1);
  keeper.pause();
  const buffer = new Uint8Array(1_000);
  const reading = keeper.read(buffer);
  source.give(Uint8Array.of(1, 2), Uint8Array.of(3));
  assertEquals([await reading, ...buffer.subarray(0, 2)], [2, 1, 2]);
  assertEquals([await keeper.read(buffer), buffer[0]], [1, 3]);
  assertEquals(source.asked, [SPARE, 1_000]);
});

Deno.test("Keeper waits with its small buffer where nothing is known to come, and holds no block then", async () => {
  await using stage = await start();
  const { keeper, source, limit, gauge } = stage;
  keeper.readOn();
  source.give(new Uint8Array(SPARE), new Uint8Array(10));
  await until("it waits", () => source.asked.length === 3);
  assertEquals(source.asked, [SPARE, KEEP_BLOCK, SPARE]);
  keeper.pause();
  await take(keeper, SPARE + 10);
  assertEquals([limit.taken, gauge.value], [0, 0]);
});

Deno.test("Keeper keeps no more than a stream may, says so, and goes on when there is room", async () => {
  await using stage = await start();
  const { keeper, source, limit, gauge } = stage;
  source.give(new Uint8Array(2 * MAX_KEPT_BY_STREAM));
  keeper.readOn();
  await until("it is full", () => stage.full() === 1);
  assertEquals(limit.taken, MAX_KEPT_BY_STREAM);
  assert(gauge.value >= MAX_KEPT_BY_STREAM && gauge.value <= MAX_KEPT_BY_STREAM + SPARE);
  keeper.pause();
  await take(keeper, 3 * KEEP_BLOCK, KEEP_BLOCK);
  keeper.readOn();
  await until("it is full again", () => stage.full() === 2);
  assertEquals(limit.taken, MAX_KEPT_BY_STREAM);
  keeper.close();
  assertEquals([limit.taken, gauge.value], [0, 0]);
});

Deno.test("Keeper hands over what it kept before it fails", async () => {
  await using stage = await start();
  const { keeper, source, gauge } = stage;
  keeper.readOn();
  source.give(Uint8Array.of(1), new Deno.errors.ConnectionReset("gone"));
  await until("the byte is kept", () => gauge.value === 1);
  keeper.pause();
  assertEquals([...await take(keeper, 1)], [1]);
  await assertRejects(() => keeper.read(new Uint8Array(5)), Deno.errors.ConnectionReset);
});

pureTest("KeepLimit gives no stream more than is left to all others, and all together no more than the limit", () => {
  const limit = new KeepLimit();
  const owned = Array.from({ length: 100 }, () => 0);
  for (let isGrowing = true; isGrowing;) {
    isGrowing = false;
    for (const [i, own] of owned.entries()) {
      if (!limit.take(own)) continue;
      owned[i] = own + KEEP_BLOCK;
      isGrowing = true;
    }
  }
  assert(limit.taken <= MAX_KEPT);
  assert(Math.max(...owned) - Math.min(...owned) <= KEEP_BLOCK, `${owned}`);
  assert(limit.take(0), "a newcomer finds something");
  limit.giveBack(limit.taken);
  let alone = 0;
  while (limit.take(alone)) alone += KEEP_BLOCK;
  assertEquals(alone, MAX_KEPT_BY_STREAM);
});
