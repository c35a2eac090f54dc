import { assert, assertEquals } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { COVERS } from "./map.ts";
import { PROJECT } from "./support/command.ts";
import { README } from "./tools/readme.ts";

/** Rooms of lib from top to bottom. Imports run downwards, or within a line one way only. */
const FLOORS: readonly (readonly string[])[] = [
  ["cli"],
  ["audit", "manual"],
  ["server"],
  ["proxy"],
  ["command", "identity", "relay"],
  ["config", "reasons"],
  ["sam", "guard", "keys", "status"],
  ["report", "socks", "i2p", "io", "templates"],
];

/** A source file of lib. */
interface Source {
  /** Its path inside lib. */
  path: string;
  /** The folder of lib that it is in. */
  room: string;
  /** Its lines but those of comments, which may name what code may not use. */
  code: string;
  /** What it imports, as written. */
  specifiers: string[];
  /** Files of lib that it imports, as paths inside lib. */
  imports: string[];
}

const sources = await readSources();

Deno.test("the top level holds nothing else", async () => {
  const allowed = ["LICENSE", "README.md", "deno.json", "deno.lock", "lib", "main.ts", "tests"];
  const ignored = (await Deno.readTextFile(`${PROJECT}.gitignore`)).split("\n").map((line) => line.replaceAll("/", ""));
  const others: string[] = [];
  for await (const { name } of Deno.readDir(PROJECT)) {
    if (!name.startsWith(".") && ![...allowed, "findings", ...ignored].includes(name)) others.push(name);
  }
  assertEquals(others, []);
  for (const name of allowed) await Deno.stat(PROJECT + name);
});

Deno.test("main.ts is a front door", async () => {
  const main = await Deno.readTextFile(`${PROJECT}main.ts`);
  assert(main.split("\n").length < 40);
  assertEquals(specifiersOf(main), ["./lib/cli/run.ts"]);
});

Deno.test("every file of lib is in a room that has its floor", () => {
  assertEquals(sources.filter(({ room }) => floorOf(room) < 0).map(({ path }) => path), ["std.d.ts"]);
});

Deno.test("imports run downwards", () => {
  const upwards: string[] = [];
  const sideways = new Set<string>();
  for (const { from, to, room, target } of crossings()) {
    if (floorOf(target) < floorOf(room)) upwards.push(`${from} imports ${to}`);
    if (floorOf(target) === floorOf(room)) sideways.add(`${room} ${target}`);
  }
  assertEquals(upwards, []);
  assertEquals([...sideways].filter((pair) => sideways.has(pair.split(" ").reverse().join(" "))), []);
});

Deno.test("SOCKS and SAM know nothing of each other, and only proxy, reasons and the manual know both", () => {
  const importers = crossings().filter(({ target }) => target === "socks").map(({ from }) => from);
  const others = importers.filter((path) => !/^(proxy|reasons|manual)\//.test(path));
  assertEquals([...new Set(others)], ["command/connect_via.ts"], "but the client of a proxy that is running");
  assertEquals(crossings().filter(({ room, target }) => room === "sam" && target === "socks"), []);
  assertEquals(crossings().filter(({ room }) => room === "socks"), [], "SOCKS knows nothing of I2P either");
});

Deno.test("no file imports itself, on whatever way round", () => {
  for (const { path } of sources) {
    const reached = new Set<string>();
    const queue = importsOf(path);
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (reached.has(next)) continue;
      reached.add(next);
      queue.push(...importsOf(next));
    }
    assert(!reached.has(path), `${path} imports itself: ${[...reached].join(", ")}`);
  }
});

