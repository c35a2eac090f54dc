import { assert, assertEquals } from "@std/assert";
import { startProxyProcess } from "../support/proxy_process.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { atMost } from "../sam_bridge/wire.ts";
import { startSite } from "../support/site.ts";
import { socksConnect, socksGet } from "../clients/socks_client.ts";

Deno.test("the log names no destination and no secret, unless destinations are asked for", async (t) => {
  for (const manners of ["i2pd", "java"] as const) {
    for (const format of ["text", "json"] as const) {
      await t.step(`${manners}, ${format}`, async () => {
        const blobs: string[] = [];
        await using bridge = await startSamBridge({ manners, intercept: listenIn(blobs) });
        await using site = await startSite();
        await using service = await publishService(bridge.port, site.port);
        bridge.setName("banana.i2p", service.destination);
        const args = ["--sam", `127.0.0.1:${bridge.port}`, "--log-level", "debug", "--log-format", format];
        await using quiet = await startProxyProcess(args);
        await using loud = await startProxyProcess([...args, "--log-destinations"]);
        for (const proxy of [quiet, loud]) await useAll(proxy.port, service.b32);
        bridge.dropSessions();
        for (const proxy of [quiet, loud]) await proxy.waitFor("stderr", /Session ready again/);
        for (const proxy of [quiet, loud]) await proxy.stop();

        const traces = [
          service.b32,
          "banana",
          "cherry",
          "example",
          "localhost",
          "93.184",
          "malformed_",
          "ananas",
          "juser",
        ];
        assertEquals(traces.filter((trace) => (quiet.stdout() + quiet.stderr()).includes(trace)), []);
        const named = traces.filter((trace) => loud.stderr().includes(trace));
        assertEquals(named, traces.slice(0, -2), "with --log-destinations all of them, but no login");
        // Keys: those the router gave, and anything as long as keys.
        assert(blobs.length >= 5);
        for (const { stdout, stderr } of [quiet, loud]) {
          for (const blob of blobs) assert(!(stdout() + stderr()).includes(blob.slice(0, 20)));
          assert(!/[A-Za-z0-9~-]{80}/.test(stdout() + stderr()));
        }
      });
    }
  }
});

/** A client of every sort. */
async function useAll(proxyPort: number, b32: string): Promise<void> {
  const login = { user: "juser", password: "ananas" };
  for (const version of [4, 5] as const) {
    assert(await atMost(30_000, socksGet(proxyPort, `http://${b32}/`, { version })) !== undefined);
    for (
      const host of [
        "banana.i2p",
        "cherry.i2p",
        "example.com",
        "localhost",
        "93.184.216.34",
        "malformed_.i2p",
        "a.b32.i2p",
        `${"a".repeat(52)}.b32.i2p`,
      ]
    ) {
      const { conn } = await socksConnect(proxyPort, host, 80, { version });
      conn.close();
    }
  }
  // A login is not taken, and its user and password must not be told.
  await socksConnect(proxyPort, "banana.i2p", 80, { login, version: 4 }).then(({ conn }) => conn.close());
  await socksConnect(proxyPort, "banana.i2p", 80, { login }).then(({ conn }) => conn.close(), () => {});
}

/** Notes the private keys that a bridge gives away. */
function listenIn(blobs: string[]): (line: string, socket: { write(text: string): Promise<void> }) => boolean {
  return (line, socket) => {
    if (!line.startsWith("SESSION CREATE")) return false;
    const write = socket.write.bind(socket);
    socket.write = (text) => {
      const blob = / DESTINATION=(\S+)/.exec(text)?.[1];
      if (blob !== undefined) blobs.push(blob);
      return write(text);
    };
    return false;
  };
}
