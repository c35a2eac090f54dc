/** The proxy beside other relays: `deno task bench`. The head of load.c tells of the far ends. */
import { parseArgs } from "@std/cli/parse-args";
import { README, splitReadme } from "../tools/readme.ts";
import { CHARTED, drawChart } from "./chart.ts";
import { endDescendants } from "./child.ts";
import { measureDatagrams } from "./datagrams.ts";
import { goals, METRICS } from "./goals.ts";
import { heldGoal, measureHeld, measureMemory, measureProcess, measureStart } from "./holding.ts";
import { describeMachine, machineLine } from "./machine.ts";
import { measureLogins } from "./logins.ts";
import { measureRouter } from "./router.ts";
import { FULL, messageOf, QUICK, setUp, type Stage } from "./stage.ts";
import { goalRows, goalsTable, lossesText, mediansTable, readmeTable, type Report } from "./table.ts";
import { measureBulk, measureConnects, measureExchanges, measureGuard, measurePings } from "./transfers.ts";
import { DIRECT } from "./variants.ts";

/** Measures by name, with the beginnings of their metrics' names. */
const MEASURES: Readonly<Record<string, { run: (stage: Stage) => Promise<void>; metrics: readonly string[] }>> = {
  bulk: { run: measureBulk, metrics: ["bulk-", "cpu-"] },
  connects: { run: measureConnects, metrics: ["connects-"] },
  ping: { run: measurePings, metrics: ["ping-", "steady-"] },
  exchange: { run: measureExchanges, metrics: ["exchange-"] },
  datagrams: { run: measureDatagrams, metrics: ["udp-"] },
  memory: { run: measureMemory, metrics: ["memory-idle", "memory-burst"] },
  held: { run: measureHeld, metrics: ["held"] },
  start: { run: measureStart, metrics: ["start"] },
  guard: { run: measureGuard, metrics: ["guard-"] },
  logins: { run: measureLogins, metrics: ["login-"] },
  process: { run: measureProcess, metrics: ["memory-process"] },
  router: { run: measureRouter, metrics: ["router-"] },
};

const USAGE = `deno task bench [--quick] [--only NAME]... [--json FILE] [--svg FILE] [--readme]

--quick    fewer and smaller rounds, and no router: less than 2 minutes
--only     one of ${Object.keys(MEASURES).join(", ")}; repeatable
--json     writes everything that was measured
--svg      draws it
--readme   writes six rows into the README, and the picture to .github/bench.svg`;

/** Where the README's picture is, from the README. */
const PICTURE = ".github/bench.svg";

/** Milliseconds for tidying up after an abandoned run. */
const TIDY_TIMEOUT = 5_000;

/** Milliseconds when it ends, whatever happens. */
const DEADLINE = { quick: 300_000, full: 2_400_000 };

const given = parseArgs(Deno.args, {
  boolean: ["quick", "readme", "help"],
  string: ["only", "json", "svg"],
  collect: ["only"],
  unknown: (word) => usage(`"${word}" is not known`),
});
if (given["help"]) usage();
const only = [given["only"] ?? []].flat().map(String);
for (const name of only) if (!(name in MEASURES)) usage(`There is no measure "${name}"`);
const chosen = Object.entries(MEASURES).filter(([name]) => only.length === 0 || only.includes(name));
const plan = given["quick"] ? QUICK : FULL;

let abandoned: number | undefined;
const finished = Promise.withResolvers<void>();
const machine = await describeMachine();
console.log(machineLine(machine));
const stage = await setUp(plan, progress);
Deno.addSignalListener("SIGINT", () => void abandon(130));
Deno.addSignalListener("SIGTERM", () => void abandon(143));
const timer = setTimeout(() => {
  console.error("It did not end in time");
  void abandon(1);
}, given["quick"] ? DEADLINE.quick : DEADLINE.full);
try {
  for (const [name, { run }] of chosen) await tryMeasure(name, run);
} finally {
  clearTimeout(timer);
  finished.resolve();
}
// Whoever has abandoned it ends the process.
if (abandoned !== undefined) await new Promise(() => {});
await stage[Symbol.asyncDispose]();
const prefixes = chosen.flatMap(([, { metrics }]) => metrics);
const report: Report = {
  samples: stage.samples,
  goals: goals(await heldGoal(plan.held)),
  missing: stage.missing,
  metrics: Object.keys(METRICS).filter((metric) => prefixes.some((prefix) => metric.startsWith(prefix))),
  ceilings: [DIRECT],
};
console.log(`\n${goalsTable(report)}\n${mediansTable(report)}\n${lossesText(report)}`);
progress("done");
for (const problem of stage.problems) console.log(`PROBLEM: ${problem}`);
await write();
Deno.exit(0);

function progress(text: string): void {
  console.error(`${(performance.now() / 1000).toFixed(0).padStart(4)} s  ${text}`);
}

async function tryMeasure(name: string, run: (stage: Stage) => Promise<void>): Promise<void> {
  if (abandoned !== undefined) return;
  try {
    await run(stage);
  } catch (error) {
    if (abandoned === undefined) stage.problems.push(`${name}: ${messageOf(error)}`);
  }
}

/** Ends what was started; the measures then fail by themselves and tidy up, for a while. */
async function abandon(code: number): Promise<void> {
  if (abandoned !== undefined) return;
  abandoned = code;
  stage.abandon();
  await endDescendants();
  await Promise.race([finished.promise, new Promise((resolve) => setTimeout(resolve, TIDY_TIMEOUT))]);
  await stage[Symbol.asyncDispose]();
  Deno.exit(code);
}

async function write(): Promise<void> {
  const { samples, missing, problems } = stage;
  const line = machineLine(machine);
  const picture = drawChart(samples, line, CHARTED);
  if (given["json"]) {
    const numbers = Object.fromEntries([...samples].map(([metric, all]) => [metric, Object.fromEntries(all)]));
    const goals = goalRows(report);
    const everything = { machine, plan, goals, missing: Object.fromEntries(missing), problems, samples: numbers };
    await Deno.writeTextFile(String(given["json"]), `${JSON.stringify(everything, null, 2)}\n`);
  }
  if (given["svg"]) await Deno.writeTextFile(String(given["svg"]), picture);
  if (!given["readme"]) return;
  const file = new URL(PICTURE, `file://${README}`);
  await Deno.mkdir(new URL(".", file), { recursive: true });
  await Deno.writeTextFile(file, picture);
  const { front, behind } = splitReadme(await Deno.readTextFile(README), "bench");
  const text = `\n![Bars of the benchmark](${PICTURE})\n\n${line}.\n\n${readmeTable(report)}\n`;
  await Deno.writeTextFile(README, front + text + behind);
}

function usage(problem?: string): never {
  console.error(problem === undefined ? USAGE : `${problem}\n\n${USAGE}`);
  Deno.exit(problem === undefined ? 0 : 2);
}
