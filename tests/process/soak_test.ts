import { assert, assertEquals, assertMatch } from "@std/assert";
import { Meter } from "../soak/meter.ts";
import { programs, runState } from "../soak/states.ts";
import { type CommandResult, runCommand } from "../support/command.ts";

Deno.test("the meter counts timers until they fire or are cleared, and gives the runtime its own back", async () => {
  const { setTimeout: original } = globalThis;
  {
    using meter = new Meter();
    const before = (await meter.read()).timers;
    const timers = [setTimeout(() => {}, 60_000), setInterval(() => {}, 60_000)];
    assertEquals(await new Promise((resolve) => setTimeout(resolve, 5, "a value")), "a value");
    const reading = await meter.read();
    assertEquals(reading.timers, before + 2);
    assertMatch(reading.origins.at(-1) ?? "", /^process\/soak_test\.ts:\d+:\d+$/);
    clearTimeout(timers[0]);
    assertEquals((await meter.read()).timers, before + 1);
    clearInterval(timers[1]);
    assertEquals((await meter.read()).timers, before);
  }
  assert(globalThis.setTimeout === original);
});

Deno.test("a short soak ends well, and what it prints is flat", async () => {
  const { code, stdout } = await soak("--seed", "7", "--duration", "5s", "--round", "1s");
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /\nflat\n$/);
  for (const what of ["small echo: .*intact", "HELLO: ", "SESSION CREATE: ", "STREAM CONNECT: ", "accepted "]) {
    assertMatch(stdout, new RegExp(what));
  }
});

Deno.test("a soak that leaks a descriptor, a timer or memory with each client fails and says so", async () => {
  const leaks = ["descriptor", "timer", "memory"];
  const results = await Promise.all(leaks.map((leak) => soak("--leak", leak, "--duration", "5s", "--round", "1s")));
  // A leak of memory may show in what the system holds as well.
  const expected = [/The descriptors are not flat: /, /The timers are not flat: .*main\.ts/, /The heap is not flat: /];
  results.forEach(({ code, stdout }, i) => {
    assertEquals(code, 1, stdout);
    const problems = stdout.split("\n").filter((line) => /^PROBLEM: (?!The rss )/.test(line));
    assert(problems.length === 1 && expected[i]?.test(problems.join()), stdout);
  });
});

Deno.test("in a state of the soak every client has its reply, and the program ends", async () => {
  const [program] = Object.entries(programs());
  assert(program !== undefined);
  const { owed, given, problems } = await runState("stalled log reader", program, 1_000);
  assertEquals([given, problems], [owed, []]);
  assert(owed > 20, `${owed}`);
});

/** The task, as people run it. */
async function soak(...args: string[]): Promise<CommandResult> {
  return await runCommand(Deno.execPath(), ["task", "soak", "--states", "none", ...args], {
    env: { DENO_NO_UPDATE_CHECK: "1" },
  });
}
