import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { numberedKey } from "../keys/blob.ts";
import { type CommandResult, proxyCommand, runCommand, runProxy } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { makeScratch } from "../support/scratch.ts";

/** Mounts a tiny file system for one command alone, and puts a key into it; `fill` takes all room, or the right to write. */
const TINY =
  'mount -t tmpfs -o size=64k,mode=0700 tmpfs "$DIR" && cp "$KEY" "$DIR/old.dat" && chmod 0600 "$DIR/old.dat"' +
  ' && eval "$FILL"; "$@"; code=$?; cmp -s "$KEY" "$DIR/old.dat" || echo "the old key is gone"; ls -A "$DIR"; exit $code';

/** What keeps a key from being written, and the words for it. */
const FILLS: readonly (readonly [string, string])[] = [
  ['dd if=/dev/zero of="$DIR/filler" 2> /dev/null; touch "$DIR/new.lock" "$DIR/old.lock"', "no space left on device"],
  ['mount -o remount,ro "$DIR"', "read-only file system"],
];

e2eTest("a key that cannot be written ends in plain words, and the old one stays", ["unshare", "mount"], async (t) => {
  await using bridge = await startSamBridge();
  await using scratch = await makeScratch();
  const key = `${scratch.dir}/key.dat`;
  await Deno.writeFile(key, numberedKey(7).expose());
  const verbs: readonly (readonly string[])[] = [
    ["keys", "new", "new"],
    ["keys", "rotate", "old", "--yes"],
    ["serve", "--listen", "127.0.0.1:0", "--identity", "new"],
  ];
  for (const [fill, words] of FILLS) {
    for (const [i, verb] of verbs.entries()) {
      await t.step(`${verb.slice(0, 2).join(" ")}: ${words}`, async () => {
        const dir = `${scratch.dir}/${i}`;
        await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
        const sam = ["--keys-dir", dir, "--sam", `127.0.0.1:${bridge.port}`];
        const { program, args } = proxyCommand([...verb, ...sam]);
        const { code, stdout, stderr } = await runCommand(
          "unshare",
          ["--mount", "sh", "-c", TINY, "sh", program, ...args],
          { env: { DIR: dir, KEY: key, FILL: fill, DENO_NO_UPDATE_CHECK: "1" } },
        );
        assertStringIncludes(stderr, words);
        assert(!/Internal error|os error|\n {4}at /.test(stderr), stderr);
        assertEquals(code, 1, stderr);
        assertEquals(stdout.split("\n").filter((name) => !/^(old\.dat|old\.lock|new\.lock|filler|)$/.test(name)), []);
      });
    }
  }
});

Deno.test("a folder that cannot be made for keys is told in plain words", async () => {
  await using scratch = await makeScratch();
  const key = await scratch.file("key", "");
  await Deno.writeFile(key, numberedKey(1).expose());
  const cases: readonly (readonly [string, string])[] = [
    [`${scratch.dir}/${"a".repeat(300)}`, "file name too long"],
    [`${key}/below`, "not a directory"],
  ];
  for (const [dir, words] of cases) {
    const result: CommandResult = await runProxy(["keys", "import", "one", key, "--keys-dir", dir]);
    assertEquals([result.code, result.stdout], [1, ""], result.stderr);
    assertStringIncludes(result.stderr, words);
    assert(!/Internal error|os error/.test(result.stderr), result.stderr);
  }
});

/** Mounts a file system that has a key and cannot be written to, for one command alone. */
const READ_ONLY = 'mount -t tmpfs -o size=64k,mode=0700 tmpfs "$DIR" && cp "$KEY" "$DIR/one.dat" && ' +
  'chmod 0600 "$DIR/one.dat" && touch "$DIR/one.lock" && mount -o remount,ro "$DIR" && exec "$@"';

e2eTest("keys can be shown where nothing can be written", ["unshare", "mount"], async () => {
  await using scratch = await makeScratch();
  await Deno.writeFile(`${scratch.dir}/key`, numberedKey(7).expose());
  const dir = `${scratch.dir}/keys`;
  await Deno.mkdir(dir);
  for (const words of [["list"], ["show", "one"]]) {
    const { program, args } = proxyCommand(["keys", ...words, "--keys-dir", dir]);
    const { code, stdout, stderr } = await runCommand(
      "unshare",
      ["--mount", "sh", "-c", READ_ONLY, "sh", program, ...args],
      { env: { DIR: dir, KEY: `${scratch.dir}/key`, DENO_NO_UPDATE_CHECK: "1" } },
    );
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, "inUse=no");
  }
});

e2eTest("a configuration that cannot be written whole is not left in the way", ["unshare", "mount"], async () => {
  await using scratch = await makeScratch();
  const { program, args } = proxyCommand(["config", "init", `${scratch.dir}/config.yaml`]);
  const fill =
    'mount -t tmpfs -o size=64k tmpfs "$DIR" && ! dd if=/dev/zero of="$DIR/filler" 2> /dev/null; "$@"; ls "$DIR"';
  const { stdout, stderr } = await runCommand("unshare", ["--mount", "sh", "-c", fill, "sh", program, ...args], {
    env: { DIR: scratch.dir, DENO_NO_UPDATE_CHECK: "1" },
  });
  assertStringIncludes(stderr, "no space left on device");
  assertEquals(stdout, "filler\n");
});

Deno.test("data that cannot be written to stdout are an error, unless their reader has had enough", async (t) => {
  await using scratch = await makeScratch();
  await Deno.mkdir(`${scratch.dir}/keys`, { mode: 0o700 });
  await Deno.writeFile(`${scratch.dir}/keys/one.dat`, numberedKey(7).expose(), { mode: 0o600 });
  const keys = ["--keys-dir", `${scratch.dir}/keys`];
  const verbs: readonly (readonly string[])[] = [
    ["hash-login", "alice"],
    ["config", "init", "-"],
    ["keys", "list", ...keys],
    ["keys", "export", "one", ...keys],
    ["help"],
  ];
  const run = async (verb: readonly string[], redirection: string): Promise<CommandResult> => {
    const { program, args } = proxyCommand(verb);
    const shell = `echo password | "$@" ${redirection}`;
    return await runCommand("sh", ["-c", shell, "sh", program, ...args], { env: { DENO_NO_UPDATE_CHECK: "1" } });
  };
  for (const verb of verbs) {
    await t.step({
      name: verb.slice(0, 2).join(" "),
      ignore: Deno.build.os !== "linux",
      fn: async () => {
        const { code, stderr } = await run(verb, "> /dev/full");
        assertEquals(code, 1, stderr);
        assertStringIncludes(stderr, "to stdout: no space left on device");
        assert(!stderr.includes("os error"), stderr);
      },
    });
  }
  await t.step("a reader that left", async () => {
    const { stderr } = await run(["help"], "| true");
    assertEquals(stderr, "");
  });
});
