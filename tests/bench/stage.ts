import { runCommand } from "../support/command.ts";
import { findProgram } from "../support/e2e.ts";
import { makeScratch } from "../support/scratch.ts";
import { startChild } from "./child.ts";
import { METRICS } from "./goals.ts";
import { addSample, type Samples } from "./statistics.ts";
import { choosePort, type FarEnds, startVariant, type Variant, VARIANTS } from "./variants.ts";

/** How much is done. */
export interface Plan {
  /** Rounds of a measure. */
  rounds: number;
  /** Bytes of a bulk transfer, over all its streams. */
  bulkBytes: number;
  /** Connections of one measure of connects. */
  connects: number;
  /** Milliseconds of one measure of round trips. */
  pings: number;
  /** Round trips of two writes and one answer. */
  exchanges: number;
  /** Datagrams of a flood, and of what goes at a rate. */
  datagrams: number;
  /** Rounds of requests with the leak guard and without. */
  guardRounds: number;
  /** Rounds of new logins in front of a double. */
  logins: number;
  /** Idle streams while memory is read. */
  idle: number;
  /** Milliseconds of quiet before memory is read again after a burst. */
  quiet: number;
  /** Starts of the process. */
  starts: number;
  /** Most idle streams that are tried. */
  held: number;
  /** Whether a real router takes part. */
  router: boolean;
}

/** The plan without `--quick`: less than 15 minutes. */
export const FULL: Plan = {
  rounds: 5,
  bulkBytes: 1_000_000_000,
  connects: 2_000,
  pings: 2_000,
  exchanges: 50,
  datagrams: 20_000,
  guardRounds: 120,
  logins: 5,
  idle: 5_000,
  quiet: 10_000,
  starts: 10,
  held: 10_000,
  router: true,
};

/** The plan of `--quick`: less than 2 minutes. */
export const QUICK: Plan = {
  ...FULL,
  rounds: 3,
  bulkBytes: 160_000_000,
  connects: 400,
  pings: 400,
  exchanges: 8,
  datagrams: 2_500,
  guardRounds: 30,
  logins: 1,
  idle: 2_000,
  quiet: 2_000,
  starts: 5,
  router: false,
};

/** All that measures share. */
export interface Stage extends AsyncDisposable {
  /** How much is done. */
  readonly plan: Plan;
  /** The far ends. */
  readonly ends: FarEnds;
  /** The variants that run. */
  readonly variants: readonly Variant[];
  /** What was measured. */
  readonly samples: Samples;
  /** Why a variant or a measure is missing, by its name. */
  readonly missing: Map<string, string>;
  /** What went wrong, one sentence each. */
  readonly problems: string[];
  /** Lets no more attempts begin: they throw. */
  abandon(): void;
  /** Tells people how far it is. */
  say(text: string): void;
  /** Runs the load generator to its end. */
  load(...words: (string | number)[]): Promise<Record<string, number>>;
  /** Takes what an attempt measured of a variant; a failure is noted, and the variant started again if it has ended. */
  attempt(variant: Variant, run: () => Promise<Record<string, number>>): Promise<void>;
}

/** Milliseconds of one run of the load generator. */
const RUN_TIMEOUT = 70_000;

/** Compiles and starts everything. Without a C compiler there are no far ends and no variants. */
export async function setUp(plan: Plan, say: (text: string) => void): Promise<Stage> {
  await using started = new AsyncDisposableStack();
  const samples: Samples = new Map();
  const [missing, problems] = [new Map<string, string>(), [] as string[]];
  const scratch = started.use(await makeScratch());
  const ends: FarEnds = { load: `${scratch.dir}/load`, plain: choosePort(), sam: choosePort(), scratch };
  const variants: Variant[] = [];
  const reason = await compile(ends.load);
  if (reason === undefined) {
    const service = started.use(startChild(ends.load, ["serve", `${ends.plain}`, `${ends.sam}`]));
    await service.readLine(10_000);
  }
  for (const name of VARIANTS) {
    try {
      if (reason !== undefined) throw new Error(reason);
      variants.push(started.use(await startVariant(name, ends)));
    } catch (error) {
      missing.set(name, messageOf(error));
      say(`${name} is missing: ${messageOf(error)}`);
    }
  }
  const load = async (...words: (string | number)[]): Promise<Record<string, number>> => {
    const { code, stdout, stderr } = await runCommand(ends.load, words.map(String), { timeout: RUN_TIMEOUT });
    if (code !== 0) throw new Error(`${words[0]}: ${stderr.trim() || `exit code ${code}`}`);
    return JSON.parse(stdout);
  };
  let isAbandoned = false;
  const attempt: Stage["attempt"] = async (variant, run) => {
    if (isAbandoned) throw new Error("abandoned");
    try {
      for (const [metric, value] of Object.entries(await run())) {
        if (metric in METRICS) addSample(samples, metric, variant.name, value);
      }
    } catch (error) {
      if (isAbandoned) throw error;
      problems.push(`${variant.name}: ${messageOf(error)}`);
      say(`  ${variant.name}: ${messageOf(error)}`);
      await variant.revive().catch((cause) =>
        problems.push(`${variant.name} does not start again: ${messageOf(cause)}`)
      );
    }
  };
  const everything = started.move();
  const end = (): Promise<void> => everything.disposeAsync();
  const abandon = (): void => void (isAbandoned = true);
  return { plan, ends, variants, samples, missing, problems, abandon, say, load, attempt, [Symbol.asyncDispose]: end };
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Compiles the far ends: why not, or undefined. */
async function compile(output: string): Promise<string | undefined> {
  const compiler = findProgram("cc");
  if (compiler === undefined) return "there is no C compiler";
  const source = new URL("load.c", import.meta.url).pathname;
  const { code, stderr } = await runCommand(compiler, ["-O2", "-pthread", "-o", output, source], { timeout: 60_000 });
  return code === 0 ? undefined : `load.c does not compile: ${stderr.split("\n", 1)[0]}`;
}
