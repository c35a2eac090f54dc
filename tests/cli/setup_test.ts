import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { CLIENTS } from "../../lib/cli/setup_clients.ts";
import { CliError, ExitCode } from "../../lib/command/exit_code.ts";
import { clientNamed, describeSetup, setup } from "../../lib/cli/setup.ts";
import { Terminal } from "../../lib/command/terminal.ts";
import { parseAddressRange } from "../../lib/config/address_range.ts";
import type { Endpoint } from "../../lib/config/endpoint.ts";
import { runCommand, runProxy } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { pureTest } from "../support/pure.ts";
import { makeScratch } from "../support/scratch.ts";

const LISTENER: Endpoint = { hostname: "127.0.0.1", port: 9050 };
const LISTENER6: Endpoint = { hostname: "::1", port: 9051 };

/** How each application is told to leave names to the proxy. */
const REMOTE_DNS: Readonly<Record<string, RegExp>> = {
  curl: /socks5h:/,
  git: /socks5h:/,
  // OpenBSD's netcat hands a name on with version 5, and resolves it with version 4.
  ssh: /nc -X 5 /,
  firefox: /"network\.proxy\.socks_remote_dns", true/,
  librewolf: /"network\.proxy\.socks_remote_dns", true/,
  chromium: /socks5:.*\n.*MAP \* ~NOTFOUND/,
  irssi: /^proxy_dns$/m,
  // These four have no other way for names of I2P.
  weechat: /socks5 /,
  monerod: /tx-proxy=i2p,/,
  yggdrasil: /socks:/,
  torsocks: /TorAddress/,
  qbittorrent: /\[x\] Perform hostname lookup via proxy/,
  proxychains: /^proxy_dns$/m,
};

pureTest("describeSetup() fills in the listener and has names resolved by the proxy, for every application", () => {
  assertEquals(Object.keys(REMOTE_DNS).sort(), Object.keys(CLIENTS).sort());
  for (const [name, client] of Object.entries(CLIENTS)) {
    for (const { hostname, port } of [LISTENER, LISTENER6]) {
      const { settings, talk } = describeSetup(client, { hostname, port });
      assert(settings.includes(hostname) && settings.includes(`${port}`), `${name}: ${settings}`);
      assert(!settings.includes("4447"), `${name} has a port of its own`);
      assertMatch(settings, REMOTE_DNS[name] ?? /^$/, name);
      assertMatch(talk, /identity/i, `${name} says nothing of identities`);
      assertEquals(talk.split("\n").filter((line) => line.length > 80), [], name);
      // Tabs and the like would not come out of a terminal as they are.
      assertMatch(settings, /^[\n\x20-\x7e]+$/, name);
    }
    assertEquals(describeSetup(client, LISTENER6).settings.includes("127.0.0.1:9051"), false, name);
  }
});

pureTest("describeSetup() names the option of the proxy that torsocks needs, with a range that the proxy takes", () => {
  const { talk } = describeSetup(clientNamed("torsocks"), LISTENER);
  const [, range = ""] = /--map-names\s+([\d./]+)/.exec(talk) ?? [];
  assertEquals(parseAddressRange(range).text, "198.18.0.0/15");
});

Deno.test("setup prints settings to stdout and what to know to stderr", async () => {
  const { code, stdout, stderr } = await runProxy(["setup", "curl", "--listen", "[::1]:9051"]);
  assertEquals([code, stdout], [0, "curl --proxy socks5h://[::1]:9051 http://stats.i2p/\n"]);
  assertStringIncludes(stderr, "i2p-socks serves at [::1]:9051");
  const [byDefault, byVariable] = await Promise.all([
    runProxy(["setup", "curl"]),
    runProxy(["setup", "curl"], { I2P_SOCKS_LISTEN: "9052" }),
  ]);
  assertStringIncludes(byDefault.stdout, "127.0.0.1:4447");
  assertStringIncludes(byVariable.stdout, "127.0.0.1:9052");
});

Deno.test("setup lists the applications that it knows", async () => {
  const { code, stdout, stderr } = await runProxy(["setup"]);
  assertEquals([code, stderr], [0, ""]);
  assertEquals([...stdout.matchAll(/^(\w+)/gm)].map(([word]) => word), Object.keys(CLIENTS));
});

pureTest("setup() refuses what it does not know, and a port that cannot be known", () => {
  const refused = (operands: readonly string[], listen = "9050"): readonly string[] => {
    const given = new Map([["listen", [{ text: listen, source: "--listen" }]]]);
    const { code, message, hints } = assertThrows(() => setup(operands, given, new Terminal()), CliError);
    assertEquals(code, ExitCode.usage);
    return [message, ...hints];
  };
  assertEquals(refused(["fierfox"]).slice(0, 2), ['No settings are known for "fierfox"', "Did you mean firefox?"]);
  assertMatch(refused(["constructor"])[1] ?? "", /^Known are curl, /);
  assertEquals(refused(["curl", "git"])[0], 'setup takes one application, but also got "git"');
  assertMatch(refused(["curl"], "0")[0] ?? "", /^Port 0 /);
});

