import { assert, assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { proxyCommand, runProxy } from "../support/command.ts";
import { freePort } from "../support/free_port.ts";
import { spawnProxy, startProxyProcess } from "../support/proxy_process.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { startSite } from "../support/site.ts";
import { socksConnect, socksGet } from "../clients/socks_client.ts";
import { makeScratch } from "../support/scratch.ts";
import { until } from "../support/wait.ts";

Deno.test("--identity keeps the destination over a restart; without it each start has another", async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge();
  const sam = ["--sam", `127.0.0.1:${bridge.port}`];
  const lasting = [...sam, "--identity", "me", "--keys-dir", `${scratch.dir}/keys`];
  const seen: string[] = [];
  for (const args of [lasting, lasting, sam, sam]) {
    await using proxy = await startProxyProcess(args);
    seen.push(proxy.ready["b32"] ?? "");
    await proxy.stop();
  }
  assertEquals(seen[0], seen[1]);
  assertEquals(new Set(seen).size, 3);
  const listed = await runProxy(["keys", "list", "--keys-dir", `${scratch.dir}/keys`]);
  assertMatch(listed.stdout, new RegExp(`^me b32=${seen[0]} since=\\S+ inUse=no\n$`));
});

Deno.test("a transient proxy writes nothing, and the key is on disk before the session is asked for", async () => {
  await using scratch = await makeScratch();
  let onDisk: string[] = [];
  await using bridge = await startSamBridge({
    intercept: async (line) => {
      if (!line.startsWith("SESSION CREATE")) return false;
      onDisk = await names(`${scratch.dir}/keys`);
      return false;
    },
  });
  const args = ["--sam", `127.0.0.1:${bridge.port}`, "--keys-dir", `${scratch.dir}/keys`];
  await (await startProxyProcess(args)).stop();
  assertEquals(onDisk, []);
  await (await startProxyProcess([...args, "--identity", "me"])).stop();
  assertEquals(onDisk, ["me.dat", "me.lock"]);
});

async function names(directory: string): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { name } of Deno.readDir(directory)) found.push(name);
  } catch {
    // No such folder.
  }
  return found.sort();
}

Deno.test("two processes never run one identity", async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge();
  const args = ["--sam", `127.0.0.1:${bridge.port}`, "--identity", "me", "--keys-dir", `${scratch.dir}/keys`];
  await using first = await startProxyProcess(args);
  const second = await runProxy([...args, "--listen", "127.0.0.1:0"]);
  assertEquals(second.code, 1);
  assertStringIncludes(second.stderr, 'i2p-socks: error: Identity "me" is in use by another process\n');
  const rotated = await runProxy([
    "keys",
    "rotate",
    "me",
    "--yes",
    "--keys-dir",
    `${scratch.dir}/keys`,
    ...args.slice(0, 2),
  ]);
  assertEquals(rotated.code, 1);
  await first.stop("SIGKILL");
  await using third = await startProxyProcess(args);
  assertEquals(third.ready["b32"], first.ready["b32"]);
});

Deno.test("a key that the router refuses, or that is damaged, is not touched", async () => {
  await using scratch = await makeScratch();
  let refuse = false;
  await using bridge = await startSamBridge({
    intercept: async (line, socket) => {
      if (!refuse || !line.startsWith("SESSION CREATE")) return false;
      await socket.write("SESSION STATUS RESULT=INVALID_KEY\n");
      socket.close();
      return true;
    },
  });
  const args = ["--sam", `127.0.0.1:${bridge.port}`, "--identity", "me", "--keys-dir", `${scratch.dir}/keys`];
  await (await startProxyProcess(args)).stop();
  const key = await Deno.readFile(`${scratch.dir}/keys/me.dat`);
  refuse = true;
  const refused = await runProxy([...args, "--listen", "127.0.0.1:0"]);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "INVALID_KEY");
  assertEquals(await Deno.readFile(`${scratch.dir}/keys/me.dat`), key);
  await Deno.writeFile(`${scratch.dir}/keys/me.dat`, key.slice(0, 300));
  const damaged = await runProxy([...args, "--listen", "127.0.0.1:0"]);
  assertEquals(damaged.code, 1);
  assertStringIncludes(damaged.stderr, 'Cannot read identity "me"');
  assertEquals((await Deno.readFile(`${scratch.dir}/keys/me.dat`)).length, 300);
});

