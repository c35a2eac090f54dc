import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { saidBy } from "../support/client_table.ts";
import {
  assertRefused,
  type ClientRun,
  type ClientStage,
  isolated,
  startClientStage,
} from "../support/client_stage.ts";
import { e2eTest } from "../support/e2e.ts";
import { startIrcServer } from "../support/irc_server.ts";

/** Exit code of a client whose time was over: after a refusal, WeeChat would try again for ever. */
const ENDED = 124;

e2eTest("WeeChat", ["weechat-headless", "strace"], async (t) => {
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
    assertMatch(run.log, await saidBy("WeeChat"));
    await assertRefused(stage, run, { words: /headless/, exitCode: ENDED });
  });
});

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
