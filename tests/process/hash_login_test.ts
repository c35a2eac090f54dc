import { assert, assertEquals, assertMatch } from "@std/assert";
import { LoginBook } from "../../lib/config/login_book.ts";
import { PROJECT, proxyCommand, runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";

Deno.test("hash-login writes the user as it was given, invisible characters included", async () => {
  // A zero-width non-joiner, as names in Persian have it.
  const user = "علی\u200cرضا";
  const { program, args } = proxyCommand(["hash-login", user]);
  const { code, stdout } = await runCommand("sh", ["-c", 'echo secret | "$@"', "sh", program, ...args]);
  assertEquals(code, 0);
  const { book } = await LoginBook.parse(stdout);
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
