import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { runCommand } from "../support/command.ts";
import { until } from "../support/wait.ts";

Deno.test("every task switches off what the runtime does beside its permissions", () => {
  for (const [name, { command }] of Object.entries(config.tasks)) {
    // What only calls tasks has nothing to switch off.
    if (/^deno task (--quiet )?[\w:]+( && deno task \w+)*$/.test(command)) continue;
    assertMatch(command, /^export DENO_NO_UPDATE_CHECK=1 OTEL_DENO=false && ([A-Z_0-9]+=\w+ )*deno /, name);
  }
});

Deno.test("a task exports no telemetry, whatever the shell asks the runtime for", async () => {
  using ofTask = collect();
  using ofRuntime = collect();
  const words = ["--quiet", "i2p-socks", "--version"];
  const { code, stdout } = await runCommand(Deno.execPath(), ["task", ...words], { env: ofTask.env });
  assertEquals(code, 0);
  assertStringIncludes(stdout, config.version);
  // The bare runtime does call: a collector would have seen it.
  const bare = ["run", "-P", "--no-prompt", "main.ts", "--version"];
  await runCommand(Deno.execPath(), bare, { env: ofRuntime.env });
  await until("the bare runtime has called", () => ofRuntime.calls() > 0);
  assertEquals(ofTask.calls(), 0);
});

/** A place that telemetry may be sent to. */
function collect(): Disposable & { env: Record<string, string>; calls: () => number } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  let calls = 0;
  void (async () => {
    for await (const conn of listener) {
      calls++;
      conn.close();
    }
  })();
  return {
    env: { OTEL_DENO: "true", OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${listener.addr.port}` },
    calls: () => calls,
    [Symbol.dispose]: () => listener.close(),
  };
}

Deno.test("the executable is made without a cache of machine code in a shared folder, and without telemetry", () => {
  assertStringIncludes(config.tasks.compile.command, " --no-code-cache ");
});
