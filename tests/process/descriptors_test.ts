import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { e2eTest } from "../support/e2e.ts";
import { freePort } from "../support/free_port.ts";
import { makeScratch } from "../support/scratch.ts";
import { echo } from "../support/harness.ts";
import { startImpostor } from "../support/impostor.ts";
import { type ProxyProcessOptions, startProxyProcess } from "../support/proxy_process.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { startSite } from "../support/site.ts";
import { readToEnd, socksConnect, socksGet } from "../clients/socks_client.ts";
import { associate } from "../clients/socks_udp.ts";

e2eTest("out of file descriptors it refuses clients with the reason, and recovers", ["bash"], async () => {
  await using bridge = await startSamBridge();
  await using site = await startSite();
  await using service = await publishService(bridge.port, site.port);
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`], {
    wrapper: ["bash", "-c", 'ulimit -n 60; exec "$@"', "bash"],
  });
  const clients = await Promise.allSettled(
    Array.from({ length: 50 }, () => socksConnect(proxy.port, service.b32, 80, { timeout: 3_000 })),
  );
  const answered = clients.flatMap((client) => client.status === "fulfilled" ? [client.value] : []);
  const codes = new Set(answered.map(({ reply }) => reply.code));
  assertEquals([...codes].sort(), [0, 1]);
  assertStringIncludes(proxy.stderr(), "reason=out-of-descriptors");
  // Those that have a stream go on.
  const old = answered.find(({ reply }) => reply.code === 0);
  await old?.conn.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
  assertStringIncludes(new TextDecoder().decode(old && await readToEnd(old.conn)), site.token);
  for (const { conn } of answered) conn.close();
  // Streams whose clients have left make room when others need it, a second later at the earliest.
  let page = "";
  for (let i = 0; i < 50 && page === ""; i++) {
    page = await socksGet(proxy.port, `http://${service.b32}/`, { timeout: 5_000 }).catch(() => "");
    if (page === "") await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert(page.includes(site.token), proxy.stderr());
});

/** Runs the program with so few file descriptors. */
function limitedTo(descriptors: number): ProxyProcessOptions {
  return { wrapper: ["bash", "-c", `ulimit -n ${descriptors}; exec "$@"`, "bash"] };
}

e2eTest("with too few descriptors for its clients it says so at the start, and none is without an answer", [
  "bash",
], async () => {
  await using bridge = await startSamBridge();
  await using service = await startEcho(bridge.port);
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`], limitedTo(128));
  const [, held] = /Too few file descriptors for --max-connections: there is room for (\d+) clients/
    .exec(proxy.stderr()) ?? [];
  assertMatch(proxy.stderr(), /hint="Type ulimit -n 4096 before the start, or set LimitNOFILE=4096 in the unit"/);
  const clients = await Promise.all(
    Array.from({ length: 300 }, () => socksConnect(proxy.port, service.b32, 80, { timeout: 60_000 })),
  );
  const served = clients.filter(({ reply }) => reply.code === 0);
  assertEquals(new Set(clients.map(({ reply }) => reply.code)), new Set([0, 1]));
  assertEquals(served.length, Number(held), "as many as it said");
  for (const { conn } of served) await assertEchoes(conn);
  assertStringIncludes(proxy.stderr(), "reason=out-of-descriptors");
  assertEquals(/Cannot accept a client/.exec(proxy.stderr())?.[0], undefined);
  for (const { conn } of clients) conn.close();
});

e2eTest("with few descriptors, streams whose clients have left make room for others, and none is refused", [
  "bash",
], async () => {
  await using bridge = await startSamBridge();
  await using service = await startEcho(bridge.port);
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`], limitedTo(128));
  const since = performance.now();
  await Promise.all(Array.from({ length: 10 }, async () => {
    for (let i = 0; i < 20; i++) {
      const { reply, conn } = await socksConnect(proxy.port, service.b32, 80, { timeout: 60_000 });
      assertEquals(reply.code, 0, proxy.stderr());
      await assertEchoes(conn);
      conn.close();
    }
  }));
  // A place is free a second after its client has left: some 30 a second, where it was ten.
  assert(performance.now() - since < 60_000, `${performance.now() - since} ms`);
  assertEquals(/Cannot accept a client/.exec(proxy.stderr())?.[0], undefined);
});

