import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { parseArguments } from "../../lib/command/arguments.ts";
import { OPTIONS } from "../../lib/config/options.ts";
import { type CommandResult, runCommand, runProxy } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { eventually } from "../support/eventually.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { rawGet } from "../support/raw_http.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { makeScratch } from "../support/scratch.ts";
import { startSite } from "../support/site.ts";
import { socksGet } from "../support/socks_client.ts";
import { associate } from "../support/socks_udp.ts";
import { statusPort } from "../support/status_client.ts";
import { parseTalk } from "../support/talk.ts";

const KINDS = ["systemd", "systemd-user", "container", "launchd", "windows"] as const;

/** Options with all that a format could stumble over. */
const OPTIONS_GIVEN = [
  ...["--identity", "irc", "--listen", "127.0.0.1:9101", "--listen", "[::1]:9101", "--extended-errors"],
  ...["--deny", "*.b32.i2p:25", "--o", "x.y=50%<&>'$HOME"],
  ...["--auth-file", "/etc/my logins", "--sam-user", "m\u200ce", "--sam-password-file", "/etc/100%"],
];

/** The same as words of a command line that `serve` gets, files aside. */
const WORDS = [
  "serve",
  ...["--listen=127.0.0.1:9101", "--listen=[::1]:9101", "--sam-user=m\u200ce", "--identity=irc"],
  ...["--deny=*.b32.i2p:25", "-ox.y=50%<&>'$HOME", "--extended-errors"],
];

async function service(kind: string, ...args: string[]): Promise<CommandResult> {
  return await runProxy(["service", kind, ...args], { I2P_SOCKS_LISTEN: "", I2P_SOCKS_SAM: "" });
}

/** The words behind the program's name, as each kind of service would hand them over. */
const UNWRAP: Readonly<Record<typeof KINDS[number], (text: string) => string[]>> = {
  "systemd": unitWords,
  "systemd-user": unitWords,
  "container": (text) => JSON.parse(/^CMD (.*)$/m.exec(text)?.[1] ?? ""),
  "launchd": (text) => launchdWords(text).slice(LAUNCHD_SHELL.length + 1),
  "windows": (text) => splitQuoted((/-Argument '((?:[^']|'')*)'/.exec(text)?.[1] ?? "").replaceAll("''", "'")),
};

/** The shell that launchd starts, up to the program; its third word is the command. */
const LAUNCHD_SHELL = ["/bin/sh", "-c", ""];

/** The command of a property list, as launchd takes it apart. */
function launchdWords(text: string): string[] {
  const [array = ""] = /<array>[^]*<\/array>/.exec(text) ?? [];
  return [...array.matchAll(/<string>(.*)<\/string>/g)].map(([, word = ""]) =>
    word.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&")
  );
}

/** The command of a unit, as systemd takes it apart. */
function unitWords(text: string): string[] {
  const line = /^ExecStart=(.*)$/m.exec(text)?.[1] ?? "";
  return splitQuoted(line).slice(1).map((word) => word.replaceAll("%%", "%").replaceAll("$$", "$"));
}

function splitQuoted(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, bare]) =>
    bare ?? quoted?.replaceAll(/\\(.)/g, "$1") ?? ""
  );
}

Deno.test("service starts the program with the options given, in every kind", async (t) => {
  for (const kind of KINDS) {
    await t.step(kind, async () => {
      const { code, stdout, stderr } = await service(kind, ...OPTIONS_GIVEN);
      assertEquals([code, stderr], [0, ""]);
      const words = UNWRAP[kind](stdout);
      assertEquals(words.filter((word) => !word.includes("-file=")).sort(), WORDS.toSorted(), stdout);
      // They are options of the program.
      const { verb, given } = parseArguments(words, () => undefined);
      assertEquals([verb, given.get("auth-file")?.length, given.get("sam-password-file")?.length], ["serve", 1, 1]);
    });
  }
});

Deno.test("service writes no option that was not given, and takes the environment for given", async () => {
  for (const kind of KINDS) {
    const { stdout } = await service(kind);
    assertEquals(UNWRAP[kind](stdout), ["serve"], kind);
    const named = await runProxy(["service", kind], { I2P_SOCKS_SAM: "127.0.0.1:7657" });
    assertEquals(UNWRAP[kind](named.stdout), ["serve", "--sam=127.0.0.1:7657"], kind);
  }
});

Deno.test("service takes every option of serve that a service can have", () => {
  const names = (verb: "serve" | "service"): string[] =>
    OPTIONS.filter(({ verbs }) => verbs.includes(verb)).map(({ name }) => name);
  assertEquals(names("serve").filter((name) => !names("service").includes(name)), ["check-config"]);
});