e2eTest("git takes its settings for names of I2P, and for no others", ["git"], async () => {
  await using scratch = await makeScratch();
  const file = await scratch.file("config", settingsOf("git"));
  const proxyFor = async (url: string): Promise<string> =>
    (await runCommand("git", ["config", "-f", file, "--get-urlmatch", "http.proxy", url])).stdout.trim();
  for (const url of ["http://stats.i2p/a.git", "https://stats.i2p/a.git", "http://x.b32.i2p/a.git"]) {
    assertEquals(await proxyFor(url), "socks5h://127.0.0.1:9050", url);
  }
  assertEquals(await proxyFor("https://example.org/a.git"), "");
});

e2eTest("ssh takes its settings for names of I2P, and for no others", ["ssh"], async () => {
  await using scratch = await makeScratch();
  const file = await scratch.file("config", `${settingsOf("ssh")}\n`);
  const options = async (host: string): Promise<string> => (await runCommand("ssh", ["-G", "-F", file, host])).stdout;
  for (const host of ["stats.i2p", "x.b32.i2p"]) {
    const text = await options(host);
    assertStringIncludes(text, "\nproxycommand nc -X 5 -x 127.0.0.1:9050 %h %p\n");
    for (const option of ["identitiesonly yes", "forwardagent no", "verifyhostkeydns false"]) {
      assertStringIncludes(text, `\n${option}\n`);
    }
  }
  assertEquals((await options("example.org")).includes("proxycommand"), false);
});

e2eTest("curl takes its settings, and hands the name to the proxy", ["curl"], async () => {
  const [program = "", ...args] = settingsOf("curl").split(" ");
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const command = args.map((arg) => arg.replace("9050", `${listener.addr.port}`));
  const running = runCommand(program, ["--max-time", "20", "--silent", ...command]);
  using conn = await acceptWhile(running, listener);
  await conn.read(new Uint8Array(64));
  await conn.write(Uint8Array.of(5, 0));
  const bytes = new Uint8Array(64);
  const count = await conn.read(bytes) ?? 0;
  assertEquals(bytes.slice(0, count), Uint8Array.of(5, 1, 0, 3, 9, ...new TextEncoder().encode("stats.i2p"), 0, 80));
  await conn.write(Uint8Array.of(5, 4, 0, 1, 0, 0, 0, 0, 0, 0));
  assertEquals((await running).code, 97);
});

e2eTest("WeeChat takes its settings", ["weechat-headless"], async () => {
  await using scratch = await makeScratch();
  const commands = settingsOf("weechat").split("\n").filter((line) => !line.startsWith("/connect"));
  const args = ["-d", scratch.dir, "-r", [...commands, "/save", "/quit"].join(";")];
  await runCommand("weechat-headless", args, { timeout: 60_000, env: { HOME: scratch.dir } });
  const [main, irc] = await Promise.all(
    ["weechat", "irc"].map((name) => Deno.readTextFile(`${scratch.dir}/${name}.conf`)),
  );
  for (const line of ["i2p.type = socks5", 'i2p.address = "127.0.0.1"', "i2p.port = 9050"]) {
    assertStringIncludes(main ?? "", line);
  }
  for (const line of ['i2p.addresses = "irc.postman.i2p/6667"', 'i2p.proxy = "i2p"', 'i2p.realname = "user"']) {
    assertStringIncludes(irc ?? "", line);
  }
});

e2eTest("proxychains takes its settings, and hands the name to the proxy", ["proxychains4", "curl"], async () => {
  await using scratch = await makeScratch();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { settings } = describeSetup(clientNamed("proxychains"), {
    hostname: "127.0.0.1",
    port: listener.addr.port,
  });
  const file = await scratch.file("proxychains.conf", `${settings}\n`);
  const running = runCommand("proxychains4", ["-f", file, "curl", "--max-time", "20", "--silent", "http://stats.i2p/"]);
  using conn = await acceptWhile(running, listener);
  await conn.read(new Uint8Array(64));
  await conn.write(Uint8Array.of(5, 0));
  const bytes = new Uint8Array(64);
  const count = await conn.read(bytes) ?? 0;
  assertStringIncludes(new TextDecoder().decode(bytes.slice(0, count)), "stats.i2p");
  await conn.write(Uint8Array.of(5, 4, 0, 1, 0, 0, 0, 0, 0, 0));
  assert((await running).code !== 0);
});

/** The connection of a client that runs; fails where it ends without one. */
async function acceptWhile(running: Promise<unknown>, listener: Deno.TcpListener): Promise<Deno.TcpConn> {
  const accepted = listener.accept();
  accepted.catch(() => {});
  const ended = running.then(() => Promise.reject(new Error("The client ended without a connection")));
  ended.catch(() => {});
  return await Promise.race([accepted, ended]);
}

function settingsOf(name: string): string {
  return describeSetup(clientNamed(name), LISTENER).settings;
}
