import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { MAX_PASSWORD_FILE } from "../../lib/command/input_files.ts";
import { MAX_CONFIG_FILE } from "../../lib/config/file.ts";
import { MAX_HOSTS_FILE } from "../../lib/config/hosts.ts";
import { MAX_AUTH_FILE } from "../../lib/config/login_book.ts";
import { MAX_SECRETS_FILE } from "../../lib/guard/secrets.ts";
import { MAX_KEY_FILE } from "../../lib/keys/key_store.ts";
import { socksConnect } from "../clients/socks_client.ts";
import { proxyCommand, runCommand, runProxy } from "../support/command.ts";
import { descriptors } from "../support/process_status.ts";
import { until } from "../support/wait.ts";
import { spawnProxy, startProxyProcess } from "../support/proxy_process.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { makeScratch, type Scratch } from "../support/scratch.ts";
import { parseTalk } from "../support/talk.ts";

/** Words that read a file, the option that names it, and what is right to have in it. */
interface Input {
  flag: string;
  args: (file: string) => string[];
  most: number;
  text: string;
}

const B32 = `${"a".repeat(52)}.b32.i2p`;

const INPUTS: readonly Input[] = [
  ...([
    ["--config", MAX_CONFIG_FILE, "name: irc\n"],
    ["--auth-file", MAX_AUTH_FILE, "alice:sesame\n"],
    ["--secrets-file", MAX_SECRETS_FILE, "swordfish\n"],
    ["--hosts", MAX_HOSTS_FILE, `a.i2p ${B32}\n`],
  ] as const).map(([flag, most, text]) => ({
    flag,
    most,
    text,
    args: (file: string) => ["serve", "--check-config", flag, file],
  })),
  {
    flag: "--sam-password-file",
    args: (file) => ["serve", "--check-config", "--sam-user", "me", "--sam-password-file", file],
    most: MAX_PASSWORD_FILE,
    text: "sesame\n",
  },
  {
    flag: "--via-password-file",
    // The file comes first; then nobody answers at a port that is no program's.
    args: (file) => ["connect", "a.i2p", "80", "--via", "127.0.0.1:1", "--via-user", "me", "--via-password-file", file],
    most: MAX_PASSWORD_FILE,
    text: "sesame\n",
  },
];

/** Runs i2p-socks: its errors, and the lines of its log. */
async function talkOf(args: readonly string[]): Promise<{ code: number; errors: string[]; log: string[] }> {
  const { code, stderr } = await runProxy(args);
  // --check-config says in a line of its own that all is well.
  const { errors, log } = parseTalk(stderr.replace(/^Valid configuration.*\n/m, ""));
  return { code, errors, log };
}

/** A file of bytes, one for each character. */
async function writeBytes({ dir }: Scratch, name: string, text: string): Promise<string> {
  await Deno.writeFile(`${dir}/${name}`, Uint8Array.from(text, (char) => char.charCodeAt(0)));
  return `${dir}/${name}`;
}

/** Gives a file to another user than root, whose files are nobody's to change, and sets its mode. */
async function setMode(path: string, mode: number): Promise<void> {
  if ((await Deno.stat(path)).uid === 0) await Deno.chown(path, 65_534, 65_534);
  await Deno.chmod(path, mode);
}

Deno.test({
  name: "a file without an end is refused with its limit, whichever option names it",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    for (const { flag, args, most } of INPUTS) {
      const { code, errors } = await talkOf(args("/dev/zero"));
      assertEquals([code, errors], [2, [`Cannot read ${flag} "/dev/zero": it has more than ${most} bytes`]]);
    }
    await using scratch = await makeScratch();
    const keys = ["--keys-dir", `${scratch.dir}/keys`];
    const { code, errors } = await talkOf(["keys", "import", "me", "/dev/zero", ...keys]);
    assertEquals([code, errors], [2, [`Not a key: it has more than ${MAX_KEY_FILE} bytes`]]);
  },
});

Deno.test("a file that is not UTF-8 is refused with its line, and a byte order mark is not", async (t) => {
  await using scratch = await makeScratch();
  for (const { flag, args, text } of INPUTS.filter(({ flag }) => flag !== "--hosts")) {
    await t.step(flag, async () => {
      const latin1 = await writeBytes(scratch, "latin1", `${text}# M\xfcller\n`);
      const { code, errors } = await talkOf(args(latin1));
      assertEquals([code, errors], [2, [`Cannot use ${flag} "${latin1}": line 2: it is not UTF-8`]]);
      const marked = await writeBytes(scratch, "marked", `\xef\xbb\xbf${text}# M\xc3\xbcller\n`);
      const right = await talkOf(args(marked));
      const isConnect = flag === "--via-password-file";
      assertEquals(right.code, isConnect ? 69 : 0, right.errors.join());
    });
  }
});

Deno.test("a file of --hosts may have any bytes in comments, and none of them in names", async () => {
  await using scratch = await makeScratch();
  const hosts = (text: string): Promise<string> => writeBytes(scratch, "hosts", text);
  const args = ["serve", "--check-config", "--hosts"];
  const { code } = await talkOf([...args, await hosts(`\xef\xbb\xbf# M\xfcller\na.i2p ${B32} # \xe9\n`)]);
  assertEquals(code, 0);
  const wrong = await talkOf([...args, await hosts(`# names\nm\xfcller.i2p ${B32}\n`)]);
  assertEquals(wrong.code, 2);
  assertStringIncludes(wrong.errors.join(), "line 2: ");
});

