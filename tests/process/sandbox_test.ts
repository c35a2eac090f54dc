import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { unless } from "../clients/client_stage.ts";
import { proxyCommand, runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { type ProxyChild, spawnProxy } from "../support/proxy_process.ts";
import { ADDRESSES, askFor, FOREIGN_NAMES, sendGarbage } from "../clients/requests.ts";
import { rawGet } from "../clients/raw_http.ts";
import { publishService, type SamBridge, startSamBridge } from "../sam_bridge/bridge.ts";
import { startSite } from "../support/site.ts";
import { socksConnect, socksGet, writeAll } from "../clients/socks_client.ts";
import { type AllowedPath, executablePaths, findEscapes, RUNTIME_PATHS, sourcePaths, straceTo } from "./trace.ts";

/** What the program says that was started with more than its own permissions. */
const WARNING = /Started with more permissions than the program's own, and cannot drop: (.*)/;

const LOGIN = { user: "keeper", password: "of the door" };

/** What the runtime says when it refuses. */
const REFUSED = /^NotCapable: Requires /;

/** The program as `deno run -P` with another module than main.ts, or with other permissions. */
function denoRun(flags: readonly string[], module: string, args: readonly string[]): Command {
  return { program: Deno.execPath(), args: ["run", "--no-prompt", "--quiet", ...flags, module, ...args] };
}

interface Command {
  program: string;
  args: string[];
}

/** A folder of files that the program is given, one that it is not, and where its trace goes. */
interface Files extends AsyncDisposable {
  dir: string;
  trace: string;
  /** All that the program is given. */
  given: AllowedPath[];
}

async function makeFiles(): Promise<Files> {
  const dir = await Deno.realPath(await Deno.makeTempDir({ prefix: "i2p-socks-sandbox-" }));
  const files = {
    hosts: `mine.i2p ${"a".repeat(52)}.b32.i2p\n`,
    secrets: "wobbegong\n",
    logins: `${LOGIN.user}:${LOGIN.password}\n`,
    bystander: "not given\n",
  };
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${dir}/${name}`, text);
  const given = ["hosts", "secrets", "logins", "config.yaml", "keys/", "run/"];
  return {
    dir,
    trace: `${dir}/trace`,
    given: given.map((name) => ({ path: `${dir}/${name}`, reason: "given to the program" })),
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
}

/** The child, with a tracer beside it. */
function traced({ program, args }: Command, { trace, dir }: Files): ProxyChild {
  const [strace = "", ...words] = [...straceTo(trace), program, ...args];
  return spawnProxy({ program: strace, args: words }, { env: { XDG_RUNTIME_DIR: `${dir}/run` } });
}

/** Waits for ready lines, and returns the ports of their listeners by the applications' names. */
async function portsOf(child: ProxyChild, count: number): Promise<Record<string, number>> {
  await child.waitFor("stdout", new RegExp(`(ready .*\\n){${count}}`), 60_000);
  const lines = child.stdout().matchAll(/^ready listen=127\.0\.0\.1:(\d+).*?(?: name=(\w+))?$/gm);
  return Object.fromEntries(lines.map(([, port, name = "only"]) => [name, Number(port)]));
}

/** Asks for the status, which was opened before permissions were given back. */
async function askForStatus(child: ProxyChild): Promise<void> {
  const line = /Serving the status at http:\/\/127\.0\.0\.1:(\d+)\//;
  await child.waitFor("stderr", line);
  const port = Number(line.exec(child.stderr())?.[1]);
  for (const path of ["/", "/ready", "/metrics", "/status.json"]) assertEquals((await rawGet(port, path)).status, 200);
}

/** Good, bad and hostile requests, and what would be a leak. */
async function runScenario(port: number, bridge: SamBridge, login?: typeof LOGIN): Promise<void> {
  await using site = await startSite();
  await using service = await publishService(bridge.port, site.port);
  bridge.setName("service.i2p", service.destination);
  for (const version of login === undefined ? [4, 5] as const : [5] as const) {
    for (const host of ["service.i2p", service.b32]) {
      const options = { version, timeout: 20_000, ...(login && { login }) };
      assertStringIncludes(await socksGet(port, `http://${host}/`, options), site.token);
    }
  }
  const { conn } = await socksConnect(port, "service.i2p", 80, login && { login });
  await writeAll(
    conn,
    new TextEncoder().encode("GET / HTTP/1.1\r\nUser-Agent: a (X11; Linux x86_64)\r\n\r\nwobbegong"),
  );
  conn.close();
  const unknown = ["mine.i2p", "unknown.i2p", "malformed_.i2p", "short.b32.i2p", `${"b".repeat(52)}.b32.i2p`];
  const answers = await askFor(port, [...FOREIGN_NAMES, ...ADDRESSES, ...unknown], login && { login });
  // Where no login is given with SOCKS4 everybody is refused, which is an answer, too.
  assert(answers.values().reduce((sum, count) => sum + count, 0) > 80);
  assertEquals([answers.get("0"), answers.get("90")], [undefined, undefined], "one was granted");
  assert((answers.get("2") ?? 0) > 15 && (answers.get("8") ?? 0) > 10, JSON.stringify([...answers]));
  assert(await sendGarbage(port) > 30);
}

