/** The behaviours of the program with each router that there is: one table. `--help` says how routers are named. */
import { parseArgs } from "@std/cli/parse-args";
import config from "../../deno.json" with { type: "json" };
import { PROJECT } from "../support/command.ts";
import { findProgram } from "../support/e2e.ts";
import { type Behaviour, type Patience, Stage } from "./behaviour.ts";
import { BEHAVIOURS } from "./behaviours/all.ts";
import { emissaryVersion, startEmissary } from "./emissary.ts";
import { i2pdVersion, startI2pd } from "./i2pd.ts";
import { javaJars, javaVersion, startJava } from "./java.ts";
import { isInside, runInside } from "./namespace.ts";
import { message, type Router, seconds, since, within } from "./router.ts";
import { type Column, describeCell, describeTable, record, type Report } from "./table.ts";
import { startWeb, type Web } from "./web.ts";

/** What the manual says of routers. */
const MANUAL_FILE = `${PROJECT}lib/command/routers.json`;

/** Networks that a router may need until its services are found. */
const STARTS = 3;

const HELP = `Usage: deno task routers [OPTIONS]

Runs the program with each router that there is, and prints one table of what was
seen. Everything happens in a network namespace without a way out, which needs
Linux with unshare and ip, and leave to make namespaces.

Routers:
  --i2pd PATH        A binary of i2pd; repeatable
                     [default: i2pd of PATH; env: I2P_SOCKS_ROUTERS_I2PD, with :]
  --java DIR         A folder of Java I2P, installed or built; needs java
                     [env: I2P_SOCKS_ROUTERS_JAVA]
  --emissary PATH    A binary of emissary-cli [default: the one that
                     tests/routers/install_emissary.sh has installed; env:
                     I2P_SOCKS_ROUTERS_EMISSARY]
  --router WORD      Only routers whose name has this word; repeatable
  --hops             Each i2pd also as a network of six with two hops

What is looked at:
  --only NAME        This behaviour; repeatable, with commas
  --repeat N         Runs of what goes wrong at times only [default: 2]
  --silence SECONDS  Silence in the middle of a stream [default: 180]
  --limit SECONDS    For one behaviour [default: 900]
  --list             Names the behaviours and what they promise

What comes out:
  --json FILE        Write all of it as JSON
  --markdown FILE    Write the table
  --record           Put it into the manual, in the place of what was seen of the
                     same routers and behaviours before

i2pd 2.45.1 is Debian 12's package. A newer i2pd: build it from its sources by its
own instructions, optimised (a debug build is ten times slower and runs into time
limits). Java I2P: its installer makes such a folder; built from its sources by its
own instructions, give the folder of the sources.

Exit code: 0 if all is as promised, 1 if something is not.`;

const parsed = parseArgs([...Deno.args], {
  string: ["router", "i2pd", "java", "emissary", "only", "repeat", "silence", "limit", "json", "markdown"],
  boolean: ["hops", "help", "list", "record"],
  collect: ["router", "i2pd", "only"],
  unknown: (word) => {
    console.error(`Unknown option ${word}; see --help`);
    Deno.exit(2);
  },
});

const text = (name: string): string | undefined => {
  const value = parsed[name];
  return typeof value === "string" ? value : undefined;
};
const texts = (name: string): string[] => {
  const value = parsed[name];
  return Array.isArray(value) ? value.map(String) : [];
};
const given = {
  routers: texts("router").map((word) => word.toLowerCase()),
  i2pd: texts("i2pd"),
  java: text("java"),
  emissary: text("emissary"),
  only: texts("only").flatMap((words) => words.split(",")),
  repeat: Number(text("repeat") ?? 2),
  silence: Number(text("silence") ?? 180) * 1000,
  limit: Number(text("limit") ?? 900) * 1000,
  json: text("json"),
  markdown: text("markdown"),
  record: parsed["record"] === true,
  hops: parsed["hops"] === true,
  help: parsed["help"] === true,
  list: parsed["list"] === true,
};

