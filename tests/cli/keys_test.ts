import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { MAX_PASSWORD_FILE } from "../../lib/command/input_files.ts";
import { LoginBook } from "../../lib/config/login_book.ts";
import { decodeI2pBase64, encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address } from "../../lib/i2p/destination.ts";
import { numberedKey } from "../support/blob.ts";
import { type CommandResult, PROJECT, proxyCommand, runCommand, runProxy } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { type SamBridge, startSamBridge } from "../sam_bridge/bridge.ts";
import { parseTalk } from "../support/talk.ts";

/** A folder for keys and a way to call `keys` on it. */
interface Place extends AsyncDisposable {
  dir: string;
  keys(...args: string[]): Promise<CommandResult>;
}

async function makePlace(bridge?: SamBridge): Promise<Place> {
  const parent = await Deno.makeTempDir({ prefix: "i2p-socks-keys-" });
  const dir = `${parent}/keys`;
  const sam = bridge === undefined ? "127.0.0.1:1" : `127.0.0.1:${bridge.port}`;
  return {
    dir,
    keys: (...args) => runProxy(["keys", ...args, "--keys-dir", dir, ...(needsRouter(args) ? ["--sam", sam] : [])]),
    [Symbol.asyncDispose]: () => Deno.remove(parent, { recursive: true }),
  };
}

function needsRouter([action]: string[]): boolean {
  return action === "new" || action === "rotate";
}

interface PipeResult {
  code: number;
  stdout: Uint8Array;
  stderr: string;
}

/** Runs `keys` with bytes on stdin; stdout as bytes. */
async function pipe(args: string[], input: Uint8Array<ArrayBuffer>): Promise<PipeResult> {
  return await runWithInput(["keys", ...args], input);
}