e2eTest("out of file descriptors it refuses associations with the reason, and recovers", ["bash"], async () => {
  await using bridge = await startSamBridge({ udp: true });
  const options = ["--sam", `127.0.0.1:${bridge.port}`, "--udp", "--sam-udp", `${bridge.udpPort}`];
  await using proxy = await startProxyProcess(options, {
    wrapper: ["bash", "-c", 'ulimit -n 60; exec "$@"', "bash"],
  });
  using first = await associate(proxy.port);
  assertEquals(first.reply.code, 0);
  const clients = await Promise.allSettled(
    Array.from({ length: 50 }, () => associate(proxy.port, { timeout: 3_000 })),
  );
  const answered = clients.flatMap((client) => client.status === "fulfilled" ? [client.value] : []);
  const codes = new Set(answered.map(({ reply }) => reply.code));
  assertEquals([...codes].sort(), [0, 1], proxy.stderr());
  assertStringIncludes(proxy.stderr(), "reason=out-of-descriptors");
  assertEquals(proxy.stderr().match(/reason=internal.*/g), null);
  for (const client of answered) client[Symbol.dispose]();
  let code: number | undefined;
  for (let i = 0; i < 50 && code !== 0; i++) {
    using again = await associate(proxy.port, { timeout: 3_000 });
    code = again.reply.code;
  }
  assertEquals(code, 0, proxy.stderr());
});

async function startEcho(samPort: number): Promise<AsyncDisposable & { b32: string }> {
  const listener = startImpostor(echo);
  const service = await publishService(samPort, listener.port);
  return {
    b32: service.b32,
    [Symbol.asyncDispose]: async () => {
      await service[Symbol.asyncDispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
}

async function assertEchoes(conn: Deno.TcpConn): Promise<void> {
  await conn.write(Uint8Array.of(7));
  assertEquals(await conn.read(new Uint8Array(1)), 1);
}

e2eTest("a reload divides the descriptors anew, and says so", ["bash"], async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge();
  await using service = await startEcho(bridge.port);
  const write = (...applications: readonly string[]): Promise<string> =>
    scratch.file("config.yaml", `sam: 127.0.0.1:${bridge.port}\napplications:\n${applications.join("")}`);
  const application = (name: string, port: number, connections: number): string =>
    `  - name: ${name}\n    listen: 127.0.0.1:${port}\n    max-connections: ${connections}\n`;
  const ports = [freePort(), freePort()] as const;
  const first = application("first", ports[0], 50);
  const args = ["--config", await write(first)];
  await using proxy = await startProxyProcess(args, { ...limitedTo(700), freePort: false });
  assert(!proxy.stderr().includes("Too few"), proxy.stderr());
  await write(first, application("second", ports[1], 2_000));
  proxy.signal("SIGHUP");
  await proxy.waitFor("stdout", /ready .*name=second/);
  const [, held] = /Too few .* (\d+) clients of "second" in place of 2000 hint="Type ulimit -n/.exec(proxy.stderr()) ??
    [];
  const clients = await Promise.all(
    Array.from({ length: 300 }, () => socksConnect(ports[1], service.b32, 80, { timeout: 60_000 })),
  );
  const served = clients.filter(({ reply }) => reply.code === 0);
  assertEquals([served.length, clients.length], [Number(held), 300], "as many as it said, and all have their reply");
  const { reply, conn } = await socksConnect(ports[0], service.b32, 80);
  assertEquals(reply.code, 0, "the other one has its part");
  conn.close();
  for (const { conn } of clients) conn.close();
});
