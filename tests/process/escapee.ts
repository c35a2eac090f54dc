/**
 * The program, and beside it somebody who wants to get out: on SIGUSR1 it tries what the program must not do, and prints
 * the outcomes as a line of JSON on stdout, `done` or the error. Its arguments are those of the program.
 *
 * Where it is permitted, it is done: so nothing is tried by which a packet could leave the machine. 0.0.0.0 is this
 * machine, as an address that is not of loopback.
 */
import { run } from "../../lib/cli/run.ts";

/** A path where nothing is. */
const NOWHERE = "/nowhere/of/the/escapee";

/** What is tried, by name. */
const ATTEMPTS: Readonly<Record<string, () => unknown>> = {
  "port 53": () => connect("127.0.0.1", 53),
  "off loopback": () => connect("0.0.0.0", 9),
  "another port": () => connect("127.0.0.1", 9),
  "name": () => connect("localhost", 9),
  "query": () =>
    Deno.resolveDns("example.i2p", "A", {
      nameServer: { ipAddr: "127.0.0.1", port: 53 },
      signal: AbortSignal.timeout(1_000),
    }),
  "local service": () => Deno.connect({ transport: "unix", path: NOWHERE }),
  "listener": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
  "read": () => Deno.readTextFile("/etc/passwd"),
  "write": () => Deno.writeTextFile(NOWHERE, ""),
  "run": () => new Deno.Command(NOWHERE).output(),
  "variable": () => Deno.env.get("HOME"),
};

async function connect(hostname: string, port: number): Promise<void> {
  (await Deno.connect({ hostname, port })).close();
}

async function tryAll(): Promise<void> {
  const outcomes: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(ATTEMPTS)) {
    try {
      await attempt();
      outcomes[name] = "done";
    } catch (error) {
      outcomes[name] = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
  }
  console.log(JSON.stringify({ outcomes }));
}

if (import.meta.main) {
  Deno.addSignalListener("SIGUSR1", tryAll);
  Deno.exit(await run(Deno.args));
}
