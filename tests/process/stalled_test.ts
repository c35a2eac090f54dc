import { assert, assertEquals } from "@std/assert";
import { MAX_KEPT } from "../../lib/relay/keeper.ts";
import { runCommand } from "../support/command.ts";
import { e2eTest, findProgram } from "../support/e2e.ts";
import type { StalledReport } from "./stalled_streams.ts";

/** Bytes of memory that a stalled stream may cost: its objects, and what has been read and cannot be written. */
const MEMORY_PER_STREAM = 240_000;

/** Streams, and bytes of each. */
const [STREAMS, STREAM_BYTES] = [1000, 1_000_000];

/** Ticks of 10 ms that a process may take in a second while nothing moves. */
const IDLE_TICKS = 20;

/**
 * A network of its own for one command, in which a socket holds some hundred KB and not some MB: with a thousand streams
 * the latter would use up what the kernel has for all of TCP, and harm other tests.
 */
const SMALL_SOCKETS = `set -e
ip link set lo up
echo "4096 65536 262144" > /proc/sys/net/ipv4/tcp_rmem
echo "4096 65536 131072" > /proc/sys/net/ipv4/tcp_wmem
exec "$@"`;

e2eTest("a thousand readers that stop cost bounded memory, no time, and no other stream", needs(), async () => {
  const deno = [Deno.execPath(), "run", "-P=test", "--no-prompt", "--quiet", "tests/process/stalled_streams.ts"];
  const path = `${Deno.env.get("PATH")}:/usr/sbin:/sbin`;
  const { code, stdout, stderr } = await runCommand("unshare", ["-rn", "sh", "-c", SMALL_SOCKETS, "sh", ...deno], {
    env: { DENO_NO_UPDATE_CHECK: "1", PATH: path },
  });
  assertEquals(code, 0, stderr);
  const { memory: [before, after], stalled, ticks, ...rest }: StalledReport = JSON.parse(stdout);
  // What some of the first downloads wait for is kept as a whole.
  assert(stalled >= STREAMS - 2 * MAX_KEPT / STREAM_BYTES, `only ${stalled} streams were stuck`);
  assert(after - before < STREAMS * MEMORY_PER_STREAM, `from ${before} to ${after} bytes`);
  assert(ticks <= IDLE_TICKS, `${ticks} ticks in a second without traffic`);
  // The last ones: streams that went on after the pause have every byte.
  assertEquals([rest.echoed, rest.echoedLate, rest.resumed], [8_000_000, 8_000_000, 500]);
});

/** Programs for a network of one's own; one that nobody has, where the system does not allow it. */
function needs(): string[] {
  const unshare = findProgram("unshare");
  const isAllowed = unshare === undefined || new Deno.Command(unshare, { args: ["-rn", "true"] }).outputSync().success;
  return ["unshare", "ip", ...(isAllowed ? [] : ["a network namespace"])];
}
