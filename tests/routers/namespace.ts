import { findProgram } from "../support/e2e.ts";
import { NETWORK } from "./i2pd.ts";

/** Set within the namespace. */
const INSIDE = "I2P_SOCKS_ROUTERS_INSIDE";

/**
 * One interface that leads nowhere, with an address that routers take for a public one and all of its network on this
 * machine. A default route, since a router may not start without one. Processes end with the suite.
 */
const SETUP = [
  "ip link set lo up",
  "ip link add i2p0 type veth peer name i2p1",
  "ip link set i2p0 up",
  "ip link set i2p1 up",
  `ip addr add ${NETWORK}.1/32 dev i2p0`,
  `ip route add local ${NETWORK}.0/24 dev lo`,
  "ip route add default dev i2p0",
].join(" && ");

/** Whether this process is within the namespace. */
export function isInside(): boolean {
  return Deno.env.get(INSIDE) === "1";
}

/**
 * Runs the suite again in a network namespace of its own, so that nothing that a router does can leave the machine: its
 * exit code.
 *
 * @throws {Error} if there is no such namespace to be had.
 */
export async function runInside(args: readonly string[]): Promise<number> {
  for (const program of ["unshare", "ip"]) {
    if (findProgram(program) === undefined) throw new Error(`Cannot run routers: ${program} is not installed`);
  }
  const unshare = ["--map-root-user", "--net", "--pid", "--mount-proc", "--fork", "--kill-child"];
  const deno = [Deno.execPath(), "run", "-P=test", "--no-prompt", "--quiet", import.meta.resolve("./main.ts"), ...args];
  const child = new Deno.Command("unshare", {
    args: [...unshare, "sh", "-c", `${SETUP} && exec "$@"`, "sh", ...deno],
    env: { [INSIDE]: "1", PATH: `${Deno.env.get("PATH") ?? ""}:/usr/sbin:/sbin` },
    stdin: "null",
  }).spawn();
  const end = (): void => child.kill("SIGTERM");
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, end);
  const { code } = await child.status;
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(signal, end);
  return code;
}
