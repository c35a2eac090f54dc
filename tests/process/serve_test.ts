import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { proxyCommand } from "../support/command.ts";
import { freePort, hasIpv6 } from "../support/free_port.ts";
import { spawnProxy, startProxyProcess } from "../support/proxy_process.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { atMost } from "../sam_bridge/wire.ts";
import { startSite } from "../support/site.ts";
import { socksGet, writeAll } from "../clients/socks_client.ts";
import { parseTalk } from "../support/talk.ts";

const FREE_LISTENER = ["--listen", "127.0.0.1:0"];

function samOf({ port }: { port: number }): string[] {
  return ["--sam", `127.0.0.1:${port}`];
}

Deno.test("the ready line is all of stdout, as text", async () => {
  await using bridge = await startSamBridge();
  await using site = await startSite();
  await using service = await publishService(bridge.port, site.port);
  await using proxy = await startProxyProcess(samOf(bridge));
  const own = bridge.sessions.at(-1)?.b32;
  assertEquals(
    proxy.readyLine,
    `ready listen=127.0.0.1:${proxy.port} b32=${own} sam=3.1 router=127.0.0.1:${bridge.port}`,
  );
  assertStringIncludes(await atMost(30_000, socksGet(proxy.port, `http://${service.b32}/`)) ?? "", site.token);
  assertEquals(await proxy.stop(), 143);
  assertEquals(proxy.stdout(), `${proxy.readyLine}\n`);
  const { errors, log } = parseTalk(proxy.stderr());
  assertEquals(errors, []);
  assertStringIncludes(log[0] ?? "", `Asking the router for tunnels pid=${proxy.pid} sam=127.0.0.1:${bridge.port}`);
});

