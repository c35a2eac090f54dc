/** Clients of all kinds and faults at random, and a look at what is left of them: `deno task soak`. */
import { parseArgs } from "@std/cli/parse-args";
import { parseDuration } from "../../lib/config/duration.ts";
import { megabytes } from "./meter.ts";
import { programs, runState, STATES } from "./states.ts";
import { type QuietReading, soak, type SoakReport } from "./soak.ts";

/** Milliseconds after the duration when the soak ends, whatever happens. */
const GRACE = 30_000;

/** Each state of the program takes this part of the duration. */
const STATES_SHARE = 10;

/** Ways to leak, one for each client. */
const LEAKS: Readonly<Record<string, (leaked: unknown[]) => void>> = {
  nothing: () => {},
  descriptor: (leaked) => void leaked.push(Deno.listen({ hostname: "127.0.0.1", port: 0 })),
  timer: (leaked) => void leaked.push(setTimeout(() => {}, 3_600_000)),
  memory: (leaked) => void leaked.push(new Array(50_000).fill(leaked.length)),
};

const flags = parseArgs(Deno.args, {
  string: ["seed", "duration", "round", "leak", "states"],
  unknown: (flag) => {
    throw new TypeError(
      `Cannot read "${flag}": usage: [--seed N] [--duration 2m] [--round 8s] [--leak WHAT] [--states NAMES]`,
    );
  },
});
const flag = (name: string, fallback: string): string => String(flags[name] ?? fallback);

const seed = Number(flag("seed", String(Math.floor(Math.random() * 1e6))));
const duration = parseDuration(flag("duration", "2m"));
const leak = LEAKS[flag("leak", "nothing")];
if (leak === undefined) throw new TypeError(`--leak is one of ${Object.keys(LEAKS).join(", ")}`);
if (!Number.isInteger(seed)) throw new TypeError("--seed is a whole number");
const leaked: unknown[] = [];

console.log(`seed ${seed}\n`);
const watchdog = setTimeout(() => {
  console.log("\nPROBLEM: It did not end");
  Deno.exit(1);
}, duration + GRACE);

printRow("at", "clients", "descriptors", "timers", "heap MB", "memory MB");
const report = await soak({
  seed,
  duration,
  round: parseDuration(flag("round", "8s")),
  onReading: printReading,
  afterClient: () => leak(leaked),
});
clearTimeout(watchdog);
printReport(report);
const isWell = await soakStates(flag("states", Object.keys(STATES).join(",")), duration / STATES_SHARE);
Deno.exit(report.problems.length === 0 && isWell ? 0 : 1);

/** Puts the program into states, each for some milliseconds: whether it was well in all of them. */
async function soakStates(names: string, milliseconds: number): Promise<boolean> {
  if (names === "none") return true;
  console.log("\nstates: replies owed and given, descriptors before and after, milliseconds from SIGTERM to the end");
  let owed = 0;
  let given = 0;
  let isWell = true;
  for (const name of names.split(",")) {
    for (const program of Object.entries(programs())) {
      const report = await runState(name, program, milliseconds);
      owed += report.owed;
      given += report.given;
      isWell &&= report.problems.length === 0;
      const [before, after] = report.descriptors;
      printRow(report.owed, report.given, before, after, Math.round(report.end), `  ${report.name}`);
      for (const problem of report.problems) console.log(`\nPROBLEM: ${report.name}: ${problem}`);
    }
  }
  console.log(`\n${owed} replies were owed, ${given} given`);
  return isWell;
}

function printReading({ at, clients, descriptors, timers, heap, rss }: QuietReading): void {
  printRow(
    `${Math.round(at / 1000)} s`,
    clients,
    descriptors ?? "?",
    timers,
    heap === undefined ? "?" : megabytes(heap),
    megabytes(rss),
  );
}

function printReport({ clients, faults, counters, problems, log }: SoakReport): void {
  console.log(`\nclients\n${clients.lines().join("\n")}`);
  console.log(`\nfaults\n${faults.lines().join("\n")}`);
  console.log(`\ncounters of the proxy\n  ${Object.entries(counters).map((pair) => pair.join(" ")).join(", ")}`);
  if (problems.length > 0) console.log(`\nlast lines of the log\n${log.join("\n")}`);
  for (const problem of problems) console.log(`\nPROBLEM: ${problem}`);
  if (problems.length === 0) console.log("\nflat");
}

function printRow(...cells: (string | number)[]): void {
  console.log(cells.map((cell) => String(cell).padStart(12)).join(""));
}
