/** Real clients through `--leaks block --scrub irc,http`: what is rewritten arrives neutral, what leaks does not arrive. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startIrcServer } from "../clients/irc_server.ts";
import { type ClientStage, startClientStage, succeeds, unless } from "../clients/client_stage.ts";
import { runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";

const GUARDED = ["--leaks", "block", "--scrub", "irc,http"];

/** A page with a socket, and a long request behind its answer; it is loaded when that has come. */
const PAGE = `<!doctype html>
<img src="/held.svg">
<script>
const socket = new WebSocket("ws://site.i2p/socket");
socket.onopen = () => socket.send("all is well");
socket.onmessage = ({ data }) => fetch("/done?" + data + "&" + "x".repeat(17_000));
</script>`;

e2eTest("Chromium with its requests scrubbed", ["chromium"], async () => {
  const heads: { path: string; agent: string | null; hints: string[] }[] = [];
  const { promise: isDone, resolve } = Promise.withResolvers<void>();
  await using server = serveHttp(async (request) => {
    const { pathname } = new URL(request.url);
    const hints = [...request.headers.keys()].filter((name) => /^sec-ch-ua-|websocket-extensions/.test(name));
    heads.push({ path: pathname, agent: request.headers.get("user-agent"), hints });
    if (pathname === "/done") resolve();
    if (pathname === "/held.svg") await isDone;
    if (pathname !== "/socket") return new Response(PAGE, { headers: { "content-type": "text/html" } });
    const { socket, response } = Deno.upgradeWebSocket(request);
    socket.onmessage = ({ data }): void => socket.send(String(data));
    return response;
  });
  await using stage = await startClientStage({ "site.i2p": server.port }, GUARDED);
  const { stderr } = await runCommand("chromium", [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    `--user-data-dir=${stage.scratch.dir}/profile`,
    `--proxy-server=socks5://${stage.socks}`,
    "--dump-dom",
    "http://site.i2p/",
  ], { timeout: 60_000 });
  const paths = heads.map(({ path }) => path);
  for (const path of ["/", "/socket", "/done"]) assert(paths.includes(path), `${paths}\n${stderr}`);
  for (const { path, agent, hints } of heads) assertEquals([agent, hints], ["MYOB/6.66 (AN/ON)", []], path);
  assert(!/leak=(?!clearnet)/.test(stage.proxy.stderr()), stage.proxy.stderr());
});

e2eTest("irssi with its lines scrubbed", ["irssi", "script", "proxychains4"], async () => {
  await using server = await startIrcServer("answer");
  await using stage = await startClientStage({ "irc.i2p": server.port }, GUARDED);
  const { dir } = stage.scratch;
  const chains = `strict_chain\nproxy_dns\nquiet_mode\n[ProxyList]\nsocks5 127.0.0.1 ${stage.port}\n`;
  await Deno.writeTextFile(`${dir}/chains`, chains);
  await Deno.mkdir(`${dir}/irssi/scripts/autorun`, { recursive: true });
  const script = `use Irssi;
Irssi::signal_add("event connected", sub { $_[0]->command("quote NOTICE bob :\\x01VERSION irssi\\x01");
  $_[0]->command("quote PRIVMSG #test :good day") });
Irssi::signal_add("message public", sub { Irssi::command("quit Gone") });
Irssi::signal_add("server connect failed", sub { Irssi::command("quit") });
`;
  await Deno.writeTextFile(`${dir}/irssi/scripts/autorun/talk.pl`, script);
  await Deno.writeTextFile(`${dir}/irssi/startup`, "/set cmd_queue_speed 10msec\n");
  const irssi = `proxychains4 -q -f ${dir}/chains irssi --home=${dir}/irssi -c irc.i2p -n somenick`;
  await runCommand("timeout", ["20", "script", "-qec", irssi, "/dev/null"], { env: { TERM: "xterm" } });
  const lines = server.lines.filter((line) => /^(USER|QUIT|NOTICE|PRIVMSG)/.test(line));
  assertEquals(lines, ["USER user hostname localhost :realname", "PRIVMSG #test :good day", "QUIT :leaving"]);
  assert(!stage.proxy.stderr().includes("leak="), stage.proxy.stderr());
});

