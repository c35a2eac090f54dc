import { clientNamed, describeSetup } from "../../lib/cli/setup.ts";
import { type CommandResult, runCommand } from "../support/command.ts";
import { spawnProxy } from "../support/proxy_process.ts";
import { type ClientStage, succeeds, unless } from "./client_stage.ts";

/** What the script of `setup confine` needs, for an `e2eTest()`. */
export const CONFINE: readonly string[] = [
  "socat",
  "bwrap",
  "ip",
  ...unless(succeeds("unshare", "-rnm", "true"), "a network namespace"),
];

/** Port of 127.0.0.1 that leads to the proxy, inside. */
export const INSIDE = 9100;

/** The script as users get it. */
export const CONFINE_SCRIPT: string = `${
  describeSetup(clientNamed("confine"), { hostname: "127.0.0.1", port: INSIDE }).settings
}\n`;

/**
 * A network with a way out that counts: whoever connects somewhere sends packets on it, and gets no answer. Its name
 * server is there too. Run with a folder, where the count goes, and a command.
 */
const NETWORK = `dir=$1
shift
set -e
ip link set lo up
ip link add way type veth peer name end
for link in way end; do
  echo 1 >/proc/sys/net/ipv6/conf/$link/disable_ipv6
  ip link set $link up
done
ip address add 192.0.2.2/24 dev way
ip neighbour add 192.0.2.1 lladdr 02:00:00:00:00:01 dev way
ip route add default via 192.0.2.1
echo nameserver 192.0.2.1 >"$dir/resolv.conf"
mount --bind "$dir/resolv.conf" /etc/resolv.conf
set +e
"$@"
code=$?
sed -n 's/^ *way://p' /proc/net/dev | { read -r _ _ _ _ _ _ _ _ _ sent _; echo $sent >"$dir/sent"; }
exit $code`;

/** Runs a program with a port that leads through a socket to the proxy. */
const BRIDGED = `socat TCP-LISTEN:${INSIDE},bind=127.0.0.1,fork,reuseaddr UNIX-CONNECT:"$1" &
shift
trap : TERM
"$@"
code=$?
kill $!
exit $code`;

/** What became of a program in the network. */
export interface NetworkRun extends CommandResult {
  /** Packets that left it, whoever sent them. */
  sent: number;
}

/** A network with programs in it, and with a way to the proxy of a stage. */
export interface Network extends AsyncDisposable {
  /** Runs a program in it. */
  run(program: readonly string[], options?: NetworkOptions): Promise<NetworkRun>;
  /** A program with what leads to the proxy beside it, as in the script. */
  bridged(program: readonly string[]): string[];
  /** Runs a program in it, started by the script. */
  confined(program: readonly string[], options?: NetworkOptions & { flags?: readonly string[] }): Promise<NetworkRun>;
}

/** How a program is run. */
interface NetworkOptions {
  /** Environment variables. */
  env?: Record<string, string>;
  /** Milliseconds until the program gets SIGTERM. @default {40_000} */
  timeout?: number;
}

/** Opens a door to the proxy, and writes the script into the stage's folder. */
export async function makeNetwork({ scratch: { dir, file }, port }: ClientStage): Promise<Network> {
  const script = await file("i2p-run", CONFINE_SCRIPT);
  const door = `${dir}/door`;
  const relay = spawnProxy({
    program: "socat",
    args: ["-t", "1", `UNIX-LISTEN:${door},fork`, `TCP:127.0.0.1:${port}`],
  });
  const run = async (
    program: readonly string[],
    { env = {}, timeout = 40_000 }: NetworkOptions = {},
  ): Promise<NetworkRun> => {
    const bounded = ["timeout", "--kill-after=5", `${timeout / 1000}`, ...program];
    const result = await runCommand("unshare", ["-rnm", "sh", "-c", NETWORK, "sh", dir, ...bounded], {
      timeout: timeout + 20_000,
      env: { HOME: dir, PATH: `${Deno.env.get("PATH")}:/usr/sbin:/sbin`, LANG: "C.UTF-8", ...env },
    });
    return { ...result, sent: Number(await Deno.readTextFile(`${dir}/sent`)) };
  };
  return {
    run,
    bridged: (program) => ["sh", "-c", BRIDGED, "sh", door, ...program],
    confined: (program, { flags = [], ...options } = {}) =>
      run(["sh", script, "--proxy", `unix:${door}`, ...flags, "--", ...program], options),
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  };
}
