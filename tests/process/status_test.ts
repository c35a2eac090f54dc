import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { MAX_STATUS_HEAD } from "../../lib/status/server.ts";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address } from "../../lib/i2p/destination.ts";
import type { ApplicationStatus } from "../../lib/status/snapshot.ts";
import { proxyCommand, runCommand, runProxy } from "../support/command.ts";
import { startCaller } from "../clients/callers.ts";
import { echo } from "../support/harness.ts";
import { spawnProxy, startProxyProcess } from "../support/proxy_process.ts";
import { type RawAnswer, rawGet, rawHttp } from "../clients/raw_http.ts";
import { ADDRESSES, askFor, FOREIGN_NAMES } from "../clients/requests.ts";
import { type PublishedService, publishService, type SamBridge, startSamBridge } from "../sam_bridge/bridge.ts";
import { makeScratch } from "../support/scratch.ts";
import { BindClient } from "../clients/socks_bind.ts";
import { socksConnect, writeAll } from "../clients/socks_client.ts";
import { associate } from "../clients/socks_udp.ts";
import { only, snapshot, statusPort, untilIt } from "../status/status_client.ts";
import { startUdpService } from "../sam_bridge/udp_service.ts";

const PATHS = ["/", "/ready", "/metrics", "/status.json"];

const stateOf = ({ identities: [base] }: ApplicationStatus): string | undefined => base?.state;

/** A service that echoes, as `service.i2p`, until it hangs up: over SAM, only that side can end a stream at once. */
interface EchoService extends PublishedService {
  hangUp(): void;
}

async function startEcho(bridge: SamBridge): Promise<EchoService> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const conns = new Set<Deno.TcpConn>();
  const serving = (async (): Promise<void> => {
    for await (const conn of listener) {
      conns.add(conn);
      void echo(conn).catch(() => {}).finally(() => conns.delete(conn) && conn.close());
    }
  })();
  const hangUp = (): void => {
    for (const conn of conns) conn.close();
    conns.clear();
  };
  const service = await publishService(bridge.port, listener.addr.port);
  bridge.setName("service.i2p", service.destination);
  return {
    ...service,
    b32: service.b32,
    destination: service.destination,
    hangUp,
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]();
      hangUp();
      listener.close();
      await serving;
    },
  };
}

