import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { LOOKUP_TIMEOUT } from "../../lib/sam/naming.ts";
import { DRAIN_TIMEOUT } from "../../lib/server/applications.ts";
import { runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { echo } from "../support/harness.ts";
import { startImpostor } from "../support/impostor.ts";
import { spawnProxy, startProxyProcess } from "../support/proxy_process.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { startSite } from "../support/site.ts";
import { readToEnd, socksConnect } from "../clients/socks_client.ts";
import { parseTalk } from "../support/talk.ts";

Deno.test("lookup gives a router up that does not answer within a minute", async () => {
  await using bridge = await startSamBridge({ intercept: (line) => line.startsWith("NAMING") });
  const since = performance.now();
  const { program, args } = hurried(50, ["lookup", "--sam", `127.0.0.1:${bridge.port}`, "a.i2p", "b.i2p"]);
  const { code, stdout, stderr } = await runCommand(program, args);
  assert(performance.now() - since >= LOOKUP_TIMEOUT / 50);
  assertEquals([code, stdout], [75, ""]);
  assertEquals(parseTalk(stderr).errors, ["The router did not answer within 1 min 0 s"]);
});

Deno.test("a signal ends connections that do not end by themselves within ten seconds", async () => {
  await using bridge = await startSamBridge();
  await using service = startImpostor(echo);
  await using published = await publishService(bridge.port, service.port);
  const sam = ["--sam", `127.0.0.1:${bridge.port}`];
  await using proxy = spawnProxy(hurried(10, ["--listen", "127.0.0.1:0", ...sam]));
  await proxy.waitFor("stdout", /ready.*\n/);
  const port = Number(/listen=127\.0\.0\.1:(\d+)/.exec(proxy.stdout())?.[1]);
  const { conn } = await socksConnect(port, published.b32, 80);
  using _conn = conn;
  const since = performance.now();
  assertEquals(await proxy.stop("SIGTERM"), 143);
  assert(performance.now() - since >= DRAIN_TIMEOUT / 10);
  assertEquals((await proxy.ended()).signal, null);
  assertStringIncludes(proxy.stderr(), "Stopping: waiting up to 10 s for 1 connection.");
  assertEquals(await conn.read(new Uint8Array(1)), null);
});

Deno.test("a flood of refusals writes two lines of log, and all are counted", async () => {
  await using bridge = await startSamBridge();
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`]);
  for (let i = 0; i < 10; i++) {
    await Promise.all(Array.from({ length: 30 }, async () => {
      const { reply, conn } = await socksConnect(proxy.port, "example.com", 80);
      assertEquals(reply.code, 2);
      conn.close();
    }));
  }
  assertEquals(await proxy.stop(), 143);
  const lines = proxy.stderr().split("\n").filter((line) => line.includes("reason=clearnet"));
  const folded = lines.map((line) => Number(/ (\d+) more like this: /.exec(line)?.[1] ?? 1));
  assertEquals(folded.reduce((sum, count) => sum + count, 0), 300, proxy.stderr());
  // The time may be over once or twice on a busy machine.
  assert(lines.length <= 10, proxy.stderr());
  assertStringIncludes(proxy.stderr(), "refused-clearnet=300");
});

e2eTest("--max-per-client tells addresses of loopback apart, and old clients go on", ["curl"], async () => {
  await using bridge = await startSamBridge();
  await using site = await startSite();
  await using service = await publishService(bridge.port, site.port);
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, "--max-per-client", "1"]);
  // From 127.0.0.1, to hold the one place that it has.
  const { reply, conn } = await socksConnect(proxy.port, service.b32, 80);
  using _conn = conn;
  assertEquals(reply.code, 0);
  const refused = await socksConnect(proxy.port, service.b32, 80);
  refused.conn.close();
  assertEquals(refused.reply.code, 1);
  for (const address of ["127.0.0.2", "127.0.0.3"]) {
    const proxied = ["--socks5-hostname", `127.0.0.1:${proxy.port}`, "--interface", address];
    const { stdout } = await runCommand("curl", ["-s", "--max-time", "10", ...proxied, `http://${service.b32}/`]);
    assertStringIncludes(stdout, site.token, address);
  }
  await conn.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
  assertStringIncludes(new TextDecoder().decode(await readToEnd(conn)), site.token);
  await proxy.stop();
  assertStringIncludes(proxy.stderr(), "refused-too-many-per-client=1");
});

Deno.test("extended errors are asked for on the command line or in a file, and counted like others", async (t) => {
  await using bridge = await startSamBridge();
  const file = await Deno.makeTempFile({ suffix: ".yaml" });
  await using _removed = { [Symbol.asyncDispose]: () => Deno.remove(file) };
  await Deno.writeTextFile(file, "extended-errors: true\n");
  const absent = `${"a".repeat(52)}.b32.i2p`;
  const cases: readonly (readonly [string, readonly string[], number[]])[] = [
    ["neither", [], [4, 4, 2]],
    ["command line", ["--extended-errors"], [0xf6, 0xf3, 2]],
    ["file", ["--config", file], [0xf6, 0xf3, 2]],
  ];
  for (const [name, args, codes] of cases) {
    await t.step(name, async () => {
      await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, ...args]);
      for (const [i, host] of ["short.b32.i2p", absent, "example.com"].entries()) {
        for (const [version, code] of [[5, codes[i]], [4, 0x5b]] as const) {
          const { reply, conn } = await socksConnect(proxy.port, host, 80, { version });
          conn.close();
          assertEquals(reply.code, code, host);
        }
      }
      assertEquals(await proxy.stop(), 143);
      for (const reason of ["malformed-address", "peer-unreachable", "clearnet"]) {
        assertStringIncludes(proxy.stderr(), `refused-${reason}=2`);
      }
    });
  }
});

/** How to start i2p-socks with timers that run so many times as fast. */
function hurried(factor: number, args: readonly string[]): { program: string; args: string[] } {
  const run = ["run", "-P", "--no-prompt", "--quiet", "tests/process/hurried.ts"];
  return { program: Deno.execPath(), args: [...run, String(factor), ...args] };
}