if (given.help) {
  console.log(HELP);
} else if (given.list) {
  for (const { name, promise } of BEHAVIOURS) console.log(`${name.padEnd(16)} ${promise}`);
} else if (isInside()) {
  Deno.exit(await runSuite());
} else {
  Deno.exit(await runInside(Deno.args));
}

/** A router that may be there. */
interface Candidate {
  label: string;
  /** Why it is not. */
  missing?: string;
  start(dir: string, web: Web): Promise<Router>;
}

async function runSuite(): Promise<number> {
  const names = given.only;
  const unknown = names.filter((name) => !BEHAVIOURS.some((behaviour) => behaviour.name === name));
  if (unknown.length > 0) {
    console.error(`No behaviour ${unknown.join(", ")}; see --list`);
    return 2;
  }
  // What is left of a behaviour that was given up may fail later.
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    console.error(`Left behind: ${message(event.reason)}`);
  });
  const behaviours = BEHAVIOURS.filter(({ name }) => names.length === 0 || names.includes(name));
  const patience = { repeat: given.repeat, silence: given.silence };
  const report: Report = {
    program: config.version,
    promises: Object.fromEntries(BEHAVIOURS.map(({ name, promise }) => [name, promise])),
    columns: [],
  };
  for (const candidate of await findRouters()) {
    report.columns.push(await look(candidate, behaviours, patience));
    if (given.json !== undefined) await Deno.writeTextFile(given.json, JSON.stringify(report, undefined, 2) + "\n");
    if (given.record) await recordIn(MANUAL_FILE, report);
    if (given.markdown !== undefined) await Deno.writeTextFile(given.markdown, describeTable(report) + "\n");
  }
  console.log(describeTable(report));
  const cells = report.columns.flatMap(({ cells }) => Object.values(cells));
  return cells.length > 0 && cells.every(({ ok }) => ok !== false) ? 0 : 1;
}

/** Puts what was seen into the manual. */
async function recordIn(file: string, report: Report): Promise<void> {
  const before = JSON.parse(await Deno.readTextFile(file));
  await Deno.writeTextFile(file, `${JSON.stringify(record(before, report), undefined, 2)}\n`);
}

/** All routers that are named, and those that are there unnamed. */
async function findRouters(): Promise<Candidate[]> {
  const i2pd = await findI2pd();
  const all = [
    ...i2pd.length === 0 ? [absent("i2pd", "not installed, and not named by --i2pd")] : [],
    ...i2pd.flatMap(({ program, version }) => [
      candidate(`i2pd ${version}`, (dir, web) => startI2pd(program, version, dir, web, { hops: 0 })),
      ...given.hops
        ? [candidate(`i2pd ${version}, 2 hops`, (dir, web) => startI2pd(program, version, dir, web, { hops: 2 }))]
        : [],
    ]),
    await findJava(),
    await findEmissary(),
  ];
  const isMeant = ({ label }: Candidate): boolean =>
    given.routers.length === 0 || given.routers.some((word) => label.toLowerCase().includes(word));
  return all.filter(isMeant);
}

interface Binary {
  program: string;
  version: string;
}

async function findI2pd(): Promise<Binary[]> {
  const named = given.i2pd.length > 0
    ? given.i2pd
    : Deno.env.get("I2P_SOCKS_ROUTERS_I2PD")?.split(":") ?? [findProgram("i2pd") ?? []].flat();
  return await Promise.all(named.map(async (program) => ({ program, version: await versionOf(program, i2pdVersion) })));
}