Deno.test("the status follows an identity from building to ready, to lost, and to ready again", async (t) => {
  const release = Promise.withResolvers<void>();
  await using bridge = await startSamBridge({
    intercept: async (line) => {
      if (line.startsWith("SESSION CREATE")) await release.promise;
      return false;
    },
  });
  const args = ["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`, "--status", "127.0.0.1:0"];
  await using child = spawnProxy(proxyCommand(args));
  const port = await statusPort(child);
  const address = `127.0.0.1:${port}`;

  await t.step("building: 503 with the reason, and exit code 75", async () => {
    await untilIt("greeted", port, ({ reason }) => reason === "The router builds tunnels");
    const { status, body } = await rawGet(port, "/ready");
    assertEquals([status, body], [503, "i2p-socks: The router builds tunnels\n"]);
    const application = await only(port);
    const [base] = application.identities;
    assertEquals([application.ready, application.samVersion], [false, null]);
    assertEquals([base?.kind, base?.group, base?.state, base?.reason, base?.b32], [
      "base",
      null,
      "building",
      null,
      null,
    ]);
    const { code, stdout } = await runProxy(["status", address]);
    assertEquals(code, 75);
    assertStringIncludes(stdout, "✗ i2p-socks: not ready: The router builds tunnels\n");
  });

  await t.step("ready: 200, the address of the ready line, and exit code 0", async () => {
    release.resolve();
    await child.waitFor("stdout", /^ready .*\n/m);
    const [, listen = "", b32 = ""] = /^ready listen=(\S+) b32=(\S+)/m.exec(child.stdout()) ?? [];
    const { status, body } = await rawGet(port, "/ready");
    assertEquals([status, body], [200, "ready\n"]);
    const { identities: [base], ...application } = await only(port);
    assertEquals(application.listen, [listen]);
    assertEquals([application.samVersion, application.ready, application.reason], ["3.1", true, null]);
    assertEquals([base?.state, base?.b32, base?.reason], ["ready", b32, null]);
    assert(base !== undefined && base.ageSeconds < 60);
    const { code, stdout } = await runProxy(["status", address]);
    assertEquals(code, 0);
    assertStringIncludes(stdout, "✓ i2p-socks: ready\n");
    assertStringIncludes(stdout, b32);
    const json = await runProxy(["status", String(port), "--json"]);
    assertEquals([json.code, json.stdout.split("\n").length], [0, 2]);
    assertEquals(Object.keys(JSON.parse(json.stdout)), ["version", "startedAt", "uptimeSeconds", "applications"]);
  });

  await t.step("lost: why, and since when; then ready again", async () => {
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    const age = (await only(port)).identities[0]?.ageSeconds ?? 0;
    assert(age >= 1, `${age}`);
    await bridge.stopListening();
    bridge.dropSessions({ prefix: "i2p-socks" });
    await untilIt("lost", port, (application) => stateOf(application) === "lost");
    const { identities: [base], reason, ready } = await only(port);
    assert(!ready && base !== undefined && base.ageSeconds < age, `${base?.ageSeconds}`);
    const gone = `Nothing answers at 127.0.0.1:${bridge.port}: no SAM bridge (connection refused)`;
    const command = `i2p-socks check --sam 127.0.0.1:${bridge.port} looks for the cause`;
    await untilIt("it knocks", port, (application) => application.reason === gone);
    assertEquals((await only(port)).advice.at(-1), command);
    // It was an i2pd: what to do with Java I2P is of no use.
    const fix = "start the router; SAM listens on";
    const told = [(await rawGet(port, "/ready")).body, (await runProxy(["status", address])).stdout, child.stderr()];
    for (const text of told) {
      for (const words of [gone, fix, command]) assertStringIncludes(text, words);
      assert(!/os error|Java I2P/.test(text), text);
    }
    assertMatch(base.reason ?? "", /SAM/);
    assertEquals([reason, base.b32], [base.reason, null]);
    assertEquals((await rawGet(port, "/ready")).status, 503);
    bridge.listen();
    await untilIt("ready again", port, (application) => stateOf(application) === "ready");
    assertEquals((await rawGet(port, "/ready")).status, 200);
  });
});

Deno.test("the status counts bytes while a stream runs, its clients, refusals and leaks", async () => {
  await using bridge = await startSamBridge();
  await using service = await startEcho(bridge);
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, "--status", "127.0.0.1:0"]);
  const port = await statusPort(proxy);
  const idle = await only(port);
  assertEquals([idle.connections, idle.streams, idle.connected, idle.bytesSent, idle.bytesReceived], [0, 0, 0, 0, 0]);
  assertEquals([idle.refusals, idle.leaks], [[], []]);

  const login = { user: "quillfish", password: "ananas" };
  const { conn, reply } = await socksConnect(proxy.port, "service.i2p", 80, { login });
  assertEquals(reply.code, 0);
  for (const total of [1_000, 2_000]) {
    await writeAll(conn, new Uint8Array(1_000));
    await untilIt(`${total} bytes`, port, (a) => a.bytesSent === total && a.bytesReceived === total);
  }
  const { connections, streams, connected, identities } = await only(port);
  assertEquals([connections, streams, connected], [1, 1, 1]);
  assertEquals(identities.map(({ kind, group, state, clients, sites }) => [kind, group, state, clients, sites]), [
    ["base", null, "ready", 0, 0],
    ["group", 1, "ready", 1, 1],
  ]);
  service.hangUp();
  conn.close();
  await untilIt("the end", port, (a) => a.connections === 0 && a.streams === 0);
  assertEquals((await only(port)).bytesSent, 2_000);

  const second = await socksConnect(proxy.port, "service.i2p", 80);
  await writeAll(second.conn, new TextEncoder().encode("GET / HTTP/1.1\r\nUser-Agent: a (X11; Linux x86_64)\r\n\r\n"));
  await untilIt("a leak", port, ({ leaks }) => leaks.length > 0);
  assertEquals((await only(port)).identities[0]?.clients, 1);
  service.hangUp();
  second.conn.close();
  await askFor(proxy.port, ["example.com", "10.0.0.1"]);
  await untilIt("its end", port, (a) => a.connections === 0);
  const { refusals, leaks } = await only(port);
  assertEquals(refusals.map(({ reason, count }) => [reason, count]), [["clearnet", 2], ["ip", 2]]);
  for (const { message, hint } of refusals) assert(message.length > 10 && (hint?.length ?? 0) > 10);
  assertEquals(leaks.map(({ kind, count }) => [kind, count]), [["http-user-agent", 1]]);
  const metrics = (await rawGet(port, "/metrics")).body;
  for (
    const line of [
      'i2p_socks_refusals_total{application="i2p-socks",reason="clearnet"} 2',
      'i2p_socks_leaks_total{application="i2p-socks",leak="http-user-agent"} 1',
      'i2p_socks_streams_opened_total{application="i2p-socks"} 2',
    ]
  ) assertStringIncludes(metrics, `${line}\n`);
  assertEquals(await proxy.stop(), 143);
  assertMatch(proxy.stderr(), /Ended .*bytes-received=2\d\d\d bytes-sent=2\d\d\d connected=2 .*refused-clearnet=2/);
});

