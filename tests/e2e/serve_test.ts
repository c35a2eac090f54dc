import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type CommandResult, runCommand, runProxy } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { type PrivateNet, startPrivateNet } from "./private_net.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { bytesSha256 } from "../support/site.ts";

const MEGABYTES_50 = 50_000_000;

/** curl without any settings of the user's, so that no .curlrc and no proxy variable takes part. */
async function curl(...args: string[]): Promise<CommandResult> {
  return await runCommand("curl", ["--disable", "--silent", "--show-error", "--max-time", "300", ...args], {
    timeout: 310_000,
  });
}

/** The SHA-256 of what curl fetches; curl writes to a pipe of sha256sum, so that nothing is held in memory. */
async function fetchedSha256(proxy: string, url: string): Promise<string> {
  const { stdout, stderr } = await runCommand("bash", [
    "-c",
    `set -o pipefail; curl --disable --silent --show-error --max-time 300 ${proxy} ${url} | sha256sum`,
  ], { timeout: 310_000 });
  assertEquals(stderr, "");
  return stdout.split(" ")[0] ?? "";
}

e2eTest("i2p-socks serves curl through a real i2pd", ["i2pd", "curl"], async (t) => {
  await using net = await startPrivateNet();
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${net.samPort}`, ...net.sessionOptions]);
  const socks = `127.0.0.1:${proxy.port}`;
  const page = (answer: CommandResult): void => {
    assertEquals(answer.stderr, "");
    assertStringIncludes(answer.stdout, net.site.token);
  };

  await t.step("the ready line names listener, address, SAM version and router", () => {
    assertMatch(
      proxy.readyLine,
      new RegExp(
        `^ready listen=${socks} b32=[a-z2-7]{52}\\.b32\\.i2p sam=3\\.1 router=127\\.0\\.0\\.1:${net.samPort}$`,
      ),
    );
  });

  await t.step("SOCKS5 by b32, SOCKS4a by b32, by name of the address book, by name in upper case", async () => {
    page(await curl("--socks5-hostname", socks, `http://${net.siteB32}/`));
    page(await curl("--socks4a", socks, `http://${net.siteB32}/`));
    page(await curl("--socks5-hostname", socks, `http://${net.siteName}/`));
    page(await curl("--socks5-hostname", socks, `http://${net.siteName.toUpperCase()}./`));
  });

  await t.step("a site sees the destination of the ready line as the caller", async () => {
    const { stdout } = await curl("--socks5-hostname", socks, `http://${net.siteHttpB32}/headers`);
    assertStringIncludes(stdout.toLowerCase(), `x-i2p-destb32: ${proxy.ready["b32"]}`);
  });

  await t.step("300 kB travel up and come back", async () => {
    const file = `${net.dir}/upload`;
    await Deno.writeTextFile(file, "0123456789".repeat(30_000));
    const { stdout } = await curl(
      "--socks5-hostname",
      socks,
      "--data-binary",
      `@${file}`,
      `http://${net.siteB32}/echo`,
    );
    assert(stdout === "0123456789".repeat(30_000));
  });

  await t.step("a client that ends its side after the request gets the whole answer", async () => {
    assertStringIncludes(await halfClosedGet(proxy.port, net), net.site.token);
  });

  const expected = await bytesSha256(MEGABYTES_50);
  await t.step("50 MB arrive byte for byte", async () => {
    const url = `http://${net.siteB32}/bytes/${MEGABYTES_50}`;
    assertEquals(await fetchedSha256(`--socks5-hostname ${socks}`, url), expected);
  });

  await t.step("20 times 50 MB at once, too", async () => {
    const url = `http://${net.siteB32}/bytes/${MEGABYTES_50}`;
    const sums = await Promise.all(
      Array.from(
        { length: 20 },
        (_, i) => fetchedSha256(i % 2 ? `--socks4a ${socks}` : `--socks5-hostname ${socks}`, url),
      ),
    );
    assertEquals(sums, Array(20).fill(expected));
  });

  await t.step("what is not I2P is refused, with the code of the answer table", async () => {
    const cases: [string[], string][] = [
      [["--socks5-hostname", socks, "http://example.com/"], "(2)"],
      [["--socks5", socks, "http://93.184.216.34/"], "(8)"],
      [["--socks5-hostname", socks, "http://localhost/"], "(2)"],
      [["--socks4", socks, "http://93.184.216.34/"], "(91)"],
      [["--socks4a", socks, "http://example.com/"], "(91)"],
      [["--socks5-hostname", socks, "http://no-such-name.i2p/"], "(4)"],
      [["--socks5-hostname", socks, `http://${"a".repeat(52)}.b32.i2p/`], "(4)"],
    ];
    for (const [args, code] of cases) {
      const { code: exitCode, stderr } = await curl(...args);
      assertEquals(exitCode, 97, args.join(" "));
      assertStringIncludes(stderr, code, args.join(" "));
    }
  });

  await t.step("lookup tells what names are", async () => {
    const sam = ["--sam", `127.0.0.1:${net.samPort}`];
    const { code, stdout } = await runProxy(["lookup", net.siteName, net.siteB32, ...sam]);
    assertEquals(code, 0);
    assertEquals(stdout.split("\n").slice(0, 2), [
      `${net.siteName} kind=name b32=${net.siteB32} resolves=yes`,
      `${net.siteB32} kind=b32 b32=${net.siteB32} resolves=yes`,
    ]);
    const missing = await runProxy(["lookup", "no-such-name.i2p", ...sam]);
    assertEquals(missing.code, 1);
    assertMatch(
      missing.stdout,
      /^no-such-name\.i2p kind=name resolves=no problem="The router's address book [^"]+"\n$/,
    );
  });

  await t.step("no destination is in the log", () => {
    for (const destination of [net.siteB32, net.siteName, "example.com", "93.184.216.34", "no-such-name"]) {
      assert(!proxy.stderr().includes(destination), destination);
    }
  });

  await t.step("stdout has the ready line and nothing else; SIGTERM ends it with 143", async () => {
    assertEquals(await proxy.stop("SIGTERM"), 143);
    assertEquals(proxy.stdout(), `${proxy.readyLine}\n`);
  });
});

