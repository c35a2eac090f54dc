import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { clientNamed, describeSetup } from "../../lib/cli/setup.ts";
import { saidBy } from "../support/client_table.ts";
import {
  assertRefused,
  type ClientRun,
  type ClientStage,
  isolated,
  startClientStage,
} from "../support/client_stage.ts";
import { e2eTest } from "../support/e2e.ts";
import { freePort } from "../support/free_port.ts";
import { startIrcServer } from "../support/irc_server.ts";
import { spawnProxy } from "../support/proxy_process.ts";
import { writeAll } from "../support/socks_client.ts";

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

e2eTest("the way of irssi, which speaks no SOCKS: through socat", ["socat"], async (t) => {
  const answer = `answer ${crypto.randomUUID()}`;
  await using server = await startIrcServer(answer);
  await using stage = await startClientStage({ "irc.postman.i2p": server.port });
  const { settings } = describeSetup(clientNamed("irssi"), { hostname: "127.0.0.1", port: stage.port });
  const [command = "", rest = ""] = settings.split(" &\n");
  const near = freePort();
  const line = command.replace("16667", `${near}`);
  assertStringIncludes(rest, "/connect 127.0.0.1 16667");

  await t.step("leads to the server by its name, with an identity of its own", async () => {
    await using _socat = spawnProxy({ program: "sh", args: ["-c", `exec ${line}`] });
    const words = ["NICK somenick", "USER user 0 * :user", "JOIN #test", "PRIVMSG #test :good day"];
    assertStringIncludes(await talk(near, words, answer), ":irc.i2p 001 somenick :Welcome");
    assertEquals(isolated(stage), 1);
  });

  await t.step("is refused a clearnet name, and socat says so", async () => {
    const elsewhere = line.replace("irc.postman.i2p", "example.com");
    await using socat = spawnProxy({ program: "sh", args: ["-c", `exec ${elsewhere}`] });
    assertEquals(await talk(near, [], answer), "");
    await socat.waitFor("stderr", await saidBy("socat"));
  });
});

async function connectSoon(port: number): Promise<Deno.TcpConn> {
  for (let i = 0; i < 100; i++) {
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port });
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error("Nobody listens within 5 s");
}

/** Says lines to a server that may only just begin to listen: all that it answers, up to a word or to its end. */
async function talk(port: number, lines: readonly string[], word: string): Promise<string> {
  using conn = await connectSoon(port);
  await writeAll(conn, new TextEncoder().encode(lines.map((said) => `${said}\r\n`).join("")));
  let heard = "";
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4_096);
  while (!heard.includes(word)) {
    const count = await conn.read(buffer);
    if (count === null) break;
    heard += decoder.decode(buffer.subarray(0, count), { stream: true });
  }
  return heard;
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
