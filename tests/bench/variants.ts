import { proxyCommand, V8_FLAGS } from "../support/command.ts";
import { findProgram } from "../support/e2e.ts";
import type { Scratch } from "../support/scratch.ts";
import { type Child, startChild } from "./child.ts";
import { FLOOR, OURS } from "./goals.ts";

/** A way to the service. */
export interface Variant extends AsyncDisposable {
  /** What people call it. */
  readonly name: string;
  /** How the load generator reaches the service by it. */
  readonly via: string;
  /** Its process; undefined for the way without a relay. */
  readonly pid: number | undefined;
  /** Starts it again if it has ended. */
  revive(): Promise<void>;
}

/** The far ends that run already. */
export interface FarEnds {
  /** The compiled load.c. */
  load: string;
  /** Port of the service. */
  plain: number;
  /** Port of the SAM bridge in front of it. */
  sam: number;
  /** Where files may be written. */
  scratch: Scratch;
}

/** The far ends, and what runs in front of them. */
interface StartedEnds {
  readonly ends: FarEnds;
  readonly variants: readonly Variant[];
}

/** Tells how a relay is started on a port; undefined where it is not installed. */
type Recipe = (ends: FarEnds, port: number) => Promise<readonly [program: string, ...args: string[]] | undefined>;

/** Way without a relay: what the generator and the service can do. */
export const DIRECT = "direct";

/** Names of all variants, in the order of a round. */
export const VARIANTS: readonly string[] = [OURS, "socat", "microsocks", "dante", "copy loop", FLOOR, DIRECT];

/** Where every stream of ours goes: the bridge does not look at it. */
const DESTINATION = `${"a".repeat(52)}.b32.i2p`;

/** As our own tasks start the proxy, but for the permission: loopback is all that it is given as well. */
const FLOOR_ARGS: readonly string[] = [
  ...["run", "--no-prompt", "--cached-only", "--quiet", "--allow-net=127.0.0.1", ...V8_FLAGS],
  new URL("floor.ts", import.meta.url).pathname,
];

/** Milliseconds until a relay listens. */
const START_TIMEOUT = 10_000;

/** Below the range that the system takes the ports of outgoing connections from. */
const PORTS = { from: 20_000, to: 32_000 };

const RECIPES: Readonly<Record<string, Recipe>> = {
  "socat": ({ plain }, port) =>
    ifInstalled(
      "socat",
      ...["-b", "65536", `TCP-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr,backlog=1024`, `TCP:127.0.0.1:${plain}`],
    ),
  "microsocks": (_, port) => ifInstalled("microsocks", "-i", "127.0.0.1", "-p", `${port}`),
  "dante": async ({ scratch }, port) =>
    await ifInstalled("danted", "-f", await scratch.file("danted.conf", danteConfig(port))),
  "copy loop": ({ load, plain }, port) => Promise.resolve([load, "copy", `${port}`, `${plain}`]),
  [FLOOR]: ({ sam }, port) => Promise.resolve([Deno.execPath(), ...FLOOR_ARGS, `${port}`, `${sam}`]),
};

/**
 * Starts a variant and waits until it listens.
 *
 * @throws {Error} if it is not installed, or does not start.
 */
export async function startVariant(name: string, ends: FarEnds): Promise<Variant> {
  if (name === DIRECT) {
    const nothing = (): Promise<void> => Promise.resolve();
    return { name, via: `tcp:${ends.plain}`, pid: undefined, revive: nothing, [Symbol.asyncDispose]: nothing };
  }
  const start = name === OURS ? (ends: FarEnds) => startOurs(ends) : startPeer;
  let running = await start(ends, name);
  return {
    name,
    get via(): string {
      return running.via;
    },
    get pid(): number {
      return running.child.pid;
    },
    revive: async () => {
      if (running.child.isAlive()) return;
      await running.child.stop();
      running = await start(ends, name);
    },
    [Symbol.asyncDispose]: () => running.child.stop(),
  };
}

/** Options by which no limit of ours is in the way of a measure. */
const ROOM: readonly string[] = ["--max-connections", "20000", "--max-per-client", "20000"];

/** Starts the proxy in front of the null bridge and waits for its ready line; `more` are further options. */
export async function startOurs(
  { sam }: Pick<FarEnds, "sam">,
  more: readonly string[] = [],
  room: readonly string[] = ROOM,
): Promise<{ child: Child; via: string }> {
  const { child, port } = await startProxy(sam, more, room);
  return { child, via: `socks:${port}:${DESTINATION}:80` };
}

/** Starts the proxy in front of any bridge: its port. */
export async function startProxy(
  sam: number,
  more: readonly string[],
  room: readonly string[] = ROOM,
): Promise<{ child: Child; port: number }> {
  const args = ["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${sam}`, "--isolate", "none", ...room, ...more];
  const command = proxyCommand(args);
  const child = startChild(command.program, command.args);
  try {
    const port = /listen=127\.0\.0\.1:(\d+)/.exec(await child.readLine(120_000))?.[1];
    if (port === undefined) throw new Error("The ready line names no port");
    return { child, port: Number(port) };
  } catch (error) {
    await child.stop();
    throw error;
  }
}

/** Starts the bare loop with buffers of its own size; undefined where there are no far ends. */
export async function startFloor({ ends, variants }: StartedEnds, bufferSize: number): Promise<Variant | undefined> {
  if (!variants.some(({ name }) => name === FLOOR)) return undefined;
  const port = choosePort();
  const child = startChild(Deno.execPath(), [...FLOOR_ARGS, `${port}`, `${ends.sam}`, `${bufferSize}`]);
  const revive = (): Promise<void> => Promise.resolve();
  const via = `socks:${port}:127.0.0.1:${ends.plain}`;
  await waitForPort(port, child.isAlive);
  return { name: FLOOR, via, pid: child.pid, revive, [Symbol.asyncDispose]: () => child.stop() };
}

/** A free port on 127.0.0.1. */
export function choosePort(): number {
  for (let i = 0; i < 100; i++) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch {
      // Somebody has it.
    }
  }
  throw new Error("Cannot find a free port");
}

/** Waits until something listens. */
export async function waitForPort(port: number, isAlive: () => boolean): Promise<void> {
  const end = performance.now() + START_TIMEOUT;
  while (performance.now() < end && isAlive()) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(isAlive() ? `It does not listen within ${START_TIMEOUT / 1000} s` : "It ended at once");
}

async function startPeer(ends: FarEnds, name: string): Promise<{ child: Child; via: string }> {
  const port = choosePort();
  const command = await RECIPES[name]?.(ends, port);
  if (command === undefined) throw new Error("not installed");
  const [program, ...args] = command;
  const child = startChild(program, args);
  try {
    await waitForPort(port, child.isAlive);
  } catch (error) {
    await child.stop();
    throw error;
  }
  const isSocks = name === "microsocks" || name === "dante" || name === FLOOR;
  return { child, via: isSocks ? `socks:${port}:127.0.0.1:${ends.plain}` : `tcp:${port}` };
}

function ifInstalled(name: string, ...args: string[]): Promise<readonly [string, ...string[]] | undefined> {
  const program = findProgram(name);
  return Promise.resolve(program === undefined ? undefined : [program, ...args]);
}

function danteConfig(port: number): string {
  return `logoutput: /dev/null
internal: 127.0.0.1 port = ${port}
external: lo
clientmethod: none
socksmethod: none
user.privileged: root
user.unprivileged: nobody
client pass { from: 127.0.0.0/8 to: 127.0.0.0/8 }
socks pass { from: 127.0.0.0/8 to: 127.0.0.0/8 }
`;
}