Deno.test("the ready line is all of stdout, as JSON, and so is each line of the log", async () => {
  await using bridge = await startSamBridge({ manners: "java" });
  await using proxy = await startProxyProcess([...samOf(bridge), "--log-format", "json"]);
  assertEquals(JSON.parse(proxy.readyLine), {
    event: "ready",
    listen: `127.0.0.1:${proxy.port}`,
    b32: bridge.sessions[0]?.b32,
    sam: "3.1",
    router: `127.0.0.1:${bridge.port}`,
  });
  assertEquals(await proxy.stop(), 143);
  assertEquals(proxy.stdout(), `${proxy.readyLine}\n`);
  const lines = proxy.stderr().trimEnd().split("\n").map((line) => JSON.parse(line));
  assert(lines.length >= 2);
  for (const { time, level, message } of lines) {
    assertMatch(time, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    assertMatch(level, /^(debug|info|warn|error)$/);
    assertMatch(message, /./);
  }
});

Deno.test({
  name: hasIpv6() ? "every listener serves, [::1] and localhost too" : "every listener serves [ignored: no IPv6]",
  ignore: !hasIpv6(),
  fn: async () => {
    await using bridge = await startSamBridge();
    const listen = ["127.0.0.1:0", "[::1]:0", "localhost:0", "0"].flatMap((where) => ["--listen", where]);
    await using proxy = await startProxyProcess([...samOf(bridge), ...listen]);
    const places = (proxy.ready["listen"] ?? "").split(",");
    assertEquals(places.map((place) => place.replace(/:\d+$/, "")), ["127.0.0.1", "[::1]", "127.0.0.1", "127.0.0.1"]);
    for (const place of places) {
      const { hostname, port } = new URL(`http://${place}`);
      using conn = await Deno.connect({ hostname: hostname.replace(/^\[(.*)\]$/, "$1"), port: Number(port) });
      await writeAll(conn, Uint8Array.of(5, 1, 0));
      const reply = new Uint8Array(2);
      await atMost(30_000, conn.read(reply));
      assertEquals(reply, Uint8Array.of(5, 0), place);
    }
  },
});

Deno.test("the default port is 4447, or the next free one, said aloud", async () => {
  using _taken = take(4447);
  await using bridge = await startSamBridge();
  await using proxy = await startProxyProcess(samOf(bridge), { freePort: false });
  // 4448 is where status asks.
  assert(proxy.port > 4448 && proxy.port < 4467, proxy.readyLine);
  assertEquals(proxy.ready["listen"], `127.0.0.1:${proxy.port}`);
  assertStringIncludes(proxy.stderr(), `Port 4447 is taken, serving on ${proxy.port} instead\n`);
});

Deno.test("the environment stands in for options, and options win over it", async () => {
  await using bridge = await startSamBridge();
  const env = { I2P_SOCKS_LISTEN: `localhost:${freePort()}`, I2P_SOCKS_SAM: `127.0.0.1:${bridge.port}` };
  await using first = await startProxyProcess([], { env, freePort: false });
  assertEquals(first.ready["listen"], env.I2P_SOCKS_LISTEN.replace("localhost", "127.0.0.1"));
  assertEquals(first.ready["router"], env.I2P_SOCKS_SAM);
  const wrong = { I2P_SOCKS_LISTEN: "10.0.0.1:1", I2P_SOCKS_SAM: "example.com:1" };
  await using second = await startProxyProcess([...samOf(bridge), ...FREE_LISTENER], { env: wrong });
  assertEquals(second.ready["router"], `127.0.0.1:${bridge.port}`);
});

Deno.test("options of the session reach the router", async () => {
  await using bridge = await startSamBridge();
  const options = ["--name", "irc", "--length", "1", "--outbound-length", "0", "--quantity", "3", "-o", "a.b=c"];
  await using _proxy = await startProxyProcess([...samOf(bridge), ...options]);
  const { options: sent = {} } = bridge.sessions[0] ?? {};
  assertEquals(sent["inbound.nickname"], "irc");
  assertEquals([sent["inbound.length"], sent["outbound.length"]], ["1", "0"]);
  assertEquals([sent["inbound.quantity"], sent["outbound.quantity"]], ["3", "3"]);
  assertEquals(sent["a.b"], "c");
});

Deno.test("it logs in where the bridge asks for it; 69 for a wrong login, 2 for one that cannot be read", async (t) => {
  const login = { user: "me", password: 'pine "apple" \\ of 5' };
  await using bridge = await startSamBridge({ manners: "java", login });
  const dir = await Deno.makeTempDir();
  await using _removed = { [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }) };
  const file = async (name: string, text: string): Promise<string> => {
    await Deno.writeTextFile(`${dir}/${name}`, text);
    return `${dir}/${name}`;
  };
  const as = (user: string, path: string): string[] => ["--sam-user", user, "--sam-password-file", path];
  const right = await file("right", `${login.password}\r\nsecond line\n`);

  await t.step("right", async () => {
    await using proxy = await startProxyProcess([...samOf(bridge), ...as("me", right), "--log-level", "debug"]);
    assertEquals(await proxy.stop(), 143);
    assert(!(proxy.stdout() + proxy.stderr()).includes("apple"));
  });

  const cases: { name: string; args: string[]; code: number; error: string; hint?: string }[] = [
    {
      name: "wrong password",
      args: as("me", await file("wrong", "pineapple\n")),
      code: 69,
      error: "Authorization failed",
    },
    { name: "wrong user", args: as("you", right), code: 69, error: "Authorization failed" },
    {
      name: "none",
      args: [],
      code: 69,
      error: "USER and PASSWORD required",
      hint: "--sam-user and --sam-password-file",
    },
    { name: "no such file", args: as("me", `${dir}/none`), code: 2, error: `"${dir}/none": there is no such file` },
    { name: "a directory", args: as("me", dir), code: 2, error: `"${dir}": ` },
    { name: "empty file", args: as("me", await file("empty", "")), code: 2, error: "its first line is not a password" },
    {
      name: "empty first line",
      args: as("me", await file("blank", "\npineapple\n")),
      code: 2,
      error: "its first line is not a password",
    },
    {
      name: "control character",
      args: as("me", await file("bell", "pine\x07apple\n")),
      code: 2,
      error: "its first line is not a password",
    },
  ];
  for (const { name, args, code, error, hint } of cases) {
    await t.step(name, async () => {
      await using child = spawnProxy(proxyCommand([...FREE_LISTENER, ...samOf(bridge), ...args]));
      assertEquals((await child.ended()).code, code, child.stderr());
      const { errors, hints } = parseTalk(child.stderr());
      assertEquals([errors.length, child.stdout()], [1, ""]);
      assertStringIncludes(errors[0] ?? "", error);
      if (hint !== undefined) assertStringIncludes(hints.join("\n"), hint);
      assert(!child.stderr().includes("apple"));
    });
  }
});

Deno.test("with the permission to reach the router and no other, it comes back after the router did", async () => {
  await using bridge = await startSamBridge();
  await using site = await startSite();
  await using proxy = await startProxyProcess(samOf(bridge));
  bridge.dropSessions();
  await proxy.waitFor("stderr", /Session lost after .*\n(.*\n)*.*Session ready again/);
  await using service = await publishService(bridge.port, site.port);
  assertStringIncludes(await atMost(30_000, socksGet(proxy.port, `http://${service.b32}/`)) ?? "", site.token);
  assertEquals(proxy.stdout(), `${proxy.readyLine}\n`);
});

/** Takes a port if it is free; if it is not, somebody else has it, which is as good. */
function take(port: number): Disposable {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    return { [Symbol.dispose]: () => {} };
  }
}
