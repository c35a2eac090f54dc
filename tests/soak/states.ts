// deno-lint-ignore no-external-import -- the only way to a reset
import { connect } from "node:net";
import { concat } from "../support/bytes.ts";
import { PROJECT, V8_FLAGS } from "../support/command.ts";
import { freePort } from "../support/free_port.ts";
import { echo } from "../support/harness.ts";
import { startImpostor } from "../support/impostor.ts";
import { Random } from "../support/random.ts";
import { makeScratch } from "../support/scratch.ts";
import { delay } from "../support/wait.ts";
import { rawGet } from "../clients/raw_http.ts";
import { type SocksClientOptions, socksConnect } from "../clients/socks_client.ts";
import { encodeGreeting, encodeLogin, encodeRequest5 } from "../clients/socks_wire.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";

/** What came of a state. */
export interface StateReport {
  /** Its name, and the program that was in it. */
  readonly name: string;
  /** Replies that clients were owed. */
  readonly owed: number;
  /** Replies that they got. */
  readonly given: number;
  /** Descriptors of the program before, and once everybody had left. */
  readonly descriptors: readonly [before: number, after: number];
  /** Milliseconds from SIGTERM to its end. */
  readonly end: number;
  /** What is wrong, one sentence each. */
  readonly problems: readonly string[];
}

/** Clients that come one after the other, at the same time. */
const WORKERS = 16;

/** Milliseconds that a client waits for its reply. */
const REPLY_BOUND = 20_000;

/** Milliseconds within which SIGTERM ends the program in any state. */
const END_BOUND = 12_000;

/** Milliseconds until everything is let go of, and descriptors that may wait for the next streams. */
const QUIET_BOUND = 20_000;
const MAX_IDLE = 20;

/** Characters of the log that are kept. */
const LOG_END = 4_000;

/** Clients at once with few descriptors, and silent ones: more than the program takes. */
const CROWD = 700;

/** Silent connections to the status. */
const SILENT_ASKERS = 40;

/** The program in a state, with what its clients are owed. */
class Stage {
  readonly port: number;
  readonly statusPort: number;
  readonly host: string;
  readonly random: Random;
  /** When clients stop coming. */
  readonly end: number;
  /** Connections that are closed with the state. */
  readonly held: { close(): void }[] = [];
  /** What those saw that got no reply. */
  readonly lost: Map<string, number> = new Map();
  owed = 0;
  given = 0;

  constructor(port: number, statusPort: number, host: string, milliseconds: number) {
    this.port = port;
    this.statusPort = statusPort;
    this.host = host;
    this.random = new Random(port);
    this.end = performance.now() + milliseconds;
  }

  /** A client that is owed a reply: the connection, where it got one. */
  async ask(host: string, options: SocksClientOptions = {}): Promise<Deno.TcpConn | undefined> {
    this.owed++;
    const asked = await socksConnect(this.port, host, 80, { timeout: REPLY_BOUND, ...options }).catch((error) => {
      this.lost.set(error.message, (this.lost.get(error.message) ?? 0) + 1);
      return undefined;
    });
    if (asked !== undefined) this.given++;
    return asked?.conn;
  }

  /** The same of the status. */
  async askStatus(): Promise<void> {
    this.owed++;
    const { status } = await rawGet(this.statusPort, "/ready").catch(() => ({ status: 0 }));
    if (status === 200) this.given++;
  }

  /** Clients one after the other, some refused and some served, until the time is over. */
  async work(more: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const one = async (): Promise<void> => {
      while (performance.now() < this.end) {
        const host = this.random.pick([this.host, this.host, `${this.random.below(1e9)}.example.com`, "10.0.0.1"]);
        const conn = await this.ask(host, { version: this.random.pick([4, 5]) });
        if (conn !== undefined) await exchange(conn);
        conn?.close();
        await more();
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, one));
  }

