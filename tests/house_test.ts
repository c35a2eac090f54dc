import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { OWN_ADDRESS_TIMEOUT } from "../lib/cli/check.ts";
import { ExitCode } from "../lib/command/exit_code.ts";
import { MAX_PASSWORD_FILE } from "../lib/command/input_files.ts";
import { LOOKUP_TIMEOUT } from "../lib/cli/lookup.ts";
import { OPTION_TABLE, OPTIONS } from "../lib/config/options.ts";
import { DRAIN_TIMEOUT } from "../lib/server/applications.ts";
import { MAX_STATUS_HEAD, MAX_STATUS_REQUESTS, STATUS_TIMEOUT } from "../lib/status/server.ts";
import { MAX_DURATION } from "../lib/config/duration.ts";
import { MIN_RANGE_BITS } from "../lib/config/address_range.ts";
import { MAX_CONFIG_FILE } from "../lib/config/file.ts";
import { MAX_HOSTS_FILE } from "../lib/config/hosts.ts";
import { MAX_AUTH_FILE } from "../lib/config/login_book.ts";
import { MAX_SESSION_OPTIONS } from "../lib/config/session_options.ts";
import { readSettings } from "../lib/config/settings.ts";
import { MAX_LABEL } from "../lib/config/values.ts";
import { INSPECTED, INSPECTED_RECEIVED } from "../lib/guard/detector.ts";
import { LEAKS } from "../lib/guard/leak.ts";
import { MAX_SECRETS_FILE, MIN_SECRET } from "../lib/guard/secrets.ts";
import { MAX_NAME_LENGTH } from "../lib/i2p/address.ts";
import { LINGER } from "../lib/io/conn.ts";
import { MAX_IDENTITY_NAME, MAX_KEY_FILE } from "../lib/keys/key_store.ts";
import { REASONS } from "../lib/reasons/reasons.ts";
import { RETRY_FIRST, RETRY_MAX } from "../lib/identity/backoff.ts";
import { LARGE_BUFFER, MAX_LARGE_BUFFERS, MAX_MEDIUM_BUFFERS, MEDIUM_BUFFER } from "../lib/relay/buffer_pool.ts";
import { CALLER_REFUSALS } from "../lib/reasons/caller_refusals.ts";
import { MAX_ASSOCIATIONS } from "../lib/proxy/datagram_pool.ts";
import {
  DESTINATION_AGE,
  MAX_DESTINATIONS,
  MAX_LOOKUPS,
  RESOLVE_TIMEOUT,
  UNKNOWN_AGE,
} from "../lib/identity/destination_cache.ts";
import { HALF_CLOSED_TIMEOUT } from "../lib/relay/half_closed.ts";
import { IN_USE_TIMEOUT, REUSE_DELAY } from "../lib/identity/identity.ts";
import { SERVICE_TIMEOUT } from "../lib/proxy/forward.ts";
import { MAX_COOKIES } from "../lib/proxy/leak_watch.ts";
import { MAX_SURPLUS } from "../lib/proxy/admission.ts";
import { MAPPING_EXPIRY, MAX_MAPPED_NAMES, MAX_MAPPING_GROUPS } from "../lib/proxy/name_map.ts";
import { LOST_GRACE } from "../lib/relay/relay.ts";
import { LEAST_QUEUED, MAX_QUEUED } from "../lib/io/datagrams.ts";
import { MAX_MAPPING_LEASES } from "../lib/proxy/mapping_leases.ts";
import { MAX_PEERS, MAX_WAITING } from "../lib/proxy/associate.ts";
import { MAX_AUDITED } from "../lib/report/audit_book.ts";
import { METRICS, PROCESS_METRICS } from "../lib/status/metrics.ts";
import { MAX_DATAGRAM } from "../lib/sam/datagrams.ts";
import { GENERATE_TIMEOUT } from "../lib/sam/generate.ts";
import { LINE_BUFFER, MAX_SAM_LINE } from "../lib/sam/line_reader.ts";
import { SESSION_TIMEOUT } from "../lib/sam/session.ts";
import { SAM_HELLO_TIMEOUT } from "../lib/sam/socket.ts";
import { MAX_WARM, WARM_AGE } from "../lib/sam/warm_sockets.ts";
import { MAX_HANDSHAKE } from "../lib/socks/handshake.ts";
import { MAX_SOCKS4_FIELD } from "../lib/socks/socks4.ts";
import { COVERS } from "./map.ts";
import { PROJECT } from "./support/command.ts";
import { generate, PARTS, README, splitReadme, tableUnder } from "./tools/readme.ts";

