import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { manPage } from "../../lib/manual/man_page.ts";
import { type CommandResult, runCommand } from "../support/command.ts";
import { targetOf } from "../tools/executable_target.ts";
import { compileArgs, MAN_PAGE, nameOf, release, TARGETS } from "../tools/release.ts";
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

Deno.test("a release is named executables, the man page, and checksums that fit", async () => {
  await using scratch = await makeScratch();
  const folder = `${scratch.dir}/release`;
  const bytes = (target: string): Uint8Array => HEADERS[target] ?? new Uint8Array();
  await release(Object.keys(TARGETS), folder, (file, target) => Deno.writeFile(file, bytes(target)));
  const names = [...Object.keys(TARGETS).map(nameOf), MAN_PAGE];
  const found = await Array.fromAsync(Deno.readDir(folder), ({ name }) => name);
  assertEquals(found.sort(), ["SHA256SUMS", ...names.toSorted()]);
  const check = await runCommand("bash", ["-c", 'cd "$1" && sha256sum -c --strict SHA256SUMS', "bash", folder]);
  assertEquals([check.code, check.stdout], [0, names.map((name) => `${name}: OK\n`).join("")]);
  assertEquals(await Deno.readTextFile(`${folder}/${MAN_PAGE}`), manPage());
});

Deno.test("the executable of a release is baked alike, and one for another machine is refused", async () => {
  await using scratch = await makeScratch();
  const folder = `${scratch.dir}/release`;
  const make = (target: string): Promise<CommandResult> =>
    runCommand(
      Deno.execPath(),
      ["run", ..."-P=test --no-prompt --quiet tests/tools/release.ts".split(" "), target, "--output", folder],
      { timeout: 120_000, env: STAND_IN },
    );
  const other = Deno.build.arch === "x86_64" ? "aarch64" : "x86_64";
  const [own, foreign] = [`${Deno.build.arch}-unknown-linux-gnu`, `${other}-unknown-linux-gnu`];
  const made = await make(own);
  assertEquals(made.code, 0, made.stderr);
  assertBaked(await Deno.readFile(`${folder}/${nameOf(own)}`), own.includes("linux") ? "unix" : "default");
  const refused = await make(foreign);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, `Made ${nameOf(foreign)} for ${own}: is DENORT_BIN set?`);
  assertEquals(await Array.fromAsync(Deno.readDir(folder), ({ name }) => name), [nameOf(foreign)]);
});

Deno.test("targetOf() reads headers of executables", { permissions: "none" }, () => {
  for (const [target, header] of Object.entries(HEADERS)) assertEquals(targetOf(header), target);
  const linux = HEADERS["x86_64-unknown-linux-gnu"] ?? new Uint8Array();
  const windows = HEADERS["x86_64-pc-windows-msvc"] ?? new Uint8Array();
  const others = [linux.with(0x12, 0x28), linux.with(0, 0), linux.slice(0, 0x3f), windows.slice(0, 0x45)];
  for (const file of [...others, new Uint8Array()]) assertEquals(targetOf(file), undefined);
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
  assertMatch(config.tasks.release.command, / -P=test --no-prompt .* tests\/tools\/release\.ts$/);
  const { code, stderr } = await runCommand(
    Deno.execPath(),
    [..."run -P=test --no-prompt --quiet tests/tools/release.ts".split(" "), "riscv"],
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

/** What the executables of each target begin with, as far as it tells the target. */
const HEADERS: Readonly<Record<string, Uint8Array<ArrayBuffer>>> = {
  "x86_64-unknown-linux-gnu": header([0, 0x7f, 0x45, 0x4c, 0x46, 2, 1], [0x12, 0x3e, 0]),
  "aarch64-unknown-linux-gnu": header([0, 0x7f, 0x45, 0x4c, 0x46, 2, 1], [0x12, 0xb7, 0]),
  "x86_64-pc-windows-msvc": header([0, 0x4d, 0x5a], [0x3c, 0x40, 0, 0, 0], [0x40, 0x50, 0x45, 0, 0, 0x64, 0x86]),
  "aarch64-pc-windows-msvc": header([0, 0x4d, 0x5a], [0x3c, 0x40, 0, 0, 0], [0x40, 0x50, 0x45, 0, 0, 0x64, 0xaa]),
  "x86_64-apple-darwin": header([0, 0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1]),
  "aarch64-apple-darwin": header([0, 0xcf, 0xfa, 0xed, 0xfe, 0x0c, 0, 0, 1]),
};

/** Bytes at places, each after its place. */
function header(...parts: [number, ...number[]][]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(0x48);
  for (const [at, ...values] of parts) bytes.set(values, at);
  return bytes;
}

function assertBaked(file: Uint8Array<ArrayBuffer>, set: "default" | "unix" = "default"): void {
  const { permissions, ...metadata } = readMetadata(file);
  const { net, import: imports, read, write, env, sys } = config.permissions[set];
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
