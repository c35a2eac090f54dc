import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { clientNamed, describeSetup } from "../../lib/cli/setup.ts";
import type { Endpoint } from "../../lib/config/endpoint.ts";
import { runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { makeScratch } from "../support/scratch.ts";

const LISTENER: Endpoint = { hostname: "127.0.0.1", port: 9050 };

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
    for (
      const option of ["identitiesonly yes", "forwardagent no", "verifyhostkeydns false", "serveraliveinterval 900"]
    ) {
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
