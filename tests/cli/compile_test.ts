import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { runCommand } from "../support/command.ts";
import { compileArgs, nameOf, TARGETS } from "../support/release.ts";
import { makeScratch } from "../support/scratch.ts";

/** In front of the metadata of an executable; eight bytes with its length come in between. */
const MARKER = "d3n0l4nd";

/** What the runtime reads of itself in an executable; the parts that are looked at. */
interface Metadata {
  argv: string[];
  "entrypoint_key": string;
  "app_version": string;
  permissions: Record<string, unknown>;
}

Deno.test("the executable has the permissions of the set and no others, and never prompts", async () => {
  await using scratch = await makeScratch();
  const { code, stderr } = await runCommand(Deno.execPath(), compileArgs(`${scratch.dir}/program`), {
    timeout: 60_000,
    env: STAND_IN,
  });
  assertEquals(code, 0, stderr);
  assertBaked(await Deno.readFile(`${scratch.dir}/program`));
});

Deno.test("a release is named executables, baked alike, and checksums that fit", async () => {
  await using scratch = await makeScratch();
  // A stand-in would have to be a program of the other systems for their targets.
  const targets = Object.keys(TARGETS).filter((target) => target.includes("linux"));
  const folder = `${scratch.dir}/release`;
  const { stderr } = await runCommand(
    Deno.execPath(),
    ["run", ..."-P=test --no-prompt --quiet tests/support/release.ts".split(" "), ...targets, "--output", folder],
    { timeout: 120_000, env: STAND_IN },
  );
  const names = ["linux-x86_64", "linux-aarch64"].map((end) => `i2p-socks-${config.version}-${end}`);
  const found = (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
  assertEquals(found, ["SHA256SUMS", ...names.toSorted()], stderr);
  for (const name of names) assertBaked(await Deno.readFile(`${folder}/${name}`));
  const check = await runCommand("bash", ["-c", 'cd "$1" && sha256sum -c --strict SHA256SUMS', "bash", folder]);
  assertEquals([check.code, check.stdout], [0, names.map((name) => `${name}: OK\n`).join("")]);
});

Deno.test("a release has all six targets of Deno, under names that tell them apart", async () => {
  const { stderr } = await runCommand(Deno.execPath(), ["compile", "--target", "no-such-target", "main.ts"], {
    env: STAND_IN,
  });
  // Where Deno gets a seventh target, its complaint names it.
  const known = [...stderr.matchAll(/\b(?:x86_64|aarch64)-[a-z]+-[a-z]+(?:-[a-z]+)?\b/g)].map(([target]) => target);
  assertEquals([...new Set(known)].sort(), Object.keys(TARGETS).sort());
  const names = Object.keys(TARGETS).map(nameOf);
  assertEquals(new Set(names).size, 6);
  assertEquals(names.filter((name) => name.endsWith(".exe")).length, 2);
});

Deno.test("the task release runs what is tested here, and refuses a target that does not exist", async () => {
  assertMatch(config.tasks.release.command, / -P=test --no-prompt .* tests\/support\/release\.ts$/);
  const { code, stderr } = await runCommand(
    Deno.execPath(),
    [..."run -P=test --no-prompt --quiet tests/support/release.ts".split(" "), "riscv"],
    { env: STAND_IN },
  );
  assertEquals(code, 2);
  assertStringIncludes(stderr, 'There is no target "riscv"');
});

/**
 * Another program in place of the runtime that would have to be downloaded. The result cannot run, but has all that is
 * put into it.
 */
const STAND_IN = { DENORT_BIN: "/bin/true", DENO_NO_UPDATE_CHECK: "1" };

function assertBaked(file: Uint8Array<ArrayBuffer>): void {
  const { permissions, ...metadata } = readMetadata(file);
  const { net, import: imports, read, write, env, sys } = config.permissions.default;
  assertEquals(Object.fromEntries(Object.entries(permissions).filter(([, value]) => value !== null)), {
    allow_net: net.allow,
    deny_net: net.deny,
    allow_import: imports,
    allow_read: read,
    allow_write: write,
    allow_env: env,
    allow_sys: sys,
    prompt: false,
  });
  assertEquals(metadata.argv, []);
  assertEquals(metadata["entrypoint_key"], "main.ts");
  assertEquals(metadata["app_version"], config.version);
}

function readMetadata(file: Uint8Array<ArrayBuffer>): Metadata {
  const text = new TextDecoder("latin1").decode(file);
  for (let at = text.indexOf(MARKER); at >= 0; at = text.indexOf(MARKER, at + 1)) {
    const start = at + MARKER.length + 8;
    if (text[start] !== "{") continue;
    const length = Number(new DataView(file.buffer, start - 8).getBigUint64(0, true));
    return JSON.parse(new TextDecoder().decode(file.subarray(start, start + length)));
  }
  throw new Error("The executable has no metadata");
}
