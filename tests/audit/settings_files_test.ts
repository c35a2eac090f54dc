import { assert, assertEquals, assertMatch } from "@std/assert";
import type { Finding } from "../../lib/audit/finding.ts";
import { recogniseSettings, SETTINGS_FILES } from "../../lib/audit/settings_files.ts";
import { describeSetup } from "../../lib/cli/setup.ts";
import { CLIENTS } from "../../lib/command/setup_clients.ts";
import { pureTest } from "../support/pure.ts";

/** Files that Debian's clients have written, as they come and with settings for I2P. Of long ones the parts that count. */
const WRITTEN: Readonly<Record<string, string>> = Object.fromEntries(
  [...Deno.readDirSync(new URL("settings", import.meta.url))].map(({ name }) => [
    name.replace(".txt", ""),
    Deno.readTextFileSync(new URL(`settings/${name}`, import.meta.url)),
  ]),
);

const isOwn = (text: string): boolean => text === "alicia";

/** Looks at a file, and says whose it is. */
function look(text: string, path = "settings"): { client: string | undefined; findings: Finding[] } {
  const found = recogniseSettings(path, text);
  return { client: found?.client, findings: found?.kind.inspect(text, isOwn) ?? [] };
}

/** Settings that will leak, with their lines; 0 stands for those that are missing. */
function leaksOf(text: string, path?: string): [number, string][] {
  return look(text, path).findings.map(({ line = 0, setting }) => [line, setting]);
}

/** The line of a file that begins with a text. */
function lineOf(text: string, beginning: string): number {
  const line = text.split("\n").findIndex((one) => one.trimStart().startsWith(beginning)) + 1;
  assert(line > 0, beginning);
  return line;
}

pureTest("recogniseSettings() tells files that clients wrote by their text alone, and others from them", () => {
  assertEquals(Object.keys(WRITTEN).length, 12);
  for (const [name, text] of Object.entries(WRITTEN)) assertEquals(look(text).client, name.split("_")[0], name);
  for (const text of ["", "\n", "# Host *\n", "{}", "Host this is prose.\n\n| Host | a table |\n", "a: 1\nb: 2\n"]) {
    assertEquals(recogniseSettings("settings", text), undefined, text);
  }
});

pureTest("recogniseSettings() knows an empty file by its name, and takes the word of whoever names the client", () => {
  assertEquals(recogniseSettings("/etc/ssh/ssh_config", "")?.client, "ssh");
  assertEquals(recogniseSettings("C:\\Users\\x\\bitmonero.conf", "")?.client, "monerod");
  assertEquals(recogniseSettings("config", "", "ssh")?.client, "ssh");
  assertEquals(recogniseSettings("x", WRITTEN["weechat_set"] ?? "", "weechat")?.kind.title, "WeeChat: weechat.conf");
});

pureTest("Firefox: a new profile goes past the proxy; the settings of setup leave the User-Agent alone", () => {
  assertEquals(leaksOf(WRITTEN["firefox_setup"] ?? ""), [[0, "general.useragent.override"]]);
  const missing = leaksOf(WRITTEN["firefox_new"] ?? "");
  assertEquals(missing.filter(([line]) => line > 0), []);
  const settings = missing.map(([, setting]) => setting);
  for (const one of ["network.proxy.type", "media.peerconnection.enabled", "network.proxy.failover_direct"]) {
    assert(settings.includes(one), one);
  }
  // Version 128 and later leave names to the proxy by themselves.
  assert(!settings.includes("network.proxy.socks_remote_dns"));
  const old = (WRITTEN["firefox_new"] ?? "").replace('"153.', '"115.');
  assert(leaksOf(old).some(([, setting]) => setting === "network.proxy.socks_remote_dns"));
});