Deno.test({
  name: "a file of passwords or secrets that others can read or write is warned of, with what helps",
  ignore: Deno.build.os === "windows",
  fn: async (t) => {
    await using scratch = await makeScratch();
    for (const { flag, args, text } of INPUTS) {
      const isPrivate = flag !== "--config" && flag !== "--hosts";
      await t.step(flag, async () => {
        for (const [mode, shown] of [[0o600, ""], [0o711, ""], [0o640, "0640"], [0o604, "0604"], [0o602, "0602"]]) {
          const file = await scratch.file("input", text);
          await setMode(file, Number(mode));
          const { log } = await talkOf(args(file));
          const warnings = log.filter((line) => line.includes("is open to others"));
          assertEquals(warnings.length, isPrivate && shown !== "" ? 1 : 0, log.join("\n"));
          if (warnings.length === 0) continue;
          assertStringIncludes(warnings[0] ?? "", ` warn  ${flag} "${file}" is open to others: its mode is ${shown} `);
          assertStringIncludes(warnings[0] ?? "", "chmod 0600");
        }
      });
    }
  },
});

Deno.test({
  name: "what root or a service manager gives out is not warned of",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const password = (file: string): string[] =>
      INPUTS.find(({ flag }) => flag === "--sam-password-file")?.args(file) ?? [];
    // World-readable and root's on every Linux.
    assertEquals((await Deno.stat("/etc/passwd")).uid, 0);
    assertEquals(await talkOf(password("/etc/passwd")), { code: 0, errors: [], log: [] });
    const folder = await Deno.makeTempDir({ dir: "/run", prefix: "i2p-socks-test-" }).catch(() => undefined);
    if (folder === undefined) return;
    await using _removed = { [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }) };
    await Deno.chmod(folder, 0o755);
    await Deno.writeTextFile(`${folder}/password`, "sesame\n");
    await setMode(`${folder}/password`, 0o444);
    assertEquals(await talkOf(password(`${folder}/password`)), { code: 0, errors: [], log: [] });
  },
});

Deno.test({
  name: "a file that is open to others is warned of once, however many applications and reloads read it",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using scratch = await makeScratch();
    await using bridge = await startSamBridge();
    const secrets = await scratch.file("secrets", "swordfish\n");
    await setMode(secrets, 0o644);
    const applications = `[{name: a, listen: "127.0.0.1:0"}, {name: b, listen: "127.0.0.1:0"}]`;
    const config = await scratch.file(
      "config.yaml",
      `sam: 127.0.0.1:${bridge.port}\nsecrets-file: ${secrets}\napplications: ${applications}\n`,
    );
    await using proxy = await startProxyProcess(["--config", config], { freePort: false });
    proxy.signal("SIGHUP");
    await until("it has reloaded", () => proxy.stderr().includes("Configuration read again"));
    assertEquals(proxy.stderr().split("is open to others").length - 1, 1, proxy.stderr());
    assert(!proxy.stderr().includes("swordfish"));
  },
});

Deno.test({
  name: "a named pipe is not waited for, whichever option names it, at the start and by a reload",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    await using scratch = await makeScratch();
    const pipe = `${scratch.dir}/pipe`;
    assertEquals((await runCommand("mkfifo", [pipe])).code, 0);
    for (const { flag, args } of INPUTS) {
      const { code, errors } = await talkOf(args(pipe));
      assertEquals([code, errors], [
        2,
        [`Cannot read ${flag} "${pipe}": it is a named pipe, which may never be written to`],
      ]);
    }
    await using bridge = await startSamBridge();
    const config = await scratch.file("config.yaml", `sam: 127.0.0.1:${bridge.port}\nlisten: 127.0.0.1:0\n`);
    await using proxy = await startProxyProcess(["--config", config], { freePort: false });
    await Deno.rename(pipe, config);
    proxy.signal("SIGHUP");
    await proxy.waitFor("stderr", /the old one stays: .*it is a named pipe/);
    const { reply, conn } = await socksConnect(proxy.port, "example.com", 80);
    conn.close();
    assertEquals(reply.code, 2);
    assertEquals(await proxy.stop(), 143);
  },
});

Deno.test({
  name: "a signal ends the program while it reads a pipe that has no end",
  ignore: Deno.build.os !== "linux",
  fn: async (t) => {
    await using scratch = await makeScratch();
    const pipe = `${scratch.dir}/pipe`;
    assertEquals((await runCommand("mkfifo", [pipe])).code, 0);
    for (const flag of ["--config", "--hosts"]) {
      await t.step(flag, async () => {
        const { program, args } = proxyCommand([flag, "/dev/fd/9", "--listen", "127.0.0.1:0"]);
        // The shell opens it as a writer, too, so that it has no end.
        const shell = ["-c", 'exec 9<> "$0"; exec "$@"', pipe, program, ...args];
        await using child = spawnProxy({ program: "bash", args: shell });
        await until("it has opened the pipe as well", async () => {
          // They change while they are listed.
          const open = await descriptors(child.pid).catch(() => []);
          return open.filter((line) => line.endsWith(` -> ${pipe}`)).length > 1;
        });
        const since = performance.now();
        assertEquals(await child.stop(), 143);
        assert(performance.now() - since < 12_000);
      });
    }
  },
});