Deno.test("the status answers no other host and no other page, and has limits", async (t) => {
  await using bridge = await startSamBridge();
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, "--status", "127.0.0.1:0"]);
  const port = await statusPort(proxy);
  const b32 = proxy.ready["b32"] ?? "";

  await t.step("other hosts and pages: 403, and nothing of it", async () => {
    for (const path of PATHS) {
      for (const headers of [{ Host: "evil.example" }, { Host: "rebound.i2p:80" }, { Origin: "http://evil.example" }]) {
        const { status, text } = await rawGet(port, path, headers);
        assertEquals(status, 403, text);
        assert(!text.includes(b32) && !text.includes("i2p_socks"), text);
      }
      for (const headers of [{ Host: `localhost:${port}` }, { Origin: `http://127.0.0.1:${port}` }, {}]) {
        const answer = await rawGet(port, path, headers);
        assertEquals(answer.status, 200, answer.text);
        assertStringIncludes(answer.headers["content-security-policy"] ?? "", "default-src 'none'");
      }
    }
  });
  await t.step("HEAD: the same, without the body", async () => {
    for (const path of [...PATHS, "/other"]) {
      const got = await rawGet(port, path);
      const looked = await rawGet(port, path, {}, "HEAD");
      assertEquals([looked.status, looked.text.includes("\r\n\r\n")], [got.status, true], path);
      assertEquals(looked.text.split("\r\n\r\n")[1], "", path);
      assertEquals(looked.headers["content-type"], got.headers["content-type"], path);
    }
    const { headers } = await rawGet(port, "/ready", {}, "HEAD");
    assertEquals(headers["content-length"], "6");
  });
  await t.step("other methods, paths and protocols", async () => {
    assertEquals((await rawGet(port, "/", {}, "POST")).status, 405);
    assertEquals((await rawGet(port, "/other")).status, 404);
    assertEquals((await rawHttp(port, "\x05\x01\x00\r\n\r\n")).status, 400);
    assertEquals((await rawHttp(port, `GET / HTTP/1.1\r\nX: ${"a".repeat(MAX_STATUS_HEAD)}`)).status, 431);
  });
});

Deno.test("no answer of the status tells where applications go, or who their logins are", async () => {
  await using bridge = await startSamBridge();
  await using service = await startEcho(bridge);
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, "--status", "127.0.0.1:0"]);
  const port = await statusPort(proxy);
  const login = { user: "quillfish", password: "ananas-compote" };
  const streams = [];
  for (const host of ["service.i2p", service.b32]) {
    streams.push(
      (await socksConnect(proxy.port, host, 80)).conn,
      (await socksConnect(proxy.port, host, 80, { login })).conn,
    );
  }
  for (const conn of streams) {
    await writeAll(conn, new TextEncoder().encode("GET / HTTP/1.1\r\nHost: barracuda.example\r\nCookie: a=b\r\n\r\n"));
  }
  const unknown = ["coelacanth.i2p", "snail_fish.i2p", `${"d".repeat(52)}.b32.i2p`, "sculpin.b32.i2p"];
  await askFor(proxy.port, [...unknown, ...FOREIGN_NAMES, ...ADDRESSES]);
  await untilIt("leaks", port, ({ leaks }) => leaks.length > 0);
  const answers: RawAnswer[] = [];
  for (const path of [...PATHS, "/other"]) answers.push(await rawGet(port, path));
  const table = await runProxy(["status", String(port)]);
  streams.forEach((conn) => conn.close());
  const output = answers.map(({ text }) => text).join() + table.stdout + table.stderr;
  assert(answers.every(({ body }) => body.length > 4) && table.stdout.length > 500);
  const own = /^(127\.0\.0\.1|::1?|localhost|\[::1\]|127\.1|\W*)$/i;
  const places = ["service.i2p", service.b32, ...unknown, ...FOREIGN_NAMES, ...ADDRESSES, "barracuda"]
    .filter((word) => !own.test(word) && word.length >= 4);
  const told = [...places, login.user, login.password].filter((word) => output.includes(word));
  assertEquals(told, []);
});

