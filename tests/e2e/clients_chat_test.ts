import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { clientNamed, describeSetup } from "../../lib/cli/setup.ts";
import { saidBy } from "../clients/client_table.ts";
import {
  assertRefused,
  type ClientRun,
  type ClientStage,
  isolated,
  startClientStage,
  unless,
} from "../clients/client_stage.ts";
import { e2eTest } from "../support/e2e.ts";
import { startIrcServer } from "../clients/irc_server.ts";

/** Exit code of a client whose time was over: after a refusal, WeeChat would try again for ever. */
const ENDED = 124;

/** Whether WeeChat's plugins for IRC, triggers and logs are there; Debian has some of them in a package of their own. */
function hasWeechatPlugins(): boolean {
  const plugins = ["irc", "trigger", "logger"].map((name) => `/weechat/plugins/${name}.so`);
  const folders = [`/usr/lib/${Deno.build.arch}-linux-gnu`, "/usr/lib64", "/usr/lib", "/usr/local/lib"];
  return folders.some((folder) => plugins.every((plugin) => isFile(folder + plugin)));
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

const WEECHAT = ["weechat-headless", ...unless(hasWeechatPlugins(), "weechat-plugins")];

e2eTest("WeeChat", [...WEECHAT, "strace"], async (t) => {
  const answer = `answer ${crypto.randomUUID()}`;
  await using server = await startIrcServer(answer);
  await using stage = await startClientStage({ "irc.i2p": server.port });

  await t.step("connects, joins, and has a message go each way", async () => {
    const { code, astray, log } = await weechat(stage, "irc.i2p", "#test");
    assertEquals([code, astray], [0, []], log);
    assertStringIncludes(log, answer);
    assertEquals(server.lines.filter((line) => /^(NICK|USER|JOIN|PRIVMSG)/.test(line)), [
      "NICK somenick",
      "USER user 0 * :user",
      "JOIN #test",
      "PRIVMSG #test :good day",
    ]);
    assertEquals(isolated(stage), 0);
  });

  await t.step("has an identity for each login of its proxy", async () => {
    const { log } = await weechat(stage, "irc.i2p", "#test", "work x");
    assertStringIncludes(log, answer);
    assertEquals(isolated(stage), 1);
  });

  await t.step("is refused a clearnet name, and says so", async () => {
    const run = await weechat(stage, "example.com", "server", "", 8_000);
    assertMatch(run.log, saidBy("WeeChat"));
    await assertRefused(stage, run, { words: /headless/, exitCode: ENDED });
  });
});

e2eTest("irssi, set up as setup says", ["irssi", "proxychains4", "script", "strace"], async (t) => {
  const answer = `answer ${crypto.randomUUID()}`;
  const question = ":somebody!user@i2p PRIVMSG user :\x01VERSION\x01";
  await using server = await startIrcServer(`${answer}\r\n${question}`);
  await using stage = await startClientStage({ "irc.postman.i2p": server.port });

  await t.step("connects by name, has a message go each way, and says nothing of the user or itself", async () => {
    const { code, stdout, astray } = await irssi(stage, "irc.postman.i2p");
    assertEquals([code, astray], [0, []], stdout);
    assertStringIncludes(stdout, answer);
    assertEquals(server.lines.filter((line) => /^(NICK|USER|PRIVMSG|NOTICE)/.test(line)), [
      "NICK user",
      "USER user user irc.postman.i2p :user",
      "PRIVMSG #test :good day",
    ]);
  });

  await t.step("is refused a clearnet name, and says so", async () => {
    await assertRefused(stage, await irssi(stage, "example.com"), {
      words: saidBy("irssi under proxychains"),
      exitCode: 0,
    });
  });
});

/** Speaks once it is connected; ends when it cannot connect, or four seconds after an answer: it replies to CTCP late. */
const IRSSI_SCRIPT = `use Irssi;
Irssi::signal_add("event connected", sub { $_[0]->command("quote PRIVMSG #test :good day") });
Irssi::signal_add("message public", sub { Irssi::timeout_add_once(4000, sub { Irssi::command("quit") }, undef) });
Irssi::signal_add("server connect failed", sub { Irssi::command("quit") });
`;

/** Runs irssi on a terminal, with its commands read from a file in place of typed, and without its limit of commands. */
async function irssi(stage: ClientStage, host: string): Promise<ClientRun> {
  const { settings } = describeSetup(clientNamed("irssi"), { hostname: "127.0.0.1", port: stage.port });
  const lines = settings.replace("irc.postman.i2p", host).split("\n");
  const isCommand = (line: string): boolean => line.startsWith("/");
  const dir = `${stage.scratch.dir}/.irssi-i2p`;
  await Deno.mkdir(`${dir}/scripts/autorun`, { recursive: true });
  await Deno.writeTextFile(`${dir}/scripts/autorun/talk.pl`, IRSSI_SCRIPT);
  await Deno.writeTextFile(`${dir}/startup`, `/set cmd_queue_speed 10msec\n${lines.filter(isCommand).join("\n")}\n`);
  const shell = lines.filter((line) => !isCommand(line)).join("\n");
  return await stage.run("script", ["-qec", shell, "/dev/null"], { timeout: 20_000, env: { TERM: "xterm" } });
}

let runs = 0;

/** Runs WeeChat until somebody says something, or its time is over: its log of a channel or of a server. */
async function weechat(
  stage: ClientStage,
  host: string,
  log: string,
  login = "",
  timeout = 20_000,
): Promise<ClientRun & { log: string }> {
  const dir = `${stage.scratch.dir}/weechat-${runs++}`;
  await Deno.mkdir(dir);
  const commands = [
    "/set weechat.network.gnutls_ca_system off",
    '/trigger add talk signal *,irc_in2_366 "" "" "/quote -server i2p PRIVMSG #test :good day"',
    '/trigger add heard signal *,irc_in2_privmsg "" "" "/wait 1 /quit"',
    `/proxy add door socks5 127.0.0.1 ${stage.port} ${login}`,
    `/server add i2p ${host}/6667 -notls -proxy=door -nicks=somenick -username=user -realname=user -autojoin=#test`,
    "/connect i2p",
  ];
  const args = ["--dir", dir, ...commands.flatMap((command) => ["--run-command", command])];
  const run = await stage.run("weechat-headless", args, { timeout });
  const file = log === "server" ? "irc.server.i2p" : `irc.i2p.${log}`;
  return { ...run, log: await Deno.readTextFile(`${dir}/logs/${file}.weechatlog`).catch(String) };
}
