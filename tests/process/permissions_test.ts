import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { runCommand } from "../support/command.ts";
import type { Outcomes, ProbeReport } from "./permission_probe.ts";
import { hasIpv6 } from "../support/free_port.ts";
import { spawnProxy } from "../support/proxy_process.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";

/** What the runtime says when it refuses, in contrast to what the network says. */
const REFUSED =
  /^NotCapable: Requires |^TypeError: (JSR package manifest .* failed to load\. )?Requires (import|read) access to /;

/** What may be done at the start, and after. */
const KEPT = ["connect SAM", "connect service", "write note"];

/** What may be done at the start, and no more after. */
const GIVEN_BACK = [
  "connect 127.0.0.1",
  "connect ::1",
  "fetch 127.0.0.1",
  "listen 127.0.0.1",
  "datagram 127.0.0.1",
  "read",
  "write",
  "env I2P_SOCKS_PROBE",
  "env HOME",
  "env USER",
  "sys hostname",
  "sys networkInterfaces",
  "sys uid",
  "request net",
  "request read",
];

Deno.test("the permission set is the one that the manual describes", () => {
  assertEquals(config.permissions.default, {
    net: { allow: ["127.0.0.1", "[::1]"], deny: ["127.0.0.1:53", "[::1]:53"] },
    import: ["127.0.0.1:1"],
    read: ["/"],
    write: ["/"],
    env: [
      "I2P_SOCKS_*",
      "HOME",
      "XDG_CONFIG_HOME",
      "XDG_DATA_HOME",
      "XDG_RUNTIME_DIR",
      "LOCALAPPDATA",
      "USER",
      "LOGNAME",
      "USERNAME",
      "USERPROFILE",
    ],
    sys: ["hostname", "networkInterfaces", "uid"],
  });
  for (const task of [config.tasks.serve, config.tasks.compile]) assertMatch(task.command, / -P --no-prompt /);
});

Deno.test("what the runtime permits at the start, and what is left of it", async (t) => {
  const { report, asked } = await probe();
  const permitted = (outcomes: Outcomes): string[] => Object.keys(outcomes).filter((name) => outcomes[name] === "done");
  // Refused, but not by the runtime: then it is the network, a file that is missing, or the registry of npm.
  const otherwise = (outcomes: Outcomes): string[] =>
    Object.entries(outcomes).filter(([, outcome]) => outcome !== "done" && !REFUSED.test(outcome))
      .map(([name, outcome]) => `${name}: ${outcome}`).filter((line) => !line.startsWith("import npm"));

  await t.step("at the start: loopback, files, variables and facts that are named", () => {
    const ipv6 = hasIpv6() ? [] : ["connect ::1"];
    assertEquals(permitted(report.before), [...KEPT, ...GIVEN_BACK].filter((name) => !ipv6.includes(name)));
    assertEquals(otherwise(report.before).filter((line) => !ipv6.some((name) => line.startsWith(name))), []);
  });
  await t.step("afterwards: the SAM bridge, the services of --forward, and the note to remove", () => {
    assertEquals(report.left, []);
    assertEquals(permitted(report.after), KEPT);
    assertEquals(otherwise(report.after), []);
    for (const name of [...GIVEN_BACK, "connect service by another address", "import file", "resolve 127.0.0.1"]) {
      assertMatch(report.after[name] ?? "", REFUSED);
    }
  });
  await t.step("no module was asked for on loopback", () => {
    assertEquals(asked.filter((path) => path === "/module.js"), []);
  });
  await t.step("no package was asked for at npm's registry", () => {
    assertEquals(asked.filter((path) => path.includes("i2p-socks-permission-probe")), []);
  });
  await t.step(
    "the local server could have been asked",
    () => assertEquals(asked.filter((path) => path === "/fetched").length, 1),
  );
});

Deno.test("with --udp loopback is left, for datagrams too, and nothing else", async () => {
  const { report: { left, after } } = await probe("udp");
  assertEquals(left, []);
  const ofNet =
    /^(connect (SAM|service( by another address)?|127\.0\.0\.1|::1)|fetch 127\.0\.0\.1|(listen|datagram) 127\.0\.0\.1|request net|write note)$/;
  // A resolver on another port of loopback cannot be told from anything else there.
  const allowed = (name: string): boolean => ofNet.test(name) || name === "resolve 127.0.0.1" || name === "import npm";
  for (const [name, outcome] of Object.entries(after)) {
    if (!allowed(name)) assertMatch(outcome, REFUSED, name);
  }
  assertEquals([after["datagram 127.0.0.1"], after["connect SAM"]], ["done", "done"]);
});

Deno.test("started with more than its own set, it gives back what it can, and names the rest", async () => {
  await using bridge = await startSamBridge();
  for (const grants of [["--allow-net", "--allow-env"], ["--allow-all"]]) {
    const args = ["main.ts", "--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`];
    await using child = spawnProxy({
      program: Deno.execPath(),
      args: ["run", "--no-prompt", "--quiet", ...grants, ...args],
    });
    await child.waitFor("stdout", /^ready .*\n/);
    assert(/warn {2}Started with more permissions .* cannot drop: net\n/.test(child.stderr()), child.stderr());
  }
});

/** Runs the probe as the task `serve` runs the program. A server here stands in for the registry of npm. */
async function probe(...words: string[]): Promise<{ report: ProbeReport; asked: string[] }> {
  const flags = /\bdeno run (.*) main\.ts$/.exec(config.tasks.serve.command)?.[1]?.split(" ") ?? [];
  const asked: string[] = [];
  await using bridge = await startSamBridge();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    asked.push(new URL(request.url).pathname);
    return new Response("", { status: asked.at(-1) === "/fetched" ? 200 : 404 });
  });
  using ipv6 = hasIpv6() ? Deno.listen({ hostname: "::1", port: 0 }) : undefined;
  const scratch = await Deno.makeTempFile();
  const ports = [bridge.port, server.addr.port, ipv6?.addr.port ?? 9].map(String);
  const { code, stdout, stderr } = await runCommand(
    Deno.execPath(),
    ["run", ...flags, "tests/process/permission_probe.ts", ...words, ...ports, scratch],
    {
      timeout: 30_000,
      env: {
        DENO_NO_UPDATE_CHECK: "1",
        I2P_SOCKS_PROBE: "1",
        NPM_CONFIG_REGISTRY: `http://127.0.0.1:${server.addr.port}/`,
      },
    },
  );
  await Deno.remove(scratch);
  assertEquals(code, 0, stderr);
  return { report: JSON.parse(stdout), asked };
}