pureTest("Firefox: each setting of setup is missed when it is turned round, in its line", () => {
  const { settings } = describeSetup(CLIENTS["firefox"] ?? fail(), { hostname: "127.0.0.1", port: 4447 });
  const turned: [string, string][] = [
    ['"network.proxy.type", 1', '"network.proxy.type", 0'],
    ['"network.proxy.socks", "127.0.0.1"', '"network.proxy.socks", "192.0.2.1"'],
    ['"network.proxy.no_proxies_on", ""', '"network.proxy.no_proxies_on", "example.com"'],
    ['"network.proxy.failover_direct", false', '"network.proxy.failover_direct", true'],
    ['"network.proxy.allow_bypass", false', '"network.proxy.allow_bypass", true'],
    ['"network.trr.mode", 5', '"network.trr.mode", 2'],
    ['"media.peerconnection.enabled", false', '"media.peerconnection.enabled", true'],
    ['"keyword.enabled", false', '"keyword.enabled", true'],
    ['"network.http.referer.XOriginPolicy", 2', '"network.http.referer.XOriginPolicy", 0'],
  ];
  for (const [safe, leaky] of turned) {
    const text = settings.replace(safe, leaky);
    const setting = /"([^"]+)"/.exec(safe)?.[1] ?? "";
    assertEquals(leaksOf(text)[0], [lineOf(text, `user_pref(${leaky}`), setting]);
  }
  const local = settings.replace('socks_remote_dns", true', 'socks_remote_dns", false')
    .replace('socks5_remote_dns", true', 'socks5_remote_dns", false');
  assertEquals(leaksOf(local)[0]?.[1], "network.proxy.socks_remote_dns");
  const agent = 'user_pref("general.useragent.override", "Mozilla/5.0 (X11; Linux x86_64)");\n';
  assertEquals(leaksOf(agent + settings), [[1, "general.useragent.override"]]);
  assertEquals(leaksOf(agent.replace("(X11; Linux x86_64)", "Gecko") + settings), []);
});

function fail(): never {
  throw new Error("setup does not know it");
}

pureTest("Thunderbird: the account's names and the headers that it adds, by line", () => {
  const text = WRITTEN["thunderbird_account"] ?? "";
  const inLine = (setting: string): [number, string] => [lineOf(text, `user_pref("${setting}"`), setting];
  assertEquals(leaksOf(text), [
    inLine("mail.identity.id1.fullName"),
    inLine("mail.identity.id1.organization"),
    inLine("mail.identity.id1.useremail"),
    [0, "mail.sanitize_date_header"],
    [0, "mailnews.headers.sendUserAgent"],
    [0, "mail.smtpserver.default.hello_argument"],
  ]);
  const clearnet = text.replace("smtp.postman.i2p", "smtp.example.com");
  assert(leaksOf(clearnet).some(([, setting]) => setting === "mail.smtpserver.smtp1.hostname"));
  assertMatch(
    look(text).findings.at(-1)?.fix ?? "",
    /^user_pref\("mail\.smtpserver\.default\.hello_argument", "localhost"\);$/,
  );
});

pureTest("irssi: names of the system's user, of a person, answers to CTCP, DCC and servers of the clearnet", () => {
  const fresh = WRITTEN["irssi_new"] ?? "";
  const names = ["real_name", "user_name", "nick"].map((name): [number, string] => [lineOf(fresh, `${name} = `), name]);
  assertEquals(leaksOf(fresh), [...names, [0, "ignores"]]);
  const set = WRITTEN["irssi_set"] ?? "";
  const ofSet = [...names.map(([, name]) => name), "dcc_autoget"].map((name): [number, string] => {
    const line = name === "dcc_autoget" ? '"irc/dcc"' : `${name} = `;
    return [lineOf(set, line), name];
  });
  assertEquals(leaksOf(set), ofSet);
  const safe = set.replace('"Alicia Quill"', '"user"').replaceAll('"alicia"', '"user"').replace(
    '"yes"; };\n};',
    '"no"; };\n};',
  );
  assertEquals(leaksOf(safe), []);
  const clearnet = safe.replace("irc.postman.i2p", "irc.example.com");
  assertEquals(leaksOf(clearnet), [[lineOf(clearnet, 'autoconnect = "yes"'), "autoconnect"]]);
  assertEquals(leaksOf(safe.replace('level = "CTCPS DCC"', 'mask = "x"; level = "CTCPS"')).map(([, one]) => one), [
    "ignores",
  ]);
  assertEquals(leaksOf(safe.replace(/settings = \{[^]*?\n\};/, "settings = { };")), [
    [0, "nick"],
    [0, "user_name"],
    [0, "real_name"],
  ]);
});