Deno.test("the status has callers, BIND and UDP, with what became of them, and names none of the peers", async (t) => {
  await using bridge = await startSamBridge({ udp: true });
  await using service = await startEcho(bridge);
  await using caller = await startCaller(bridge.port);
  await using stranger = await startCaller(bridge.port);
  await using peer = await startUdpService(bridge.port, bridge.udpPort);
  bridge.setName("udp.i2p", peer.destination);
  const local = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async (): Promise<void> => {
    for await (const conn of local) void echo(conn).catch(() => {}).finally(() => conn.close());
  })();
  await using proxy = await startProxyProcess([
    ...["--sam", `127.0.0.1:${bridge.port}`, "--status", "127.0.0.1:0", "--identity-idle", "300ms"],
    ...["--forward", `127.0.0.1:${local.addr.port}`, "--deny-caller", stranger.b32],
    ...["--bind", "--udp", "--sam-udp", `${bridge.udpPort}`],
  ]);
  const port = await statusPort(proxy);
  const own = proxy.ready["b32"] ?? "";
  const login = { user: "quillfish", password: "ananas" };
  const table = async (): Promise<string> => (await runProxy(["status", String(port)])).stdout;

  await t.step("nothing has happened yet", async () => {
    const { callers, bind, udp, identities } = await only(port);
    const none = {
      open: 0,
      total: 0,
      connected: 0,
      idle: 0,
      bytesSent: 0,
      bytesReceived: 0,
      refused: [],
      acceptFailures: 0,
    };
    assertEquals(callers, none);
    assertEquals(bind, { waiting: 0, waited: 0, connected: 0, denied: 0 });
    assertEquals(udp, { associations: 0, granted: 0, sent: 0, received: 0, dropped: [] });
    assertEquals(identities.map(({ kind }) => kind), ["base"]);
  });

  await t.step("callers: served now, and turned away with the reason", async () => {
    const { conn } = await caller.call(own);
    await writeAll(conn, new TextEncoder().encode("hello"));
    await untilIt("a caller", port, ({ callers }) => callers?.open === 1 && callers.bytesSent === 5);
    assertEquals(await stranger.ask(own, ""), "");
    await untilIt("a denied one", port, ({ callers }) => callers?.total === 2 && callers.open === 1);
    const { callers, connections, streams } = await only(port);
    assertEquals([callers?.connected, callers?.bytesReceived, connections, streams], [1, 5, 0, 0]);
    assertEquals(callers?.refused.map(({ reason, count, hint }) => [reason, count, hint]), [["denied", 1, null]]);
    const text = await table();
    assertStringIncludes(text, "--forward: 1 caller served, 1 of 2 so far have reached a service; 5 B sent, 5 B rec");
    assertStringIncludes(text, "1 × denied: Blocked by --allow-caller or --deny-caller\n");
    conn.close();
    await untilIt("its end", port, ({ callers }) => callers?.open === 0);
  });

  await t.step("BIND: who waits, whom they got and whom they did not want", async () => {
    using client = await BindClient.ask(proxy.port, { login, host: caller.b32 });
    const { host } = await client.reply();
    await untilIt("a client waits", port, ({ bind }) => bind?.waiting === 1);
    assertStringIncludes(await table(), "--bind: 1 client waits for a caller, 1 so far; 0 callers came, 0 not wanted");
    using second = await BindClient.ask(proxy.port, { login });
    assertEquals((await second.reply()).code, 7);
    const [refusal] = (await only(port)).refusals;
    assertEquals([refusal?.reason, refusal?.count], ["command", 1]);
    assertMatch(refusal?.hint ?? "", /BIND needs --bind, and a login if another client is waiting/);
    assertEquals(await stranger.ask(host, ""), "");
    const { conn } = await caller.call(host);
    await client.reply();
    await untilIt("it is served", port, ({ bind }) => bind?.waiting === 0 && bind.connected === 1);
    const { bind, streams, connected } = await only(port);
    assertEquals([bind?.waited, bind?.denied, streams, connected], [1, 1, 1, 1]);
    conn.close();
    await untilIt("its end", port, (application) => application.streams === 0);
  });

  await t.step("UDP: associations, datagrams, drops with advice, and the identity", async () => {
    using client = await associate(proxy.port);
    await client.send("udp.i2p", 53, "ping");
    assertEquals((await client.receive())?.text, "ping");
    await client.send("10.0.0.1", 53, "x");
    await client.send("coelacanth.i2p", 53, "x");
    await untilIt("drops", port, ({ udp }) => udp?.dropped.length === 2);
    const { udp, identities } = await only(port);
    assertEquals([udp?.associations, udp?.granted, udp?.sent, udp?.received], [1, 1, 1, 1]);
    assertEquals(udp?.dropped.map(({ reason, count }) => [reason, count]), [["ip", 1], ["name-unknown", 1]]);
    assertMatch(udp?.dropped[1]?.hint ?? "", /address book .* base32 address/);
    const [facts] = identities.filter(({ kind }) => kind === "datagrams");
    const sender = peer.received[0]?.from ?? "";
    assertEquals([facts?.state, facts?.group, facts?.clients, facts?.sites], ["ready", 1, 1, 1]);
    assertEquals(facts?.b32, await b32Address(decodeI2pBase64(sender)));
    const text = await table();
    assertStringIncludes(text, "--udp: 1 association open, 1 granted so far; 1 datagram sent, 1 received");
    assertMatch(
      text,
      /1 × ip: An IP address; I2P does not use them\n +If you entered a name, the application resolves/,
    );
    const { body } = await rawGet(port, "/metrics");
    for (
      const line of [
        'i2p_socks_callers_refused_total{application="i2p-socks",reason="denied"} 1',
        'i2p_socks_bind_denied_total{application="i2p-socks"} 1',
        'i2p_socks_identities{application="i2p-socks",kind="datagrams",state="ready"} 1',
        'i2p_socks_datagrams_dropped_total{application="i2p-socks",reason="ip"} 1',
      ]
    ) assertStringIncludes(body, `${line}\n`);
    client.conn.close();
    await untilIt(
      "no identity is left for it",
      port,
      (application) =>
        application.udp?.associations === 0 && application.identities.every(({ kind }) => kind !== "datagrams"),
    );
  });

  await t.step("nobody is named", async () => {
    const answers = await Promise.all(PATHS.map(async (path) => (await rawGet(port, path)).text));
    const output = answers.join() + await table();
    const peers = [caller.b32, stranger.b32, service.b32, peer.b32, "udp.i2p", "coelacanth", "10.0.0.1", login.user];
    assertEquals(peers.filter((word) => output.includes(word)), []);
  });
  local.close();
  await serving;
});

