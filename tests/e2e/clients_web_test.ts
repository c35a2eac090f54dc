import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  assertRefused,
  type ClientStage,
  isolated,
  startClientStage,
  succeeds,
  unless,
} from "../clients/client_stage.ts";
import { saidBy } from "../clients/client_table.ts";
import { e2eTest } from "../support/e2e.ts";
import { makeRepository } from "../clients/git_repository.ts";
import { startPrivateNet } from "./private_net.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { Random } from "../support/random.ts";
import { publishService } from "../sam_bridge/bridge.ts";
import { startSite } from "../support/site.ts";

/** curl without any settings of the user's. */
const CURL = ["--disable", "--silent", "--show-error", "--max-time", "50"];

/** What a name server of the user's would say, for clients that resolve names themselves: an address of RFC 5737. */
const resolved = (last: number): string[] => ["--resolve", `site.i2p:80:192.0.2.${last}`];

/** git without the settings of the system, which never asks. */
const GIT_ENV = { GIT_CONFIG_NOSYSTEM: "1", GIT_TERMINAL_PROMPT: "0" };

/** Debian's own Python, for which there are packages: the one on PATH can be another. */
const PYTHON = "/usr/bin/python3";

e2eTest("curl", ["curl", "strace"], async (t) => {
  await using site = await startSite();
  await using stage = await startClientStage({ "site.i2p": site.port }, ["--isolate", "auth"]);
  const { socks } = stage;
  const remote = [
    ["--socks5-hostname", socks],
    ["--socks4a", socks],
    ["--proxy", `socks5h://${socks}`],
    ["--proxy", `socks4a://${socks}`],
  ];
  const local = [
    ["--socks5", socks],
    ["--socks4", socks],
    ["--proxy", `socks5://${socks}`],
    ["--proxy", `socks4://${socks}`],
  ];

  await t.step("fetches by name and by base32 in all ways that leave names to the proxy", async () => {
    const hosts = ["site.i2p", stage.b32["site.i2p"] ?? ""];
    for (const way of remote) {
      for (const host of hosts) {
        const { stdout, stderr, astray } = await stage.run("curl", [...CURL, ...way, `http://${host}/`]);
        assertStringIncludes(stdout, site.token, stderr);
        assertEquals([stderr, astray], ["", []]);
      }
    }
    const env = { ALL_PROXY: `socks5h://${socks}` };
    const { stdout } = await stage.run("curl", [...CURL, "http://site.i2p/"], { env });
    assertStringIncludes(stdout, site.token);
    assertEquals(isolated(stage), 0);
  });

  await t.step("is refused a clearnet name, and says so", async () => {
    for (const way of remote) {
      const words = saidBy("curl", way.some((word) => word.includes("4a")) ? 1 : 0);
      const run = await stage.run("curl", [...CURL, ...way, "http://example.com/"]);
      await assertRefused(stage, run, { words, exitCode: 97 });
    }
  });

  await t.step("that resolves names itself is refused, and the log explains the leak", async () => {
    assert(!stage.proxy.stderr().includes("leak=dns"));
    for (const [i, way] of local.entries()) {
      const words = way.some((word) => word.includes("4")) ? /curl: \(97\) .*(\(8\)|\(91\))/ : /curl: \(97\) .*\(8\)/;
      const run = await stage.run("curl", [...CURL, ...resolved(i + 1), ...way, "http://site.i2p/"]);
      await assertRefused(stage, run, { words, exitCode: 97, reason: "ip" });
    }
    assertEquals(stage.proxy.stderr().match(/leak=dns/g)?.length, 1, "explained once");
  });

  await t.step("has an identity for each login and each user id", async () => {
    for (const login of ["work:x", "home:x"]) {
      await stage.run("curl", [...CURL, "--proxy", `socks5h://${login}@${socks}`, "http://site.i2p/"]);
    }
    assertEquals(isolated(stage), 2);
    await stage.run("curl", [...CURL, "--proxy", `socks4a://mail@${socks}`, "http://site.i2p/"]);
    assertEquals(isolated(stage), 3);
  });
});

e2eTest("git", ["git", "strace"], async (t) => {
  await using repository = await makeRepository();
  await using stage = await startClientStage({ "code.i2p": repository.port });

  await t.step("clones, by the smart protocol and file by file", async () => {
    for (const [copy, smart] of [["copy", "1"], ["files", "0"]] as const) {
      const before = repository.requests.length;
      const env = { GIT_SMART_HTTP: smart };
      const run = await clone(stage, `socks5h://${stage.socks}`, "http://code.i2p/project.git", copy, env);
      assertEquals([run.code, run.astray], [0, []], run.stderr);
      assertEquals(await headOf(stage, copy), repository.head);
      const asked = repository.requests.slice(before);
      assertEquals(asked.includes("POST /project.git/git-upload-pack"), smart === "1", asked.join());
    }
    assertEquals(isolated(stage), 0);
  });

  await t.step("pushes more than fits a request, and fetches it elsewhere", async () => {
    const proxy = `http.proxy=socks5h://${stage.socks}`;
    const commit = ["-c", "user.name=A", "-c", "user.email=a@a.i2p", "commit", "--quiet", "--message=Noise"];
    await Deno.writeFile(`${stage.scratch.dir}/copy/noise`, new Random(7).bytes(3_000_000));
    for (const args of [["add", "noise"], commit, ["-c", proxy, "push", "--quiet", "origin", "main"]]) {
      const run = await git(stage, "copy", args);
      assertEquals([run.code, run.astray], [0, []], run.stderr);
    }
    assertEquals(await repository.currentHead(), await headOf(stage, "copy"));
    const { code, stderr } = await git(stage, "files", ["-c", proxy, "pull", "--quiet", "--ff-only"]);
    assertEquals([code, await headOf(stage, "files")], [0, await headOf(stage, "copy")], stderr);
    assert(repository.requests.includes("POST /project.git/git-receive-pack"));
  });

  await t.step("has an identity for each login", async () => {
    const run = await clone(stage, `socks5h://project:x@${stage.socks}`, "http://code.i2p/project.git", "again");
    assertEquals(run.code, 0, run.stderr);
    assertEquals(isolated(stage), 1);
  });

  await t.step("is refused a clearnet name, and says so", async () => {
    const run = await clone(stage, `socks5h://${stage.socks}`, "http://example.com/project.git", "none");
    await assertRefused(stage, run, { words: saidBy("git over HTTP"), exitCode: 128 });
  });
});