/** What belongs to the program that {@linkcode proxyCommand} starts. */
function ownPaths(): AllowedPath[] {
  const executable = Deno.env.get("I2P_SOCKS_EXECUTABLE");
  return executable === undefined ? sourcePaths() : executablePaths(Deno.realPathSync(executable));
}

/** Everything that speaks against a sandbox: what the program did, and what it said of its own permissions. */
async function proof(
  child: ProxyChild,
  { trace, given }: Files,
  own: readonly AllowedPath[] = ownPaths(),
  sockets: readonly string[] = [],
): Promise<string[]> {
  const text = await Deno.readTextFile(trace);
  assertMatch(text, /connect\(.*htons\(\d+\).*"127\.0\.0\.1"/, "the tracer saw nothing of the network");
  assertMatch(text, /openat\(/, "the tracer saw nothing of files");
  return [
    ...(WARNING.exec(child.stderr())?.slice(0, 1) ?? []),
    ...findEscapes(text, [...RUNTIME_PATHS, ...given, ...own], sockets),
  ];
}

e2eTest("nothing that clients do makes it leave loopback, ask a resolver or touch a file that is not its own", [
  "strace",
], async (t) => {
  await using bridge = await startSamBridge();
  await using files = await makeFiles();
  const sam = `127.0.0.1:${bridge.port}`;

  await t.step("with a file of two applications that is read again, keys, logins, hosts and secrets", async () => {
    const { dir } = files;
    const common = `sam: ${sam}\nlog-level: debug\nhosts: ${dir}/hosts\nsecrets-file: ${dir}/secrets\n`;
    const applications = `applications:
  - {name: open, listen: "127.0.0.1:0", identity: one, keys-dir: ${dir}/keys}
  - {name: closed, listen: "127.0.0.1:0", auth-file: ${dir}/logins}
`;
    await Deno.writeTextFile(`${dir}/config.yaml`, common + applications);
    await using child = traced(proxyCommand(["--config", `${dir}/config.yaml`]), files);
    const { open = 0, closed = 0 } = await portsOf(child, 2);
    await runScenario(open, bridge);
    await runScenario(closed, bridge, LOGIN);
    await Deno.writeTextFile(
      `${dir}/config.yaml`,
      `${common}${applications}  - {name: more, listen: "127.0.0.1:0", identity: two, keys-dir: ${dir}/keys}\n`,
    );
    child.signal("SIGHUP");
    await portsOf(child, 3);
    bridge.dropSessions({ prefix: "i2p-socks" });
    await child.waitFor("stderr", /Session ready again/);
    assertEquals(await child.stop(), 143, child.stderr());
    assertEquals(await proof(child, files), []);
  });

  await t.step("with options", async () => {
    const args = ["--listen", "127.0.0.1:0", "--sam", sam, "--hosts", `${files.dir}/hosts`, "--scrub", "irc,http"];
    const more = ["--keys-dir", `${files.dir}/keys`, "--identity", "one", "--status", "127.0.0.1:0"];
    await using child = traced(proxyCommand([...args, ...more]), files);
    const { only: port = 0 } = await portsOf(child, 1);
    await runScenario(port, bridge);
    await askForStatus(child);
    const notes = (): Promise<Deno.DirEntry[]> => Array.fromAsync(Deno.readDir(`${files.dir}/run/i2p-socks`));
    assertEquals((await notes()).length, 2);
    assertEquals(await child.stop(), 143, child.stderr());
    assertEquals([await proof(child, files), await notes()], [[], []], "it removes its note");
  });
});

e2eTest("with a socket in the file system it touches that one, and no other", [
  "strace",
  "curl",
  ...unless(socketFolder() !== undefined, "a folder for sockets"),
], async () => {
  const folder = socketFolder() ?? "";
  const path = `${folder}/i2p-socks-test-${crypto.randomUUID()}`;
  await using bridge = await startSamBridge();
  await using files = await makeFiles();
  await using site = await startSite();
  await using service = await publishService(bridge.port, site.port);
  bridge.setName("service.i2p", service.destination);
  const args = ["--listen", `unix:${path}`, "--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`];
  await using child = traced(denoRun(["-P=unix"], "main.ts", args), files);
  await child.waitFor("stdout", /^ready listen=unix:.*\n/, 60_000);
  const curl = ["-sS", "--proxy", `socks5h://localhost${path}`, "http://service.i2p/"];
  assertStringIncludes((await runCommand("curl", curl)).stdout, site.token);
  await runScenario(Number(/,127\.0\.0\.1:(\d+) /.exec(child.stdout())?.[1]), bridge);
  assertEquals(await child.stop(), 143, child.stderr());
  const [made, folders] = [`${folder}/.i2p-socks.new`, path.split("/").slice(1, -1)];
  const own = [made, path].map((one) => ({ path: one, reason: "its socket" }));
  const above = folders.map((_, i) => ({ path: `/${folders.slice(0, i + 1).join("/")}`, reason: "resolved" }));
  assertEquals(await proof(child, { ...files, given: [...files.given, ...own, ...above] }, ownPaths(), [made]), []);
  const left = await Array.fromAsync(Deno.readDir(folder), ({ name }) => `${folder}/${name}`);
  assertEquals(left.filter((one) => one === path || one === made), []);
});

/** A folder of the set `unix` that is this user's; undefined where there is none. Root makes one. */
function socketFolder(): string | undefined {
  const uid = Deno.uid() ?? 0;
  if (uid === 0) Deno.mkdirSync("/run/i2p-socks", { recursive: true, mode: 0o700 });
  const folders = config.permissions.unix.net.allow.flatMap((host) => /^unix:(.*)\/[^/]*$/.exec(host)?.slice(1) ?? []);
  return folders.find((folder) => {
    try {
      return Deno.statSync(folder).uid === uid;
    } catch {
      return false;
    }
  });
}

/** The program with somebody beside it. */
const ESCAPEE = new URL("./escapee.ts", import.meta.url).pathname;

/** Runs the escapee in a scenario, lets it try, and returns what became of it. */
async function runEscapee(flags: readonly string[]): Promise<{ outcomes: Record<string, string>; escapes: string[] }> {
  await using bridge = await startSamBridge();
  await using files = await makeFiles();
  const args = [
    "--listen",
    "127.0.0.1:0",
    "--sam",
    `127.0.0.1:${bridge.port}`,
    "--secrets-file",
    `${files.dir}/secrets`,
    "--status",
    "127.0.0.1:0",
  ];
  await using child = traced(denoRun(flags, ESCAPEE, args), files);
  const { only: port = 0 } = await portsOf(child, 1);
  child.signal("SIGUSR1");
  await child.waitFor("stdout", /^\{"outcomes".*\n/m);
  await runScenario(port, bridge);
  await askForStatus(child);
  await child.stop();
  const { outcomes } = JSON.parse(/^\{"outcomes".*$/m.exec(child.stdout())?.[0] ?? "");
  return { outcomes, escapes: await proof(child, files, sourcePaths(ESCAPEE)) };
}

e2eTest("once it serves, nobody in the same process gets out, or reads, writes or listens", ["strace"], async () => {
  const { outcomes, escapes } = await runEscapee(["-P"]);
  assert(Object.keys(outcomes).length > 10);
  for (const [name, outcome] of Object.entries(outcomes)) assertMatch(outcome, REFUSED, name);
  assertEquals(escapes, []);
});

e2eTest("a program with wider permissions is found: by what it says, and by every way out", ["strace"], async () => {
  const { outcomes, escapes } = await runEscapee(["--allow-net", "--allow-read", "--allow-env", "--allow-sys"]);
  // Files, variables and programs can be given back even so; what can be reached cannot.
  assertMatch(escapes[0] ?? "", WARNING);
  assertStringIncludes(escapes[0] ?? "", ": net");
  const refused = Object.keys(outcomes).filter((name) => REFUSED.test(outcomes[name] ?? ""));
  assertEquals(refused, ["local service", "read", "write", "run", "variable"]);
  const found = new Set(escapes.slice(1).map((escape) => /^[^:]*/.exec(escape)?.[0]));
  for (const kind of ["resolver", "off loopback", "socket", "file"]) assert(found.has(kind), `${kind}: ${escapes}`);
  const all = escapes.join("\n");
  for (const sign of ["htons(53)", '"0.0.0.0"', "SOCK_DGRAM", "/etc/hosts"]) assertStringIncludes(all, sign);
});

Deno.test("escapes are found in a trace, whatever the call, and nothing else is one", () => {
  const allowed = [{ path: "/own/keys/", reason: "" }, { path: "/own/file", reason: "" }];
  const inet = (host: string, port = 80): string =>
    `{sa_family=AF_INET, sin_port=htons(${port}), sin_addr=inet_addr("${host}")}`;
  const fine = [
    `connect(5<socket:[1]>, ${inet("127.0.0.1")}, 16) = 0`,
    `bind(5<socket:[1]>, {sa_family=AF_INET6, sin6_port=htons(0), inet_pton(AF_INET6, "::1", &sin6_addr)}, 28) = 0`,
    `sendto(5<socket:[1]>, "sa_family=AF_UNIX inet_addr(\\"8.8.8.8\\") htons(53)", 40, 0, NULL, 0) = 40`,
    `recvfrom(5<socket:[1]>, "/etc/passwd", 40, 0, NULL, NULL) = 11`,
    `socket(AF_INET6, SOCK_STREAM|SOCK_CLOEXEC, IPPROTO_TCP) = 5`,
    `openat(AT_FDCWD</own>, "keys/a", O_RDONLY) = 3`,
    `statx(AT_FDCWD</>, "/own", 0) = 0`,
    `statx(9</own/keys>, "", AT_EMPTY_PATH) = 0`,
    `readlink("/own/file", "/etc/passwd", 99) = 11`,
    `rename("/own/keys/a", "/own/keys/b") = 0`,
    `getcwd("/etc", 99) = 5`,
  ];
  const escapes: Record<string, string> = {
    [`connect(5<socket:[1]>, ${inet("192.0.2.1")}, 16 <unfinished ...>`]: "off loopback",
    [`bind(5<socket:[1]>, ${inet("0.0.0.0")}, 16) = 0`]: "off loopback",
    [`connect(5, {sa_family=AF_INET6, inet_pton(AF_INET6, "::ffff:127.0.0.1", &sin6_addr)}, 28) = 0`]: "off loopback",
    [`sendto(5<socket:[1]>, "x", 1, 0, ${inet("192.0.2.1")}, 16) = 1`]: "off loopback",
    [`sendmmsg(5, [{msg_hdr={msg_name=${inet("127.0.0.53", 53)}}}], 1, 0) = 1`]: "resolver",
    [`connect(5<socket:[1]>, ${inet("127.0.0.1", 53)}, 16) = -1 ECONNREFUSED`]: "resolver",
    [`connect(5, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1`]: "local service",
    [`connect(5, {sa_family=AF_INET, sa_data="..."}, 16) = 0`]: "unknown address",
    "socket(AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP) = 5": "socket",
    "socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 5": "socket",
    "io_uring_setup(8, {flags=0}) = 5": "calls that are not traced",
    'openat(AT_FDCWD</own>, "/etc/passwd", O_RDONLY) = -1 EACCES': "file",
    'openat(7</own/keys>, "../../etc/passwd", O_RDONLY) = 3': "file",
    'openat(AT_FDCWD</>, "/own/keysmith", O_RDONLY) = 3': "file",
    'openat(AT_FDCWD</>, "/own", O_RDONLY|O_DIRECTORY) = 3': "file",
    'rename("/own/keys/a", "/tmp/a") = 0': "file",
    'execve("/usr/bin/true", ["true"], 0x1) = 0': "file",
    'statx(AT_FDCWD</>, "/home/user", 0) = 0': "looked at",
  };
  const trace = (lines: readonly string[]): string => lines.map((line) => `123 ${line}`).join("\n");
  assertEquals(findEscapes(trace(fine), allowed), []);
  const sockets = [
    "socket(AF_UNIX, SOCK_STREAM|SOCK_CLOEXEC, 0) = 5",
    'bind(5, {sa_family=AF_UNIX, sun_path="/own/keys/socket"}, 20) = 0',
  ];
  assertEquals(findEscapes(trace(sockets), allowed, ["/own/keys/socket"]), []);
  assertEquals(findEscapes(trace(sockets), allowed, ["/own/keys/sock"]).length, 1);
  assertEquals(findEscapes(trace(sockets), allowed).length, 2);
  const lines = Object.keys(escapes);
  assertEquals(findEscapes(trace(lines), allowed), lines.map((line) => `${escapes[line]}: 123 ${line}`));
});

Deno.test("the executable is made with the very permission set that this is shown for", () => {
  assertMatch(config.tasks.compile.command, / deno compile -P --no-prompt /);
  assertEquals(config.compile.permissions, "default");
});
