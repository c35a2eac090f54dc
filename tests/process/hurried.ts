import { run } from "../../lib/cli/run.ts";

// i2p-socks, whose timers run so many times as fast as the first argument says: limits of a minute end in a second.
const [factor, ...args] = Deno.args;
const setTimeout = globalThis.setTimeout;
const hurried = (ring: () => void, milliseconds = 0): unknown => setTimeout(ring, milliseconds / Number(factor));
globalThis.setTimeout = hurried as typeof setTimeout;

if (import.meta.main) Deno.exit(await run(args));