e2eTest("git and curl through a real i2pd", ["i2pd", "git", "curl", "strace"], async () => {
  await using net = await startPrivateNet();
  await using repository = await makeRepository();
  const sessionOptions = "i2cp.leaseSetType=1 i2cp.leaseSetEncType=0 " +
    "inbound.length=0 outbound.length=0 inbound.quantity=1 outbound.quantity=1";
  const [service, proxy] = await Promise.all([
    publishService(net.samPort, repository.port, { sessionOptions }),
    startProxyProcess(["--sam", `127.0.0.1:${net.samPort}`, ...net.sessionOptions]),
  ]);
  await using _service = service;
  await using _proxy = proxy;
  await using stage = await startClientStage({});
  const socks = `127.0.0.1:${proxy.port}`;
  const page = await stage.run("curl", [...CURL, "--proxy", `socks5h://${socks}`, `http://${net.siteName}/`]);
  assertStringIncludes(page.stdout, net.site.token, page.stderr);
  const run = await clone(stage, `socks5h://${socks}`, `http://${service.b32}/project.git`, "copy");
  assertEquals(run.code, 0, run.stderr);
  assertEquals(await headOf(stage, "copy"), repository.head);
  const refusedPage = await stage.run("curl", [...CURL, "--proxy", `socks4a://${socks}`, "http://example.com/"]);
  await assertRefused({ proxy }, refusedPage, { words: saidBy("curl", 1), exitCode: 97 });
  const refusedClone = await clone(stage, `socks5h://${socks}`, "http://example.com/project.git", "none");
  await assertRefused({ proxy }, refusedClone, { words: saidBy("git over HTTP"), exitCode: 128 });
});

e2eTest("Python with PySocks", ["strace", ...unless(hasPySocks(), "python3-socks")], async (t) => {
  await using site = await startSite();
  await using stage = await startClientStage({ "site.i2p": site.port });
  /** As PySocks' own documentation has it: rdns is on by default. */
  const script = `
import socks, sys, urllib.request
from sockshandler import SocksiPyHandler
kind = getattr(socks, sys.argv[1])
login = sys.argv[5:7] or (None, None)
handler = SocksiPyHandler(kind, "127.0.0.1", int(sys.argv[2]), sys.argv[4] == "remote", *login)
print(urllib.request.build_opener(handler).open(sys.argv[3], timeout=10).read().decode())
`;
  const python = (kind: string, url: string, ...rest: string[]): ReturnType<ClientStage["run"]> =>
    stage.run(PYTHON, ["-c", script, kind, `${stage.port}`, url, ...rest]);

  await t.step("fetches with SOCKS5 and with SOCKS4", async () => {
    for (const kind of ["SOCKS5", "SOCKS4"]) {
      const run = await python(kind, "http://site.i2p/", "remote");
      assertStringIncludes(run.stdout, site.token, run.stderr);
      assertEquals(run.astray, []);
    }
    await python("SOCKS5", "http://site.i2p/", "remote", "work", "x");
    assertEquals(isolated(stage), 1);
  });

  await t.step("is refused a clearnet name, and says so", async () => {
    const run = await python("SOCKS5", "http://example.com/", "remote");
    await assertRefused(stage, run, { words: saidBy("PySocks"), exitCode: 1 });
    const older = await python("SOCKS4", "http://example.com/", "remote");
    await assertRefused(stage, older, { words: saidBy("PySocks", 1), exitCode: 1 });
  });

  await t.step("with rdns off asks for addresses, and the log explains the leak", async () => {
    // A name that every system resolves without a name server.
    const run = await python("SOCKS5", "http://192.0.2.1/", "local");
    await assertRefused(stage, run, { words: /0x08: Address type not supported/, exitCode: 1, reason: "ip" });
  });
});

function clone(
  stage: ClientStage,
  proxy: string,
  url: string,
  to: string,
  env: Record<string, string> = {},
): ReturnType<ClientStage["run"]> {
  return stage.run("git", ["-c", `http.proxy=${proxy}`, "clone", "--quiet", url, `${stage.scratch.dir}/${to}`], {
    env: { ...GIT_ENV, ...env },
  });
}

/** Runs git in a copy. */
function git(stage: ClientStage, copy: string, args: readonly string[]): ReturnType<ClientStage["run"]> {
  return stage.run("git", ["-C", `${stage.scratch.dir}/${copy}`, ...args], { env: GIT_ENV });
}

async function headOf(stage: ClientStage, copy: string): Promise<string> {
  return (await git(stage, copy, ["rev-parse", "HEAD"])).stdout.trim();
}

function hasPySocks(): boolean {
  return succeeds(PYTHON, "-c", "import socks, sockshandler");
}
