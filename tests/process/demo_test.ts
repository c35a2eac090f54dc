import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { rawGet } from "../clients/raw_http.ts";
import { PROJECT, runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { spawnProxy } from "../support/proxy_process.ts";

const DEMO = ["run", "-P", "--no-prompt", "--quiet", "tests/demo.ts"];

Deno.test("what deno prints before the demo is one short line", async () => {
  const { code, stdout, stderr } = await runCommand(Deno.execPath(), ["task", "demo"], { env: { NO_COLOR: "1" } });
  assertEquals(code, 0, stderr);
  assertStringIncludes(stdout, "bytes arrived.");
  const [first = "", second = ""] = stderr.split("\n");
  assertMatch(first, /^Task demo .{1,60}$/);
  assertEquals(second.startsWith("Task "), false, stderr);
});

Deno.test("the demo fetches a page, shows it, and ends where nobody is at a terminal", async () => {
  const { code, stdout } = await runCommand(Deno.execPath(), DEMO);
  assertEquals(code, 0, stdout);
  assertStringIncludes(stdout, "bytes arrived.");
  assertEquals(stdout.includes("Press a key"), false);
});

e2eTest("on a terminal the demo is a tour: each key shows a promise, and q ends it", ["script"], async () => {
  const command = [Deno.execPath(), ...DEMO].join(" ");
  await using child = spawnProxy({ program: "script", args: ["-qec", `stty cols 120; ${command}`, "/dev/null"] }, {
    stdin: "piped",
    cwd: PROJECT,
  });
  await child.waitFor("stdout", /Press a key:[^]* q {2}end/);
  // The log is that of a terminal.
  assertEquals(/ (info|warn) {1,2}[A-Z]|\d\dZ |reason=/.test(child.stdout()), false, child.stdout());
  const shows: [key: string, pattern: RegExp][] = [
    ["1", /asked for example\.com and got reply 2[^]*Another key/],
    ["2", /asked for 93\.184\.216\.34 and got reply 8[^]*Another key/],
    ["3", /without a login: \w{52}\.b32\.i2p\s+alice: \w{52}\.b32\.i2p/],
    ["4", /still waiting[^]*\d+ bytes arrived, with no error in between/],
    ["5", /found so far: \S+, \d+ ×/],
    ["6", /Open http:\/\/127\.0\.0\.1:\d+\//],
  ];
  for (const [key, pattern] of shows) {
    await child.type(key);
    await child.waitFor("stdout", pattern);
  }
  // deno-lint-ignore no-control-regex
  const plain = child.stdout().replaceAll(/\x1b\[\d+m/g, "");
  assertMatch(plain, /\n\d\d:\d\d:\d\d ✗ /);
  const [, without, alice] = /without a login: (\S+)\s+alice: (\S+)/.exec(child.stdout()) ?? [];
  assertEquals(without === alice, false);
  const [, port] = /Open http:\/\/127\.0\.0\.1:(\d+)/.exec(child.stdout()) ?? [];
  assertStringIncludes((await rawGet(Number(port), "/status.json")).body, '"kind":"base"');
  await child.type("q");
  assertEquals((await child.ended()).code, 0, child.stdout());
});
