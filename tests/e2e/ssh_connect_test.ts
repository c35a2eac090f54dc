import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { saidBy } from "../clients/client_table.ts";
import { type CommandResult, installProxy, runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { makeRepository } from "../clients/git_repository.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { publishService, startSamBridge } from "../sam_bridge/bridge.ts";
import { makeScratch, type Scratch } from "../support/scratch.ts";
import { pattern } from "../support/site.ts";
import { startSshServer } from "../clients/ssh_server.ts";

/** Bytes that travel through ssh each way. */
const SIZE = 5_000_000;

/** The name of the server, behind a bridge double. */
const HOST = "shell.i2p";

const OPENSSH = ["ssh", "sftp", "sshd", "ssh-keygen"];

/** An OpenSSH server in I2P, and both ways to it by `connect`. */
interface Stage extends AsyncDisposable {
  scratch: Scratch;
  /** By name: with a session of its own, and through a running proxy. */
  ways: readonly { how: string; ssh: (host: string) => Promise<string[]> }[];
}

async function startStage(): Promise<Stage> {
  await using started = new AsyncDisposableStack();
  const scratch = started.use(await makeScratch());
  const server = started.use(await startSshServer());
  const bridge = started.use(await startSamBridge());
  const service = started.use(await publishService(bridge.port, server.port));
  bridge.setName(HOST, service.destination);
  const sam = ["--sam", `127.0.0.1:${bridge.port}`];
  const proxy = started.use(await startProxyProcess(sam));
  const program = await installProxy(scratch.dir);
  const everything = started.move();
  const way = (how: string, options: readonly string[]): Stage["ways"][number] => ({
    how,
    ssh: (host) => server.options(host, [program, "connect", "%h", "%p", ...options].join(" ")),
  });
  return {
    scratch,
    ways: [way("alone", sam), way("via", ["--via", `127.0.0.1:${proxy.port}`])],
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

/** The options of ssh as words of one line for a shell, without the host behind them. */
function inOneLine(options: readonly string[]): string {
  return ["ssh", ...options.slice(0, -1)].map((word) => `'${word}'`).join(" ");
}

function run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
  return runCommand(program, args, { timeout: 60_000, env });
}

e2eTest("ssh, sftp and git work with connect as ProxyCommand, alone and through a running proxy", [
  ...OPENSSH,
  "git",
], async (t) => {
  await using stage = await startStage();
  await using repository = await makeRepository();
  const { dir } = stage.scratch;
  for (const { how, ssh } of stage.ways) {
    const options = await ssh(HOST);
    await t.step(`${how}: a command and its exit code`, async () => {
      const result = await run("ssh", [...options, "echo out; echo err >&2; exit 7"]);
      assertEquals(result, { code: 7, stdout: "out\n", stderr: "err\n" });
    });
    await t.step(`${how}: bytes up and back`, async () => {
      const file = `${dir}/bytes`;
      await Deno.writeFile(file, pattern(SIZE));
      const script = 'file=$1; shift; ssh "$@" "cat" < "$file" | cmp - "$file"';
      const result = await run("bash", ["-c", script, "bash", file, ...options]);
      assertEquals(result, { code: 0, stdout: "", stderr: "" });
    });
    await t.step(`${how}: sftp puts a file there and gets it back`, async () => {
      const batch = await stage.scratch.file("batch", `put ${dir}/bytes ${dir}/there\nget ${dir}/there ${dir}/back\n`);
      const { code, stderr } = await run("sftp", ["-q", "-b", batch, ...options]);
      assertEquals([code, stderr], [0, ""]);
      assertEquals((await run("cmp", [`${dir}/bytes`, `${dir}/back`])).code, 0);
      await Promise.all(["there", "back"].map((name) => Deno.remove(`${dir}/${name}`)));
    });
    await t.step(`${how}: git clones and pushes`, async () => {
      const env = { GIT_CONFIG_NOSYSTEM: "1", HOME: dir, GIT_SSH_COMMAND: inOneLine(options) };
      const copy = `${dir}/${how}`;
      const cloned = await run("git", ["clone", "--quiet", `${HOST}:${repository.path}`, copy], env);
      assertEquals(cloned, { code: 0, stdout: "", stderr: "" });
      const me = ["-c", "user.name=A", "-c", "user.email=a@a.i2p"];
      for (const words of [["commit", "--quiet", "--allow-empty", `--message=${how}`], ["push", "--quiet"]]) {
        const result = await run("git", ["-C", copy, ...me, ...words], env);
        assertEquals(result, { code: 0, stdout: "", stderr: "" });
      }
      const { stdout } = await run("git", ["-C", copy, "rev-parse", "HEAD"]);
      assertEquals(await repository.currentHead(), stdout.trim());
    });
    await t.step(`${how}: a clearnet name is refused, and ssh says so`, async () => {
      const { code, stderr } = await run("ssh", [...await ssh("example.com"), "true"]);
      assertEquals(code, 255);
      assertMatch(stderr, saidBy("ssh with `connect`"));
    });
    await t.step(`${how}: a name that nobody has`, async () => {
      const { code, stderr } = await run("ssh", [...await ssh("nobody.i2p"), "true"]);
      assertEquals(code, 255);
      assertStringIncludes(stderr, "does not have this name");
    });
  }
});

e2eTest("rsync works over ssh with connect as ProxyCommand, alone and through a running proxy", [
  ...OPENSSH,
  "rsync",
], async (t) => {
  await using stage = await startStage();
  const { scratch: { dir } } = stage;
  await Deno.mkdir(`${dir}/from/deep`, { recursive: true });
  await Deno.writeFile(`${dir}/from/deep/bytes`, pattern(SIZE));
  await Deno.writeTextFile(`${dir}/from/page.txt`, "good day\n");
  for (const { how, ssh } of stage.ways) {
    const rsync = async (...places: string[]): Promise<void> => {
      const result = await run("rsync", ["--archive", "--rsh", inOneLine(await ssh(HOST)), ...places]);
      assertEquals(result, { code: 0, stdout: "", stderr: "" });
    };
    await t.step(`${how}: there and back`, async () => {
      const [there, back] = [`${dir}/${how}/`, `${dir}/${how}-back/`];
      await rsync(`${dir}/from/`, `${HOST}:${there}`);
      await rsync(`${HOST}:${there}`, back);
      assertEquals(await run("diff", ["-r", `${dir}/from`, back]), { code: 0, stdout: "", stderr: "" });
    });
  }
});
