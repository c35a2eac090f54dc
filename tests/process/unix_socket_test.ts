import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { MAX_SOCKET_PATH, NEW_SOCKET } from "../../lib/config/endpoint.ts";
import { startSshServer } from "../clients/ssh_server.ts";
import { publishService, type SamBridge, startSamBridge } from "../sam_bridge/bridge.ts";
import { runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { freePort } from "../support/free_port.ts";
import { type ProxyChild, spawnProxy } from "../support/proxy_process.ts";
import { makeScratch, type Scratch } from "../support/scratch.ts";
import { type Site, startSite } from "../support/site.ts";
import { parseTalk } from "../support/talk.ts";
import { until } from "../support/wait.ts";
import { statusPort } from "../status/status_client.ts";
import { rawGet } from "../clients/raw_http.ts";

/** A bridge with a site behind it, and a folder where the program may have sockets. */
interface Stage extends AsyncDisposable {
  bridge: SamBridge;
  site: Site;
  scratch: Scratch;
  /** Starts the program with a socket, and more options. */
  start(name: string, ...args: string[]): ProxyChild;
  /** The same, up to its ready line. */
  ready(name: string, ...args: string[]): Promise<ProxyChild>;
  /** What lies in the folder. */
  files(): string[];
}

/** The program's own permissions, with sockets in one more folder: what a set for it would have. */
function grants(dir: string): string[] {
  const { allow, deny } = config.permissions.default.net;
  return ["-P", `--allow-net=${[...allow, `unix:${dir}/${NEW_SOCKET}`].join()}`, `--deny-net=${deny.join()}`];
}

function program(dir: string, args: readonly string[]): ProxyChild {
  const words = ["run", ...grants(dir), "--no-prompt", "--quiet", "main.ts", ...args];
  return spawnProxy({ program: Deno.execPath(), args: words });
}

async function makeStage(): Promise<Stage> {
  await using started = new AsyncDisposableStack();
  const scratch = started.use(await makeScratch());
  const bridge = started.use(await startSamBridge());
  const site = started.use(await startSite());
  const service = started.use(await publishService(bridge.port, site.port));
  bridge.setName("site.i2p", service.destination);
  const everything = started.move();
  const start = (name: string, ...args: string[]): ProxyChild =>
    program(scratch.dir, ["--listen", `unix:${scratch.dir}/${name}`, "--sam", `127.0.0.1:${bridge.port}`, ...args]);
  return {
    bridge,
    site,
    scratch,
    start,
    ready: async (...words) => {
      const child = start(...words);
      await child.waitFor("stdout", /^ready .*\n/);
      return child;
    },
    files: () => [...Deno.readDirSync(scratch.dir)].map(({ name }) => name).filter((name) => name !== "home").sort(),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

/** Gets the page of the site through a socket. */
async function get(path: string, ...args: string[]): Promise<string> {
  const proxy = ["--proxy", `socks5h://${args[0] ?? ""}localhost${path}`];
  const curl = ["--disable", "--silent", "--show-error", "--max-time", "20", ...proxy, "http://site.i2p/"];
  const { stdout, stderr } = await runCommand("curl", curl);
  return stdout + stderr;
}

e2eTest("curl, nc, socat and ssh reach the proxy at a socket", [
  ...["curl", "nc.openbsd", "socat", "ssh", "sshd", "ssh-keygen"],
], async (t) => {
  await using stage = await makeStage();
  const path = `${stage.scratch.dir}/socks`;
  await using proxy = await stage.ready("socks", "--spare-identities", "0");
  assertStringIncludes(proxy.stdout(), `ready listen=unix:${path} `);

  await t.step("curl, with a login too", async () => {
    assertStringIncludes(await get(path), stage.site.token);
    assertStringIncludes(await get(path, "work:x@"), stage.site.token);
    assertEquals(stage.bridge.sessions.filter(({ id }) => id.startsWith("i2p-socks-")).length, 2);
  });
  // A request of SOCKS4a, then one of HTTP.
  const request = "printf '\\004\\001\\000\\120\\000\\000\\000\\001\\000site.i2p\\000GET / HTTP/1.0\\r\\n\\r\\n'";
  for (const client of [`nc.openbsd -N -U ${path}`, `socat -t 20 - UNIX-CONNECT:${path}`]) {
    await t.step(client.split(" ")[0] ?? "", async () => {
      const { stdout, stderr } = await runCommand("sh", ["-c", `${request} | ${client}`], { timeout: 40_000 });
      assertStringIncludes(stdout, stage.site.token, stderr);
    });
  }
  await t.step("ssh, by socat and nc", async () => {
    await using server = await startSshServer();
    await using service = await publishService(stage.bridge.port, server.port);
    stage.bridge.setName("shell.i2p", service.destination);
    const port = freePort();
    const bridge = `socat TCP4-LISTEN:${port},bind=127.0.0.1,reuseaddr UNIX-CONNECT:${path}`;
    await using _bridge = spawnProxy({ program: "sh", args: ["-c", `exec ${bridge}`] });
    const listens = async (): Promise<boolean> =>
      (await runCommand("grep", ["-ci", `0100007F:${port.toString(16).padStart(4, "0")} 00000000`, "/proc/net/tcp"]))
        .code === 0;
    await until("socat listens", listens);
    const options = await server.options("shell.i2p", `nc.openbsd -X 5 -x 127.0.0.1:${port} %h %p`);
    const { code, stdout, stderr } = await runCommand("ssh", [...options, "echo at the end; exit 7"]);
    assertEquals([code, stdout], [7, "at the end\n"], stderr);
  });
  await t.step("a browser that takes it for an HTTP proxy is told", async () => {
    const { stdout } = await runCommand("sh", ["-c", `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc.openbsd -N -U ${path}`]);
    assertStringIncludes(stdout, `curl --socks5-hostname localhost${path} http://NAME.i2p/`);
  });
  assertEquals(await proxy.stop(), 143);
  assertEquals(stage.files(), []);
});

e2eTest("a socket is for its owner, unless --listen-mode says more, and is gone at the end", ["curl"], async () => {
  await using stage = await makeStage();
  for (
    const [args, mode] of [[[], 0o600], [["--listen-mode", "660"], 0o660], [["--listen-mode", "0666"], 0o666]] as const
  ) {
    await using proxy = await stage.ready("socks", ...args);
    const { mode: found, uid, isSocket } = await Deno.lstat(`${stage.scratch.dir}/socks`);
    assertEquals([(found ?? 0) & 0o777, uid, isSocket], [mode, Deno.uid(), true]);
    assertEquals(stage.files(), ["socks"]);
    assertStringIncludes(await get(`${stage.scratch.dir}/socks`), stage.site.token);
    assertEquals(await proxy.stop(), 143);
    assertEquals(stage.files(), []);
  }
});

e2eTest(
  "a socket that somebody serves is left alone, and one that is left over is replaced",
  ["curl", "socat"],
  async (t) => {
    await using stage = await makeStage();
    const path = `${stage.scratch.dir}/socks`;
    const refused = async (says: string): Promise<void> => {
      await using child = stage.start("socks");
      assertEquals((await child.ended()).code, 73);
      assertStringIncludes(parseTalk(child.stderr()).errors.join(), `Cannot listen on unix:${path}: ${says}`);
      assertEquals(stage.files(), ["socks"]);
    };

    await t.step("somebody serves it", async () => {
      await using first = await stage.ready("socks");
      await refused("another process serves this socket");
      assertStringIncludes(await get(path), stage.site.token);
      assertEquals(await first.stop("SIGKILL"), 137);
    });
    await t.step("it is left over, and so is one half-way", async () => {
      assertEquals(stage.files(), ["socks"]);
      await Deno.rename(path, `${stage.scratch.dir}/${NEW_SOCKET}`);
      {
        await using killed = await stage.ready("socks");
        assertEquals(await killed.stop("SIGKILL"), 137);
      }
      await using next = await stage.ready("socks");
      assertStringIncludes(await get(path), stage.site.token);
      assertEquals(await next.stop(), 143);
      assertEquals(stage.files(), []);
    });
    await t.step("the path is that of a file, or of another user's socket", async () => {
      await Deno.writeTextFile(path, "mine\n");
      await refused("the path is taken, and not by a socket");
      assertEquals(await Deno.readTextFile(path), "mine\n");
      await Deno.remove(path);
      if (Deno.uid() !== 0) return;
      await using _other = spawnProxy({ program: "socat", args: [`UNIX-LISTEN:${path},fork`, "SYSTEM:true"] });
      await until("the other listens", () => Promise.resolve(stage.files().length > 0));
      await Deno.chown(path, 65534, 65534);
      await refused("another process serves this socket");
    });
  },
);

e2eTest("a socket of another user is not replaced, served or not", ["python3"], async () => {
  if (Deno.uid() !== 0) return;
  await using stage = await makeStage();
  const path = `${stage.scratch.dir}/socks`;
  await runCommand("python3", ["-c", "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])", path]);
  await Deno.chown(path, 65534, 65534);
  await using child = stage.start("socks");
  assertEquals((await child.ended()).code, 73);
  assertStringIncludes(child.stderr(), `Cannot listen on unix:${path}: the socket is of user 65534`);
  assertEquals(stage.files(), ["socks"]);
});

Deno.test("a path that cannot be a socket's is refused with what it needs", async () => {
  await using scratch = await makeScratch();
  const long = `/${"a".repeat(MAX_SOCKET_PATH)}`;
  const cases: [string, string][] = [
    ["unix:", "unix:/FOLDER/NAME"],
    ["unix:socks", "unix:/FOLDER/NAME"],
    ["unix:/run/../socks", "without . and .."],
    ["unix:/run/a b", "no spaces"],
    [`unix:${long}`, `at most ${MAX_SOCKET_PATH} bytes`],
    [
      `unix:/${"a".repeat(MAX_SOCKET_PATH - NEW_SOCKET.length)}/b`,
      `its folder ${MAX_SOCKET_PATH - 1 - NEW_SOCKET.length}`,
    ],
  ];
  for (const [listen, says] of cases) {
    await using child = program(scratch.dir, ["--listen", listen]);
    assertEquals((await child.ended()).code, 2, listen);
    assertStringIncludes(child.stderr(), says);
  }
  for (
    const [mode, says] of [["400", "without 6"], ["60", "three octal digits"], ["0o600", "three octal digits"]] as const
  ) {
    await using child = program(scratch.dir, ["--listen", `unix:${scratch.dir}/a`, "--listen-mode", mode]);
    assertEquals((await child.ended()).code, 2, mode);
    assertStringIncludes(child.stderr(), says);
  }
  await using missing = program(`${scratch.dir}/none`, ["--listen", `unix:${scratch.dir}/none/a`]);
  assertEquals((await missing.ended()).code, 73);
  assertStringIncludes(missing.stderr(), "no such file or directory");
});

Deno.test("without the permission for a folder it says which set has one", async () => {
  await using scratch = await makeScratch();
  await using child = program(scratch.dir, ["--listen", "unix:/run/i2p-socks-elsewhere/a"]);
  assertEquals((await child.ended()).code, 77);
  const { errors, hints } = parseTalk(child.stderr());
  assertMatch(errors.join(), /sockets in "\/run\/i2p-socks-elsewhere", needed for --listen/);
  assertMatch(hints.join(" "), /-P=unix/);
});

e2eTest(
  "a client at a socket is counted, limited and isolated as the socket, beside a port",
  ["curl", "nc.openbsd"],
  async () => {
    await using stage = await makeStage();
    const path = `${stage.scratch.dir}/socks`;
    const more = ["--listen", "127.0.0.1:0", "--isolate", "client", "--max-per-client", "1", "--status", "127.0.0.1:0"];
    await using proxy = await stage.ready("socks", ...more, "--udp");
    const groups = (): number => stage.bridge.sessions.filter(({ id }) => id.startsWith("i2p-socks-")).length;
    const before = groups();
    assertStringIncludes(await get(path), stage.site.token);
    assertEquals(groups(), before + 1, "its own identity");
    const [, port = ""] = /listen=unix:\S+,127\.0\.0\.1:(\d+)/.exec(proxy.stdout()) ?? [];
    const byPort = await runCommand("curl", ["-sS", "--proxy", `socks5h://127.0.0.1:${port}`, "http://site.i2p/"]);
    assertStringIncludes(byPort.stdout, stage.site.token);
    assertEquals(groups(), before + 1, "the application's own");

    const part = `${stage.scratch.dir}/part`;
    const curl = ["-sSN", "--output", part, "--proxy", `socks5h://localhost${path}`, "http://site.i2p/slow/30"];
    const slow = runCommand("curl", curl);
    await until("the slow one has a part", () => Deno.stat(part).then(({ size }) => size > 0, () => false));
    assertMatch(await get(path), /curl: \(97\)/);
    assertMatch(proxy.stderr(), /reason=too-many-per-client/);
    assertEquals((await slow).code, 0);
    const { listen } = JSON.parse((await rawGet(await statusPort(proxy), "/status.json")).body).applications[0];
    assertEquals(listen, [`unix:${path}`, `127.0.0.1:${port}`]);

    // UDP ASSOCIATE: a port would be open to all users of the machine.
    const associate = "printf '\\005\\001\\000\\005\\003\\000\\001\\000\\000\\000\\000\\000\\000'";
    const { stdout } = await runCommand("sh", ["-c", `${associate} | nc.openbsd -N -U ${path} | od -An -tx1`]);
    assertMatch(stdout, /^ 05 00 05 02 /);
  },
);

e2eTest("a file can name sockets, and a reload serves them again", ["curl"], async () => {
  await using stage = await makeStage();
  const { dir } = stage.scratch;
  const file = (identity: string): string =>
    `sam: 127.0.0.1:${stage.bridge.port}
applications:
  - {name: one, listen: ["unix:${dir}/one", "127.0.0.1:0"], listen-mode: 660, isolate: ${identity}}
  - {name: two, listen: "unix:${dir}/two"}
`;
  await stage.scratch.file("home", file("auth"));
  await using proxy = program(dir, ["--config", `${dir}/home`]);
  await proxy.waitFor("stdout", /(ready .*\n){2}/);
  assertEquals(stage.files(), ["one", "two"]);
  assertEquals((await Deno.stat(`${dir}/one`)).mode, 0o140660);
  await stage.scratch.file("home", file("none"));
  proxy.signal("SIGHUP");
  await proxy.waitFor("stderr", /Configuration read again .*started=1/);
  for (const name of ["one", "two"]) assertStringIncludes(await get(`${dir}/${name}`), stage.site.token);
  await stage.scratch.file("home", `${file("none")}  - {name: three, listen: "unix:${dir}/three"}\n`);
  proxy.signal("SIGHUP");
  await proxy.waitFor("stderr", /Cannot serve "three": Missing permission/);
  assertEquals(await proxy.stop(), 143);
  assertEquals(stage.files(), []);
});

Deno.test("the set with sockets is the program's own, and names the folders of the manual", async () => {
  const { default: own, unix } = config.permissions;
  const sockets = unix.net.allow.filter((host) => host.startsWith("unix:"));
  assertEquals({ ...unix, net: { ...unix.net, allow: unix.net.allow.filter((host) => !sockets.includes(host)) } }, own);
  const users = Array.from({ length: 10 }, (_, n) => `/run/user/${1000 + n}`);
  assertEquals(sockets, ["/run/i2p-socks", ...users].map((folder) => `unix:${folder}/${NEW_SOCKET}`));
  const page = await Deno.readTextFile("lib/manual/sandbox.md");
  for (const word of ["/run/i2p-socks", "/run/user/UID", "1000 to 1009"]) assert(page.includes(word), word);
});