Deno.test("after kill -9 an identity has a session that lasts, also with i2pd 2.58, which ends the old destination late", async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge({ manners: "i2pd 2.58", releaseDelay: 5_000 });
  await using site = await startSite();
  await using service = await publishService(bridge.port, site.port);
  const args = ["--sam", `127.0.0.1:${bridge.port}`, "--identity", "me", "--keys-dir", `${scratch.dir}/keys`];
  await using killed = await startProxyProcess(args);
  await killed.stop("SIGKILL");
  await using proxy = await startProxyProcess(args);
  assertEquals(proxy.ready["b32"], killed.ready["b32"]);
  assertStringIncludes(proxy.stderr(), "was in use by a process that did not end by itself");
  await until("the router has ended the old destination", () => bridge.releases === 0);
  assertStringIncludes(await socksGet(proxy.port, `http://${service.b32}/`), site.token);
});

Deno.test("--auth-file: a plain password is warned of, not shown; a login is needed", async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge();
  await using site = await startSite();
  await using service = await publishService(bridge.port, site.port);
  const file = await scratch.file("logins", "alice:sesame\n");
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, "--auth-file", file]);
  assertStringIncludes(proxy.stderr(), "Passwords in the clear in --auth-file: 1.");
  const url = `http://${service.b32}/`;
  assertStringIncludes(await socksGet(proxy.port, url, { login: { user: "alice", password: "sesame" } }), site.token);
  const { reply, conn } = await socksConnect(proxy.port, service.b32, 80, { version: 4 });
  conn.close();
  assertEquals(reply.code, 0x5d);
  assert(!proxy.stderr().includes("sesame"));
  const broken = await scratch.file("broken", "alice\n");
  const { code, stderr } = await runProxy([
    "--auth-file",
    broken,
    "--sam",
    `127.0.0.1:${bridge.port}`,
    "--listen",
    "0",
  ]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, `Cannot use --auth-file "${broken}": Line 1 is not USER:PASSWORD`);
});

Deno.test("--config serves several applications; SIGHUP leaves the unchanged ones alone", async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge();
  await using site = await startSite();
  await using service = await publishService(bridge.port, site.port);
  bridge.setName("site.i2p", service.destination);
  const [a, b, c] = [freePort(), freePort(), freePort()];
  const text = (second: string): string => `
sam: 127.0.0.1:${bridge.port}
keys-dir: ${scratch.dir}/keys
applications:
  - name: first
    listen: 127.0.0.1:${a}
    identity: shared
  - ${second}
`;
  const file = await scratch.file("config.yaml", text(`{name: second, listen: "127.0.0.1:${b}", identity: shared}`));
  await using proxy = await startProxyProcess(["--config", file], { freePort: false });
  await until("both are ready", () => proxy.stdout().split("\n").length === 3);
  const [one, two] = proxy.stdout().trimEnd().split("\n");
  assertEquals(/b32=\S+/.exec(one ?? "")?.[0], /b32=\S+/.exec(two ?? "")?.[0]);
  assertStringIncludes(proxy.stdout(), "name=first");
  assertStringIncludes(proxy.stderr(), 'Applications share the identity "shared"');
  assertStringIncludes(await socksGet(b, "http://site.i2p/"), site.token);

  const held = await socksConnect(a, "site.i2p", 80);
  await scratch.file("config.yaml", text(`{name: third, listen: "127.0.0.1:${c}", deny: "*.i2p:81"}`));
  Deno.kill(proxy.pid, "SIGHUP");
  await until("the third is ready", () => proxy.stdout().includes("name=third"));
  assertStringIncludes(await socksGet(c, "http://site.i2p/"), site.token);
  const denied = await socksConnect(c, "site.i2p", 81);
  denied.conn.close();
  assertEquals(denied.reply.code, 2);
  assertEquals(await isListening(b), false);
  const third = /b32=(\S+) .*name=third/.exec(proxy.stdout())?.[1];
  assertNotEquals(third, /b32=(\S+) .*name=first/.exec(proxy.stdout())?.[1]);
  // The stream of the unchanged application has gone on.
  await held.conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: site.i2p\r\nConnection: close\r\n\r\n"));
  const buffer = new Uint8Array(100);
  assert((await held.conn.read(buffer) ?? 0) > 0);
  held.conn.close();

  await scratch.file("config.yaml", "applications:\n  - lisen: 1\n  - listen: nonsense\n");
  Deno.kill(proxy.pid, "SIGHUP");
  for (
    const problem of [
      'Unknown option "applications[0].lisen" (line 2). Did you mean "listen"?',
      'Cannot use applications[1].listen (line 3) "nonsense"',
    ]
  ) {
    await until(`it is complained of: ${problem}`, () => proxy.stderr().includes(problem));
  }
  assertStringIncludes(await socksGet(c, "http://site.i2p/"), site.token);
  assertEquals(await proxy.stop("SIGTERM"), 143);
});