Deno.test("with a file, one status shows all applications, the new ones after a reload, and the log names them", async () => {
  await using bridge = await startSamBridge();
  await using scratch = await makeScratch();
  const file = `${scratch.dir}/config.yaml`;
  const common = `sam: 127.0.0.1:${bridge.port}\nstatus: 127.0.0.1:0\napplications:\n`;
  const entry = (name: string, more = ""): string => `  - {name: ${name}, listen: "127.0.0.1:0"${more}}\n`;
  const lasting = `, identity: shared, keys-dir: ${scratch.dir}/keys, bind: true`;
  await Deno.writeTextFile(file, common + entry("red") + entry("blue", lasting) + entry("green", lasting));
  await using child = spawnProxy(proxyCommand(["--config", file]));
  const port = await statusPort(child);
  await child.waitFor("stdout", /(ready .*\n){3}/);
  assertEquals((await snapshot(port)).applications.map(({ name, ready }) => [name, ready]), [
    ["red", true],
    ["blue", true],
    ["green", true],
  ]);
  const green = (await snapshot(port)).applications[2]?.listen[0] ?? "";
  await askFor(Number(green.replace(/.*:/, "")), ["example.com"]);
  assertEquals((await snapshot(port)).applications.map(({ refusals }) => refusals.length), [0, 0, 1]);
  using client = await BindClient.ask(Number(green.replace(/.*:/, "")));
  await client.reply();
  const waiting = (await snapshot(port)).applications.map(({ bind }) => bind?.waiting);
  assertEquals(waiting, [undefined, 0, 1], "who shares an identity does not share those that wait on it");
  client.conn.close();
  bridge.dropSessions({ prefix: "i2p-socks" });
  for (const name of ["red", "blue,green"]) {
    const field = `application="?${name}"?`;
    await child.waitFor("stderr", new RegExp(`Session lost after .* ${field}`));
    await child.waitFor("stderr", new RegExp(`Session ready again after .* ${field}`));
  }
  await Deno.writeTextFile(file, common + entry("red") + entry("yellow"));
  child.signal("SIGHUP");
  await child.waitFor("stdout", /(ready .*\n){4}/);
  assertEquals((await snapshot(port)).applications.map(({ name }) => name), ["red", "yellow"]);
  assertStringIncludes((await rawGet(port, "/metrics")).body, 'i2p_socks_ready{application="yellow"} 1\n');
  await Deno.writeTextFile(file, common.replace(/status.*\n/, "") + entry("red") + entry("yellow"));
  child.signal("SIGHUP");
  await child.waitFor("stderr", /The address of the status changes with the next start only/);
  assertEquals(await child.stop(), 143);
  // What applications counted that are gone is part of the sum.
  assertMatch(child.stderr(), /Ended accepted=3 .*refused-clearnet=2/);
});

