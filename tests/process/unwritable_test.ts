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
