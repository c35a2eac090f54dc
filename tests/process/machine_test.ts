import { assert, assertEquals } from "@std/assert";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { spawnProxy } from "../support/proxy_process.ts";
import { socksConnect } from "../clients/socks_client.ts";
import { parseTalk } from "../support/talk.ts";

Deno.test("with fewer permissions the program warns once and serves; with --leaks off it has nothing to warn of", async () => {
  await using bridge = await startSamBridge();
  const grants = ["--allow-env=I2P_SOCKS_*,USER,LOGNAME,USERNAME", "--allow-net=127.0.0.1", "--allow-sys=hostname"];
  const missing = "missing permission sys networkInterfaces, env HOME, env USERPROFILE";
  for (const [mode, warnings] of [["warn", 1], ["block", 1], ["off", 0]] as const) {
    const args = ["main.ts", "--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`, "--leaks", mode];
    await using child = spawnProxy({
      program: Deno.execPath(),
      args: ["run", "--no-prompt", "--quiet", ...grants, ...args],
    });
    await child.waitFor("stdout", /^ready .*\n/);
    const port = Number(/ listen=127\.0\.0\.1:(\d+) /.exec(child.stdout())?.[1]);
    const { reply, conn } = await socksConnect(port, "unknown.i2p", 80);
    conn.close();
    assertEquals(reply.code, 4);
    assertEquals(await child.stop("SIGTERM"), 143);
    const warned = parseTalk(child.stderr()).log.filter((line) => line.includes(" warn "));
    assertEquals(warned.length, warnings, child.stderr());
    assert(warned.every((line) => line.endsWith(missing)), warned.join("\n"));
  }
});