Deno.test("lib imports its own files and what deno.json names", () => {
  const known = Object.keys(config.imports);
  // Data may name anything.
  for (const { path, specifiers, code } of sources.filter((source) => !source.path.endsWith(".json"))) {
    const others = specifiers.filter((specifier) => !/^\.\.?\//.test(specifier) && !known.includes(specifier));
    assertEquals(path === "std.d.ts" ? [] : others, [], path);
    assert(!/\bimport\s*\(\s*[^\s"]/.test(code) && !/\brequire\s*\(/.test(code), `${path} imports what is not named`);
    assert(!/["'`](node|npm|jsr|https?):/.test(code.replaceAll(/http:\/\/(127\.0\.0\.1|\[)/g, "")), `${path}: remote`);
  }
  const outside = sources.flatMap(({ imports }) => imports).filter((to) => !sources.some(({ path }) => path === to));
  assertEquals([...new Set(outside)], ["../deno.json"]);
});

Deno.test("only cli and command speak to the terminal, and only main.ts ends the process", () => {
  for (const { path, room, code } of sources) {
    const mayTalk = room === "cli" || room === "command";
    const talk = /\bconsole\s*[.[]|\bDeno\s*\.\s*(stdout|stderr|stdin)\b|\b(alert|confirm|prompt)\(/.exec(code);
    assert(mayTalk || talk === null, `${path}: ${talk?.[0]}`);
    assert(mayTalk || !/\bDeno\s*\.\s*(exit|exitCode)\b/.test(code), `${path} ends the process`);
    // The runtime checks the resolver's address, not the name: see deno.json.
    assert(!/resolveDns/.test(code), `${path} resolves names`);
    assert(!/\bDeno\s*\[|\bglobalThis\b/.test(code), `${path} hides what it uses of the runtime`);
  }
});

Deno.test("the README says where things are, for each room of lib", async () => {
  const readme = await Deno.readTextFile(README);
  const listed = [...readme.matchAll(/^lib\/(\w+) {2,}\S/gm)].map(([, room = ""]) => room);
  const rooms = new Set(sources.filter(({ path }) => path !== "std.d.ts").map(({ room }) => room));
  assertEquals(listed.toSorted(), [...rooms].sort());
  const floors = listed.map(floorOf);
  assertEquals(floors, floors.toSorted((a, b) => a - b), "the list runs from top to bottom");
});

Deno.test("each room of lib says on one small page what it promises, and holds at most 31 files", async () => {
  for (const room of FLOORS.flat()) {
    const lines = (await Deno.readTextFile(`${PROJECT}lib/${room}/README.md`)).trimEnd().split("\n");
    assertEquals([lines[0], lines.length <= 8], [`# ${room}`, true], room);
    const files = await Array.fromAsync(Deno.readDir(`${PROJECT}lib/${room}`));
    assert(files.length <= 31, room);
  }
});

Deno.test("lib is in plain English: one word for one thing, and none that a reader has to look up", async () => {
  const odd = /\banew\b|\bfares?\b|\btakes? the story\b|\bMakes the error\b|\bis told of each\b|\btakes its time\b/i;
  const found: string[] = [];
  for (const { path } of await readSources()) {
    const lines = (await Deno.readTextFile(`${PROJECT}lib/${path}`)).split("\n");
    lines.forEach((line, i) => odd.test(line) && found.push(`lib/${path}:${i + 1}: ${line.trim()}`));
  }
  assertEquals(found, []);
});

Deno.test("each file of lib has a test of its name in its room, or tests/map.ts names another one, and one only", async () => {
  const tests = await listTests();
  const mapped = Object.entries(COVERS).flatMap(([test, files]) => files.map((file) => ({ test, file })));
  const problems = mapped.filter(({ file }) => !sources.some(({ path }) => path === file))
    .map(({ file }) => `${file} is in the map, and not in lib`);
  problems.push(...Object.keys(COVERS).filter((test) => !tests.has(test)).map((test) => `There is no tests/${test}`));
  for (const { path } of sources.filter(({ path }) => path !== "std.d.ts")) {
    const own = path.replace(/\.ts$/, "_test.ts");
    const count = mapped.filter(({ file }) => file === path).length + (tests.has(own) ? 1 : 0);
    if (count !== 1) problems.push(`${path} has ${count} tests: tests/${own}, or a line of tests/map.ts`);
  }
  // What starts the program reaches all of it; any other test has to import what it stands for.
  for (const { test, file } of mapped.filter(({ test }) => !/^(process|scripts|e2e)\//.test(test) && tests.has(test))) {
    if (!(await reachedFrom(`tests/${test}`)).has(`lib/${file}`)) problems.push(`tests/${test} never imports ${file}`);
  }
  assertEquals(problems, []);
});

/** Imports from one room into another. */
function crossings(): { from: string; to: string; room: string; target: string }[] {
  return sources.flatMap(({ path, room, imports }) =>
    imports.filter((to) => !to.startsWith("../")).map((to) => ({ from: path, to, room, target: roomOf(to) }))
      .filter(({ target }) => target !== room)
  );
}

function importsOf(path: string): string[] {
  return [...sources.find((source) => source.path === path)?.imports ?? []];
}

/** The floor of a room, counted from the top; -1 for one that has none. */
function floorOf(room: string): number {
  return FLOORS.findIndex((floor) => floor.includes(room));
}

function roomOf(path: string): string {
  return path.split("/").slice(0, -1).join("/");
}

function specifiersOf(code: string): string[] {
  return [...code.matchAll(/(?<!["'])\b(?:from|import|module)\s*\(?\s*["']([^"'\n]+)["']/g)].map(([, specifier = ""]) =>
    specifier
  );
}

async function readSources(): Promise<Source[]> {
  const root = `${PROJECT}lib/`;
  const found: Source[] = [];
  const folders = [""];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for await (const { name, isDirectory } of Deno.readDir(root + folder)) {
      const path = folder + name;
      if (name === "README.md") continue;
      if (isDirectory) {
        folders.push(`${path}/`);
        continue;
      }
      const text = await Deno.readTextFile(root + path);
      const code = text.split("\n").filter((line) => !/^\s*(\/\/|\/?\*)/.test(line)).join("\n");
      const specifiers = specifiersOf(code);
      const imports = specifiers.filter((specifier) => specifier.startsWith(".")).map((specifier) =>
        resolve(path, specifier)
      );
      found.push({ path, room: roomOf(path), code, specifiers, imports });
    }
  }
  return found.sort((a, b) => a.path < b.path ? -1 : 1);
}

/** The path inside lib, with `../` in front if it leads out. */
function resolve(path: string, specifier: string): string {
  const { pathname } = new URL(specifier, `file:///project/lib/${path}`);
  return pathname.startsWith("/project/lib/")
    ? pathname.slice("/project/lib/".length)
    : pathname.replace("/project/", "../");
}

/** Tests and scripts, as paths inside tests. */
async function listTests(): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const { name: folder, isDirectory } of Deno.readDir(`${PROJECT}tests`)) {
    if (!isDirectory) continue;
    for await (const { name } of Deno.readDir(`${PROJECT}tests/${folder}`)) {
      if (/_test\.ts$|\.txt$/.test(name)) found.add(`${folder}/${name}`);
    }
  }
  return found;
}

/** A file of the project and all that it imports, directly or not. */
async function reachedFrom(file: string): Promise<Set<string>> {
  const reached = new Set<string>();
  const queue = [file];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (reached.has(next)) continue;
    reached.add(next);
    if (!next.endsWith(".ts")) continue;
    const from = next;
    const specifiers = specifiersOf(await Deno.readTextFile(PROJECT + from)).filter((one) => one.startsWith("."));
    queue.push(...specifiers.map((one) => new URL(one, `file:///${from}`).pathname.slice(1)));
  }
  return reached;
}