Deno.test("SIGHUP changes applications in place: same port, same identity, other tunnels; and adds them", async () => {
  await using scratch = await makeScratch();
  let refuse = "";
  await using bridge = await startSamBridge({
    intercept: async (line, socket) => {
      if (refuse === "" || !line.startsWith("SESSION CREATE") || !line.includes(refuse)) return false;
      await socket.write('SESSION STATUS RESULT=I2P_ERROR MESSAGE="not today"\n');
      socket.close();
      return true;
    },
  });
  const [a, b, c] = [freePort(), freePort(), freePort()];
  const write = (...applications: string[]): Promise<string> =>
    scratch.file(
      "config.yaml",
      `sam: 127.0.0.1:${bridge.port}\napplications:\n${applications.map((app) => `  - {${app}}\n`).join("")}`,
    );
  const file = await write(`name: one, listen: "${a}", quantity: 1`);
  await using proxy = await startProxyProcess(["--config", file], {
    freePort: false,
    // Nothing names a folder for keys: it is the platform's, found while the environment could be read.
    env: { HOME: scratch.dir, XDG_DATA_HOME: "" },
  });
  const reload = (): void => Deno.kill(proxy.pid, "SIGHUP");
  const readyLines = (name: string): number => proxy.stdout().split(`name=${name}\n`).length - 1;
  const readAgain = (): number => proxy.stderr().split("Configuration read again").length - 1;

  // A changed option on the same port, and an identity for the first time.
  await write(`name: one, listen: "${a}", quantity: 3, identity: me`, `name: two, listen: "${b}", identity: me`);
  reload();
  await until("both are ready", () => readyLines("one") === 2 && readyLines("two") === 1);
  assertEquals(proxy.stderr().includes("error"), false, proxy.stderr());
  assertEquals(await names(`${scratch.dir}/.local/share/i2p-socks/keys`), ["me.dat", "me.lock"]);

  // Asked for twice at once: each is started once.
  await write(`name: two, listen: "${b}", identity: me`, `name: three, listen: "${c}"`);
  reload();
  reload();
  await until("the third is ready", () => readyLines("three") === 1);
  await until("both requests are done", () => readAgain() >= 2);
  assertEquals([readyLines("one"), readyLines("two"), readyLines("three")], [2, 1, 1]);
  assertEquals([await isListening(a), await isListening(b), await isListening(c)], [false, true, true]);

  // The router refuses a new one: the next reload tries again.
  refuse = "nickname=four";
  await write(`name: two, listen: "${b}", identity: me`, `name: four, listen: "${a}"`);
  reload();
  await until("it is told", () => proxy.stderr().includes('Cannot serve "four"'));
  refuse = "";
  await until("its port is free again", () => readAgain() >= 3);
  reload();
  await until("the fourth is ready", () => readyLines("four") === 1);

  // Another bridge: the identity moves there when the router has had time to forget its last session.
  await using second = await startSamBridge();
  await write(
    `name: two, listen: "${b}", identity: me, sam: "127.0.0.1:${second.port}"`,
    `name: four, listen: "${a}"`,
  );
  reload();
  await until("it has moved", () => readyLines("two") === 2);
  assertEquals(second.sessions.length, 1);
  assertStringIncludes(proxy.stderr(), 'Identity "me" was in use a moment ago');

  // Swapped ports.
  await write(
    `name: two, listen: "${a}", identity: me, sam: "127.0.0.1:${second.port}"`,
    `name: four, listen: "${b}"`,
  );
  reload();
  await until("both are ready again", () => readyLines("two") === 3 && readyLines("four") === 2);
  assertEquals(await proxy.stop("SIGTERM"), 143);
});

