import { assertEquals, assertMatch } from "@std/assert";
import { rawGet } from "../clients/raw_http.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { statusPort } from "../status/status_client.ts";
import { proxyCommand } from "../support/command.ts";
import { progressLine } from "../../lib/server/ready_lines.ts";
import { pureTest } from "../support/pure.ts";
import { freePort } from "../support/free_port.ts";
import { spawnProxy } from "../support/proxy_process.ts";
import { makeScratch } from "../support/scratch.ts";

Deno.test("--wait waits for a router that starts later, and the status says so", async (t) => {
  for (const identity of [[], ["--identity", "irc"]]) {
    await t.step(identity.join(" ") || "a temporary identity", async () => {
      await using scratch = await makeScratch();
      const port = freePort();
      const args = ["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${port}`, "--status", "127.0.0.1:0", "--wait", "1h"];
      await using child = spawnProxy(proxyCommand([...args, ...identity, "--keys-dir", `${scratch.dir}/keys`]));
      const status = await statusPort(child);
      await child.waitFor("stderr", /warn {2}The router is not there yet\. Waiting for it, up to 1 h/);
      const { status: code, body } = await rawGet(status, "/ready");
      assertEquals(code, 503);
      if (identity.length === 0) assertMatch(body, /^i2p-socks: Nothing answers at /);
      // The log gives the same words, which tell what the other ports of routers show.
      assertMatch(child.stderr(), new RegExp(`not there yet.*Nothing answers at 127\\.0\\.0\\.1:${port}, .*hint=`));
      await using _bridge = await startSamBridge({ port });
      await child.waitFor("stdout", /^ready /);
      assertEquals((await rawGet(status, "/ready")).status, 200);
    });
  }
});

pureTest("what is waited for is the router, where it is not there, or tunnels, with whose they are", () => {
  const own = { group: null, label: "own identity", state: "building", ageSeconds: 65, clients: 0 } as const;
  assertEquals(progressLine({ ...own, reason: null }), "Waiting for tunnels: 1 min 5 s (it can take minutes)");
  assertEquals(progressLine({ ...own, reason: "Nothing answers" }), "Waiting for the router: 1 min 5 s");
  const login = { ...own, group: 1, label: "login 1", reason: null };
  assertEquals(progressLine(login), "Waiting for tunnels of login 1: 1 min 5 s (it can take minutes)");
});

Deno.test("a signal ends the wait for a router, and so does its time", async () => {
  const args = ["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${freePort()}`];
  await using waiting = spawnProxy(proxyCommand([...args, "--wait", "1h"]));
  await waiting.waitFor("stderr", /not there yet/);
  assertEquals(await waiting.stop("SIGTERM"), 143);
  await using short = spawnProxy(proxyCommand([...args, "--wait", "300ms"]));
  assertEquals((await short.ended()).code, 69);
  assertMatch(short.stderr(), /not there yet[^]*error: Nothing answers at .*\n.*hint: /);
});