Deno.test("service hands secrets to systemd as credentials, and keeps identities in the state folder", async () => {
  const { stdout } = await service("systemd", ...OPTIONS_GIVEN, "--keys-dir", "/home/me/keys");
  for (
    const line of [
      "LoadCredential=auth-file:/etc/my logins",
      "LoadCredential=sam-password-file:/etc/100%%",
      "Environment=I2P_SOCKS_KEYS_DIR=%S/i2p-socks/keys",
      "DynamicUser=yes",
      "IPAddressDeny=any",
      "IPAddressAllow=localhost",
      "ProtectSystem=strict",
      "NoNewPrivileges=yes",
      "MemoryDenyWriteExecute=no",
      "SystemCallFilter=~@privileged @resources",
    ]
  ) assert(stdout.split("\n").includes(line), line);
  assertStringIncludes(stdout, "--auth-file=%d/auth-file");
  assert(!/^[^#]*\/home\/me/m.test(stdout), "a folder that ProtectHome hides");
  assertMatch((await service("systemd", "--config", "/etc/x.yaml")).stdout, /^ExecReload=kill -HUP \$MAINPID$/m);
});

Deno.test("service checks a container with `check --no-session` at the same bridge", async () => {
  const { stdout } = await service("container", "--sam", "127.0.0.1:7777", "--listen", "9101");
  const command = /HEALTHCHECK .*\\\n {2}CMD (\[.*\])$/m.exec(stdout)?.[1] ?? "";
  const [program, ...words] = JSON.parse(command);
  assertEquals(program, "/usr/local/bin/i2p-socks");
  const { verb, given } = parseArguments(words, () => undefined);
  assertEquals([verb, given.has("no-session"), given.get("sam")?.[0]?.text], ["check", true, "127.0.0.1:7777"]);
  // podman leaves the health check out of an image of its default format.
  assertMatch(stdout, /^# {3}podman build --format docker -t i2p-socks \.$/m);
  assertEquals(stdout.split("\n").filter((line) => line.length > 120), []);
  for (const word of ["FROM", "COPY", "USER", "ENTRYPOINT"]) assertMatch(stdout, new RegExp(`^${word} `, "m"));
});

Deno.test("service refuses what cannot run as a service", async () => {
  const cases: [string[], string][] = [
    [[], "takes one of systemd"],
    [["systemd", "x"], "takes one of systemd"],
    [["sytemd"], 'Unknown kind of service "sytemd"'],
    [["toString"], 'Unknown kind of service "toString"'],
    [["systemd", "--auth-file", "logins"], "needs the whole path"],
    [["systemd", "--listen", "10.0.0.1:1"], "loopback"],
    [["systemd", "--log-level", "loud"], "--log-level"],
  ];
  for (const [args, says] of cases) {
    const { code, stdout, stderr } = await runProxy(["service", ...args]);
    assertEquals([code, stdout], [2, ""], args.join(" "));
    assertStringIncludes(parseTalk(stderr).errors.join(), says);
  }
});

e2eTest("systemd takes the units without a complaint", ["systemd-analyze"], async (t) => {
  await using scratch = await makeScratch();
  for (const [kind, manager] of [["systemd", "--system"], ["systemd-user", "--user"]] as const) {
    await t.step(kind, async () => {
      const { stdout } = await service(kind, ...OPTIONS_GIVEN);
      // It looks for the program, too.
      const unit = stdout.replace(/^ExecStart=\S+/m, "ExecStart=/bin/true");
      const file = await scratch.file(`${kind}.service`, `${unit}\n`);
      const result = await runCommand("systemd-analyze", [manager, "verify", file], {
        env: { XDG_RUNTIME_DIR: scratch.dir },
      });
      assertEquals(result, { code: 0, stdout: "", stderr: "" });
      if (kind === "systemd-user") return;
      // In tenths: what the README says, with room for what other versions look at.
      const rating = ["security", "--offline=true", "--threshold=16", "--no-pager", file];
      const { code, stdout: told } = await runCommand("systemd-analyze", rating);
      assertEquals(code, 0, told);
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
  await eventually("the trace is written", () => /exited with 143/.test(traced()));
  const made = new Set([...traced().matchAll(/^\d+ +(\w+)\(/gm)].map(([, name = ""]) => name));
  assert(made.has("accept4") && made.has("recvfrom"), [...made].join());
  const { stdout: unit } = await service("systemd");
  const permitted = await permittedCalls(unit);
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
  const { stdout } = await service("launchd", ...OPTIONS_GIVEN);
  const file = await scratch.file("i2p-socks.plist", stdout);
  const result = await runCommand("xmllint", ["--nonet", "--noout", file]);
  assertEquals([result.code, result.stderr], [0, ""]);
});

Deno.test({
  name: "launchd's log goes to the user's own folder, and the program gets its options word for word",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using scratch = await makeScratch();
    await Deno.mkdir(`${scratch.dir}/a home/Library/Logs`, { recursive: true });
    const { stdout } = await service("launchd", ...OPTIONS_GIVEN);
    assert(!stdout.includes("/tmp"), stdout);
    const [shell = "", flag = "", command = "", program, ...words] = launchdWords(stdout);
    assertEquals([shell, flag, program], ["/bin/sh", "-c", "/usr/local/bin/i2p-socks"]);
    // In the program's place one that writes down what it got.
    const scribe = await scratch.file("scribe", `#!/bin/sh\nprintf '%s\\n' "$@"\necho talk >&2\n`);
    await Deno.chmod(scribe, 0o755);
    const env = { HOME: `${scratch.dir}/a home` };
    const result = await runCommand(shell, [flag, command, scribe, ...words], { env });
    assertEquals(result, { code: 0, stdout: "", stderr: "" });
    const log = await Deno.readTextFile(`${env.HOME}/Library/Logs/i2p-socks.log`);
    assertEquals(log.trimEnd().split("\n"), [...words, "talk"]);
  },
});
