import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { concat } from "../support/bytes.ts";
import { echo } from "../support/harness.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { socksConnect, writeAll } from "../clients/socks_client.ts";
import { delay } from "../support/wait.ts";

Deno.test("a process that was stopped for longer than --idle-timeout loses no stream, and no byte", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using bridge = await startSamBridge();
  await using service = await publishService(bridge.port, listener.addr.port);
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, "--idle-timeout", "2s"]);
  const accepting = listener.accept();
  const client = await socksConnect(proxy.port, service.b32, 80);
  using conn = client.conn;
  using peer = await accepting;
  const echoing = echo(peer);

  proxy.signal("SIGSTOP");
  await delay(1_000);
  await writeAll(peer, new TextEncoder().encode("while you slept"));
  await delay(3_000);
  proxy.signal("SIGCONT");
  assertEquals(await take(conn, 15), "while you slept");
  await writeAll(conn, new TextEncoder().encode("still here"));
  assertEquals(await take(conn, 10), "still here");

  // The limit is still one: without a byte the stream ends.
  assertEquals(await conn.read(new Uint8Array(1)), null);
  await echoing;
  listener.close();
  assertEquals(await proxy.stop(), 143);
});

Deno.test("an identity that the router refuses when it comes back keeps its key file and its address", async () => {
  const dir = await Deno.makeTempDir({ prefix: "i2p-socks-healing-" });
  await using _removed = { [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
  let refusals = 0;
  await using bridge = await startSamBridge();
  const args = ["--sam", `127.0.0.1:${bridge.port}`, "--identity", "me", "--keys-dir", dir];
  await using proxy = await startProxyProcess(args);
  const key = await Deno.readFile(`${dir}/me.dat`);
  const own = bridge.sessions[0]?.b32;
  bridge.intercept = async (line, socket) => {
    if (!line.startsWith("SESSION CREATE") || refusals === 2) return false;
    refusals++;
    await socket.write("SESSION STATUS RESULT=INVALID_KEY\n");
    socket.close();
    return true;
  };
  bridge.dropSessions();
  await proxy.waitFor("stderr", /Session ready again/);
  assertStringIncludes(proxy.stderr(), "the router answered INVALID_KEY");
  assertEquals([refusals, bridge.sessions[0]?.b32], [2, own]);
  assertEquals(await Deno.readFile(`${dir}/me.dat`), key);
  assertEquals(await proxy.stop(), 143);
  assertEquals(await Deno.readFile(`${dir}/me.dat`), key);
  assertEquals(bridge.lines.filter((line) => line.startsWith("DEST GENERATE")).length, 1);
});

/** So many bytes, as text; less where the stream ends. */
async function take(conn: Deno.Conn, length: number): Promise<string> {
  let taken = new Uint8Array();
  const buffer = new Uint8Array(length);
  while (taken.length < length) {
    const count = await conn.read(buffer.subarray(taken.length));
    if (count === null) break;
    taken = concat(taken, buffer.slice(taken.length, taken.length + count));
  }
  assert(taken.length <= length);
  return new TextDecoder().decode(taken);
}
