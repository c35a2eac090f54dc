import { assert, assertEquals, assertMatch } from "@std/assert";
import { proxyCommand } from "../support/command.ts";
import { echo } from "../support/harness.ts";
import { startImpostor } from "../support/impostor.ts";
import { spawnProxy, startProxyProcess } from "../support/proxy_process.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { readToEnd, socksConnect, writeAll } from "../clients/socks_client.ts";
import { parseTalk } from "../support/talk.ts";
import { until } from "../support/wait.ts";

/** Milliseconds in which something is over that waits for nothing. */
const AT_ONCE = 3000;

Deno.test("a signal ends it while tunnels are built, or while the bridge is silent", async (t) => {
  await using bridge = await startSamBridge({ sessionDelay: 60_000 });
  await using silent = startImpostor(readToEnd);
  for (
    const { router, signal, code } of [
      { router: bridge, signal: "SIGINT", code: 130 },
      { router: bridge, signal: "SIGTERM", code: 143 },
      { router: silent, signal: "SIGINT", code: 130 },
    ] as const
  ) {
    await t.step(`${signal} with ${router === bridge ? "tunnels being built" : "a silent bridge"}`, async () => {
      await using child = spawnProxy(proxyCommand(["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${router.port}`]));
      await child.waitFor("stderr", /Asking the router/);
      if (router === bridge) {
        await until("SESSION CREATE", () => bridge.lines.some((line) => line.startsWith("SESSION CREATE")));
      }
      assertEquals(await timed(() => child.stop(signal)), { result: code, atOnce: true });
      // The code of a program that a signal has killed is the same, so this tells that it ended by itself.
      assertEquals((await child.ended()).signal, null);
      assertEquals(child.stdout(), "");
      assertEquals(parseTalk(child.stderr()).errors, []);
      assertMatch(child.stderr(), /info {2}Ended/);
      assert(!child.stderr().includes("Tunnels ready"), child.stderr());
    });
  }
});

Deno.test("a signal ends it at once when nobody is connected", async (t) => {
  await using bridge = await startSamBridge();
  for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
    await t.step(signal, async () => {
      await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`]);
      assertEquals(await timed(() => proxy.stop(signal)), { result: code, atOnce: true });
      assertEquals((await proxy.ended()).signal, null);
      assertMatch(proxy.stderr(), /info {2}Ended/);
      await until("its session is gone", () => bridge.sessions.length === 0);
    });
  }
});

Deno.test("after a signal an open connection goes on to its end, and a second signal ends it", async (t) => {
  await using bridge = await startSamBridge();
  await using service = startImpostor(echo);
  await using published = await publishService(bridge.port, service.port);

  for (const second of [undefined, "SIGINT", "SIGTERM"] as const) {
    await t.step(second ?? "its end", async () => {
      await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`]);
      const { reply, conn } = await socksConnect(proxy.port, published.b32, 80);
      using _conn = conn;
      assertEquals(reply.code, 0);
      proxy.signal("SIGTERM");
      await proxy.waitFor("stderr", /Stopping: waiting up to 10 s for 1 connection\. Press Ctrl\+C again to quit now/);
      assertEquals(await echoed(conn, "still there"), "still there");
      const refused = await Deno.connect({ hostname: "127.0.0.1", port: proxy.port }).catch((error) => error.name);
      assertEquals(refused, "ConnectionRefused");
      const end = await timed(async () => {
        if (second === undefined) conn.close();
        else proxy.signal(second);
        return await proxy.ended();
      });
      assertEquals([end.result.code, end.result.signal, end.atOnce], [143, null, true]);
      assertEquals(proxy.stdout(), `${proxy.readyLine}\n`);
    });
  }
});

async function echoed(conn: Deno.TcpConn, text: string): Promise<string> {
  await writeAll(conn, new TextEncoder().encode(text));
  let answer = "";
  const buffer = new Uint8Array(64);
  const timer = setTimeout(() => conn.close(), AT_ONCE);
  while (answer.length < text.length) {
    const length = await conn.read(buffer);
    if (length === null) break;
    answer += new TextDecoder().decode(buffer.subarray(0, length));
  }
  clearTimeout(timer);
  return answer;
}

async function timed<T>(action: () => Promise<T>): Promise<{ result: T; atOnce: boolean }> {
  const since = performance.now();
  const result = await action();
  return { result, atOnce: performance.now() - since < AT_ONCE };
}
