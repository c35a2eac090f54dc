import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { clientNamed, describeSetup } from "../../lib/cli/setup.ts";
import { saidBy } from "../clients/client_table.ts";
import {
  assertRefused,
  type ClientRun,
  type ClientStage,
  isolated,
  startClientStage,
  succeeds,
  unless,
} from "../clients/client_stage.ts";
import { runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { startPrivateNet } from "./private_net.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { startSite } from "../support/site.ts";
import { socksGet } from "../clients/socks_client.ts";
import { startSshServer } from "../clients/ssh_server.ts";

/** A request of HTTP/1.0, for clients that only carry bytes. */
const GET = "GET / HTTP/1.0\r\nHost: site.i2p\r\nConnection: close\r\n\r\n";

/** Its heading in the page of clients. */
const PROXYCHAINS = "wget and others under proxychains";

const NAMESPACE = unless(succeeds("unshare", "-rn", "true"), "a network namespace");

e2eTest("these tests see a client that goes past the proxy", ["curl", "strace", ...NAMESPACE], async () => {
  await using stage = await startClientStage({});
  const past = async (url: string): Promise<string[]> =>
    (await stage.run("unshare", ["-rn", "curl", "--disable", "--silent", url])).astray;
  assertEquals(await past("http://192.0.2.1/"), ["192.0.2.1 80"]);
  assertEquals(await past("http://[2001:db8::1]:81/"), ["2001:db8::1 81"]);
  assertEquals((await past("http://example.com/")).every((address) => address.endsWith(" 53")), true);
  assertNotEquals(await past("http://example.com/"), []);
});

e2eTest("ssh with nc as its ProxyCommand", ["ssh", "sshd", "ssh-keygen", "nc.openbsd", "strace"], async (t) => {
  await using server = await startSshServer();
  await using stage = await startClientStage({ "shell.i2p": server.port });
  const nc = `nc.openbsd -X 5 -x ${stage.socks} %h %p`;
  const ssh = async (host: string, proxyCommand: string, stdin?: string): Promise<ClientRun> => {
    const options = await server.options(host, proxyCommand);
    return await stage.run("ssh", [...options, "wc -c; echo at the end; exit 7"], stdin === undefined ? {} : { stdin });
  };

  await t.step("logs in, carries stdin and its end, and gives the exit code of the command", async () => {
    const text = "0123456789".repeat(20_000);
    const { code, stdout, stderr, astray } = await ssh("shell.i2p", nc, text);
    assertEquals([stdout, code, astray], ["200000\nat the end\n", 7, []], stderr);
    // OpenSSH says which build it is, and nothing hides that.
    await stage.proxy.waitFor("stderr", /leak=ssh-banner/);
  });

  await t.step("is refused a clearnet name, and says so", async () => {
    await assertRefused(stage, await ssh("example.com", nc), { words: saidBy("ssh"), exitCode: 255 });
  });

  await t.step("with SOCKS4 asks for an address, and the log explains the leak", async () => {
    const run = await ssh("192.0.2.1", nc.replace("-X 5", "-X 4"));
    await assertRefused(stage, run, { words: /nc\S*: connection failed/, exitCode: 255, reason: "ip" });
  });
});

e2eTest("ncat", ["ncat", "strace"], async (t) => {
  await using site = await startSite();
  await using stage = await startClientStage({ "site.i2p": site.port });
  const ncat = (host: string, ...options: string[]): Promise<ClientRun> =>
    stage.run("ncat", [...options, "--proxy", stage.socks, "--proxy-dns", "remote", host, "80"], { stdin: GET });

  await t.step("carries bytes by SOCKS4 and SOCKS5, with and without a login", async () => {
    for (const options of [["socks4"], ["socks5"], ["socks5", "--proxy-auth", "work:x"]]) {
      const run = await ncat("site.i2p", "--proxy-type", ...options);
      assertStringIncludes(run.stdout, site.token, run.stderr);
      assertEquals(run.astray, []);
    }
    assertEquals(isolated(stage), 1);
  });

  await t.step("is refused a clearnet name, and says so", async () => {
    for (const [place, type] of ["socks5", "socks4"].entries()) {
      const words = saidBy("ncat", place);
      await assertRefused(stage, await ncat("example.com", "--proxy-type", type), { words, exitCode: 1 });
    }
  });
});

e2eTest("socat", ["socat", "strace"], async (t) => {
  await using site = await startSite();
  await using stage = await startClientStage({ "site.i2p": site.port });
  const socat = (host: string, options = "", env: Record<string, string> = {}): Promise<ClientRun> =>
    stage.run("socat", ["-t10", "-", `SOCKS4A:127.0.0.1:${host}:80,socksport=${stage.port}${options}`], {
      stdin: GET,
      env,
    });

  await t.step("carries bytes by SOCKS4a", async () => {
    const run = await socat("site.i2p", ",socksuser=work");
    assertStringIncludes(run.stdout, site.token, run.stderr);
    assertEquals(run.astray, []);
    assertEquals(isolated(stage), 1);
  });

  await t.step("takes the system's user for the user id, if it is not told one", async () => {
    const run = await socat("site.i2p", "", { LOGNAME: "somebody" });
    assertStringIncludes(run.stdout, site.token, run.stderr);
    assertEquals(isolated(stage), 2);
  });

  await t.step("is refused a clearnet name, and says so", async () => {
    await assertRefused(stage, await socat("example.com"), { words: saidBy("socat"), exitCode: 1 });
  });
});

e2eTest("wget and curl under proxychains", ["proxychains4", "wget", "curl", "strace"], async (t) => {
  await using site = await startSite();
  await using stage = await startClientStage({ "site.i2p": site.port });
  const configure = (type: string, login = "", dns = "proxy_dns"): Promise<string> =>
    stage.scratch.file(
      "proxychains.conf",
      `strict_chain\n${dns}\n[ProxyList]\n${type} 127.0.0.1 ${stage.port} ${login}\n`,
    );
  const chained = async (config: string, ...command: string[]): Promise<ClientRun> =>
    await stage.run("proxychains4", ["-f", config, ...command]);
  const wget = ["wget", "--no-config", "--tries=1", "--timeout=10", "-O", "-"];

  await t.step("fetch with SOCKS5 and SOCKS4a", async () => {
    for (const type of ["socks5", "socks4"]) {
      for (const command of [wget, ["curl", "--disable", "--silent"]]) {
        const run = await chained(await configure(type), ...command, "http://site.i2p/");
        assertStringIncludes(run.stdout, site.token, run.stderr);
        assertEquals(run.astray, []);
      }
    }
    await chained(await configure("socks5", "work x"), ...wget, "http://site.i2p/");
    assertEquals(isolated(stage), 1);
  });

  await t.step("are refused a clearnet name, and say so", async () => {
    const run = await chained(await configure("socks5"), ...wget, "http://example.com/");
    for (const place of [0, 1]) assertMatch(run.stdout + run.stderr, saidBy(PROXYCHAINS, place));
    await assertRefused(stage, run, { words: /wget|example\.com/, exitCode: 4 });
  });

  await t.step("that ask for an address are refused, and the log explains the leak", async () => {
    const run = await chained(await configure("socks5", "", ""), ...wget, "http://192.0.2.1/");
    await assertRefused(stage, run, { words: /denied|Connection refused/, exitCode: 4, reason: "ip" });
  });
});

/** Runs a program under torsocks, which has its settings from `setup`. */
async function torsocks(
  stage: ClientStage,
  words: readonly string[],
  options: readonly string[] = [],
): Promise<ClientRun> {
  const { settings } = describeSetup(clientNamed("torsocks"), { hostname: "127.0.0.1", port: stage.port });
  const file = await stage.scratch.file("torsocks.conf", `${settings}\n`);
  return await stage.run("torsocks", [...options, ...words], { env: { TORSOCKS_CONF_FILE: file } });
}

const CURL = ["curl", "--disable", "--silent", "--show-error"];

e2eTest("curl and wget under torsocks", ["torsocks", "curl", "wget", "strace"], async (t) => {
  await using site = await startSite();
  await using stage = await startClientStage({ "site.i2p": site.port }, ["--map-names", "198.18.0.0/15"]);

  await t.step("fetch by name", async () => {
    for (const program of [CURL, ["wget", "--no-config", "--tries=1", "--timeout=10", "-O", "-"]]) {
      const run = await torsocks(stage, [...program, "http://site.i2p/"]);
      assertStringIncludes(run.stdout, site.token, run.stderr);
      assertEquals([run.code, run.astray], [0, []]);
    }
    assertEquals(isolated(stage), 0);
  });

  await t.step("with a login find names and sites by it", async () => {
    for (const options of [["--isolate"], ["-u", "work", "-p", "x"]]) {
      const run = await torsocks(stage, [...CURL, "http://site.i2p/"], options);
      assertStringIncludes(run.stdout, site.token, run.stderr);
      assertEquals(run.astray, []);
    }
    assertEquals(isolated(stage), 2);
  });

  await t.step("are told at the connection that a name does not exist", async () => {
    const run = await torsocks(stage, [...CURL, "http://nobody.i2p/"]);
    assertEquals([run.code, run.astray], [7, []], run.stderr);
    assertStringIncludes(run.stderr, "Host unreachable");
    await stage.proxy.waitFor("stderr", /reason=name-unknown/);
  });

  await t.step("are refused a clearnet name, and say so", async () => {
    const run = await torsocks(stage, [...CURL, "http://example.com/"]);
    await assertRefused(stage, run, { words: saidBy("curl, wget and others by torsocks"), exitCode: 6 });
  });

  await t.step("are refused an address that stands for no name", async () => {
    const run = await torsocks(stage, [...CURL, "http://198.18.0.0/"]);
    assertEquals([run.code, run.astray], [7, []], run.stderr);
    await stage.proxy.waitFor("stderr", /reason=address-unmapped/);
  });
});

e2eTest("torsocks takes addresses of IPv4 beyond loopback only, or none", ["torsocks", "curl", "strace"], async () => {
  await using site = await startSite();
  const ranges = [
    [["--map-names", "10.192.0.0/10"], 0, /^$/],
    [["--map-names", "127.192.0.0/10"], 7, /Connection to a local address are denied/],
    [["--map-names", "fd00::/8"], 6, /Could not resolve host/],
    [[], 6, /Could not resolve host/],
  ] as const;
  for (const [args, exitCode, words] of ranges) {
    await using stage = await startClientStage({ "site.i2p": site.port }, args);
    const run = await torsocks(stage, [...CURL, "http://site.i2p/"]);
    assertEquals([run.code, run.astray], [exitCode, []], `${args}: ${run.stderr}`);
    assertEquals(run.stdout.includes(site.token), exitCode === 0);
    assertMatch(run.stderr, words);
    if (args.length === 0) await stage.proxy.waitFor("stderr", /reason=command/);
  }
});

e2eTest("tor-resolve", ["tor-resolve", "strace"], async (t) => {
  await using site = await startSite();
  await using stage = await startClientStage({ "site.i2p": site.port }, ["--map-names", "127.192.0.0/10"]);
  const ask = async (...words: string[]): Promise<ClientRun> => await stage.run("tor-resolve", [...words, stage.socks]);
  let address = "";

  await t.step("gets an address, the same one by SOCKS4a and SOCKS5, and the name behind it", async () => {
    address = (await ask("site.i2p")).stdout.trim();
    assertMatch(address, /^127\.(19[2-9]|2\d\d)\.\d+\.\d+$/);
    assertEquals((await ask("-4", "site.i2p")).stdout.trim(), address);
    const { code, stdout, stderr, astray } = await ask("-x", address);
    assertEquals([code, stdout.trim(), astray], [0, "site.i2p", []], stderr);
  });

  await t.step("gets an address that leads to the site", async () => {
    const body = await socksGet(stage.port, `http://${address}/`);
    assertStringIncludes(body, site.token);
  });

  await t.step("is refused a clearnet name, and says so", async () => {
    // The second one in code there is the option.
    for (const [place, options] of [[0, []], [2, ["-4"]]] as const) {
      const run = await ask(...options, "example.com");
      await assertRefused(stage, run, { words: saidBy("tor-resolve", place), exitCode: 1 });
    }
  });

  await t.step("is refused the name of an address that has none", async () => {
    const { code, stdout, stderr } = await ask("-x", "127.192.0.0");
    assertEquals([code, stdout.trim()], [1, ""]);
    assertStringIncludes(stderr, "host is unreachable");
  });

  await t.step("is refused without --map-names", async () => {
    await using other = await startClientStage({});
    const { code, stderr } = await other.run("tor-resolve", ["site.i2p", other.socks]);
    assertEquals(code, 1);
    assertStringIncludes(stderr, "response '7'");
  });
});

e2eTest("torsocks and tor-resolve through a real router", ["i2pd", "torsocks", "tor-resolve", "curl"], async () => {
  await using net = await startPrivateNet();
  await using proxy = await startProxyProcess([
    ...["--sam", `127.0.0.1:${net.samPort}`, ...net.sessionOptions, "--map-names", "198.18.0.0/15"],
  ]);
  const resolve = async (...words: string[]): Promise<string> =>
    (await runCommand("tor-resolve", [...words, `127.0.0.1:${proxy.port}`])).stdout.trim();
  const fetched = async (host: string): Promise<string> => {
    const words = ["-a", "127.0.0.1", "-P", `${proxy.port}`, ...CURL, "--max-time", "100", `http://${host}/`];
    return (await runCommand("torsocks", words, { timeout: 120_000 })).stdout;
  };
  const address = await resolve(net.siteName);
  assertMatch(address, /^198\.1[89]\./);
  assertEquals(await resolve("-x", address), net.siteName);
  for (const host of [net.siteName, net.siteB32, address]) {
    assertStringIncludes(await fetched(host), net.site.token, host);
  }
});
