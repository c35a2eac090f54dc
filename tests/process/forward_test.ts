import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startCaller } from "../clients/callers.ts";
import { runCommand, runProxy } from "../support/command.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { makeScratch } from "../support/scratch.ts";

Deno.test("serve: --forward is in the ready line, works when permissions are given back, and is counted", async () => {
  await using bridge = await startSamBridge();
  await using caller = await startCaller(bridge.port);
  await using web = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response("here"));
  const sam = ["--sam", `127.0.0.1:${bridge.port}`];
  const forward = `localhost:${web.addr.port}`;
  for (const format of ["text", "json"]) {
    await using proxy = await startProxyProcess([...sam, "--forward", forward, "--log-format", format]);
    assertEquals(proxy.ready["forward"], `127.0.0.1:${web.addr.port}`);
    assertStringIncludes(proxy.stderr(), "The address of --forward changes with each start: --identity NAME keeps one");
    const answer = await caller.ask(proxy.ready["b32"] ?? "", "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assertMatch(answer, /\r\n\r\nhere$/);
    assertEquals(await proxy.stop(), 143);
    assertMatch(proxy.stderr(), /inbound-connected"?[=:]1/);
    assert(!proxy.stderr().includes(caller.b32), "the log names no caller");
  }
});

Deno.test("serve: without the options nothing is waited for, and a lasting identity is warned of nothing", async () => {
  await using bridge = await startSamBridge();
  await using scratch = await makeScratch();
  const sam = ["--sam", `127.0.0.1:${bridge.port}`];
  await using plain = await startProxyProcess(sam);
  assertEquals(plain.ready["forward"], undefined);
  assertEquals(await plain.stop(), 143);
  assertEquals(bridge.lines.filter((line) => line.startsWith("STREAM")), []);
  assert(!/inbound|bind/.test(plain.stderr()), plain.stderr());
  await using lasting = await startProxyProcess([
    ...[...sam, "--forward", "80=127.0.0.1:9", "--forward", "127.0.0.1:10", "--bind"],
    ...["--identity", "me", "--keys-dir", scratch.dir],
  ]);
  assertStringIncludes(lasting.readyLine, " forward=80=127.0.0.1:9,127.0.0.1:10");
  assertEquals(lasting.ready["forward"], "80=127.0.0.1:9,127.0.0.1:10");
  assert(!lasting.stderr().includes("changes with each start"));
});

Deno.test("serve: a file has --forward as a value or a list, and a reload lets the old service go", async () => {
  await using bridge = await startSamBridge();
  await using caller = await startCaller(bridge.port);
  const serve = (text: string): Deno.HttpServer<Deno.NetAddr> =>
    Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => new Response(text));
  await using one = serve("one");
  await using two = serve("two");
  await using scratch = await makeScratch();
  const write = (forward: string): Promise<string> =>
    scratch.file("i2p.yaml", `identity: me\nkeys-dir: ${scratch.dir}\nlisten: 127.0.0.1:0\nforward: ${forward}\n`);
  const file = await write(`127.0.0.1:${one.addr.port}`);
  await using proxy = await startProxyProcess(["--config", file, "--sam", `127.0.0.1:${bridge.port}`]);
  const ask = async (): Promise<string> =>
    (await caller.ask(proxy.ready["b32"] ?? "", "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).slice(-3);
  assertEquals(await ask(), "one");
  await write(`["80=127.0.0.1:${one.addr.port}", "127.0.0.1:${two.addr.port}"]`);
  proxy.signal("SIGHUP");
  await proxy.waitFor("stderr", /Configuration read again/);
  await proxy.waitFor("stdout", /forward=80=127[^\n]*\n/);
  assertEquals(await ask(), "two");
});

Deno.test("serve: a reload knows the default folder of identities, though the environment cannot be asked", async () => {
  await using bridge = await startSamBridge();
  await using scratch = await makeScratch();
  const waiting = (name: string, more: string): string =>
    `  - {name: ${name}, listen: "127.0.0.1:0", identity: web, forward: "127.0.0.1:9"${more}}\n`;
  const file = await scratch.file(
    "i2p.yaml",
    `sam: 127.0.0.1:${bridge.port}\napplications:\n${waiting("a", "")}${
      waiting("b", `, keys-dir: ${scratch.dir}/other`)
    }`,
  );
  const env = { XDG_DATA_HOME: `${scratch.dir}/data`, LOCALAPPDATA: `${scratch.dir}/data`, HOME: scratch.dir };
  await using proxy = await startProxyProcess(["--config", file], { freePort: false, env });
  await proxy.waitFor("stdout", /(ready .*\n){2}/);
  proxy.signal("SIGHUP");
  await proxy.waitFor("stderr", /Configuration read again|Cannot use the new configuration/);
  assertMatch(proxy.stderr(), /Configuration read again unchanged=2 ended=0/);
});

Deno.test("serve: at the end callers are waited for as clients are, and the log says so", async () => {
  await using bridge = await startSamBridge();
  await using caller = await startCaller(bridge.port);
  const service = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using proxy = await startProxyProcess([
    ...["--sam", `127.0.0.1:${bridge.port}`, "--forward", `127.0.0.1:${service.addr.port}`],
  ]);
  const { conn } = await caller.call(proxy.ready["b32"] ?? "");
  using served = await service.accept();
  proxy.signal("SIGTERM");
  await proxy.waitFor("stderr", /Stopping: waiting up to 10 s for 1 connection\. Press Ctrl\+C again to quit now/);
  conn.close();
  assertEquals(await served.read(new Uint8Array(1)), null);
  assertEquals((await proxy.ended()).code, 143);
  service.close();
});

Deno.test("serve: what --forward may not lead to ends with exit code 2", async () => {
  await using scratch = await makeScratch();
  const everybody = "everybody in I2P would have it";
  const cases: readonly (readonly [string[], string])[] = [
    [["--forward", "127.0.0.1:7656"], `the SAM bridge: ${everybody}`],
    [["--forward", "127.0.0.1:9050", "--listen", "9050"], `where SOCKS is served: ${everybody}`],
    [["--forward", "127.0.0.1:9051", "--status", "127.0.0.1:9051"], `the status: ${everybody}`],
    [["--forward", "192.168.0.1:80"], "is not a loopback address"],
    [["--allow-caller", "name.i2p"], "a caller is known by its base32 address"],
    [
      [
        "--config",
        await scratch.file(
          "several.yaml",
          "applications:\n  - listen: 127.0.0.1:9052\n    forward: 127.0.0.1:9053\n  - listen: 127.0.0.1:9053\n",
        ),
      ],
      `where SOCKS is served: ${everybody}`,
    ],
  ];
  for (const [args, story] of cases) {
    const { code, stderr } = await runProxy([...args, "--check-config"]);
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, story);
    assertEquals(stderr.match(/cannot lead/g)?.length ?? 1, 1, stderr);
  }
});

Deno.test("serve: a service that may not be connected to is a missing permission, named with its flag", async () => {
  await using bridge = await startSamBridge();
  const sam = `127.0.0.1:${bridge.port}`;
  const { code, stderr } = await runCommand(Deno.execPath(), [
    ...["run", "--no-prompt", "--quiet", `--allow-net=${sam},127.0.0.1:4447`, "--allow-env"],
    ...["main.ts", "--sam", sam, "--listen", "4447", "--forward", "127.0.0.1:9050"],
  ], { env: { DENO_NO_UPDATE_CHECK: "1" }, timeout: 20_000 });
  assertEquals(code, 77, stderr);
  assertStringIncludes(stderr, "Missing permission: network access to 127.0.0.1:9050, needed for --forward");
});
