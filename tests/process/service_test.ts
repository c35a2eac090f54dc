import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { KINDS } from "../../lib/cli/service.ts";
import { parseArguments } from "../../lib/command/arguments.ts";
import { OPTIONS } from "../../lib/config/options.ts";
import { type CommandResult, runCommand, runProxy } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { until } from "../support/wait.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { rawGet } from "../clients/raw_http.ts";
import { pureTest } from "../support/pure.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { makeScratch } from "../support/scratch.ts";
import { startSite } from "../support/site.ts";
import { socksGet } from "../clients/socks_client.ts";
import { associate } from "../clients/socks_udp.ts";
import { statusPort } from "../status/status_client.ts";
import { parseTalk } from "../support/talk.ts";

async function service(...args: string[]): Promise<CommandResult> {
  return await runProxy(["service", ...args]);
}

/** Settings of a unit of systemd, by name; one that is set several times has several values. */
function settingsOf(unit: string): Map<string, string[]> {
  const settings = new Map<string, string[]>();
  for (const [, name = "", value = ""] of unit.matchAll(/^(\w+)=(.*)$/gm)) {
    settings.set(name, [...settings.get(name) ?? [], value]);
  }
  return settings;
}

/** The command of a property list, as launchd takes it apart. */
function launchdWords(text: string): string[] {
  const [array = ""] = /<array>[^]*<\/array>/.exec(text) ?? [];
  return [...array.matchAll(/<string>(.*)<\/string>/g)].map(([, word = ""]) => word.replaceAll("&amp;", "&"));
}

Deno.test("service prints the text of each kind as it is", async () => {
  for (const [kind, text] of Object.entries(KINDS)) {
    assertEquals(await service(kind), { code: 0, stdout: text, stderr: "" }, kind);
    assertEquals(text.split("\n").filter((line) => line.length > 120 && !line.includes("<string>")), [], kind);
  }
});

pureTest("each kind of service starts `serve --config` with a file at a whole path, and waits for the router", () => {
  const words: Record<string, string[]> = {
    "systemd": unitWords("systemd"),
    "systemd-template": unitWords("systemd-template"),
    "systemd-user": unitWords("systemd-user"),
    "container": JSON.parse(/^CMD (.*)$/m.exec(KINDS["container"] ?? "")?.[1] ?? ""),
    "launchd": /exec "\$0" (.*) >>/.exec(launchdWords(KINDS["launchd"] ?? "")[2] ?? "")?.[1]?.replaceAll('"', "")
      .replace("Application Support", "Application_Support").split(" ") ?? [],
    "windows": /-Argument "(.*)"$/m.exec(KINDS["windows"] ?? "")?.[1]?.replaceAll('`"', "").split(" ") ?? [],
  };
  const files = Object.entries(words).map(([kind, all]) => {
    const { verb, given } = parseArguments(all, () => undefined);
    assertEquals([verb, given.size, given.get("wait")?.[0]?.text], ["serve", 2, "10m"], kind);
    return [kind, given.get("config")?.[0]?.text];
  });
  assertEquals(Object.fromEntries(files), {
    "systemd": "/etc/i2p-socks/config.yaml",
    "systemd-template": "/etc/i2p-socks/%i.yaml",
    "systemd-user": "%E/i2p-socks/config.yaml",
    "container": "/etc/i2p-socks/config.yaml",
    "launchd": "$HOME/Library/Application_Support/i2p-socks/config.yaml",
    "windows": "$folder\\config.yaml",
  });
  assertEquals([...Object.keys(words), ...PAIR].toSorted(), Object.keys(KINDS).toSorted());
});

/** Units for an application that can reach I2P only, and for its bridge: they start something else than the program. */
const PAIR = ["systemd-confined", "systemd-bridge"];

/** The words behind the program's name. */
function unitWords(kind: string): string[] {
  return settingsOf(KINDS[kind] ?? "").get("ExecStart")?.[0]?.split(" ").slice(1) ?? [];
}

pureTest("units of systemd hold the service in, and let it end its clients and sessions", () => {
  for (const kind of ["systemd", "systemd-template", "systemd-user"]) {
    const settings = settingsOf(KINDS[kind] ?? "");
    const ofAll: Record<string, string> = {
      Restart: "on-failure",
      RestartPreventExitStatus: "2 77",
      ExecReload: "kill -HUP $MAINPID",
      TimeoutStopSec: "20",
      LimitNOFILE: "16384",
      NoNewPrivileges: "yes",
      MemoryDenyWriteExecute: "no",
      // %N is the unit's name with its instance: each has a folder of its own.
      StateDirectory: "%N",
      Environment: "I2P_SOCKS_KEYS_DIR=%S/%N/keys",
    };
    for (const [name, value] of Object.entries(ofAll)) assertEquals(settings.get(name), [value], `${kind}: ${name}`);
    assertEquals(settings.get("SystemCallFilter"), ["@system-service @pkey", "~@privileged @resources"], kind);
    const ofSystem: Record<string, string> = {
      DynamicUser: "yes",
      IPAddressDeny: "any",
      IPAddressAllow: "localhost",
      ProtectSystem: "strict",
      ProtectHome: "yes",
      CapabilityBoundingSet: "",
    };
    for (const [name, value] of Object.entries(ofSystem)) {
      assertEquals(settings.get(name), kind === "systemd-user" ? undefined : [value], `${kind}: ${name}`);
    }
    assertEquals(settings.get("WantedBy"), [kind === "systemd-user" ? "default.target" : "multi-user.target"]);
  }
});

