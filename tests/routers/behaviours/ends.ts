import type { Behaviour, Stage } from "../behaviour.ts";
import { type End, open, readOn, readSome } from "../client.ts";
import { eventually, message, sleep } from "../router.ts";
import { sendPattern } from "../web.ts";

/** Bytes of a download whose reader sleeps. */
const DOWNLOAD = 12_000_000;

/** Milliseconds that it sleeps. */
const SLEEP = 10_000;

/** Milliseconds without a byte after which a stream counts as hanging. */
const HANGS = 60_000;

/** The same for a burst, which takes a second where it goes through. */
const BURST_HANGS = 15_000;

/** Milliseconds until a service has to be found. */
const CONNECT_TIMEOUT = 60_000;

/** Bytes of a service that closes behind them. */
const BURST = 1_000_000;

/** The end of a stream in one of the ways to reach the site. */
type Way = "program" | "plain SAM" | "router's SOCKS";

export const ENDS: readonly Behaviour[] = [
  {
    name: "slow-reader",
    promise: "12 MB that end with the stream arrive whole though the reader sleeps for 10 s",
    run: async (stage) => {
      const ends = new Map<Way, End[]>();
      const ways: Way[] = [
        "program",
        "plain SAM",
        ...stage.router.ways.socks === undefined ? [] : ["router's SOCKS" as const],
      ];
      for (let run = 0; run < stage.patience.repeat; run++) {
        await Promise.all(ways.map(async (way) => {
          const end = await download(stage, way).catch((error): End => {
            console.error(`slow-reader, ${way}: ${message(error)}`);
            return { count: 0, ended: false };
          });
          ends.set(way, [...ends.get(way) ?? [], end]);
        }));
      }
      const words = ways.map((way) => `${way} ${describe(ends.get(way) ?? [], DOWNLOAD)}`).join("; ");
      const own = ends.get("program") ?? [];
      const figures = Object.fromEntries(
        ways.flatMap((way) => [[`${way} whole`, (ends.get(way) ?? []).filter((end) => isRight(end, DOWNLOAD)).length]]),
      );
      return { ok: own.every((end) => isRight(end, DOWNLOAD)), words, figures };
    },
  },
  {
    name: "closing-service",
    promise: "a --forward service that sends 1 MB and closes at once: its callers get all of it and the end",
    run: async (stage) => {
      using service = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const serving = serveBursts(service);
      const inside = await stage.program("--forward", `127.0.0.1:${service.addr.port}`);
      const caller = await stage.peer();
      const ends: End[] = [];
      const plain: End[] = [];
      for (let run = 0; run < stage.patience.repeat * 4; run++) {
        // A plain caller, so that only the serving side is the program's.
        ends.push(await callOnce(() => caller.connect(inside.ready["b32"] ?? "")));
      }
      for (let run = 0; run < stage.patience.repeat * 4; run++) plain.push(await plainBurst(stage));
      service.close();
      await serving;
      const words = `program ${describe(ends, BURST)}; plain SAM ${describe(plain, BURST)}`;
      return { ok: ends.every((end) => isRight(end, BURST)), words };
    },
  },
];

function isRight({ count, ended }: End, size: number): boolean {
  return ended && count === size;
}

function describe(ends: readonly End[], size: number): string {
  const right = ends.filter((end) => isRight(end, size));
  const short = ends.filter(({ count }) => count < size);
  const endless = ends.filter(({ count, ended }) => count === size && !ended);
  const megabytes = short.map(({ count }) => (count / 1e6).toFixed(1)).join(" ");
  return [
    `${right.length} of ${ends.length} right`,
    ...short.length === 0 ? [] : [`${short.length} short (${megabytes} MB)`],
    ...endless.length === 0 ? [] : [`${endless.length} without an end`],
  ].join(", ");
}

async function download(stage: Stage, way: Way): Promise<End> {
  const { site, socks } = stage.router.ways;
  if (way === "plain SAM") {
    using socket = await (await stage.peer()).connect(site);
    await socket.conn.write(request());
    return await readSlowly(() => socket.next(), headLength());
  }
  const { conn, early } = await open(way === "program" ? await stage.port() : socks ?? 0, site);
  using _conn = conn;
  await conn.write(request());
  let held: Uint8Array | undefined = early.length > 0 ? early : undefined;
  return await readSlowly(async () => {
    const part = held;
    held = undefined;
    return part ?? await readSome(conn);
  }, headLength());
}

function request(): Uint8Array {
  return new TextEncoder().encode(`GET /close/${DOWNLOAD} HTTP/1.1\r\n\r\n`);
}

function headLength(): number {
  return "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".length;
}

/** Reads nothing for a while, and then all that comes. */
async function readSlowly(next: () => Promise<Uint8Array | null>, head: number): Promise<End> {
  await sleep(SLEEP);
  const { count, ended } = await readOn(next, HANGS);
  return { count: count - head, ended };
}

async function serveBursts(service: Deno.TcpListener): Promise<void> {
  try {
    for await (const conn of service) burst(conn).catch(() => {});
  } catch {
    // Closed.
  }
}

async function burst(conn: Deno.TcpConn): Promise<void> {
  using _conn = conn;
  await conn.read(new Uint8Array(100));
  await sendPattern(conn, BURST);
  await conn.closeWrite();
  // Until the other side has seen the end, or for as long as a service waits for that.
  const timer = setTimeout(() => conn.close(), BURST_HANGS);
  while (await readSome(conn) !== null);
  clearTimeout(timer);
}

async function callOnce(
  connect: () => Promise<{ conn: Deno.TcpConn; next(): Promise<Uint8Array | null> } & Disposable>,
): Promise<End> {
  try {
    using socket = await eventually("stream", CONNECT_TIMEOUT, connect);
    await socket.conn.write(new TextEncoder().encode("x"));
    return await readOn(() => socket.next(), BURST_HANGS);
  } catch (error) {
    console.error(`closing-service: ${message(error)}`);
    return { count: 0, ended: false };
  }
}

/** The same between two plain SAM clients. */
async function plainBurst(stage: Stage): Promise<End> {
  const peer = await stage.peer();
  const caller = await stage.otherPeer();
  const { socket, caller: called } = await peer.accept();
  using _socket = socket;
  const serving = called.then(async () => {
    await socket.next();
    await sendPattern(socket.conn, BURST);
    await socket.conn.closeWrite();
  });
  serving.catch(() => {});
  const b32 = await peer.b32;
  return await callOnce(() => caller.connect(b32));
}