pureTest("irssi: a broken file is read as far as it goes", () => {
  for (const end of ["}}}}", '"', "= = ( {", "\\"]) look(`servers = ( );\nsettings = {\n${end}`);
});

pureTest("WeeChat: a server takes the default of all where it has no setting of its own", () => {
  const fresh = WRITTEN["weechat_irc_new"] ?? "";
  const inLine = (name: string): [number, string] => [lineOf(fresh, `${name} = `), `irc.server.i2p.${name}`];
  assertEquals(leaksOf(fresh), [
    inLine("msg_part"),
    inLine("msg_quit"),
    inLine("nicks"),
    inLine("proxy"),
    inLine("username"),
    [0, "irc.ctcp.version"],
    [0, "irc.ctcp.time"],
  ]);
  const set = WRITTEN["weechat_irc_set"] ?? "";
  assertEquals(leaksOf(set), []);
  const foreign = set.replace("irc.postman.i2p", "irc.example.com");
  assertEquals(leaksOf(foreign), []);
  const atStart = foreign.replace("i2p.autoconnect", "i2p.autoconnect = on");
  assertEquals(leaksOf(atStart), [[lineOf(atStart, "i2p.autoconnect"), "irc.server.i2p.autoconnect"]]);
});

pureTest("WeeChat: the proxy is of SOCKS5, and on this machine", () => {
  assertEquals(leaksOf(WRITTEN["weechat_new"] ?? ""), [[0, "weechat.proxy"]]);
  const set = WRITTEN["weechat_set"] ?? "";
  assertEquals(leaksOf(set), []);
  const other = set.replace("i2p.type = socks5", "i2p.type = socks4").replace('"127.0.0.1"', '"192.0.2.1"');
  assertEquals(leaksOf(other).map(([, setting]) => setting).sort(), [
    "weechat.proxy.i2p.address",
    "weechat.proxy.i2p.type",
  ]);
});

pureTest("qBittorrent: what is on by default, and an address that is announced", () => {
  const settings = leaksOf(WRITTEN["qbittorrent_new"] ?? "").map(([, setting]) => setting);
  assertEquals(settings, [
    "Network/Proxy\\Type",
    "Network/Proxy\\IP",
    "BitTorrent/Session\\ProxyPeerConnections",
    "BitTorrent/Session\\AnonymousModeEnabled",
    "BitTorrent/Session\\DHTEnabled",
    "BitTorrent/Session\\PeXEnabled",
    "BitTorrent/Session\\LSDEnabled",
    "Network/PortForwardingEnabled",
  ]);
  const set = WRITTEN["qbittorrent_set"] ?? "";
  assertEquals(leaksOf(set), [[lineOf(set, "Session\\AnnounceIP"), "BitTorrent/Session\\AnnounceIP"]]);
  const local = set.replace("[Network]", "[Network]\nProxy\\HostnameLookupEnabled=false");
  assert(leaksOf(local).some(([, setting]) => setting === "Network/Proxy\\HostnameLookupEnabled"));
});

pureTest("monerod: transactions, chain, gateway and the nodes that wallets ask", () => {
  const text = "# of the node\ndata-dir=/var/lib/monero\ntx-proxy=tor,127.0.0.1:9050,10\nenable-dns-blocklist=1\n" +
    "bootstrap-daemon-address=node.example.com:18081\n";
  assertEquals(leaksOf(text, "monerod.conf"), [
    [3, "tx-proxy"],
    [4, "enable-dns-blocklist"],
    [5, "bootstrap-daemon-address"],
    [0, "proxy"],
    [0, "igd"],
  ]);
  const safe = "tx-proxy=i2p,127.0.0.1:4447\nproxy=127.0.0.1:9050\nigd=disabled\n" +
    "bootstrap-daemon-address=abc.b32.i2p:18081\n";
  assertEquals(leaksOf(safe), []);
  assertEquals(leaksOf(safe.replace("4447", "4447,disable_noise")), [[1, "tx-proxy"]]);
});

