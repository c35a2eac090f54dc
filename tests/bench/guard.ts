/**
 * What the leak guard costs: a proxy in front of the bridge double, with `--leaks off` and `--leaks warn` by turns, and
 * the service without any proxy beside them, all in this process. Prints a table; less than a minute.
 *
 * The ratio is of one round's `warn` to its `off`, so that what else the machine does falls on both.
 */
import type { LeakMode } from "../../lib/config/choices.ts";
import { type Harness, startHarness } from "../support/harness.ts";
import { socksConnect, writeAll } from "../clients/socks_client.ts";

/** Rounds of a bulk transfer. */
const BULK_ROUNDS = 9;

/** Rounds of short requests: many short ones, so that what else the machine does falls on few of them. */
const SHORT_ROUNDS = 1_000;

/** Bytes of a bulk transfer. */
const BULK = 256 * 1024 * 1024;

/** Streams of a round of short requests. */
const STREAMS = 2;

const CHUNK = new Uint8Array(65_536).fill(0x61);

const PAGE = new Uint8Array(4_096).fill(0x62);

const REQUEST = new TextEncoder().encode(
  `GET / HTTP/1.1\r\nHost: service.i2p\r\nUser-Agent: curl/8.5.0\r\nX-Filler: ${"c".repeat(4_000)}\r\n\r\n`,
);

/** What the service does is told by the first byte: `d` sends a lot, `u` takes a lot, anything else is a request. */
async function serve(conn: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(65_536);
  let count = await conn.read(buffer) ?? 0;
  const [kind] = buffer;
  if (kind === 0x64) {
    for (let sent = 0; sent < BULK; sent += CHUNK.length) await writeAll(conn, CHUNK);
  } else if (kind === 0x75) {
    for (let more: number | null = count; count < BULK && more !== null; count += more ?? 0) {
      more = await conn.read(buffer);
    }
    await writeAll(conn, PAGE.subarray(0, 1));
  } else {
    for (let more: number | null = count; count < REQUEST.length && more !== null; count += more ?? 0) {
      more = await conn.read(buffer);
    }
    await writeAll(conn, PAGE);
  }
}

/** A connection to the service, by way of a proxy or not. */
type Connect = () => Promise<Deno.TcpConn>;

/** Reads some bytes. */
async function take(conn: Deno.TcpConn, bytes: number): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (let got = 0; got < bytes;) {
    const count = await conn.read(buffer);
    if (count === null) throw new Error(`It ended after ${got} of ${bytes} bytes`);
    got += count;
  }
}

/** Something to do, again and again. */
interface Workload {
  unit: string;
  rounds: number;
  /** Does it once. @returns how much that was, in its unit. */
  run: (connect: Connect) => Promise<number>;
}

/** Workloads by name. */
const WORKLOADS: Readonly<Record<string, Workload>> = {
  download: {
    unit: "MB/s",
    rounds: BULK_ROUNDS,
    run: async (connect) => {
      using conn = await connect();
      await writeAll(conn, Uint8Array.of(0x64));
      await take(conn, BULK);
      return BULK / 1e6;
    },
  },
  upload: {
    unit: "MB/s",
    rounds: BULK_ROUNDS,
    run: async (connect) => {
      using conn = await connect();
      await writeAll(conn, Uint8Array.of(0x75));
      for (let sent = 1; sent < BULK; sent += CHUNK.length) await writeAll(conn, CHUNK);
      await take(conn, 1);
      return BULK / 1e6;
    },
  },
  "4 kB requests": {
    unit: "streams/s",
    rounds: SHORT_ROUNDS,
    run: async (connect) => {
      for (let i = 0; i < STREAMS; i++) {
        using conn = await connect();
        await writeAll(conn, REQUEST);
        await take(conn, PAGE.length);
      }
      return STREAMS;
    },
  },
};

async function measure(run: (connect: Connect) => Promise<number>, connect: Connect): Promise<number> {
  const since = performance.now();
  return await run(connect) / ((performance.now() - since) / 1000);
}

function start(mode: LeakMode): Promise<Harness> {
  const identifiers = { addresses: ["10.1.2.3"], hostName: "wobbegong", userName: "alicia", secrets: ["hunter2"] };
  return startHarness({ service: serve, leaks: { mode, identifiers }, settings: { limits: { connections: 1_000 } } });
}

function through({ port, name }: Harness): Connect {
  return async () => (await socksConnect(port, name, 80)).conn;
}

function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

function median(values: readonly number[]): number {
  return sorted(values)[values.length >> 1] ?? NaN;
}

if (import.meta.main) {
  await using off = await start("off");
  await using warn = await start("warn");
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  void (async (): Promise<void> => {
    for await (const conn of listener) {
      conn.setNoDelay(true);
      serve(conn).catch(() => {}).finally(() => conn.close());
    }
  })();
  const direct: Connect = () => Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  console.log("workload        unit        direct      off     warn  warn/off: median (quartiles)");
  for (const [name, { unit, rounds, run }] of Object.entries(WORKLOADS)) {
    const speeds = { direct: [] as number[], off: [] as number[], warn: [] as number[] };
    const ways = [["direct", direct], ["off", through(off)], ["warn", through(warn)]] as const;
    // The first round only warms up.
    for (let round = -1; round < rounds; round++) {
      // Each goes first as often as last.
      for (const [way, connect] of round % 2 === 0 ? ways : ways.toReversed()) {
        const speed = await measure(run, connect);
        if (round >= 0) speeds[way].push(speed);
      }
    }
    const ratios = sorted(speeds.warn.map((speed, i) => speed / (speeds.off[i] ?? NaN)));
    const numbers = [speeds.direct, speeds.off, speeds.warn].map((all) => median(all).toFixed(0).padStart(9)).join("");
    const [low = NaN, high = NaN] = [0.25, 0.75].map((part) => ratios[Math.floor(part * ratios.length)]);
    const ratio = `${median(ratios).toFixed(3)} (${low.toFixed(3)} .. ${high.toFixed(3)})`;
    console.log(`${name.padEnd(16)}${unit.padEnd(9)}${numbers}  ${ratio}`);
  }
}
