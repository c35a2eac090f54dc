import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { LEAKS } from "../../lib/guard/leak.ts";
import { REASONS } from "../../lib/reasons/reasons.ts";
import { proxyCommand, runProxy } from "../support/command.ts";
import { type ProxyChild, spawnProxy, startProxyProcess } from "../support/proxy_process.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { startSite } from "../support/site.ts";
import { associate } from "../clients/socks_udp.ts";
import { readToEnd, socksConnect, socksGet, writeAll } from "../clients/socks_client.ts";
import { parseTalk } from "../support/talk.ts";

/** A bridge with a site in its network, under the name `site.i2p`. */
interface World extends AsyncDisposable {
  args: string[];
}

async function makeWorld(): Promise<World> {
  await using started = new AsyncDisposableStack();
  const bridge = started.use(await startSamBridge());
  const site = started.use(await startSite());
  const service = started.use(await publishService(bridge.port, site.port));
  for (const name of ["site.i2p", "other.i2p"]) bridge.setName(name, service.destination);
  const everything = started.move();
  return {
    args: ["audit", "--sam", `127.0.0.1:${bridge.port}`],
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

/** Lines of stdout behind the ready line. */
function report({ stdout }: Pick<ProxyChild, "stdout">): string[] {
  return stdout().trimEnd().split("\n").slice(1);
}

/** An application with every habit that an audit is for. */
async function misbehave(port: number): Promise<void> {
  const { reply, conn } = await socksConnect(port, "site.i2p", 80);
  assertEquals(reply.code, 0);
  const request = "GET / HTTP/1.1\r\nHost: site.i2p\r\nUser-Agent: Mozilla/5.0 (X11; Ubuntu; Linux x86_64)\r\n";
  await writeAll(conn, new TextEncoder().encode(`${request}Connection: close\r\n\r\n`));
  await readToEnd(conn);
  conn.close();
  for (const [host, code] of [["93.184.216.34", 8], ["2001:db8::1", 8], ["telemetry.example.com", 2]] as const) {
    const refused = await socksConnect(port, host, 443);
    refused.conn.close();
    assertEquals(refused.reply.code, code);
  }
}

Deno.test("audit of an application that gives nothing away: says so, exit code 0 when SIGINT ends it", async () => {
  await using world = await makeWorld();
  await using proxy = await startProxyProcess(world.args);
  for (let i = 0; i < 2; i++) await socksGet(proxy.port, "http://site.i2p/");
  await socksGet(proxy.port, "http://site.i2p:8080/");
  assertEquals(await proxy.stop("SIGINT"), 0);
  const [watched, ...rest] = report(proxy);
  assertMatch(watched ?? "", /^Watched for \d+ s: 3 requests$/);
  assertEquals(rest, [
    "Destinations:",
    "  2 × site.i2p:80",
    "  1 × site.i2p:8080",
    "Is this client safe?",
    "It went to 1 site",
    "✓ Every request came by name: no sign of a DNS leak",
    "✓ Nothing was given away that the guard can see",
    "It sees plaintext only: what is encrypted may say anything.",
  ]);
  assertEquals(parseTalk(proxy.stderr()).log.filter((line) => line.includes(" warn ")), []);
});

Deno.test("audit of a leaky application names what it gives away, with the fix, and ends with exit code 1", async () => {
  await using world = await makeWorld();
  await using proxy = await startProxyProcess(world.args);
  await misbehave(proxy.port);
  assertEquals(await proxy.stop("SIGTERM"), 1);
  const [, ...rest] = report(proxy);
  const [dns, clearnet] = [REASONS.ip.sign, REASONS.clearnet.sign];
  const agent = LEAKS["http-user-agent"];
  assertEquals(rest, [
    "Destinations:",
    "  1 × site.i2p:80",
    "Refused:",
    `  1 × clearnet: ${REASONS.clearnet.message}`,
    "    1 × telemetry.example.com:443",
    `  2 × ip: ${REASONS.ip.message}`,
    "    1 × 93.184.216.34:443",
    "    1 × 2001:db8:0:0:0:0:0:1:443",
    "Is this client safe?",
    "It gave away, of you and this machine:",
    `✗ http-user-agent (1 ×): ${agent.message}`,
    "It asked for what is not in I2P:",
    `✗ clearnet (1 ×): ${clearnet?.message}`,
    `✗ dns (2 ×): ${dns?.message}`,
    "  1 name of the clearnet, 2 IP addresses",
    "It went to 1 site",
    "What to change:",
    ...[clearnet, dns, agent].map((sign) => `  ${sign?.fix}`),
    "✗ Not yet: it gives away what is listed here",
    "It sees plaintext only: what is encrypted may say anything.",
  ]);
  assert(!proxy.stderr().includes("site.i2p"), "the log names a destination");
});

Deno.test("audit counts what was asked for, served or not, and no client that asked for nothing", async () => {
  await using world = await makeWorld();
  await using proxy = await startProxyProcess(world.args);
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  // Nothing, a part of a greeting, HTTP, a greeting alone, and a method that is not had.
  for (const said of ["", "\x05", "GET / HTTP/1.1\r\n\r\n", "\x05\x01\x00", "\x05\x01\x01"]) {
    await sayAndLeave(proxy.port, bytes(said));
  }
  assertEquals((await socksGet(proxy.port, "http://site.i2p/")).length > 0, true);
  // A command and an address type that do not exist.
  for (const said of ["\x05\x01\x00\x05\x09\x00\x03\x01a\x00\x50", "\x05\x01\x00\x05\x01\x00\x07a"]) {
    await sayAndLeave(proxy.port, bytes(said));
  }
  await proxy.stop("SIGINT");
  assertMatch(report(proxy)[0] ?? "", /: 3 requests$/);
});

/** Sends bytes, ends its side, and waits for the proxy's end. */
async function sayAndLeave(port: number, bytes: Uint8Array): Promise<void> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  await writeAll(conn, bytes);
  await conn.closeWrite();
  await readToEnd(conn);
}

Deno.test("audit --json: one object is all of stdout, and the ready line is on stderr", async () => {
  await using world = await makeWorld();
  const child = spawnProxy(proxyCommand([...world.args, "--json", "--listen", "127.0.0.1:0"]));
  await using _child = child;
  await child.waitFor("stderr", /^ready listen=\S+ .*\n/m, 60_000);
  await misbehave(Number(/^ready listen=127\.0\.0\.1:(\d+) /m.exec(child.stderr())?.[1]));
  assertEquals(await child.stop("SIGINT"), 1);
  const { seconds, ...rest } = JSON.parse(child.stdout());
  assert(Number.isInteger(seconds) && seconds >= 0, `${seconds}`);
  const [dns, clearnet] = [REASONS.ip.sign, REASONS.clearnet.sign];
  assertEquals(rest, {
    clean: false,
    requests: 4,
    destinations: { "site.i2p:80": 1 },
    refused: {
      clearnet: {
        count: 1,
        story: REASONS.clearnet.message,
        destinations: { "telemetry.example.com:443": 1 },
      },
      ip: {
        count: 2,
        story: REASONS.ip.message,
        destinations: { "93.184.216.34:443": 1, "2001:db8:0:0:0:0:0:1:443": 1 },
      },
    },
    leaks: {
      clearnet: { count: 1, story: clearnet?.message, fix: clearnet?.fix },
      dns: { count: 2, story: dns?.message, fix: dns?.fix },
      "http-user-agent": { count: 1, ...storyAndFix("http-user-agent") },
    },
    beside: { names: { count: 1, hosts: 1 }, addresses: { count: 2, hosts: 2 } },
    sites: 1,
    linked: [],
    clients: [],
    changes: [clearnet?.fix, dns?.fix, LEAKS["http-user-agent"].fix],
  });
});

Deno.test("audit keeps what an application asks for in one line: it cannot write lines of the report", async () => {
  await using world = await makeWorld();
  await using proxy = await startProxyProcess(world.args);
  const { reply, conn } = await socksConnect(proxy.port, "x\nDestinations\n  9 \xd7 fake.example", 80);
  conn.close();
  assertEquals(reply.code, 2);
  assertEquals(await proxy.stop("SIGINT"), 1);
  assertEquals(report(proxy).slice(1, 4), [
    "Refused:",
    `  1 × clearnet: ${REASONS.clearnet.message}`,
    String.raw`    1 × x\nDestinations\n  9 × fake.example:80`,
  ]);
});

Deno.test("audit says what two sites can link, and names the client to set up", async () => {
  await using world = await makeWorld();
  await using proxy = await startProxyProcess(world.args);
  const login = { user: "one", password: "x" };
  for (
    const [host, cookie] of [["site.i2p", "id=12345678"], ["other.i2p", "id=12345678"], ["site.i2p", "id=87654321"]]
  ) {
    const { reply, conn } = await socksConnect(proxy.port, host ?? "", 80, { login });
    assertEquals(reply.code, 0);
    const agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    const request = `GET / HTTP/1.1\r\nHost: ${host}\r\nUser-Agent: ${agent}\r\nCookie: ${cookie}\r\n`;
    await writeAll(conn, new TextEncoder().encode(`${request}Connection: close\r\n\r\n`));
    await readToEnd(conn);
    conn.close();
  }
  assertEquals(await proxy.stop("SIGINT"), 1);
  const lines = report(proxy);
  const from = lines.indexOf("It went to 2 sites");
  assertEquals(lines.slice(from + 1, from + 6), [
    "By this they can tell that it was the same client:",
    "  2 sites: The same identity: one address in I2P",
    "  2 sites: The same User-Agent",
    "  2 sites: The same cookie",
    "What to change:",
  ]);
  assertEquals(lines[from + 6], "  firefox: i2p-socks setup firefox has the settings");
  assert(
    !proxy.stdout().includes("12345678") && !proxy.stdout().includes("Mozilla"),
    "the report repeats what was sent",
  );
});

Deno.test("audit --file reads settings, and serves nothing: 0 where all is well, 1 where not, 2 where it cannot tell", async () => {
  const folder = await Deno.makeTempDir();
  const file = `${folder}/config`;
  const safe = "Host *.i2p\n  ProxyCommand i2p-socks connect %h %p\n  User git\n  IdentitiesOnly yes\n" +
    "  IdentityFile ~/.ssh/i2p\n";
  const cases: readonly (readonly [text: string, args: string[], code: number, out: RegExp])[] = [
    [safe, [], 0, /^Settings of OpenSSH[^\n]+\n✓ Nothing/],
    [
      `${safe}  ForwardAgent yes\n`,
      [],
      1,
      /\n✗ line 6: ForwardAgent: The server can use the agent's keys\n {2}ForwardAgent no\n/,
    ],
    [
      `${safe}  ForwardAgent yes\n`,
      ["--json"],
      1,
      /^{"clean":false,"client":"ssh","findings":\[{"line":6,"setting":"ForwardAgent"/,
    ],
    ["nothing", [], 2, /^$/],
    ["", ["--client", "irssi"], 1, /^Settings of irssi[^]*not set: nick/],
    [safe, ["--client", "iressi"], 2, /^$/],
    [safe, ["--listen", "127.0.0.1:0"], 2, /^$/],
  ];
  for (const [text, args, code, out] of cases) {
    await Deno.writeTextFile(file, text);
    const result = await runProxy(["audit", "--file", file, ...args]);
    assertEquals(result.code, code, result.stderr);
    assertMatch(result.stdout, out);
  }
  const { stderr } = await runProxy(["audit", "--file", file, "--client", "iressi"]);
  assertStringIncludes(stderr, "irssi");
  await Deno.remove(folder, { recursive: true });
});

Deno.test("audit --udp counts datagrams to IP addresses and to the clearnet among what is given away", async () => {
  await using bridge = await startSamBridge({ udp: true });
  const options = ["--sam", `127.0.0.1:${bridge.port}`, "--udp", "--sam-udp", `${bridge.udpPort}`];
  await using proxy = await startProxyProcess(["audit", ...options]);
  using client = await associate(proxy.port);
  assertEquals(client.reply.code, 0);
  for (const host of ["192.0.2.53", "192.0.2.53", "dns.example.com"]) await client.send(host, 53, "x");
  await proxy.waitFor("stderr", /Not an I2P name/);
  assertEquals(await proxy.stop("SIGINT"), 1);
  const [dns, clearnet] = [REASONS.ip.sign, REASONS.clearnet.sign];
  assertEquals(report(proxy).slice(1), [
    "Is this client safe?",
    "It asked for what is not in I2P:",
    `✗ clearnet (1 ×): ${clearnet?.message}`,
    `✗ dns (2 ×): ${dns?.message}`,
    "What to change:",
    `  ${clearnet?.fix}`,
    `  ${dns?.fix}`,
    "✗ Not yet: it gives away what is listed here",
    "It sees plaintext only: what is encrypted may say anything.",
  ]);
});

Deno.test("audit --for ends by itself, counted from the ready line on", async () => {
  await using world = await makeWorld();
  await using proxy = await startProxyProcess([...world.args, "--for", "4s", "--log-format", "json"]);
  assertEquals(JSON.parse(proxy.readyLine).event, "ready");
  await socksGet(proxy.port, "http://site.i2p/");
  const { code, signal } = await proxy.ended();
  assertEquals([code, signal], [0, null], proxy.stderr());
  const [watched = "", ...rest] = report(proxy);
  assertMatch(watched, /^Watched for [1-9]\d* s: 1 request$/);
  assertEquals(rest.slice(0, 2), ["Destinations:", "  1 × site.i2p:80"]);
});

Deno.test("audit looks for the words of --secrets-file, and repeats none of them", async () => {
  await using world = await makeWorld();
  const words = await Deno.makeTempFile();
  await Deno.writeTextFile(words, "swordfish-7\n");
  await using proxy = await startProxyProcess([...world.args, "--secrets-file", words]);
  await Deno.remove(words);
  const { conn } = await socksConnect(proxy.port, "site.i2p", 80);
  await writeAll(conn, new TextEncoder().encode("GET /?q=swordfish-7 HTTP/1.0\r\n\r\n"));
  await readToEnd(conn);
  conn.close();
  assertEquals(await proxy.stop("SIGINT"), 1);
  assertStringIncludes(proxy.stdout(), `✗ secret (1 ×): ${LEAKS.secret.message}\n`);
  assert(!(proxy.stdout() + proxy.stderr()).includes("swordfish"));
});

Deno.test("audit takes no operand, none of the options that it decides, and no time of nothing", async () => {
  const cases: readonly (readonly [args: string[], error: string])[] = [
    [["site.i2p"], 'audit takes no operand, but got "site.i2p"'],
    [["--leaks", "off"], "audit has no option --leaks"],
    [["--config", "x.yaml"], "audit has no option --config"],
    [["--for", "0"], 'Cannot use --for "0": this limit cannot be switched off'],
    [["--client", "ssh"], "--client says whose settings are in --file, which is missing"],
    [["--for", "soon"], 'Cannot use --for "soon": a duration is'],
  ];
  for (const [args, error] of cases) {
    const { code, stdout, stderr } = await runProxy(["audit", ...args]);
    const { errors } = parseTalk(stderr);
    assertEquals([code, stdout, errors.length], [2, "", 1], stderr);
    assertStringIncludes(errors[0] ?? "", error);
  }
});

function storyAndFix(kind: "http-user-agent"): { story: string; fix: string } {
  const { message: story, fix } = LEAKS[kind];
  return { story, fix };
}
