import { delay } from "../support/wait.ts";
import { residentMemory } from "../support/process_status.ts";
import { startChild } from "./child.ts";
import { FLOOR, LISTEN, OURS } from "./goals.ts";
import { runCommand } from "../support/command.ts";
import type { Stage } from "./stage.ts";
import { startOurs, startVariant, type Variant } from "./variants.ts";

/** Whose memory is of interest. */
const WEIGHED: readonly string[] = [OURS, "microsocks", FLOOR];

/** Descriptors that are left to other things than streams. */
const SPARE = 200;

/** Bytes that go over each stream in a burst, and back. */
const BURST = 65_536;

/**
 * Variable that names two executables, ours and one of listen.ts, with a colon between them: started from its sources, a
 * program also holds what has compiled them.
 */
const EXECUTABLES = "I2P_SOCKS_BENCH_EXECUTABLES";

/** Milliseconds of quiet before the memory of an idle process is read. */
const IDLE_FOR = 2_000;

/** Milliseconds until a program listens. */
const START_TIMEOUT = 30_000;

/** Milliseconds for opening many streams, or a burst over all of them. */
const HOLD_TIMEOUT = 60_000;

/** Memory of idle streams, before a burst and after it; each of a process of its own. */
export async function measureMemory(stage: Stage): Promise<void> {
  for (const { name } of stage.variants.filter(({ name }) => WEIGHED.includes(name))) {
    stage.say(`memory of ${name}`);
    await using variant = await startVariant(name, stage.ends);
    await stage.attempt(variant, () => weigh(stage, variant));
  }
}

/** Memory that no other process shares, with one session and no stream, beside a program that only listens. */
export async function measureProcess(stage: Stage): Promise<void> {
  const ours = stage.variants.find(({ name }) => name === OURS);
  if (ours === undefined) return;
  const [executable, bare] = (Deno.env.get(EXECUTABLES) ?? "").split(":");
  if (executable === undefined || bare === undefined) {
    stage.missing.set(LISTEN, `${EXECUTABLES} names none`);
    return;
  }
  const { sam } = stage.ends;
  const args = ["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${sam}`];
  stage.say("memory of an idle process");
  for (let i = 0; i < stage.plan.rounds; i++) {
    for (const [name, program, words] of [[OURS, executable, args], [LISTEN, bare, []]] as const) {
      await using child = startChild(program, words);
      // Ours says more before it is ready.
      await child.readLine(START_TIMEOUT);
      await delay(IDLE_FOR);
      const variant = { ...ours, name };
      await stage.attempt(variant, async () => ({ "memory-process": await privateMemory(child.pid) / 1e6 }));
    }
  }
}

async function privateMemory(pid: number): Promise<number> {
  const { stdout } = await runCommand("cat", [`/proc/${pid}/smaps_rollup`], { timeout: 5_000 });
  const kibibytes = /^Private_Dirty:\s+(\d+) kB$/m.exec(stdout)?.[1];
  if (kibibytes === undefined) throw new Error(`Cannot read the memory of ${pid}`);
  return Number(kibibytes) * 1024;
}

/** As many idle streams as descriptors allow, and one more that works. */
export async function measureHeld(stage: Stage): Promise<void> {
  if (!stage.variants.some(({ name }) => name === OURS)) return;
  const count = Math.min(stage.plan.held, await heldGoal(stage.plan.held));
  stage.say(`${count} idle streams`);
  await using variant = await startVariant(OURS, stage.ends);
  await stage.attempt(variant, async () => {
    await using holder = startChild(stage.ends.load, ["hold", variant.via, `${count}`]);
    const { open } = JSON.parse(await holder.readLine(HOLD_TIMEOUT));
    await holder.write("probe\n");
    await holder.readLine(HOLD_TIMEOUT);
    return { held: open };
  });
}

/** Time from the start of the process to its ready line; the null bridge makes a session at once. */
export async function measureStart(stage: Stage): Promise<void> {
  const ours = stage.variants.find(({ name }) => name === OURS);
  if (ours === undefined) return;
  stage.say("start");
  for (let i = 0; i < stage.plan.starts; i++) {
    await stage.attempt(ours, async () => {
      const since = performance.now();
      // With its own limits: for more it tries how many file descriptors it can have.
      await using _child = (await startOurs(stage.ends, [], [])).child;
      return { start: performance.now() - since };
    });
  }
}

/** Idle streams that the limit of descriptors lets the proxy have: two for each. */
export async function heldGoal(most: number): Promise<number> {
  const { stdout } = await runCommand("sh", ["-c", "ulimit -Hn"], { timeout: 5_000 });
  const limit = Number(stdout);
  return Number.isFinite(limit) ? Math.min(most, Math.floor((limit - SPARE) / 2)) : most;
}

async function weigh({ ends, plan }: Stage, { pid = 0, via }: Variant): Promise<Record<string, number>> {
  const before = await residentMemory(pid);
  await using holder = startChild(ends.load, ["hold", via, `${plan.idle}`]);
  const perStream = async (): Promise<number> => (await residentMemory(pid) - before) / 1024 / plan.idle;
  await holder.readLine(HOLD_TIMEOUT);
  await delay(1_000);
  const idle = await perStream();
  await holder.write(`burst ${BURST}\n`);
  await holder.readLine(HOLD_TIMEOUT);
  await delay(plan.quiet);
  return { "memory-idle": idle, "memory-burst": await perStream() };
}
