import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { CLIENTS } from "../../lib/command/setup_clients.ts";
import { CliError, ExitCode } from "../../lib/command/exit_code.ts";
import { clientNamed, describeSetup, setup } from "../../lib/cli/setup.ts";
import { Terminal } from "../../lib/command/terminal.ts";
import { parseAddressRange } from "../../lib/config/address_range.ts";
import type { Endpoint } from "../../lib/config/endpoint.ts";
import { pureTest } from "../support/pure.ts";

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
  env: /^export ALL_PROXY='socks5h:/m,
  ncat: /--proxy-dns remote/,
  socat: /SOCKS4A:/,
  putty: /^ProxyDNS=2$/m,
  "yt-dlp": /socks5:/,
  rclone: /HTTP_PROXY=socks5:/,
  apt: /socks5h:/,
  // SOCKS5 with names, and nothing else.
  msmtp: /proxy_host/,
  mosquitto: /socks5h:/,
  thunderbird: /"network\.proxy\.socks_remote_dns", true/,
  gajim: /SOCKS5/,
  electrum: /socks5:/,
  bitcoin: /^i2psam=.*\n.*\nproxy=/m,
  requests: /socks5h:/,
  httpx: /socks5:/,
  aiohttp: /socks5:/,
  pysocks: /proxy_rdns=True/,
  java: /createUnresolved/,
  node: /socks5h:/,
  go: /socks5:/,
  // A program that looks a name up itself reaches nobody.
  confine: /bwrap .* --unshare-net /,
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
    if (name !== "confine") {
      assertEquals(describeSetup(client, LISTENER6).settings.includes("127.0.0.1:9051"), false, name);
    }
  }
});

pureTest("describeSetup() names the option of the proxy that torsocks needs, with a range that the proxy takes", () => {
  const { talk } = describeSetup(clientNamed("torsocks"), LISTENER);
  const [, range = ""] = /--map-names\s+([\d.]+\/\d+)/.exec(talk) ?? [];
  assertEquals(parseAddressRange(range).text, "198.18.0.0/15");
});

pureTest("setup env has another login at each call", () => {
  const logins = [1, 2].map(() => /socks5h:..(\w+):x@/.exec(describeSetup(clientNamed("env"), LISTENER).settings)?.[1]);
  assertEquals([logins[0]?.length, logins[0] === logins[1]], [16, false]);
});

pureTest("describeSetup() leaves lines whole where no terminal reads them", () => {
  const { talk } = describeSetup(clientNamed("monerod"), LISTENER, false);
  assertEquals(talk.split("\n").length, 2 + clientNamed("monerod").notes.length);
});

Deno.test("setup() refuses what it does not know, and a port that cannot be known", async () => {
  const refused = async (operands: readonly string[], listen = "9050"): Promise<readonly string[]> => {
    const given = new Map([["listen", [{ text: listen, source: "--listen" }]]]);
    const { code, message, hints } = await assertRejects(() => setup(operands, given, new Terminal()), CliError);
    assertEquals(code, ExitCode.usage);
    return [message, ...hints];
  };
  assertEquals((await refused(["fierfox"])).slice(0, 2), [
    'No settings are known for "fierfox"',
    "Did you mean firefox?",
  ]);
  assertMatch((await refused(["constructor"]))[1] ?? "", /^In any application: SOCKS5 /);
  assertMatch((await refused(["constructor"])).at(-1) ?? "", /^Known are curl, /);
  assertEquals((await refused(["curl", "git"]))[0], 'setup takes one application, but also got "git"');
  assertMatch((await refused(["curl"], "0"))[0] ?? "", /^With port 0 /);
});
