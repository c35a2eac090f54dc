import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { e2eTest } from "../support/e2e.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
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
