import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { MAX_HOSTS_FILE } from "../../lib/config/hosts.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { runProxy } from "../support/command.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { makeScratch } from "../support/scratch.ts";
import { startSite } from "../support/site.ts";
import { socksConnect, socksGet } from "../clients/socks_client.ts";
import { parseTalk } from "../support/talk.ts";
import { until } from "../support/wait.ts";

Deno.test("the program reads the file of --hosts, and again on SIGHUP", async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge();
  await using site = await startSite();
  await using service = await publishService(bridge.port, site.port);
  const nobody = `${"a".repeat(52)}.b32.i2p`;
  await scratch.file("hosts", `mine.i2p ${nobody}\nother.i2p=${service.destination}\n`);
  const config = `sam: 127.0.0.1:${bridge.port}\nlisten: "0"\nhosts: ${scratch.dir}/hosts\n`;
  const file = await scratch.file("config.yaml", config);
  await using proxy = await startProxyProcess(["--config", file], { freePort: false });
  const ask = async (port: number): Promise<number> => {
    const { reply, conn } = await socksConnect(port, "mine.i2p", 80);
    conn.close();
    return reply.code;
  };
  assertEquals(await ask(proxy.port), 4);
  assertStringIncludes(await socksGet(proxy.port, "http://other.i2p/"), site.token);
  const readyLines = (): string[] => proxy.stdout().trimEnd().split("\n");

  await scratch.file("hosts", `mine.i2p ${service.b32}\n`);
  proxy.signal("SIGHUP");
  await until("it is served anew", () => readyLines().length === 2);
  const port = Number(/ listen=127\.0\.0\.1:(\d+) /.exec(readyLines().at(-1) ?? "")?.[1]);
  assertStringIncludes(await socksGet(port, "http://mine.i2p/"), site.token);

  await scratch.file("hosts", "mine.i2p\n");
  proxy.signal("SIGHUP");
  const complaint = `Cannot use --hosts "${scratch.dir}/hosts": line 1: a line is NAME ADDRESS`;
  await until("the broken file is complained of", () => proxy.stderr().includes(complaint));
  assertStringIncludes(await socksGet(port, "http://mine.i2p/"), site.token);
  const lines = bridge.lines.filter((line) => line.includes("mine.i2p"));
  assertEquals(lines, [], "the router was told a name of the file");
});

Deno.test("a file of --hosts or --secrets-file that cannot be used: exit code 2, with the line and no word of it", async () => {
  await using scratch = await makeScratch();
  const b32 = `${"a".repeat(52)}.b32.i2p`;
  const cases: readonly (readonly [flag: string, text: string, error: RegExp])[] = [
    ["--hosts", `a.i2p ${b32}\n\nb.i2p nonsense\n`, /: line 3: the address is neither base32 nor a destination/],
    ["--hosts", `# names\nexample.com ${b32}\n`, /: line 2: "example.com" cannot be a name here/],
    ["--hosts", `a.i2p ${b32}\na.i2p ${b32.replace("a", "b")}\n`, /: line 2: "a\.i2p" has another address further up$/],
    ["--hosts", "#".repeat(MAX_HOSTS_FILE + 1), new RegExp(`: it has more than ${MAX_HOSTS_FILE} bytes$`)],
    ["--secrets-file", "long enough\nabc\n", /: line 2: a secret has at least 4 characters$/],
  ];
  for (const [flag, text, error] of cases) {
    const path = await scratch.file("words", text);
    const { code, stdout, stderr } = await runProxy(["serve", flag, path, "--check-config"]);
    const { errors } = parseTalk(stderr);
    assertEquals([code, stdout, errors.length], [2, "", 1], stderr);
    assertMatch(errors[0] ?? "", /^Cannot (use|read) --/);
    assertStringIncludes(errors[0] ?? "", `${flag} "${path}"`);
    assertMatch(errors[0] ?? "", error);
    assert(!stderr.includes("long enough") && !/\babc\b/.test(stderr), stderr);
  }
  const largest = await scratch.file("words", `a.i2p ${b32}\n`.padEnd(MAX_HOSTS_FILE, "#"));
  assertEquals((await runProxy(["serve", "--hosts", largest, "--check-config"])).code, 0);
  for (const flag of ["--hosts", "--secrets-file"]) {
    const { code, stderr } = await runProxy(["serve", flag, `${scratch.dir}/none`, "--check-config"]);
    assertEquals([code, parseTalk(stderr).errors], [2, [
      `Cannot read ${flag} "${scratch.dir}/none": there is no such file`,
    ]]);
  }
});
