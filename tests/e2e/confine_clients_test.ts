import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { KINDS } from "../../lib/cli/service.ts";
import { clientNamed, describeSetup } from "../../lib/cli/setup.ts";
import { startClientStage } from "../clients/client_stage.ts";
import { CONFINE, INSIDE, makeNetwork, type NetworkRun } from "../clients/confined.ts";
import { makeRepository } from "../clients/git_repository.ts";
import { startIrcServer } from "../clients/irc_server.ts";
import { e2eTest } from "../support/e2e.ts";
import { spawnProxy } from "../support/proxy_process.ts";
import { startSite } from "../support/site.ts";
import { until } from "../support/wait.ts";

/** The proxy, as applications inside know it. */
const SOCKS = `127.0.0.1:${INSIDE}`;

/** Addresses of RFC 5737, which are nobody's: where something tries to go beside the proxy. */
const ELSEWHERE = "203.0.113.9";

/** Asserts that nothing left, and that the script told what was tried. */
function assertHeld({ sent, stderr }: NetworkRun, tried: readonly RegExp[]): void {
  assertEquals(sent, 0, stderr);
  for (const line of tried) assertMatch(stderr, line);
}

e2eTest("curl that goes beside the proxy gets nowhere", [...CONFINE, "curl", "nft"], async (t) => {
  await using site = await startSite();
  await using stage = await startClientStage({ "site.i2p": site.port });
  await using network = await makeNetwork(stage);
  const curl = ["curl", "--disable", "--silent", "--show-error", "--max-time", "20"];
  const beside = [...curl, "--max-time", "3", "--proxy", `socks5h://${SOCKS}`, "--noproxy", "*"];

  await t.step("unconfined, its packets are counted", async () => {
    for (const url of [`http://${ELSEWHERE}/`, "http://example.com/"]) {
      assert((await network.run([...beside, url])).sent > 0, url);
    }
  });

  await t.step("through the proxy it gets its page, and sends what it has", async () => {
    const through = [...curl, "--proxy", `socks5h://${SOCKS}`];
    const page = await network.confined([...through, "http://site.i2p/"]);
    assertStringIncludes(page.stdout, site.token, page.stderr);
    assertEquals([page.code, page.sent], [0, 0]);
    const echo = await network.confined([...through, "--data", "good day", "http://site.i2p/echo"]);
    assertEquals(echo.stdout, "good day", echo.stderr);
  });

  await t.step("beside it, by address and by name, no packet leaves", async () => {
    for (const [url, code] of [[`http://${ELSEWHERE}/`, 7], ["http://example.com/", 6]] as const) {
      const run = await network.confined([...beside, url]);
      assertEquals([run.code, run.sent], [code, 0], run.stderr);
    }
  });

  await t.step("--report names what it tried", async () => {
    const flags = ["--report"];
    const byAddress = await network.confined([...beside, `http://${ELSEWHERE}:81/`], { flags });
    assertHeld(byAddress, [/tried, in vain:\n {2}tcp to 203\.0\.113\.9 port 81\n/]);
    const byName = await network.confined([...beside, "http://example.com/"], { flags });
    assertHeld(byName, [/^ {2}udp to 192\.0\.2\.1 port 53$/m]);
    const by6 = await network.confined([...beside, "http://[2001:db8::9]/"], { flags });
    assertHeld(by6, [/^ {2}tcp to 2001:db8::9 port 80$/m]);
    const nothing = await network.confined([...curl, "--proxy", `socks5h://${SOCKS}`, "http://site.i2p/"], { flags });
    assertStringIncludes(nothing.stdout, site.token);
    assertHeld(nothing, [/the program tried nothing beside the proxy\n$/]);
  });
});