async function runWithInput(words: string[], input: Uint8Array<ArrayBuffer>): Promise<PipeResult> {
  const command = proxyCommand(words);
  const child = new Deno.Command(command.program, {
    args: command.args,
    cwd: PROJECT,
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A program that has seen enough does not read to the end.
  await writer.write(input).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  return { code, stdout, stderr: new TextDecoder().decode(stderr) };
}

Deno.test("keys new, list, show, rotate and delete, without a running proxy", async () => {
  await using bridge = await startSamBridge();
  await using place = await makePlace(bridge);
  assertEquals(await place.keys("list"), { code: 0, stdout: "", stderr: "" });
  const made = await place.keys("new", "irc");
  assertEquals(made.code, 0, made.stderr);
  const address = /^irc b32=([a-z2-7]{52}\.b32\.i2p)\n$/.exec(made.stdout)?.[1] ?? "";
  assert(address !== "", made.stdout);
  assertEquals(bridge.lines.filter((line) => !line.startsWith("HELLO")), ["DEST GENERATE SIGNATURE_TYPE=7"]);
  assertEquals((await place.keys("list")).stdout, made.stdout);
  const shown = (await place.keys("show", "irc")).stdout;
  const destination = / destination=(\S+)\n$/.exec(shown)?.[1] ?? "";
  assertEquals(await b32Address(decodeI2pBase64(destination)), address);
  assertEquals(decodeI2pBase64(destination).length, 391);

  const again = await place.keys("new", "irc");
  assertEquals([again.code, again.stdout], [1, ""]);
  assertStringIncludes(again.stderr, 'i2p-socks: error: Identity "irc" exists already');
  assertEquals((await place.keys("list")).stdout, made.stdout);

  const unconfirmed = await place.keys("rotate", "irc");
  assertEquals([unconfirmed.code, unconfirmed.stdout], [2, ""]);
  assertEquals((await place.keys("list")).stdout, made.stdout);
  const rotated = await place.keys("rotate", "irc", "--yes");
  assertMatch(rotated.stdout, new RegExp(`^irc b32=(?!${address})\\S{60} was=${address}\\n$`));
  const unasked = await place.keys("delete", "irc");
  assertEquals([unasked.code, unasked.stderr], [2, "i2p-socks: error: This loses a key: confirm it with --yes\n"]);
  assertEquals((await place.keys("delete", "irc", "--yes")).code, 0);
  assertEquals((await place.keys("list")).stdout, "");
});

Deno.test("keys export and import carry a key, by file and by pipe, and both routers' files are taken", async () => {
  await using place = await makePlace();
  const blob = numberedKey(42).expose();
  const address = await b32Address(numberedKey(42).destination);
  const file = `${place.dir}/../moved.dat`;
  await Deno.writeFile(file, blob);
  assertEquals((await place.keys("import", "a", file)).stdout, `a b32=${address}\n`);
  assertEquals((await pipe(["import", "b", "--keys-dir", place.dir], blob)).code, 0);
  const text = new TextEncoder().encode(`${encodeI2pBase64(blob)}\n`);
  assertEquals((await pipe(["import", "c", "-", "--keys-dir", place.dir], text)).code, 0);
  for (const name of ["a", "b", "c"]) assertEquals(await Deno.readFile(`${place.dir}/${name}.dat`), blob);

  assertEquals((await pipe(["export", "a", "--keys-dir", place.dir], new Uint8Array())).stdout, blob);
  const out = `${place.dir}/../out.dat`;
  const exported = await place.keys("export", "a", out);
  assertEquals([exported.code, exported.stdout], [0, ""]);
  assertEquals(await Deno.readFile(out), blob);
  assertEquals(((await Deno.stat(out)).mode ?? 0) & 0o777, 0o600);
  const over = await place.keys("export", "a", out);
  assertEquals(over.code, 1);
  assertStringIncludes(over.stderr, "it exists already");
});

Deno.test("keys import refuses what is no private key, and says why", async () => {
  await using place = await makePlace();
  const blob = numberedKey(1).expose();
  const cases: [Uint8Array<ArrayBuffer>, string][] = [
    [numberedKey(1).destination, "it is a destination only, the public part"],
    [blob.slice(0, 600), "it has 600 bytes, 679 are needed"],
    [new Uint8Array(), "bytes given"],
    [new TextEncoder().encode("hello"), "Cannot "],
    [new Uint8Array(20_000), "it has more than 16384 bytes"],
  ];
  for (const [bytes, words] of cases) {
    const { code, stderr } = await pipe(["import", "x", "--keys-dir", place.dir], bytes);
    assertEquals(code, 2, words);
    assertStringIncludes(stderr, words);
  }
  assertEquals((await place.keys("list")).stdout, "");
});

Deno.test("keys: wrong words, missing keys, open files and no router each have their exit code", async () => {
  await using place = await makePlace();
  await pipe(["import", "mine", "--keys-dir", place.dir], numberedKey(1).expose());
  const cases: [string[], number, string][] = [
    [[], 2, "i2p-socks keys rotate NAME"],
    [["explode", "mine"], 2, 'keys has no action "explode"'],
    [["list", "mine"], 2, "keys list takes nothing behind it"],
    [["show"], 2, "keys show takes NAME"],
    [["show", "mine", "file"], 2, "keys show takes NAME"],
    [["show", "other"], 1, 'Identity "other" does not exist'],
    [["show", "../mine"], 2, "as the name of an identity"],
    [["import", "new", "/nowhere/at/all"], 2, "Cannot read"],
    [["new", "new"], 69, "no SAM bridge"],
    [["rotate", "mine", "--yes"], 69, "no SAM bridge"],
  ];
  for (const [args, code, words] of cases) {
    const result = await place.keys(...args);
    assertEquals(result.code, code, `${args}: ${result.stderr}`);
    assertStringIncludes(result.stderr, words);
  }
  assertEquals(await Deno.readFile(`${place.dir}/mine.dat`), numberedKey(1).expose());
  await Deno.chmod(`${place.dir}/mine.dat`, 0o644);
  const open = await place.keys("show", "mine");
  assertEquals(open.code, 77);
  assertStringIncludes(open.stderr, `i2p-socks: hint: chmod 0600 "${place.dir}/mine.dat"\n`);
});

Deno.test("keys export says so when not all could be written, and list and delete cope with damaged keys", async () => {
  await using place = await makePlace();
  await pipe(["import", "good", "--keys-dir", place.dir], numberedKey(1).expose());
  await pipe(["import", "bad", "--keys-dir", place.dir], numberedKey(2).expose());
  const { program, args } = proxyCommand(["keys", "export", "good", "--keys-dir", place.dir]);
  const full = await runCommand("sh", ["-c", 'exec "$@" > /dev/full', "sh", program, ...args], {
    env: { DENO_NO_UPDATE_CHECK: "1" },
  });
  assertEquals(full.code, 1);
  assertStringIncludes(full.stderr, "i2p-socks: error: Cannot write the key to stdout");
  assert(!full.stderr.includes("Exported"));

  await Deno.truncate(`${place.dir}/bad.dat`, 100);
  const listed = await place.keys("list");
  assertEquals(listed.code, 1);
  assertMatch(listed.stdout, /^good b32=\S+\n$/);
  assertStringIncludes(listed.stderr, 'Cannot read identity "bad"');
  assertEquals((await place.keys("delete", "bad", "--yes")).code, 0);
  assertEquals((await place.keys("list")).code, 0);
  // The name is taken: no router is asked for that.
  assertEquals((await place.keys("new", "good")).code, 1);
});

Deno.test("no verb of keys prints the private part", async () => {
  await using bridge = await startSamBridge();
  await using place = await makePlace(bridge);
  const results = [await place.keys("new", "a"), await place.keys("show", "a"), await place.keys("list")];
  const secret = encodeI2pBase64((await Deno.readFile(`${place.dir}/a.dat`)).slice(391));
  results.push(await place.keys("rotate", "a", "--yes"), await place.keys("delete", "a", "--yes"));
  for (const { stdout, stderr } of results) assert(!(stdout + stderr).includes(secret.slice(4, 40)));
});

Deno.test("hash-login makes a line for a login file", async () => {
  const { code, stdout } = await runWithInput(["hash-login", "alice"], new TextEncoder().encode("pass word\n"));
  assertEquals(code, 0);
  assertMatch(new TextDecoder().decode(stdout), /^alice:pbkdf2-sha256:200000:[\w+/]{22}==:[\w+/]{43}=\n$/);
  assertEquals((await runProxy(["hash-login"])).code, 2);
  assertEquals((await runProxy(["hash-login", "a:b"])).code, 2);
});

Deno.test("hash-login makes no line of a password that is not UTF-8, or that has no end", async () => {
  const passwords: readonly (readonly [Uint8Array<ArrayBuffer>, string])[] = [
    [Uint8Array.of(0x70, 0xe4, 0x73, 0x73, 0x0a), "Cannot use the password: it is not UTF-8"],
    [
      new Uint8Array(MAX_PASSWORD_FILE + 1).fill(0x0a),
      `Cannot read the password from stdin: it has more than ${MAX_PASSWORD_FILE} bytes`,
    ],
  ];
  for (const [input, error] of passwords) {
    const { code, stdout, stderr } = await runWithInput(["hash-login", "alice"], input);
    assertEquals([code, stdout.length, parseTalk(stderr).errors], [2, 0, [error]]);
  }
});

Deno.test("hash-login writes the user as it was given, invisible characters included", async () => {
  // A zero-width non-joiner, as names in Persian have it.
  const user = "علی\u200cرضا";
  const { stdout } = await runWithInput(["hash-login", user], new TextEncoder().encode("secret\n"));
  const { book } = await LoginBook.parse(new TextDecoder().decode(stdout));
  const [name, password] = [user, "secret"].map((text) => new TextEncoder().encode(text));
  assert(await book.verify(name ?? new Uint8Array(), password ?? new Uint8Array()));
});

e2eTest("hash-login asks on the terminal, twice, and writes nothing but the line to stdout", ["script"], async () => {
  const file = await Deno.makeTempFile();
  const { program, args } = proxyCommand(["hash-login", "alice"]);
  const words = [program, ...args].map((word) => `'${word}'`).join(" ");
  const child = new Deno.Command("script", {
    args: ["-qec", `${words} > ${file}`, "/dev/null"],
    cwd: PROJECT,
    env: { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const seen: string[] = [];
  const decoder = new TextDecoder();
  const writer = child.stdin.getWriter();
  for await (const chunk of child.stdout) {
    seen.push(decoder.decode(chunk));
    const questions = seen.join("").split(/Password of alice: |The same again: /).length - 1;
    if (/: $/.test(seen.at(-1) ?? "") && questions <= 2) await writer.write(new TextEncoder().encode("sesame\r"));
  }
  assertEquals((await child.status).code, 0);
  await writer.close().catch(() => {});
  assertMatch(await Deno.readTextFile(file), /^alice:pbkdf2-sha256:200000:[\w+/]{22}==:[\w+/]{43}=\n$/);
  assert(!seen.join("").includes("sesame"), seen.join(""));
  await Deno.remove(file);
});
