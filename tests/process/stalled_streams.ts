/**
 * A thousand streams of a child process whose readers stop, and what becomes of it and of other streams: a line of JSON.
 * Best run where the kernel's socket buffers are small, for it is those that have to be filled first.
 */
import { cpuTicks, residentMemory } from "../support/process_status.ts";
import { type ProxyProcess, startProxyProcess } from "../support/proxy_process.ts";
import { Random } from "../support/random.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { socksConnect } from "../clients/socks_client.ts";
import { delay, until } from "../support/wait.ts";

/** What was seen. */
export interface StalledReport {
  /** Streams that did not move any more. */
  stalled: number;
  /** Bytes that all of them had taken by then. */
  swallowed: number;
  /** Resident memory of the proxy in bytes: before the streams, and while they were stalled. */
  memory: [before: number, stalled: number];
  /** Processor time of the proxy in a second of that, in hundredths of a second. */
  ticks: number;
  /** Bytes that a stream beside them got back right. */
  echoed: number;
  /** The same of a stream that was opened afterwards. */
  echoedLate: number;
  /** Streams whose readers went on and got every byte right. */
  resumed: number;
}

/** Streams, every other one an upload. */
const STREAMS = 1000;

/** Streams that are being opened at a time. */
const OPENED_AT_ONCE = 20;

/** Bytes of each stream: more than buffers on the way can hold. */
const TOTAL = 1_000_000;

/** Bytes of a stream that runs beside those. */
const ECHOED = 8_000_000;

/** I2P port of the service that sends everything back; another one is the number of its stream. */
const ECHO_PORT = 60_000;

/** After how many bytes the pattern begins again: a prime, so that no buffer size fits. */
const PERIOD = 65_521;

const HOST = `${"a".repeat(52)}.b32.i2p`;

const noise = new Random(1).bytes(PERIOD);
const pattern = new Uint8Array(3 * PERIOD);
for (const turn of [0, 1, 2]) pattern.set(noise, turn * PERIOD);

/** One direction of a stream, from whoever pours to whoever drinks. */
class Flow {
  sent = 0;
  received = 0;
  readonly resumed: PromiseWithResolvers<void> = Promise.withResolvers();
  readonly #from: number;
  readonly #total: number;

  constructor(from: number, total: number) {
    this.#from = from;
    this.#total = total;
  }

  get isComplete(): boolean {
    return this.received === this.#total;
  }

  async pour(conn: Deno.Conn): Promise<void> {
    while (this.sent < this.#total) {
      const at = (this.#from + this.sent) % PERIOD;
      this.sent += await conn.write(pattern.subarray(at, at + Math.min(PERIOD, this.#total - this.sent)));
    }
  }

  /** Ends early at a wrong byte; `early` are bytes that were read already. */
  async drink(conn: Deno.Conn, early: Uint8Array = new Uint8Array()): Promise<void> {
    const buffer = new Uint8Array(PERIOD);
    for (let bytes = early; this.#isRight(bytes);) {
      this.received += bytes.length;
      const count = this.isComplete ? null : await conn.read(buffer);
      if (count === null) return;
      bytes = buffer.subarray(0, count);
      // The runtime polls for other events when nothing is ready, which is seldom where so many streams are busy.
      await delay(0);
    }
  }

  async drinkLater(conn: Deno.Conn, early?: Uint8Array): Promise<void> {
    await this.resumed.promise;
    await this.drink(conn, early);
  }

  #isRight(bytes: Uint8Array): boolean {
    const at = (this.#from + this.received) % PERIOD;
    // No `every`: hundreds of megabytes go through here.
    for (let i = 0; i < bytes.length; i++) if (bytes[i] !== pattern[at + i]) return false;
    return true;
  }
}

const flows = Array.from({ length: STREAMS }, (_, i) => new Flow(i, TOTAL));

await using bridge = await startSamBridge({
  keepLines: false,
  intercept: async (line, socket) => {
    const port = / TO_PORT=(\d+)/.exec(line)?.[1];
    if (port === undefined) return false;
    await socket.write("STREAM STATUS RESULT=OK\n");
    await serve(Number(port), socket.conn).catch(() => {});
    socket.close();
    return true;
  },
});
const most = String(2 * STREAMS);
const sam = ["--sam", `127.0.0.1:${bridge.port}`];
await using proxy = await startProxyProcess([...sam, "--max-connections", most, "--max-per-client", most]);
console.log(JSON.stringify(await look(proxy)));
// What is left waits for readers that never come.
await proxy.stop("SIGKILL");
Deno.exit(0);

async function look({ pid, port }: ProxyProcess): Promise<StalledReport> {
  const before = await residentMemory(pid);
  await openAll(port);
  await untilStill();
  const stalled = flows.filter(({ sent }) => sent < TOTAL).length;
  const swallowed = sum();
  const since = await cpuTicks(pid);
  await delay(1_000);
  const ticks = await cpuTicks(pid) - since;
  const memory = await residentMemory(pid);
  const echoed = await echoThrough(port);
  // As many downloads as uploads.
  const half = flows.filter((_, i) => i % 4 < 2);
  for (const flow of half) flow.resumed.resolve();
  const echoedLate = await echoThrough(port);
  await until("all that resumed are complete", () => half.every((flow) => flow.isComplete));
  const resumed = half.filter((flow) => flow.isComplete).length;
  return { stalled, swallowed, memory: [before, memory], ticks, echoed, echoedLate, resumed };
}

async function openAll(port: number): Promise<void> {
  const waiting = flows.entries();
  const openSome = async (): Promise<void> => {
    for (const [i, flow] of waiting) {
      const { conn, reply, early } = await socksConnect(port, HOST, i + 1, { timeout: 30_000 });
      if (reply.code !== 0) throw new Error(`Stream ${i} was refused: ${reply.code}`);
      (isUpload(i) ? flow.pour(conn) : flow.drinkLater(conn, early)).catch(() => {});
    }
  };
  await Promise.all(Array.from({ length: OPENED_AT_ONCE }, openSome));
}

async function serve(port: number, conn: Deno.TcpConn): Promise<void> {
  const flow = flows[port - 1];
  if (flow !== undefined) return await (isUpload(port - 1) ? flow.drinkLater(conn) : flow.pour(conn));
  const buffer = new Uint8Array(65_536);
  for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
    for (let sent = 0; sent < count;) sent += await conn.write(buffer.subarray(sent, count));
  }
}

/** Sends through a stream of its own what comes back: the bytes that were right. */
async function echoThrough(port: number): Promise<number> {
  const { conn, reply } = await socksConnect(port, HOST, ECHO_PORT, { timeout: 30_000 });
  using _conn = conn;
  if (reply.code !== 0) throw new Error(`A new stream was refused: ${reply.code}`);
  const flow = new Flow(0, ECHOED);
  await Promise.all([flow.pour(conn), flow.drink(conn)]);
  return flow.received;
}

/** Waits until nothing has moved for 0.7 seconds. */
async function untilStill(): Promise<void> {
  let last = -1;
  for (let i = 0; last !== sum(); i++) {
    if (i === 40) throw new Error("Streams without a reader went on for half a minute");
    last = sum();
    await delay(700);
  }
}

function sum(): number {
  return flows.reduce((bytes, { sent }) => bytes + sent, 0);
}

function isUpload(i: number): boolean {
  return i % 2 === 0;
}
