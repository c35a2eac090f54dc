import { assert, assertEquals, assertMatch } from "@std/assert";
import { PROJECT, proxyCommand } from "../support/command.ts";
import { type SamBridge, startSamBridge } from "../sam_bridge/bridge.ts";
import { readToEnd, socksConnect } from "../clients/socks_client.ts";
import { e2eTest } from "../support/e2e.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { makeScratch } from "../support/scratch.ts";
import { until } from "../support/wait.ts";

/** Enough log to fill any pipe, and the queue behind it several times. */
const REFUSALS = 6_000;

Deno.test("a reader of the log that stalls stops nothing, and what it missed is counted", async () => {
  await using bridge = await startSamBridge();
  const { child, port } = await start("serve", bridge);
  await refuse(port, REFUSALS);
  // Whoever reads at last gets what was kept, and how much was not.
  let log = "";
  const reading = (async () => {
    for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) log += chunk;
  })();
  await until("the log goes on", () => /^\d+ lines of the log were lost$/m.test(log));
  assertMatch(log, /reason=clearnet/);
  child.kill("SIGTERM");
  assertEquals((await child.status).code, 143);
  await child.stdout.cancel();
  await reading;
});

Deno.test("a reader that never reads does not keep the program from ending", async (t) => {
  await using bridge = await startSamBridge();
  for (const [verb, code] of [["serve", 143], ["audit", 1]] as const) {
    await t.step(verb, async () => {
      const { child, port } = await start(verb, bridge);
      await refuse(port, 1_200);
      const since = performance.now();
      child.kill("SIGTERM");
      assertEquals((await child.status).code, code);
      assert(performance.now() - since < 12_000);
      await child.stdout.cancel();
      await child.stderr.cancel();
    });
  }
});

e2eTest("a log that may not grow stops nothing, and goes on when it has room", ["bash"], async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge();
  const log = await scratch.file("log", "");
  // Far above what the runtime itself writes.
  const most = 1_000_000;
  await Deno.truncate(log, most * 1024 - 500);
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, "--log-destinations"], {
    wrapper: ["bash", "-c", `ulimit -f ${most}; exec "$@" 2>> "$0"`, log],
  });
  await refuse(proxy.port, 60);
  assertEquals((await Deno.stat(log)).size, most * 1024);
  await Deno.truncate(log, 0);
  await refuse(proxy.port, 120);
  await until("the log goes on", async () => /^\d+ lines of the log were lost$/m.test(await Deno.readTextFile(log)));
  assertEquals(await proxy.stop(), 143);
});

/** Starts the program, and reads its ready line and no more. */
async function start(verb: string, bridge: SamBridge): Promise<{ child: Deno.ChildProcess; port: number }> {
  // Lines that name different destinations are not folded.
  const options = ["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`, "--log-destinations"];
  const { program, args } = proxyCommand([verb, ...options]);
  const child = new Deno.Command(program, {
    args,
    cwd: PROJECT,
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const ready = new TextDecoder().decode((await reader.read()).value);
  reader.releaseLock();
  const port = Number(/^ready listen=127\.0\.0\.1:(\d+)/.exec(ready)?.[1]);
  assert(port > 0, ready);
  return { child, port };
}

/** Has so many clients refused, each of which costs a line of the log and more, and sees that all are answered. */
async function refuse(port: number, clients: number): Promise<void> {
  for (let i = 0; i < clients; i += 60) {
    await Promise.all(Array.from({ length: 60 }, async (_, j) => {
      const { reply, conn } = await socksConnect(port, `${i + j}.example.com`, 80);
      assertEquals(reply.code, 2);
      await readToEnd(conn);
      conn.close();
    }));
  }
}