/** What Debian's package has in /etc/ssh/ssh_config, but for comments. */
const SSH_OF_DEBIAN =
  "Include /etc/ssh/ssh_config.d/*.conf\n\nHost *\n    SendEnv LANG LC_*\n    HashKnownHosts yes\n" +
  "    GSSAPIAuthentication yes\n";

/** What ssh lacks for a host of I2P without any setting. */
const SSH_MISSING: [number, string][] = ["ProxyCommand", "User", "IdentitiesOnly", "IdentityFile"].map((
  one,
) => [0, one]);

pureTest("ssh: what the distribution sets and what is missing, for hosts of I2P", () => {
  assertEquals(leaksOf(SSH_OF_DEBIAN), [[4, "SendEnv"], [6, "GSSAPIAuthentication"], ...SSH_MISSING]);
});

pureTest("ssh: the settings of setup lack the user and a key, which are each server's own", () => {
  const { settings } = describeSetup(CLIENTS["ssh"] ?? fail(), { hostname: "127.0.0.1", port: 4447 });
  assertEquals(leaksOf(settings), [[0, "User"], [0, "IdentityFile"]]);
  assertEquals(leaksOf(`${settings}\n    User git\n    PubkeyAuthentication no\n`), []);
  const version4 = settings.replace("-X 5", "-X 4");
  assertEquals(leaksOf(version4)[0], [lineOf(version4, "ProxyCommand"), "ProxyCommand"]);
});

pureTest("ssh: the first value counts, patterns say for which hosts, and names of one's own lead to I2P", () => {
  const safe = "Host *.i2p work !bad.i2p\n  ProxyCommand i2p-socks connect %h %p\n  User git\n  IdentitiesOnly yes\n" +
    "  IdentityFile ~/.ssh/i2p\n  ForwardAgent no\n";
  assertEquals(leaksOf(safe), []);
  assertEquals(leaksOf(`${safe}Host *\n  ForwardAgent yes\n  ForwardX11 yes\n`), [[9, "ForwardX11"]]);
  assertEquals(leaksOf(`${safe}Host clearnet.example\n  ForwardX11 yes\n`), []);
  assertEquals(leaksOf(`${safe}Host work\n  HostName abc.b32.i2p\n  ForwardX11 yes\n`), [[9, "ForwardX11"]]);
  assertEquals(
    leaksOf(`${safe}Host bad.i2p\n  User x\n`).map(([, setting]) => setting),
    ["ProxyCommand (Host bad.i2p)", "IdentitiesOnly (Host bad.i2p)", "IdentityFile (Host bad.i2p)"],
  );
  assertEquals(leaksOf(`${safe}Match all\n  VerifyHostKeyDNS yes\n`), [[8, "VerifyHostKeyDNS"]]);
  assertEquals(leaksOf(`${safe}Match user x\n  VerifyHostKeyDNS yes\n`), []);
});

pureTest("no finding repeats a value, and each has a sentence and a fix", () => {
  const texts = [...Object.values(WRITTEN), SSH_OF_DEBIAN];
  for (const { message, fix } of texts.flatMap((text) => look(text).findings)) {
    assertMatch(message, /^[A-Z].+[\w)]$/);
    assert(fix.length > 3 && !`${message} ${fix}`.includes("alicia") && !/Alicia|203\.0\.113/.test(message + fix), fix);
  }
  assertEquals(Object.keys(SETTINGS_FILES).filter((name) => name !== "thunderbird" && !(name in CLIENTS)), []);
});
