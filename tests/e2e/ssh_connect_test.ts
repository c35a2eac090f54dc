import { assertEquals } from "@std/assert";
import { proxyCommand, runCommand } from "../support/command.ts";
import { e2eTest, findProgram } from "../support/e2e.ts";
import { startImpostor } from "../support/impostor.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { publishService, startSamBridge } from "../support/sam_bridge.ts";
import { makeScratch } from "../support/scratch.ts";
import { pattern } from "../support/site.ts";
import { writeAll } from "../support/socks_client.ts";

/** Bytes that travel through ssh each way. */
const SIZE = 5_000_000;

e2eTest("ssh works with connect as its ProxyCommand, alone and through a running proxy", [
  "ssh",
  "sshd",
  "ssh-keygen",
], async (t) => {
  await using scratch = await makeScratch();
  const { dir } = scratch;
  for (const name of ["host", "user"]) {
    await runCommand("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", `${dir}/${name}`]);
  }
  await Deno.copyFile(`${dir}/user.pub`, `${dir}/authorized`);
  // Of the user who runs the tests, with nothing of the system's.
  const config = await scratch.file(
    "sshd_config",
    ["HostKey", "AuthorizedKeysFile"].map((key, i) => `${key} ${dir}/${["host", "authorized"][i]}\n`).join("") +
      "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPidFile none\n",
  );
  // Debian's sshd wants this folder; only root can make it, and only root's sshd wants it.
  await Deno.mkdir("/run/sshd", { recursive: true }).catch(() => {});
  // One sshd for each connection, as inetd starts it: on stdin and stdout.
  await using backend = startImpostor(async (conn) => {
    const child = new Deno.Command(findProgram("sshd") ?? "", {
      args: ["-i", "-e", "-f", config],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const input = child.stdin.getWriter();
    const feed = async (): Promise<void> => {
      for (;;) {
        const buffer = new Uint8Array(65_536);
        const count = await conn.read(buffer);
        if (count === null) break;
        await input.write(buffer.subarray(0, count));
      }
      await input.close();
    };
    // It ends by itself; then nobody takes what is fed any more.
    const feeding = feed().catch(() => {});
    for await (const bytes of child.stdout) await writeAll(conn, bytes).catch(() => {});
    await child.status;
    await conn.closeWrite().catch(() => {});
    await feeding;
    await input.abort().catch(() => {});
  });
  await using bridge = await startSamBridge();
  await using service = await publishService(bridge.port, backend.port);
  bridge.setName("shell.i2p", service.destination);
  const sam = ["--sam", `127.0.0.1:${bridge.port}`];
  await using proxy = await startProxyProcess(sam);
  const { code, stdout } = await runCommand("id", ["-un"]);
  assertEquals(code, 0);

  for (const [how, args] of [["alone", sam], ["via", ["--via", `127.0.0.1:${proxy.port}`]]] as const) {
    const { program, args: words } = proxyCommand(["connect", "%h", "%p", ...args]);
    const ssh = [
      ...["-F", "none", "-i", `${dir}/user`, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"],
      ...["-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", `ProxyCommand=${[program, ...words].join(" ")}`],
    ];
    const target = `${stdout.trim()}@shell.i2p`;
    await t.step(`${how}: a command and its exit code`, async () => {
      const result = await runCommand("ssh", [...ssh, target, "echo out; echo err >&2; exit 7"], { timeout: 60_000 });
      assertEquals(result, { code: 7, stdout: "out\n", stderr: "err\n" });
    });
    await t.step(`${how}: bytes up and back`, async () => {
      const file = `${dir}/bytes`;
      await Deno.writeFile(file, pattern(SIZE));
      const script = 'file=$1; shift; ssh "$@" "cat" < "$file" | cmp - "$file"';
      const result = await runCommand("bash", ["-c", script, "bash", file, ...ssh, target], { timeout: 60_000 });
      assertEquals(result, { code: 0, stdout: "", stderr: "" });
    });
  }
});