  /** Connections that say nothing, until the end. */
  async holdSilent(port: number, count: number): Promise<void> {
    for (let i = 0; i < count; i++) this.held.push(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Leaves with a reset, somewhere on the way to a stream or behind that. */
  async reset(): Promise<void> {
    const bytes = concat(
      encodeGreeting([0, 2]),
      encodeLogin("ann", "x"),
      encodeRequest5({ host: this.host, port: 80 }),
      new Uint8Array(1_000),
    );
    const length = this.random.below(2) === 0 ? this.random.below(60) : this.random.below(bytes.length);
    const socket = connect(this.port, "127.0.0.1");
    socket.on("error", () => {});
    await new Promise((resolve) => socket.write(bytes.subarray(0, length), resolve));
    await delay(this.random.below(20));
    await new Promise((resolve) => socket.on("close", resolve).resetAndDestroy());
  }
}

/** Sends a byte, and takes the one that comes back, or the end. */
async function exchange(conn: Deno.TcpConn): Promise<void> {
  await conn.write(Uint8Array.of(1)).catch(() => {});
  await conn.read(new Uint8Array(1)).catch(() => {});
}

/** A state of the program. */
interface State {
  /** Makes what it needs in a folder, with the program. @default {nothing} */
  readonly prepare?: (folder: string, command: readonly string[], sam: string) => Promise<void>;
  /** A program and its arguments in front of it. @default {none} */
  readonly wrapper?: (folder: string) => readonly string[];
  /** Options of the program. @default {none} */
  readonly args?: (folder: string) => readonly string[];
  /** Whether nobody reads its log, once it has begun. @default {false} */
  readonly isStalled?: boolean;
  /** Clients, until the time is over. */
  readonly run: (stage: Stage) => Promise<void>;
}

/** All states by name. */
export const STATES: Readonly<Record<string, State>> = {
  "stalled log reader": {
    isStalled: true,
    // Lines that name different destinations are not folded.
    args: () => ["--log-destinations"],
    run: (stage) => stage.work(),
  },
  "1024 descriptors": {
    wrapper: () => ["bash", "-c", 'ulimit -n 1024; exec "$@"', "bash"],
    run: async (stage) => {
      const conns = await Promise.all(Array.from({ length: CROWD }, () => stage.ask(stage.host)));
      // With an answer, so that their places are free soon after they have left.
      await Promise.all(conns.map((conn) => conn && exchange(conn)));
      for (const conn of conns) conn?.close();
      await stage.work();
    },
  },
  "silent crowds": {
    args: () => ["--max-connections", "50"],
    run: async (stage) => {
      await stage.holdSilent(stage.port, CROWD);
      await stage.holdSilent(stage.statusPort, SILENT_ASKERS);
      await stage.work(() => stage.askStatus());
    },
  },
  "resets at each step": {
    run: (stage) => stage.work(() => stage.reset()),
  },
  "full disk": {
    prepare: async (folder, command, sam) => {
      await runProgram([...command, "keys", "new", "me", "--keys-dir", `${folder}/seed`, "--sam", sam]);
      await Deno.mkdir(`${folder}/full`);
    },
    wrapper: (folder) => [
      ...["unshare", "-rm", "bash", "-c"],
      `mount -t tmpfs -o size=64k,mode=0700 tmpfs '${folder}/full' &&
      cp '${folder}/seed/me.dat' '${folder}/full' && chmod 600 '${folder}/full/me.dat' &&
      { head -c 1M /dev/zero > '${folder}/full/rest'; } 2> /dev/null; exec "$@" 2> /dev/full`,
      "bash",
    ],
    // Nothing of its log can be written either.
    args: (folder) => ["--identity", "me", "--keys-dir", `${folder}/full`],
    run: (stage) => stage.work(),
  },
};

/** Programs to look at: that of the sources, and the executable where `I2P_SOCKS_EXECUTABLE` names one. */
export function programs(): Readonly<Record<string, readonly string[]>> {
  const executable = Deno.env.get("I2P_SOCKS_EXECUTABLE");
  const main = ["run", "-P", "--no-prompt", "--quiet", ...V8_FLAGS, "main.ts"];
  return { "deno run": [Deno.execPath(), ...main], ...(executable && { "executable": [executable] }) };
}

/**
 * Puts a program into a state for some milliseconds, then ends it by SIGTERM in that state.
 *
 * @throws {Error} if it does not start.
 */
export async function runState(
  name: string,
  program: readonly [name: string, command: readonly string[]],
  milliseconds: number,
): Promise<StateReport> {
  const state = STATES[name];
  if (state === undefined) throw new TypeError(`A state is one of ${Object.keys(STATES).join(", ")}`);
  const { prepare, wrapper = () => [], args = () => [], isStalled = false, run } = state;
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge({ keepLines: false });
  await using service = startImpostor(echo);
  await using published = await publishService(bridge.port, service.port);
  const sam = `127.0.0.1:${bridge.port}`;
  await prepare?.(scratch.dir, program[1], sam);
  // Port 0 of the status is told in the log only, which not every state has.
  const statusPort = freePort();
  const options = [
    ...["serve", "--listen", "127.0.0.1:0", "--status", `127.0.0.1:${statusPort}`, "--sam", sam],
    ...args(scratch.dir),
  ];
  await using child = await Child.start([...wrapper(scratch.dir), ...program[1], ...options], isStalled);
  const stage = new Stage(child.port, statusPort, published.b32, milliseconds);
  const problems: string[] = [];
  const before = await countDescriptors(child.pid);
  await run(stage);
  for (const conn of stage.held.splice(0)) conn.close();
  bridge.dropSessions({ prefix: "i2p-socks" });
  const after = await whenQuiet(child.pid, before);
  if (after > before + MAX_IDLE) problems.push(`${after} descriptors are open, there were ${before}`);
  // In the same state again, with streams that nobody ends.
  await run(new Stage(child.port, statusPort, published.b32, 500));
  const open = await Promise.all(Array.from({ length: 5 }, () => stage.ask(published.b32)));
  const end = await child.terminate();
  for (const conn of open) conn?.close();
  if (end > END_BOUND) problems.push(`SIGTERM took ${Math.round(end)} ms`);
  if (child.code !== 143) problems.push(`It ended with ${child.code}`);
  const { owed, given } = stage;
  const reasons = [...stage.lost].map(([reason, count]) => `${count} × ${reason}`).join(", ");
  if (given < owed) problems.push(`${owed - given} of ${owed} clients got no reply: ${reasons}`);
  if (problems.length > 0) problems.push(`It said at the end:\n${child.log.text}`);
  return { name: `${name}, ${program[0]}`, owed, given, descriptors: [before, after], end, problems };
}

/** Descriptors of a process once they are few enough, or after a while. */
async function whenQuiet(pid: number, before: number): Promise<number> {
  const end = performance.now() + QUIET_BOUND;
  for (;;) {
    const count = await countDescriptors(pid);
    if (count <= before + MAX_IDLE || performance.now() > end) return count;
    await delay(200);
  }
}

/** By a program, since the runtime shows its own process only to those that may do everything. */
async function countDescriptors(pid: number): Promise<number> {
  const { stdout } = await new Deno.Command("ls", { args: [`/proc/${pid}/fd`] }).output();
  return new TextDecoder().decode(stdout).split("\n").length - 1;
}

/** The program as a child, whose log is read or not. */
class Child implements AsyncDisposable {
  readonly port: number;
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  /** The end of what it has said. */
  readonly log: { readonly text: string };
  code: number | undefined;

  private constructor(child: Deno.ChildProcess, port: number, reading: Promise<void>, log: { text: string }) {
    this.log = log;
    this.#child = child;
    this.port = port;
    this.#reading = reading;
  }

  static async start([program = "", ...args]: readonly string[], isStalled: boolean): Promise<Child> {
    const child = new Deno.Command(program, { args, cwd: PROJECT, env: ENV, ...PIPES }).spawn();
    const log = { text: "" };
    const reading = isStalled ? Promise.resolve() : readLog(child.stderr, log);
    return new Child(child, await readyPort(child.stdout), reading, log);
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Asks it to end: the milliseconds that this took. */
  async terminate(): Promise<number> {
    const since = performance.now();
    const timer = setTimeout(() => this.#child.kill("SIGKILL"), 2 * END_BOUND);
    this.#child.kill("SIGTERM");
    this.code = (await this.#child.status).code;
    clearTimeout(timer);
    return performance.now() - since;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.code === undefined) {
      this.#child.kill("SIGKILL");
      await this.#child.status;
    }
    await this.#reading;
    if (!this.#child.stderr.locked) await this.#child.stderr.cancel();
  }
}

const ENV = { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1" };
const PIPES = { stdin: "null", stdout: "piped", stderr: "piped" } as const;

async function runProgram([program = "", ...args]: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, cwd: PROJECT, env: ENV, ...PIPES }).output();
  if (!success) throw new Error(`${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** The port of the ready line. What comes behind is read, and thrown away. */
async function readyPort(stdout: ReadableStream<Uint8Array>): Promise<number> {
  const reader = stdout.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = "";;) {
    const { value, done } = await reader.read();
    text += value ?? "";
    const port = /^ready listen=127\.0\.0\.1:(\d+).*\n/m.exec(text)?.[1];
    if (port === undefined && done) throw new Error(`It did not start: ${text}`);
    if (port === undefined) continue;
    reader.releaseLock();
    return Number(port);
  }
}

/** Reads a log to its end, and keeps the last of it. */
async function readLog(stream: ReadableStream<Uint8Array>, log: { text: string }): Promise<void> {
  for await (const chunk of stream.pipeThrough(new TextDecoderStream())) log.text = (log.text + chunk).slice(-LOG_END);
}
