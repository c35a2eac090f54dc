import { run } from "./lib/cli/run.ts";
import { outliveFileLimits } from "./lib/command/stop_signal.ts";

if (import.meta.main) {
  outliveFileLimits();
  Deno.exit(await run(Deno.args));
}
