import { assertEquals, assertMatch } from "@std/assert";
import { FUZZERS } from "../fuzz/targets.ts";
import { runCommand } from "../support/command.ts";

Deno.test("the program of deno task fuzz needs no permission, repeats a case, and refuses what it does not know", async () => {
  const fuzz = (...args: string[]): ReturnType<typeof runCommand> =>
    runCommand(Deno.execPath(), ["run", "--no-prompt", "--quiet", "tests/fuzz/main.ts", ...args], {
      env: { DENO_NO_UPDATE_CHECK: "1" },
    });
  const [all, one, unknown] = await Promise.all([
    fuzz("--cases", "200", "--seed", "7"),
    fuzz("--target", "address", "--seed", "7", "--case", "3"),
    fuzz("--target", "adress"),
  ]);
  assertEquals([all?.code, one?.code, unknown?.code], [0, 0, 2], all?.stdout + (one?.stderr ?? ""));
  assertEquals(all?.stdout.split("\n").length, FUZZERS.length + 2);
  assertMatch(all?.stdout ?? "", /^seed 7\nsocks-handshake +\d+ cases +\d+\/s\n/);
  assertEquals(one?.stdout, "seed 7\naddress: case 3 holds\n");
  assertMatch(unknown?.stderr ?? "", /^There is no target "adress"\n/);
});