pureTest("LimitNOFILE has room for six applications with the limits that hold by default", () => {
  const fallbackOf = (option: string): number => Number(OPTIONS.find(({ name }) => name === option)?.fallback);
  const ofOne = 2 * (fallbackOf("max-connections") + fallbackOf("max-inbound"));
  assertEquals(Math.floor(Number(settingsOf(KINDS["systemd"] ?? "").get("LimitNOFILE")) / ofOne), 6);
});

pureTest("the comments of a unit name its own places", () => {
  const places = (kind: string): string[] =>
    [...(KINDS[kind] ?? "").matchAll(/^#.*$/gm)].flatMap(([line]) =>
      line.match(/[~/][\w~./@-]*i2p-socks[\w./@-]*/g) ?? []
    )
      .map((place) => place.replace(/\.$/, ""));
  assertEquals(places("systemd"), [
    ...["/etc/systemd/system/i2p-socks.service", "/usr/local/bin/i2p-socks", "/etc/i2p-socks/config.yaml"],
    ...["/var/lib/i2p-socks/keys", "/run/credentials/i2p-socks.service/logins", "/etc/i2p-socks/logins"],
  ]);
  assertEquals(places("systemd-template"), [
    ...["/etc/systemd/system/i2p-socks@.service", "/usr/local/bin/i2p-socks", "/etc/i2p-socks/NAME.yaml"],
    ...["/var/lib/i2p-socks@NAME/keys", "/run/credentials/i2p-socks@NAME.service/logins", "/etc/i2p-socks/logins"],
  ]);
  assertEquals(places("systemd-user"), [
    ...["~/.config/systemd/user/i2p-socks.service", "~/.local/bin/i2p-socks", "~/.config/i2p-socks/config.yaml"],
    ...["~/.config/i2p-socks/keys"],
  ]);
});

pureTest("a container is checked with `check --no-session`, and stopped with time for its clients", () => {
  const text = KINDS["container"] ?? "";
  const [program, ...words] = JSON.parse(/^HEALTHCHECK .*\\\n {2}CMD (\[.*\])$/m.exec(text)?.[1] ?? "");
  assertEquals(program, "/usr/local/bin/i2p-socks");
  const { verb, given } = parseArguments(words, () => undefined);
  assertEquals([verb, given.has("no-session")], ["check", true]);
  // podman leaves the health check out of an image of its default format.
  assertMatch(text, /^# {3}podman build --format docker -t i2p-socks \.$/m);
  assert(Number(/--stop-timeout (\d+)/.exec(text)?.[1]) >= 15, text);
  assertStringIncludes(text, "--ulimit nofile=16384:16384");
  for (const word of ["FROM", "COPY", "USER", "ENTRYPOINT"]) assertMatch(text, new RegExp(`^${word} `, "m"));
});

Deno.test("service refuses a kind that does not exist, and options", async () => {
  const cases: [string[], string][] = [
    [[], "takes one of systemd"],
    [["systemd", "x"], "takes one of systemd"],
    [["sytemd"], 'Unknown kind of service "sytemd"'],
    [["toString"], 'Unknown kind of service "toString"'],
    [["systemd", "--identity", "irc"], "--identity"],
  ];
  for (const [args, says] of cases) {
    const { code, stdout, stderr } = await service(...args);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertStringIncludes(parseTalk(stderr).errors.join(), says);
  }
});

e2eTest("systemd takes the units without a complaint", ["systemd-analyze"], async (t) => {
  await using scratch = await makeScratch();
  const files = {
    "systemd-bridge": "i2p-bridge",
    "systemd-confined": "i2p-confined",
    "systemd": "i2p-socks",
    "systemd-template": "i2p-socks@",
    "systemd-user": "i2p-socks-user",
  };
  for (const [kind, name] of Object.entries(files)) {
    await t.step(kind, async () => {
      // It looks for the program, too.
      const unit = (KINDS[kind] ?? "").replace(/^(ExecStart(?:Pre)?=[-!]*)\S+/gm, "$1/bin/true").replace(
        /^#(?=Load)/m,
        "",
      );
      const file = await scratch.file(`${name}.service`, unit);
      const manager = kind === "systemd-user" ? "--user" : "--system";
      const result = await runCommand("systemd-analyze", [manager, "verify", file], {
        env: { XDG_RUNTIME_DIR: scratch.dir },
      });
      assertEquals(result, { code: 0, stdout: "", stderr: "" });
      if (kind !== "systemd") return;
      // In tenths: what the manual says, with room for what other versions look at.
      const rating = ["security", "--offline=true", "--threshold=16", "--no-pager", file];
      const { code, stdout: said } = await runCommand("systemd-analyze", rating);
      assertEquals(code, 0, said);
    });
  }
});

e2eTest("the units permit every system call that the program makes", ["systemd-analyze", "strace"], async () => {
  await using scratch = await makeScratch();
  await using bridge = await startSamBridge();
  await using site = await startSite();
  await using published = await publishService(bridge.port, site.port);
  bridge.setName("site.i2p", published.destination);
  const trace = `${scratch.dir}/trace`;
  const wrapper = ["strace", "-D", "-f", "-q", "-o", trace];
  const more = ["--identity", "irc", "--keys-dir", `${scratch.dir}/keys`, "--status", "127.0.0.1:0", "--udp", "--bind"];
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, ...more], { wrapper });
  await rawGet(await statusPort(proxy), "/ready");
  for (const login of [undefined, { user: "work", password: "x" }]) {
    assertStringIncludes(await socksGet(proxy.port, "http://site.i2p/", login && { login }), site.token);
  }
  using _association = await associate(proxy.port);
  assertEquals(await proxy.stop(), 143);
  const traced = (): string => Deno.readTextFileSync(trace);
  await until("the trace is written", () => /exited with 143/.test(traced()));
  const made = new Set([...traced().matchAll(/^\d+ +(\w+)\(/gm)].map(([, name = ""]) => name));
  assert(made.has("accept4") && made.has("recvfrom"), [...made].join());
  const permitted = await permittedCalls(KINDS["systemd"] ?? "");
  assert(permitted.has("openat") && !permitted.has("mount") && !permitted.has("chroot"));
  // As root, the runtime gives the files of its own cache to their owner; it goes on where it cannot.
  assertEquals([...made].filter((name) => !permitted.has(name) && name !== "fchown"), []);
});

/** The system calls that a unit permits, groups taken apart. */
async function permittedCalls(unit: string): Promise<Set<string>> {
  const permitted = new Set<string>();
  for (const [, not, groups = ""] of unit.matchAll(/^SystemCallFilter=(~?)(.*)$/gm)) {
    for (const name of (await Promise.all(groups.split(" ").map(callsOf))).flat()) {
      if (not === "") permitted.add(name);
      else permitted.delete(name);
    }
  }
  return permitted;
}

/** The system calls of a group of systemd, with those of the groups in it. */
async function callsOf(name: string): Promise<string[]> {
  if (!name.startsWith("@")) return [name];
  const { stdout } = await runCommand("systemd-analyze", ["syscall-filter", "--no-pager", name]);
  const names = stdout.split("\n").slice(1).map((line) => line.trim()).filter((line) => /^[@\w]/.test(line));
  return (await Promise.all(names.map(callsOf))).flat();
}

e2eTest("launchd's text is a well-formed property list", ["xmllint"], async () => {
  await using scratch = await makeScratch();
  const file = await scratch.file("i2p-socks.plist", KINDS["launchd"] ?? "");
  const result = await runCommand("xmllint", ["--nonet", "--noout", file]);
  assertEquals([result.code, result.stderr], [0, ""]);
});

Deno.test({
  name: "launchd's log goes to the user's own folder, and the program gets its file as one word",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using scratch = await makeScratch();
    await Deno.mkdir(`${scratch.dir}/a home/Library/Logs`, { recursive: true });
    const text = KINDS["launchd"] ?? "";
    assert(!text.includes("/tmp"), text);
    const [shell = "", flag = "", command = "", program, ...more] = launchdWords(text);
    assertEquals([shell, flag, program, more], ["/bin/sh", "-c", "/usr/local/bin/i2p-socks", []]);
    // In the program's place one that writes down what it got.
    const scribe = await scratch.file("scribe", `#!/bin/sh\nprintf '%s\\n' "$@"\necho talk >&2\n`);
    await Deno.chmod(scribe, 0o755);
    const env = { HOME: `${scratch.dir}/a home` };
    const result = await runCommand(shell, [flag, command, scribe], { env });
    assertEquals(result, { code: 0, stdout: "", stderr: "" });
    const log = await Deno.readTextFile(`${env.HOME}/Library/Logs/i2p-socks.log`);
    const config = `${env.HOME}/Library/Application Support/i2p-socks/config.yaml`;
    assertEquals(log.trimEnd().split("\n"), ["serve", "--config", config, "--wait", "10m", "talk"]);
  },
});