Deno.test("status says so where nobody answers, or somebody else; --watch goes on until a signal", async () => {
  await using bridge = await startSamBridge();
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const free = taken.addr.port;
  const clash = await runProxy(["--sam", `127.0.0.1:${bridge.port}`, "--listen", "0", "--status", `127.0.0.1:${free}`]);
  assertEquals(clash.code, 73);
  assertMatch(clash.stderr, /Cannot listen on 127\.0\.0\.1:\d+: the port is taken\n.*Another --status HOST:PORT/);
  taken.close();
  const nobody = await runProxy(["status", `127.0.0.1:${free}`]);
  assertEquals([nobody.code, nobody.stdout], [1, ""]);
  assertMatch(nobody.stderr, /error: Cannot get the status from 127\.0\.0\.1:\d+: nobody listens there\n.*hint: /);
  const other = await runProxy(["status", String(bridge.port)]);
  assertEquals([other.code, other.stdout], [1, ""]);
  const bodies = ["[]", "{}", '{"version":"1","uptimeSeconds":1,"applications":[{}]}'];
  await using impostor = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(bodies.pop()),
  );
  for (let i = bodies.length; i > 0; i--) {
    const { code, stdout, stderr } = await runProxy(["status", String(impostor.addr.port)]);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, "what listens there is something else");
  }
  for (const operand of ["example.com:80", "127.0.0.1:0", "a name"]) {
    assertEquals((await runProxy(["status", operand])).code, 2, operand);
  }
  assertEquals((await runProxy(["--status", "0.0.0.0:80"])).code, 2);

  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, "--status", `127.0.0.1:${free}`]);
  await using watcher = spawnProxy(proxyCommand(["status", String(free), "--watch"]));
  await watcher.waitFor(
    "stdout",
    /ready\n.* 0 B sent, 0 B received\n[^]*ready\n.* 0 B sent \(0 B\/s\), 0 B received \(0 B\/s\)/,
  );
  assertEquals(await proxy.stop(), 143);
  await watcher.waitFor("stderr", /nobody listens there/);
  assertEquals(await watcher.stop("SIGINT"), 130);
  assert(!watcher.stdout().includes("\x1b"));
});

Deno.test("status --watch ends when nobody can read it any more", async () => {
  await using bridge = await startSamBridge();
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, "--status", "127.0.0.1:0"]);
  const { program, args } = proxyCommand(["status", `127.0.0.1:${await statusPort(proxy)}`, "--watch", "--json"]);
  const pipe = '"$@" | head -n 1';
  const { stdout, stderr } = await runCommand("sh", ["-c", pipe, "sh", program, ...args], {
    env: { DENO_NO_UPDATE_CHECK: "1" },
  });
  assertEquals(Object.keys(JSON.parse(stdout)).includes("applications"), true, stdout);
  assertEquals(stderr, "");
});