e2eTest(
  "msmtp, whose hello names the machine, is stopped, and goes on with a neutral one",
  ["msmtp", "strace"],
  async () => {
    const lines: string[] = [];
    await using server = serveMail(lines);
    await using stage = await startClientStage({ "mail.i2p": server.port }, GUARDED);
    const message =
      "From: kim@mail.i2p\nTo: bob@mail.i2p\nDate: Mon, 07 Aug 2023 10:00:00 +0000\nSubject: hi\n\nall is well\n";
    const send = (domain: string): ReturnType<ClientStage["run"]> =>
      stage.run("msmtp", [
        ...["--host=mail.i2p", `--port=25`, "--from=kim@mail.i2p", "--auth=off", "--tls=off", `--domain=${domain}`],
        ...["--proxy-host=127.0.0.1", `--proxy-port=${stage.port}`, "bob@mail.i2p"],
      ], { stdin: message });
    const stopped = await send("laptop.example.org");
    assert(stopped.code !== 0, stopped.stderr);
    await stage.proxy.waitFor("stderr", /Ended a stream before a leak: .* leak=mail-hello/);
    assertEquals(lines, []);
    const sent = await send("localhost");
    assertEquals([sent.code, sent.astray], [0, []], sent.stderr);
    assertStringIncludes(lines.join("\n"), "all is well");
  },
);

const LIBTORRENT = `import libtorrent as lt, sys, time
folder, port = sys.argv[1:]
open(folder + "/file", "wb").write(b"x" * 20000)
files = lt.file_storage()
lt.add_files(files, folder + "/file")
made = lt.create_torrent(files)
made.add_tracker("http://tracker.i2p/announce")
lt.set_piece_hashes(made, folder)
open(folder + "/torrent", "wb").write(lt.bencode(made.generate()))
session = lt.session({"proxy_type": lt.proxy_type_t.socks5, "proxy_hostname": "127.0.0.1", "proxy_port": int(port),
  "proxy_hostnames": True, "enable_dht": False, "enable_lsd": False, "enable_upnp": False, "enable_natpmp": False,
  "listen_interfaces": "127.0.0.1:0"})
session.add_torrent({"ti": lt.torrent_info(folder + "/torrent"), "save_path": folder})
time.sleep(6)
`;

const HAS_LIBTORRENT = unless(succeeds("/usr/bin/python3", "-c", "import libtorrent"), "python3-libtorrent");

e2eTest("libtorrent, whose peer id names it, is stopped at the tracker", [...HAS_LIBTORRENT], async () => {
  const announces: string[] = [];
  await using server = serveHttp(({ url }) => {
    announces.push(url);
    return new Response("d8:intervali1800e5:peers0:e");
  });
  await using stage = await startClientStage({ "tracker.i2p": server.port }, GUARDED);
  await runCommand("/usr/bin/python3", ["-c", LIBTORRENT, stage.scratch.dir, `${stage.port}`]);
  await stage.proxy.waitFor("stderr", /Ended a stream before a leak: .* leak=bittorrent-client/);
  assertEquals(announces, []);
  assertMatch(stage.proxy.stderr(), /fix="?Switch anonymous mode on/);
});

function serveHttp(handler: (request: Request) => Response | Promise<Response>): AsyncDisposable & { port: number } {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {}, handler });
  return { port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** A server of SMTP that takes all mail. */
function serveMail(lines: string[]): Disposable & { port: number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serve = async (conn: Deno.TcpConn): Promise<void> => {
    const writer = conn.writable.getWriter();
    const say = (text: string): Promise<void> => writer.write(new TextEncoder().encode(`${text}\r\n`));
    await say("220 mail.i2p ESMTP");
    let [rest, isMessage] = ["", false];
    for await (const text of conn.readable.pipeThrough(new TextDecoderStream())) {
      const parts = (rest + text).split("\r\n");
      rest = parts.pop() ?? "";
      for (const line of parts) {
        lines.push(line);
        if (line === "." || !isMessage) await say(line === "DATA" ? "354 go" : line === "QUIT" ? "221 bye" : "250 ok");
        isMessage = line === "DATA" || (isMessage && line !== ".");
      }
    }
  };
  // A client that is stopped ends its connection in the middle.
  const serving = async (): Promise<void> => {
    for await (const conn of listener) void serve(conn).catch(() => {});
  };
  void serving();
  return { port: listener.addr.port, [Symbol.dispose]: () => listener.close() };
}