async function findJava(): Promise<Candidate> {
  const folder = given.java ?? Deno.env.get("I2P_SOCKS_ROUTERS_JAVA");
  if (folder === undefined) return absent("Java I2P", "no folder is named by --java");
  if (findProgram("java") === undefined) return absent("Java I2P", "java is not installed");
  if (javaJars(folder).length === 0) {
    return absent("Java I2P", `${folder} has no jars of the router, SAM and I2PTunnel`);
  }
  const version = await javaVersion(folder);
  return candidate(`Java I2P ${version}`, (dir, web) => startJava(folder, version ?? "", dir, web));
}

async function findEmissary(): Promise<Candidate> {
  const cache = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`;
  const program = given.emissary ?? Deno.env.get("I2P_SOCKS_ROUTERS_EMISSARY") ??
    `${cache}/i2p-socks/emissary/bin/emissary-cli`;
  const isThere = await Deno.stat(program).then(({ isFile }) => isFile, () => false);
  if (!isThere) return absent("emissary", "tests/routers/install_emissary.sh installs it");
  const version = await versionOf(program, emissaryVersion);
  return candidate(`emissary ${version}`, (dir, web) => startEmissary(program, version, dir, web));
}

async function versionOf(program: string, ask: (program: string) => Promise<string | undefined>): Promise<string> {
  const version = await ask(program).catch(() => undefined);
  if (version !== undefined) return version;
  console.error(`${program} does not say which version it is`);
  Deno.exit(2);
}

function candidate(label: string, start: Candidate["start"]): Candidate {
  return { label, start };
}

function absent(label: string, missing: string): Candidate {
  return { label, missing, start: () => Promise.reject(new Error(missing)) };
}

async function look(candidate: Candidate, behaviours: readonly Behaviour[], patience: Patience): Promise<Column> {
  const column: Column = { router: candidate.label, date: new Date().toISOString().slice(0, 10), cells: {} };
  if (candidate.missing !== undefined) return { ...column, missing: candidate.missing };
  console.error(`${candidate.label}: starts`);
  const start = performance.now();
  const dir = await Deno.makeTempDir({ prefix: "i2p-socks-routers-" });
  try {
    await using web = startWeb();
    await using router = await startUp(candidate, dir, web);
    console.error(`${candidate.label}: the site is reached after ${seconds(since(start))}`);
    await using stage = new Stage(router, web, dir, patience);
    for (const behaviour of behaviours) {
      const seen = await lookAt(behaviour, stage);
      column.cells[behaviour.name] = seen;
      console.error(`${candidate.label}: ${behaviour.name.padEnd(16)} ${describeCell(seen)}`);
    }
  } catch (error) {
    console.error(`${candidate.label}: ${message(error)}`);
    column.missing = message(error);
  } finally {
    await Deno.remove(dir, { recursive: true }).catch(() => {});
  }
  return column;
}

/** Starts a router; once more in a new network where its services were not found, which happens. */
async function startUp(candidate: Candidate, dir: string, web: Web): Promise<Router> {
  for (let attempt = 1;; attempt++) {
    const place = `${dir}/${attempt}`;
    await Deno.mkdir(place);
    try {
      return await candidate.start(place, web);
    } catch (error) {
      if (attempt === STARTS) throw error;
      console.error(`${candidate.label}: starts again: ${message(error)}`);
    }
  }
}

/** Runs one behaviour, with a router that is there: one that has ended by itself is told, and started again. */
async function lookAt(behaviour: Behaviour, stage: Stage): Promise<Column["cells"][string]> {
  const { router } = stage;
  const crashes: string[] = [];
  const revive = async (when: string): Promise<void> => {
    const how = router.crashed();
    if (how === undefined) return;
    crashes.push(`the router ended by itself ${when} (${how})`);
    await router.start();
  };
  await revive("before");
  const seen = await within(given.limit, behaviour.name, behaviour.run(stage)).catch((error) => ({
    ok: false,
    words: message(error).slice(0, 300),
  }));
  await revive("meanwhile");
  return crashes.length === 0 ? seen : { ...seen, words: [seen.words, ...crashes].join("; ") };
}