/** GET, then the end of our side before the answer. */
async function halfClosedGet(port: number, net: PrivateNet): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const host = new TextEncoder().encode(net.siteB32);
  const get = new TextEncoder().encode(`GET / HTTP/1.0\r\nHost: ${net.siteB32}\r\n\r\n`);
  // SOCKS4a, with the payload behind the request in one segment.
  await conn.write(Uint8Array.of(4, 1, 0, 80, 0, 0, 0, 1, 0, ...host, 0, ...get));
  await conn.closeWrite();
  let answer = "";
  const decoder = new TextDecoder("latin1");
  const timer = setTimeout(() => conn.close(), 30_000);
  try {
    const buffer = new Uint8Array(4096);
    for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
      answer += decoder.decode(buffer.subarray(0, n));
      // The router can lose the end of a stream, so the length decides.
      const [head = "", body] = answer.split("\r\n\r\n", 2);
      if (body !== undefined && body.length >= Number(/content-length: (\d+)/i.exec(head)?.[1])) break;
    }
  } finally {
    clearTimeout(timer);
  }
  assertEquals(answer.charCodeAt(1), 0x5a);
  return answer;
}

e2eTest("no system call of i2p-socks names an address off loopback", ["i2pd", "curl", "strace"], async () => {
  await using net = await startPrivateNet();
  const trace = `${net.dir}/trace`;
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${net.samPort}`, ...net.sessionOptions], {
    // -D: strace runs beside the program, not above it, so that signals reach the program.
    wrapper: ["strace", "-D", "-f", "-e", "trace=connect,sendto,sendmsg,sendmmsg,bind", "-s", "200", "-o", trace],
  });
  const socks = `127.0.0.1:${proxy.port}`;
  const { stdout } = await curl("--socks5-hostname", socks, `http://${net.siteB32}/`);
  assertStringIncludes(stdout, net.site.token);
  await curl("--socks5-hostname", socks, "http://example.com/");
  await curl("--socks5", socks, "http://93.184.216.34/");
  await proxy.stop("SIGTERM");

  const calls = await Deno.readTextFile(trace);
  const addresses = [...calls.matchAll(/inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"/g)].map((m) =>
    m[1] ?? m[2]
  );
  assert(addresses.length > 0, "strace saw no address at all");
  assertEquals(addresses.filter((address) => address !== "127.0.0.1" && address !== "::1"), []);
  assert(!/sa_family=AF_UNIX/.test(calls), "it spoke to a local service by a Unix socket");
});