/** Rooms of lib from top to bottom. Imports run downwards, or within a line one way only. */
const FLOORS: readonly (readonly string[])[] = [
  ["cli"],
  ["manual"],
  ["server"],
  ["proxy"],
  ["command", "identity", "relay"],
  ["config", "reasons"],
  ["sam", "guard", "keys", "status"],
  ["report", "socks", "i2p", "io"],
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

Deno.test("SOCKS and SAM know nothing of each other, and only proxy and reasons know both", () => {
  const importers = crossings().filter(({ target }) => target === "socks").map(({ from }) => from);
  const others = importers.filter((path) => !/^(proxy|reasons)\//.test(path));
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
  for (const { path, specifiers, code } of sources) {
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

Deno.test("the README's generated tables are those that `deno task readme` writes", async () => {
  const readme = await Deno.readTextFile(README);
  for (const part of Object.keys(PARTS)) assertEquals(splitReadme(readme, part).generated, generate(part), part);
  assertEquals(splitReadme(readme, "options").generated.match(/^\| `--?/gm)?.length, OPTIONS.length);
  assertEquals(splitReadme(readme, "leaks").generated.match(/^\| `[a-z-]+` /gm)?.length, Object.keys(LEAKS).length);
  const metrics = [...splitReadme(readme, "metrics").generated.matchAll(/^\| `([a-z0-9_]+)`/gm)].map(([, name]) =>
    name
  );
  assertEquals(metrics, [...Object.keys(PROCESS_METRICS), ...Object.keys(METRICS)]);
  const reasons = splitReadme(readme, "reasons").generated.match(/^\| `[a-z0-9-]+`/gm) ?? [];
  assertEquals(reasons.map((cell) => cell.slice(3, -1)), ["connected", ...Object.keys(REASONS)]);
});

Deno.test("the README names all that is counted of callers and BIND, and nothing else", async () => {
  const counted = [...Object.keys(CALLER_REFUSALS).map((reason) => `inbound-${reason}`)];
  for (const { code } of sources.filter(({ room }) => room === "proxy" || room === "identity")) {
    counted.push(...[...code.matchAll(/counters\.\w+\("((?:inbound|bind)-[a-z-]+)"/g)].map(([, name = ""]) => name));
  }
  const named = (await readTable("Serving into I2P")).flatMap(([names = ""]) => names.replaceAll("`", "").split(", "));
  assert(named.length > 10, named.join());
  assertEquals(named.toSorted(), [...new Set(counted)].sort());
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
    assert(sources.filter((source) => source.room === room).length <= 31, room);
  }
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

Deno.test("the README names only reasons that exist", async () => {
  const [, section = ""] = (await Deno.readTextFile(README)).split("## What applications are told");
  const prose = section.split("\n## ", 1)[0]?.replace(/<!-- reasons[\s\S]*\/reasons -->/, "") ?? "";
  const words = [...prose.matchAll(/`(?:refused-)?([a-z]+-[a-z-]+|rule)(?:=\d+)?`/g)].map(([, word = ""]) => word);
  assert(words.length >= 8, words.join());
  assertEquals(words.filter((word) => !(word in REASONS) && word !== "ended-without-data"), []);
});

Deno.test("the README has a row for each permission that deno.json grants, and for those that are granted to nobody", async () => {
  const named = (await readTable("The sandbox")).map(([names = ""]) => names.replaceAll("`", ""));
  assertEquals(named.slice(0, -1).toSorted(), Object.keys(config.permissions.default).sort());
  assertEquals(named.at(-1), "run, ffi");
});

Deno.test("the README's limits are those of the code", async () => {
  const table = new Map((await readTable("Limits")).map(([limit = "", value = ""]) => [limit, value]));
  const settings = readSettings(new Map());
  const seconds = (milliseconds: number): string => `${milliseconds / 1000} s`;
  const minutes = (milliseconds: number): string => `${milliseconds / 60_000} min`;
  const limits: Record<string, string> = {
    "clients at once": `\`--max-connections\`, ${settings.limits.connections}`,
    "clients at once that come from one address": "`--max-per-client`, as many as above",
    "clients above these who are still told so": `${MAX_SURPLUS}`,
    "a SOCKS handshake": `${MAX_HANDSHAKE} bytes`,
    "from accepting a client to its complete request": `\`--handshake-timeout\`, ${
      seconds(settings.timeouts.handshake)
    }`,
    "user id and host name of SOCKS4, each": `${MAX_SOCKS4_FIELD} bytes`,
    "from a request to its open stream": `\`--connect-timeout\`, ${seconds(settings.timeouts.connect)}`,
    "a stream without a byte in either direction": `\`--idle-timeout\`, ${settings.timeouts.idle || "none"}`,
    "a stream whose client has ended its side, without a byte": seconds(HALF_CLOSED_TIMEOUT),
    "a stream whose session is lost, without a byte": seconds(LOST_GRACE),
    "a client that does not close after its last byte": seconds(LINGER),
    "large buffers for fast streams": `${MAX_LARGE_BUFFERS}`,
    "sockets of the bridge that wait for an application's streams": `${MAX_WARM}`,
    "the time that each of these waits": seconds(WARM_AGE),
    "a line of the SAM bridge": `${MAX_SAM_LINE} bytes`,
    "connecting to the bridge and its answer to HELLO": seconds(SAM_HELLO_TIMEOUT),
    "building the tunnels of a session": minutes(SESSION_TIMEOUT),
    "a destination that the router still has in use, at the start": seconds(IN_USE_TIMEOUT),
    "using a lasting destination again after its session has ended": seconds(REUSE_DELAY),
    "waiting between attempts at a new session": seconds(RETRY_MAX),
    "the bridge's answer to `lookup`": seconds(LOOKUP_TIMEOUT),
    "our own lease set, where `check` has more to try": seconds(OWN_ADDRESS_TIMEOUT),
    "waiting for clients to end after SIGINT or SIGTERM": seconds(DRAIN_TIMEOUT),
    "the head of a request for the status": `${MAX_STATUS_HEAD} bytes`,
    "a request for the status, with its answer": seconds(STATUS_TIMEOUT),
    "requests for the status at once": `${MAX_STATUS_REQUESTS}`,
    "an I2P name": `${MAX_NAME_LENGTH} characters`,
    "`--name`": `${MAX_LABEL} characters`,
    "all options of a session": `${MAX_SESSION_OPTIONS} characters`,
    "the name of an identity": `${MAX_IDENTITY_NAME} characters`,
    "a key file": `${MAX_KEY_FILE} bytes`,
    "the router's answer to `keys new` and `keys rotate`": seconds(GENERATE_TIMEOUT),
    "identities of isolation groups": `\`--max-identities\`, ${settings.limits.identities}`,
    "a group's identity without clients": `\`--identity-idle\`, ${minutes(settings.timeouts.identityIdle)}`,
    "what the leak guard looks at of a stream": `${INSPECTED} bytes of the application`,
    "what it looks at of the peer's answer, to know the protocol": `${INSPECTED_RECEIVED} bytes`,
    "cookies that are remembered, to see one go to two sites": `${MAX_COOKIES} of each application`,
    "a line of `--secrets-file`": `${MIN_SECRET} characters at least`,
    "the file of `--hosts`": `${MAX_HOSTS_FILE} bytes`,
    "the file of `--secrets-file`": `${MAX_SECRETS_FILE} bytes`,
    "the file of `--auth-file`": `${MAX_AUTH_FILE} bytes`,
    "the file of `--config`": `${MAX_CONFIG_FILE} bytes`,
    "a file whose first line is a password, and stdin of `hash-login`": `${MAX_PASSWORD_FILE} bytes`,
    "names with an address, by `--map-names`": `${MAX_MAPPED_NAMES} of each isolation group`,
    "isolation groups that have such names": `${MAX_MAPPING_GROUPS}`,
    "such an address without use": minutes(MAPPING_EXPIRY),
    "a range of `--map-names`": `${2 ** MIN_RANGE_BITS} addresses at least`,
    "destinations that `audit` counts one by one": `${MAX_AUDITED}`,
    "UDP associations of an application at once": `${MAX_ASSOCIATIONS}`,
    "the payload of a datagram": `${MAX_DATAGRAM} bytes`,
    "destinations that an identity for datagrams remembers": `${MAX_DESTINATIONS}`,
    "the router's answer to where a datagram is to go": seconds(RESOLVE_TIMEOUT),
    "such questions at once, of an identity for datagrams": `${MAX_LOOKUPS}`,
    "datagrams that wait for such an answer, of an association": `${MAX_WAITING}`,
    "datagrams that wait to be passed on, of an association, and of an identity for datagrams": `${MAX_QUEUED} bytes`,
    "peers of an association whose ports are remembered": `${MAX_PEERS}`,
    "addresses standing for names that an association keeps in use": `${MAX_MAPPING_LEASES}`,
    "callers of `--forward` at once": `\`--max-inbound\`, ${OPTION_TABLE["max-inbound"].fallback}`,
    "a local service, to take a caller": seconds(SERVICE_TIMEOUT),
    "a client of `--bind`, until somebody calls": `\`--connect-timeout\`, ${seconds(settings.timeouts.connect)}`,
    "a duration": `${MAX_DURATION / 3_600_000} hours`,
  };
  for (const [limit, value] of Object.entries(limits)) {
    assertEquals(table.get(limit)?.replace(/(?<!`), .*/, ""), value, limit);
  }
  // Those whose numbers no other file needs, and which tests know to the millisecond.
  const literal: Record<string, string> = {
    "the place of such a stream is safe from other clients": "1 s after an answer, 30 s without one",
    "the same while clients wait and nothing listens at SAM's port": "2 s",
    "the most that `--max-identities` takes": "64",
    "answering a wrong login": "3 s, doubled from 0.1 s, and forgotten after a minute without one",
  };
  for (const [limit, value] of Object.entries(literal)) assertEquals(table.get(limit), value, limit);
  assertEquals(table.size, Object.keys(limits).length + Object.keys(literal).length, "a limit has no test here");
  assertStringIncludes(
    table.get("large buffers for fast streams") ?? "",
    `of ${LARGE_BUFFER / 1024} KiB each; then ${MAX_MEDIUM_BUFFERS} of ${MEDIUM_BUFFER / 1024} KiB;`,
  );
  assertStringIncludes(table.get("waiting between attempts at a new session") ?? "", `from ${RETRY_FIRST / 1000} s`);
  assertStringIncludes(
    table.get("destinations that an identity for datagrams remembers") ?? "",
    `for ${minutes(DESTINATION_AGE)}; that a name leads nowhere, for ${seconds(UNKNOWN_AGE)}`,
  );
  assertStringIncludes(
    table.get("datagrams that wait to be passed on, of an association, and of an identity for datagrams") ?? "",
    `at least ${LEAST_QUEUED} for each`,
  );
  assertEquals(MAX_HANDSHAKE, LINE_BUFFER, "the two directions of a stream have buffers of different sizes");
  assertStringIncludes(table.get("large buffers for fast streams") ?? "", `have ${LINE_BUFFER} bytes`);
});

Deno.test("the README's exit codes are those of the code", async () => {
  const codes = (await readTable("Exit codes")).flatMap(([code = ""]) => code.split("/")).map(Number);
  assertEquals(codes, Object.values(ExitCode));
});

async function readTable(heading: string): Promise<string[][]> {
  const table = tableUnder(await Deno.readTextFile(README), heading);
  assert(table.length > 0, `The README has no table under "${heading}"`);
  return table;
}

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
    if (reached.has(next) || !next.endsWith(".ts")) continue;
    reached.add(next);
    const from = next;
    const specifiers = specifiersOf(await Deno.readTextFile(PROJECT + from)).filter((one) => one.startsWith("."));
    queue.push(...specifiers.map((one) => new URL(one, `file:///${from}`).pathname.slice(1)));
  }
  return reached;
}