Deno.test("SIGHUP while tunnels are being built is kept for later, and ends nothing", async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge({ sessionDelay: 600 });
  const text = (more: string): string => `sam: 127.0.0.1:${bridge.port}\nname: one\nlisten: "0"\n${more}`;
  const file = await scratch.file("config.yaml", text(""));
  await using proxy = spawnProxy(proxyCommand(["--config", file]));
  await proxy.waitFor("stderr", /Asking the router/);
  await scratch.file("config.yaml", text("quantity: 3\n"));
  await proxy.signal("SIGHUP");
  await proxy.waitFor("stderr", /Configuration read again/);
  await proxy.waitFor("stdout", /ready .*name=one\n/);
});

Deno.test("a login that is taken out of the file is refused after SIGHUP", async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge();
  const port = freePort();
  const logins = await scratch.file("logins", "alice:one\nbob:two\n");
  const file = await scratch.file(
    "config.yaml",
    `sam: 127.0.0.1:${bridge.port}\nlisten: "${port}"\nauth-file: ${logins}\n`,
  );
  await using proxy = await startProxyProcess(["--config", file], { freePort: false });
  const bob = { login: { user: "bob", password: "two" } };
  const { reply, conn } = await socksConnect(port, "unknown.i2p", 80, bob);
  conn.close();
  assertEquals(reply.code, 4);
  await scratch.file("logins", "alice:one\n");
  Deno.kill(proxy.pid, "SIGHUP");
  await until("it is served anew", () => proxy.stdout().split("\n").length === 3);
  assertEquals(await socksConnect(port, "unknown.i2p", 80, bob).then(() => "let in", () => "refused"), "refused");
});

Deno.test("--check-config reports every problem at once, with its place, and asks no router", async () => {
  await using scratch = await makeScratch();
  const good = await scratch.file(
    "good.yaml",
    "applications:\n  - listen: 127.0.0.1:9101\n  - listen: 127.0.0.1:9102\n",
  );
  const valid = await runProxy(["--config", good, "--check-config"]);
  assertEquals([valid.code, valid.stderr], [0, `Valid configuration in ${good}: 2 applications\n`]);
  const bad = await scratch.file(
    "bad.yaml",
    "log-level: loud\napplications:\n  - listen: 10.0.0.1:1\n    quantity: 99\n  # a comment\n  - isolat: auth\n    log-level: info\n",
  );
  const { code, stderr } = await runProxy(["serve", "--check-config"], { I2P_SOCKS_CONFIG: bad });
  assertEquals(code, 2);
  for (
    const words of [
      `${bad}: Cannot use log-level (line 1) "loud"`,
      'Cannot use applications[0].listen (line 3) "10.0.0.1:1"',
      'Cannot use applications[0].quantity (line 4) "99"',
      'Unknown option "applications[1].isolat" (line 6). Did you mean "isolate"?',
      "applications[1].log-level (line 7) applies to all applications",
    ]
  ) assertStringIncludes(stderr, words);
  const missing = await scratch.file("missing.yaml", "auth-file: /nowhere/at/all\n");
  assertEquals((await runProxy(["--check-config", "--config", missing])).code, 2);
  const shared = await scratch.file("shared.yaml", "identity: me\napplications: [{listen: '1'}, {listen: '2'}]\n");
  const refused = await runProxy(["--check-config", "--config", shared]);
  assertEquals(refused.code, 2);
  assertStringIncludes(refused.stderr, "identity (line 1) cannot be set for several applications");
});

async function isListening(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
