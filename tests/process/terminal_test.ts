import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { askFor } from "../clients/requests.ts";
import { socksGet } from "../clients/socks_client.ts";
import { proxyCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { type ProxyChild, spawnProxy } from "../support/proxy_process.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";

/** What the runtime writes when it asks its user for a permission. */
const PROMPT = /requests|Allow\?|\[y\/n/;

/** The ready line; a terminal makes CR LF of its end. */
const READY = /ready\s+listen=\S+\s[^]*?router=\S+\r?\n/;

/** Runs a command on a terminal of its own; what it writes to either stream comes out of stdout. */
function spawnOnTerminal(program: string, args: readonly string[], columns = 100): ProxyChild {
  const command = [program, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  return spawnProxy({ program: "script", args: ["-qec", `stty cols ${columns}; ${command}`, "/dev/null"] }, {
    stdin: "piped",
  });
}

e2eTest("on a terminal it shows how long it has waited, and Ctrl+C ends it; it never asks", ["script"], async () => {
  await using bridge = await startSamBridge({ sessionDelay: 2500 });
  const { program, args } = proxyCommand(["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`]);
  // Without --no-prompt, for a runtime that may ask.
  const words = args.filter((arg) => arg !== "--no-prompt");
  await using wide = spawnOnTerminal(program, words);
  await using narrow = spawnOnTerminal(program, words, 25);
  await using plain = spawnProxy({ program, args });
  for (
    const { child, status } of [
      { child: wide, status: " s (it can take minutes)" },
      { child: narrow, status: " s" },
    ]
  ) {
    await child.waitFor("stdout", /Waiting for tunnels: 1 s/);
    await child.waitFor("stdout", READY);
    await child.type("\x03");
    assertEquals((await child.ended()).code, 130, child.stdout());
    // Each status takes the place of the one before, and none is left on the line when something else comes.
    const [before = "", after = ""] = child.stdout().split(/(?=ready\s+listen)/);
    const states = before.split("Waiting for tunnels: ").slice(1);
    assert(states.some((state) => state.startsWith("2 s")), before);
    for (const state of states) assert(state.slice(1).startsWith(`${status}\r\x1b[K`), JSON.stringify(state));
    assert(!after.includes("Waiting for tunnels"), after);
    assert(!PROMPT.test(child.stdout()), child.stdout());
  }

  await plain.waitFor("stdout", READY);
  assertEquals(await plain.stop("SIGINT"), 130);
  assert(
    !["Waiting for tunnels", "\x1b", "\r"].some((part) => plain.stderr().includes(part)),
    "a status where nobody watches",
  );
});

e2eTest("on a terminal the log is for people: local time, true words, what to do below, logins that become ready", [
  "script",
], async () => {
  await using bridge = await startSamBridge({ sessionDelay: 2500 });
  const { program, args } = proxyCommand(["--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`]);
  const portOf = (child: ProxyChild): number => Number(/listen=127\.0\.0\.1:(\d+)/.exec(child.stdout())?.[1]);
  await using plain = spawnOnTerminal(program, args);
  await using colored = spawnOnTerminal(program, [...args, "--color", "always"]);
  await plain.waitFor("stdout", READY);
  // What to do next, with the address as it is.
  await plain.waitFor("stdout", /Look at it: .*\r\n/);
  assertStringIncludes(plain.stdout(), `curl --proxy socks5h://127.0.0.1:${portOf(plain)} http://`);
  assertStringIncludes(plain.stdout(), `i2p-socks setup firefox --listen 127.0.0.1:${portOf(plain)} `);
  await askFor(portOf(plain), ["example.com"]);
  await plain.waitFor("stdout", /\n\d\d:\d\d:\d\d ✗ Blocked: Not an I2P name; [^]*\(clearnet\)\r\n/);
  await plain.waitFor(
    "stdout",
    /\n\d\d:\d\d:\d\d ! The application asked for [^]*\r\n {11}Names in I2P end in \.i2p\./,
  );
  const login = { user: "one", password: "x" };
  await socksGet(portOf(plain), "http://none.i2p/", { login }).catch(() => {});
  await plain.waitFor("stdout", /Waiting for tunnels of login 1: \d s/);
  await plain.waitFor("stdout", /Identity for login 1 ready after \d s\r\n/);
  await plain.waitFor("stdout", /✗ Connection failed: [^]*\(name-unknown\)/);
  assert(!/ (info|warn) |reason=/.test(plain.stdout()), plain.stdout());
  // deno-lint-ignore no-control-regex
  assert(!/\x1b\[\d+m/.test(plain.stdout()), "colours although NO_COLOR is set");
  for (const line of plain.stdout().split("\r\n")) {
    if (/^\d\d:| {11}/.test(line)) assert(line.length <= 100, line);
  }
  await colored.waitFor("stdout", READY);
  await askFor(portOf(colored), ["example.com"]);
  // deno-lint-ignore no-control-regex
  await colored.waitFor("stdout", /\x1b\[33m✗\x1b\[0m Blocked:/);
});

e2eTest("on a terminal connect shows how long it has waited for tunnels", ["script"], async () => {
  await using bridge = await startSamBridge({ sessionDelay: 2500 });
  const { program, args } = proxyCommand(["connect", "none.i2p", "22", "--sam", `127.0.0.1:${bridge.port}`]);
  await using child = spawnOnTerminal(program, args);
  await child.waitFor("stdout", /Waiting for tunnels: [12] s \(it can take minutes\)/);
  assertEquals((await child.ended()).code, 1, child.stdout());
});

e2eTest("on a terminal of 80 columns nothing that people read is wider: what stands after ready, status, errors", [
  "script",
], async () => {
  await using bridge = await startSamBridge();
  const { program, args } = proxyCommand(
    ["--listen", "127.0.0.1:0", "--status", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`],
  );
  await using server = spawnOnTerminal(program, args, 80);
  await server.waitFor("stdout", /Look at it: [^]*127\.0\.0\.1:\d+\/\r\n/);
  const [, port = ""] = /Serving the status at http:\/\/127\.0\.0\.1:(\d+)/.exec(server.stdout()) ?? [];
  const [, hints = ""] = server.stdout().split("Try it: ");
  const run = async (...words: string[]): Promise<string> => {
    const command = proxyCommand(words);
    await using child = spawnOnTerminal(command.program, command.args, 80);
    await child.ended();
    return child.stdout();
  };
  const shown = [
    hints.replace(/^/, "Try it: "),
    await run("status", port),
    await run("check", "--sam", `127.0.0.1:${port}`),
    await run("setup", "nonsense"),
  ];
  for (const [i, what] of [/\n {13}\S/, /up 0 s|own identity/, /✗ SAM bridge: /, /hint: /].entries()) {
    const text = shown[i] ?? "";
    assertMatch(text, what);
    // A status line that comes and goes has no line end.
    // deno-lint-ignore no-control-regex
    const lines = text.replaceAll(/[^\r\n]*\r\x1b\[K/g, "").split("\r\n");
    assertEquals(lines.filter((line) => line.length > 80), [], text);
  }
});

e2eTest("on a terminal status --watch prints in place; --json does not", ["script"], async () => {
  await using bridge = await startSamBridge();
  const { program, args } = proxyCommand(
    ["--listen", "127.0.0.1:0", "--status", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`],
  );
  await using server = spawnProxy({ program, args });
  await server.waitFor("stdout", READY);
  await server.waitFor("stderr", /Serving the status at/);
  const [, port = ""] = /Serving the status at http:\/\/127\.0\.0\.1:(\d+)/.exec(server.stderr()) ?? [];
  for (const [more, clears] of [[[], true], [["--json"], false]] as [string[], boolean][]) {
    const command = proxyCommand(["status", port, "--watch", ...more]);
    await using watcher = spawnOnTerminal(command.program, command.args);
    await watcher.waitFor("stdout", /(since|startedAt)[^]*(since|startedAt)/);
    await watcher.type("\x03");
    assertEquals((await watcher.ended()).code, 130, watcher.stdout());
    assertEquals(watcher.stdout().split("\x1b[H").length > 2, clears, JSON.stringify(watcher.stdout()));
  }
});

e2eTest("on a terminal it asks for no permission, but says which one is missing", ["script"], async () => {
  await using bridge = await startSamBridge();
  const sam = ["--sam", `127.0.0.1:${bridge.port}`];
  const deno = (...args: string[]): ProxyChild => spawnOnTerminal(Deno.execPath(), ["run", "--quiet", ...args]);
  for (
    const [grants, flag] of [
      [[], "--listen"],
      [["--allow-env"], "--sam"],
      [["--allow-env", "--allow-net=[::1]"], "--sam"],
      [["--allow-env", `--allow-net=127.0.0.1:${bridge.port}`], "--listen"],
    ] as [string[], string][]
  ) {
    await using child = deno(...grants, "main.ts", ...sam);
    assertEquals((await child.ended()).code, 77, child.stdout());
    assertMatch(child.stdout(), new RegExp(`error: Missing permission: [^]*needed\\s+for\\s+${flag}\r\n`));
    assert(!PROMPT.test(child.stdout()), child.stdout());
  }
  // With what it needs and no more, giving permissions back must not ask either.
  await using child = deno("--allow-env", "--allow-net=127.0.0.1", "main.ts", "--listen", "127.0.0.1:0", ...sam);
  await child.waitFor("stdout", READY);
  await child.type("\x03");
  assertEquals((await child.ended()).code, 130, child.stdout());
  assert(!PROMPT.test(child.stdout()), child.stdout());
});