e2eTest("git clones through the proxy and not beside it", [...CONFINE, "git"], async () => {
  await using repository = await makeRepository();
  await using stage = await startClientStage({ "code.i2p": repository.port });
  await using network = await makeNetwork(stage);
  const env = { GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0" };
  const clone = (url: string, to: string, proxy: string): string[] => //
  ["git", "-c", `http.proxy=${proxy}`, "clone", "--quiet", url, `${stage.scratch.dir}/${to}`];
  const through = clone("http://code.i2p/project.git", "copy", `socks5h://${SOCKS}`);
  const cloned = await network.confined(through, { env });
  assertEquals([cloned.code, cloned.sent], [0, 0], cloned.stderr);
  const head = await network.run(["git", "-C", `${stage.scratch.dir}/copy`, "rev-parse", "HEAD"], { env });
  assertEquals(head.stdout.trim(), repository.head);

  const beside = clone(`http://${ELSEWHERE}/project.git`, "none", "");
  assert((await network.run(beside, { env, timeout: 3_000 })).sent > 0);
  const held = await network.confined(beside, { env });
  assertEquals([held.code, held.sent], [128, 0], held.stderr);
});

e2eTest("wget is held by proxychains, and where that is missing by the namespace", [
  ...CONFINE,
  "wget",
  "proxychains4",
], async () => {
  await using site = await startSite();
  await using stage = await startClientStage({ "site.i2p": site.port });
  await using network = await makeNetwork(stage);
  const { settings } = describeSetup(clientNamed("proxychains"), { hostname: "127.0.0.1", port: INSIDE });
  const file = await stage.scratch.file("proxychains.conf", `${settings}\n`);
  const wget = ["wget", "--no-config", "--quiet", "--tries=1", "--timeout=3", "--output-document=-"];
  const page = await network.confined(["proxychains4", "-f", file, ...wget, "http://site.i2p/"]);
  assertStringIncludes(page.stdout, site.token, page.stderr);
  assertEquals(page.sent, 0);
  assert((await network.run([...wget, "http://site.i2p/"])).sent > 0);
  const held = await network.confined([...wget, "http://site.i2p/"]);
  assertEquals([held.code, held.sent], [4, 0], held.stderr);
});

e2eTest("WeeChat talks through the proxy, and a server without one is not reached", [
  ...CONFINE,
  "weechat-headless",
  "nft",
], async () => {
  const answer = `answer ${crypto.randomUUID()}`;
  await using server = await startIrcServer(answer);
  await using stage = await startClientStage({ "irc.i2p": server.port });
  await using network = await makeNetwork(stage);
  const run = await network.confined(
    weechat(`${stage.scratch.dir}/weechat`, [
      "/set weechat.network.gnutls_ca_system off",
      '/trigger add talk signal *,irc_in2_366 "" "" "/quote -server i2p PRIVMSG #test :good day"',
      '/trigger add heard signal *,irc_in2_privmsg "" "" "/wait 1 /quit"',
      `/proxy add door socks5 127.0.0.1 ${INSIDE}`,
      `/server add bare ${ELSEWHERE}/6667 -notls`,
      "/server add i2p irc.i2p/6667 -notls -proxy=door -nicks=somenick -username=user -realname=user -autojoin=#test",
      "/connect bare",
      "/connect i2p",
    ]),
    { flags: ["--report"] },
  );
  assertEquals(run.code, 0, run.stdout + run.stderr);
  assertStringIncludes(server.lines.join("\n"), "PRIVMSG #test :good day");
  assertHeld(run, [/^ {2}tcp to 203\.0\.113\.9 port 6667$/m]);
});

/** WeeChat with commands of its start. */
function weechat(dir: string, commands: readonly string[]): string[] {
  return ["weechat-headless", "--dir", dir, ...commands.flatMap((command) => ["--run-command", command])];
}

/** Takes whatever is offered; ends some seconds after somebody spoke. */
const IRSSI_SCRIPT = `use Irssi;
Irssi::signal_add("event connected", sub { $_[0]->command("quote PRIVMSG #test :good day") });
Irssi::signal_add("message public", sub { Irssi::timeout_add_once(4000, sub { Irssi::command("quit") }, undef) });
Irssi::signal_add("server connect failed", sub { Irssi::command("quit") });
`;

e2eTest("irssi that takes a DCC offer gets nowhere", [...CONFINE, "irssi", "proxychains4", "script"], async () => {
  // A file at 203.0.113.9, as a number, at port 4000.
  const offer = ":somebody!user@i2p PRIVMSG user :\x01DCC SEND gift.txt 3405803785 4000 100\x01";
  await using server = await startIrcServer(`take it\r\n${offer}`);
  await using stage = await startClientStage({ "irc.postman.i2p": server.port }, ["--log-destinations"]);
  await using network = await makeNetwork(stage);
  const { settings } = describeSetup(clientNamed("irssi"), { hostname: "127.0.0.1", port: INSIDE });
  const lines = settings.split("\n").filter((line) => !line.startsWith("/ignore"));
  const dir = `${stage.scratch.dir}/.irssi-i2p`;
  await Deno.mkdir(`${dir}/scripts/autorun`, { recursive: true });
  await Deno.writeTextFile(`${dir}/scripts/autorun/talk.pl`, IRSSI_SCRIPT);
  const commands = ["/set cmd_queue_speed 10msec", "/set dcc_autoget on", "/set dcc_autoget_lowports on"];
  await Deno.writeTextFile(
    `${dir}/startup`,
    [...commands, ...lines.filter((line) => line.startsWith("/"))].join("\n") + "\n",
  );
  const shell = lines.filter((line) => !line.startsWith("/")).join("\n");
  const run = await network.confined(["script", "-qec", shell, "/dev/null"], { env: { TERM: "xterm" } });
  assertEquals([run.code, run.sent], [0, 0], run.stdout + run.stderr);
  assertStringIncludes(server.lines.join("\n"), "PRIVMSG #test :good day");
  // It did take the offer: proxychains brought it to the proxy.
  assertMatch(stage.proxy.stderr(), /reason=ip .*destination=203\.0\.113\.9:4000/);
});

e2eTest("the commands of the units for a confined application lead to the proxy, and nowhere else", [
  ...CONFINE,
  "curl",
], async () => {
  await using site = await startSite();
  await using stage = await startClientStage({ "site.i2p": site.port });
  await using network = await makeNetwork(stage);
  const commandOf = (kind: string, setting: string): string => {
    const unit = KINDS[kind]?.replaceAll("\\\n", "") ?? "";
    const [, command = ""] = new RegExp(`^${setting}=[-!]*(.*)$`, "m").exec(unit) ?? [];
    // As systemd takes it; with the folder of the test.
    return command.replaceAll("$$", "$").replaceAll("/run/i2p-bridge", stage.scratch.dir);
  };
  const bridge = commandOf("systemd-bridge", "ExecStart").replace("127.0.0.1:4447", stage.socks)
    // Its connections end soon after the test.
    .replace("-t 180", "-t 1");
  await using _bridge = spawnProxy({ program: "sh", args: ["-c", `exec ${bridge}`] });
  await until("the bridge listens", () => Deno.stat(`${stage.scratch.dir}/socks`).then(() => true, () => false));

  const confined = (curl: string): Promise<NetworkRun> => {
    const start = commandOf("systemd-confined", "ExecStart").replace(/\/usr\/bin\/curl .*$/, curl);
    assertStringIncludes(start, curl);
    // What PrivateNetwork= makes; the rest of the unit is systemd's own.
    const script = `ip link set lo up; ${
      commandOf("systemd-confined", "ExecStartPre")
    }; ${start}; code=$?; kill 0; exit $code`;
    return network.run(["unshare", "--net", "sh", "-c", script]);
  };
  const through = await confined("curl -sS --max-time 20 --proxy socks5h://127.0.0.1:4447 http://site.i2p/");
  assertStringIncludes(through.stdout, site.token, through.stderr);
  const beside = await confined(`curl -sS --max-time 3 --noproxy '*' http://${ELSEWHERE}/`);
  assertMatch(beside.stderr, /curl: \(7\)/);
  assertEquals([through.sent, beside.sent], [0, 0]);
});

/** What the page tells of, at its site. */
const REPORTS = ["/picture", "/webrtc"];

/** Goes elsewhere as pages can, by prefetched names and by WebRTC. It is loaded when it has, or could not for 3 seconds. */
const PAGE = `<!doctype html>
<link rel="dns-prefetch" href="//prefetched.example/">
<link rel="preconnect" href="http://preconnected.example/">
<img src="/dot.svg" onload="fetch('/picture')">
<script>
const peer = new RTCPeerConnection({ iceServers: [{ urls: "stun:${ELSEWHERE}:3478" }] });
peer.createDataChannel("data");
peer.createOffer().then((offer) => peer.setLocalDescription(offer)).then(() => setTimeout(fetch, 3000, "/webrtc"));
</script>
<img src="/held.svg">
`;

e2eTest("Chromium with WebRTC, prefetch and updates gets its page, and gets nowhere else", [
  ...CONFINE,
  "chromium",
], async (t) => {
  await using site = servePage();
  await using stage = await startClientStage({ "site.i2p": site.port });
  await using network = await makeNetwork(stage);
  // Its settings leave it everything that setup would switch off.
  const words = (profile: string): string[] => [
    ...["chromium", `--user-data-dir=${stage.scratch.dir}/${profile}`, "--headless", "--no-sandbox", "--disable-gpu"],
    ...[
      "--disable-dev-shm-usage",
      "--no-first-run",
      `--proxy-server=socks5://${SOCKS}`,
      "--dump-dom",
      "http://site.i2p/",
    ],
  ];
  const assertLoaded = ({ stderr }: NetworkRun): void => {
    assertEquals([...site.reports].sort(), REPORTS, stderr);
    site.forget();
  };

  await t.step("unconfined, with the same settings, packets of WebRTC leave", async () => {
    const run = await network.run(network.bridged(words("bare")));
    assertLoaded(run);
    assert(run.sent > 0, run.stderr);
  });

  await t.step("confined it has what is on its site, and not a packet leaves", async () => {
    const run = await network.confined(words("profile"));
    assertLoaded(run);
    assertHeld(run, []);
    await stage.proxy.waitFor("stderr", /reason=clearnet/);
  });
});

function servePage(): AsyncDisposable & { port: number; reports: Set<string>; forget(): void } {
  const reports = new Set<string>();
  let all = Promise.withResolvers<void>();
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    handler: async ({ url }) => {
      const { pathname } = new URL(url);
      if (pathname === "/") return new Response(PAGE, { headers: { "content-type": "text/html" } });
      if (REPORTS.includes(pathname)) reports.add(pathname);
      if (reports.size === REPORTS.length) all.resolve();
      if (pathname === "/held.svg") await all.promise;
      return new Response('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>', {
        headers: { "content-type": "image/svg+xml" },
      });
    },
  });
  return {
    port: server.addr.port,
    reports,
    forget: () => {
      reports.clear();
      all = Promise.withResolvers<void>();
    },
    [Symbol.asyncDispose]: () => {
      all.resolve();
      return server.shutdown();
    },
  };
}
