import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { manPage } from "../../lib/manual/man_page.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { installProxy, runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { makeScratch } from "../support/scratch.ts";
import { startSite } from "../support/site.ts";
import { MAN_PAGE, nameOf } from "../tools/release.ts";
import { README } from "../tools/readme.ts";

/** Commands that other tests run: the tasks, and what needs a program beside these. */
const ELSEWHERE = /^(npx|torsocks) /;

e2eTest("a newcomer with an empty home can type every command of the README", ["bash", "curl", "man"], async () => {
  const readme = await Deno.readTextFile(README);
  const commands = [...readme.matchAll(/^```sh\n([^]*?)^```$/gm)]
    .flatMap(([, block = ""]) => block.trimEnd().split("\n")).filter((line) => !ELSEWHERE.test(line));
  const [, yaml = ""] = /^```yaml\n([^]*?)^```$/m.exec(readme) ?? [];
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge({ udp: true });
  await using site = await startSite();
  await using service = await publishService(bridge.port, site.port);
  bridge.setName("stats.i2p", service.destination);
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, "--status", "127.0.0.1:0"]);
  const home = scratch.dir;
  await scratch.file("i2p-socks.yaml", yaml);
  // What was downloaded: the executable of a release, here a script, and the man page.
  const executable = nameOf("x86_64-unknown-linux-gnu");
  await Deno.rename(await installProxy(home), `${home}/${executable}`);
  await scratch.file(MAN_PAGE, manPage());
  const sums = await runCommand("bash", ["-c", `cd '${home}' && sha256sum ${executable} ${MAN_PAGE}`]);
  await scratch.file("SHA256SUMS", `${sums.stdout}${"0".repeat(64)}  i2p-socks-of-another-platform\n`);
  const status = /http:\/\/(127\.0\.0\.1:\d+)\//.exec(proxy.stderr())?.[1] ?? "";
  const ran = commands.map((line) => {
    const here = line.replace(/ {2,}#.*/, "").replaceAll(":9100", `:${proxy.port}`).replace(
      "i2p-socks status",
      `i2p-socks status ${status}`,
    );
    // A server would not end; its ports are those of whoever runs this.
    if (/^i2p-socks (--listen|--config)/.test(here) && !here.includes("--check-config")) {
      return `${here} --check-config`;
    }
    if (here.startsWith("curl ")) return `${here} | grep ${site.token}`;
    if (here.startsWith("i2p-socks audit")) return here.replace("5m", "1s").replace(`:${proxy.port}`, ":0");
    return here;
  });
  assert(ran.length > 20, ran.join("\n"));
  const script = ran.map((line) =>
    `{ ${line}\n} >out 2>err </dev/null || { echo ${JSON.stringify(line)}; cat out err; }`
  );
  const { stdout, stderr } = await runCommand("bash", ["-c", `cd '${home}'\n${script.join("\n")}`], {
    env: {
      HOME: home,
      PATH: `${home}/.local/bin:${Deno.env.get("PATH")}`,
      DENO_DIR: Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`,
      DENO_NO_UPDATE_CHECK: "1",
      I2P_SOCKS_SAM: `127.0.0.1:${bridge.port}`,
      I2P_SOCKS_SAM_UDP: `${bridge.udpPort}`,
    },
  });
  assertEquals([stdout, stderr], ["", ""]);
  assertStringIncludes(await Deno.readTextFile(`${home}/user.js`), "network.proxy.socks_remote_dns");
  assertStringIncludes(await Deno.readTextFile(`${home}/i2p-socks.service`), "[Unit]");
  assertEquals((await Deno.stat(`${home}/blog.dat`)).isFile, true);
  const shown = await runCommand("man", ["i2p-socks"], { env: { HOME: home, MANPATH: `${home}/.local/share/man` } });
  assertStringIncludes(shown.stdout, "SOCKS proxy that connects one application to I2P");
  await proxy.stop("SIGTERM");
});
