import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { decodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address, publicPart } from "../../lib/i2p/destination.ts";

import { greet, introduce, reachSite } from "./i2pd.ts";
import { Daemon, eventually, freePorts, type Router, SAM_TIMEOUT, sleep } from "./router.ts";

const NAME = "site.i2p";

/** The network of the tool that makes one; not that of I2P. */
const NETWORK_ID = 0xab;

/** Routers of the network besides the one under test. */
const FLOODFILLS = 2;
const OTHERS = 2;

/** Hops of each tunnel: the bridge refuses sessions without any. */
const HOPS = 1;

/** The version that a binary says it is. */
export async function emissaryVersion(program: string): Promise<string | undefined> {
  const { stdout } = await new Deno.Command(program, { args: ["--version"], stderr: "null" }).output();
  return /(\d+\.\d+\.\d+)/.exec(new TextDecoder().decode(stdout))?.[1];
}

/**
 * Starts emissary, and beside it the local network that it makes for development; both keep to loopback. Waits until
 * its own proxy reaches the site.
 */
export async function startEmissary(
  program: string,
  version: string,
  dir: string,
  site: { port: number },
): Promise<Router> {
  const [sam = 0, socks = 0, i2cp = 0, ntcp2 = 0, closed = 0] = await freePorts(5);
  const home = `${dir}/r0`;
  const network = `${dir}/network`;
  await using stack = new AsyncDisposableStack();
  const others = stack.use(
    new Daemon(
      program,
      ["devnet", "--num-floodfills", `${FLOODFILLS}`, "--num-routers", `${OTHERS}`, "--path", network],
      `${dir}/network.output`,
      { env: { HOME: dir } },
    ),
  );
  others.start();
  await Deno.mkdir(`${home}/addressbook/destinations`, { recursive: true });
  const infos = await eventually(
    "network",
    SAM_TIMEOUT,
    () =>
      Promise.all(
        Array.from({ length: FLOODFILLS + OTHERS }, (_, i) => Deno.readFile(`${network}/routerInfo${i}.dat`)),
      ),
  );
  const known = new Map<string, Uint8Array>();
  for (const info of infos) {
    known.set(encodeI2pBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", publicPart(info)))), info);
  }
  await introduce(known, home);
  await Deno.writeTextFile(`${home}/router.toml`, config({ sam, socks, i2cp, ntcp2, closed, site: site.port }));
  const daemon = stack.use(
    new Daemon(
      program,
      [
        ...["--base-path", home, "--disable-reseed", "--disable-upnp", "--disable-nat-pmp", "--disable-metrics"],
        ...["--disable-ui"],
      ].filter((flag) => flag !== "--disable-ui"),
      `${dir}/output`,
      { env: { HOME: dir, NO_COLOR: "1" } },
    ),
  );
  const start = async (): Promise<void> => {
    daemon.start();
    await greet(sam);
  };
  await start();
  const [destination, down] = await eventually(
    "keys",
    SAM_TIMEOUT,
    () =>
      Promise.all(
        ["site", "down"].map(async (name) =>
          publicPart(decodeI2pBase64((await Deno.readTextFile(`${home}/${name}.dat`)).trim()))
        ),
      ),
  );
  if (destination === undefined || down === undefined) throw new Error("No keys");
  const ways = {
    ...{ sam, samUdp: sam - 1, socks, name: NAME },
    ...{ site: await b32Address(destination), down: await b32Address(down) },
  };
  // It reads its address book at the start only.
  await Deno.writeTextFile(`${home}/addressbook/addresses`, `${NAME}=${ways.site.slice(0, 52)}\n`);
  await Deno.writeTextFile(`${home}/addressbook/destinations/${NAME}.txt`, encodeI2pBase64(destination));
  await daemon.kill();
  await sleep(100);
  await start();
  await reachSite(ways);
  const everything = stack.move();
  return {
    label: `emissary ${version}`,
    hops: HOPS,
    ways,
    options: ["inbound", "outbound"].flatMap((way) => [`${way}.length=${HOPS}`, `${way}.quantity=2`]),
    flags: ["--length", `${HOPS}`, "--quantity", "2", "--sam-udp", `${ways.samUdp}`],
    hasPrimary: true,
    sharesDestinations: false,
    complaints: async () => {
      const log = await Deno.readTextFile(`${dir}/output`).catch(() => "");
      return log.split("\n").filter((line) => /(ERROR|WARN).*emissary::sam/.test(line));
    },
    crashed: () => daemon.crashed(),
    kill: () => daemon.kill(),
    start,
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

/** All that would leave the machine is off: what is not named here is off, reseeds by an option of the command. */
function config(
  at: { sam: number; socks: number; i2cp: number; ntcp2: number; closed: number; site: number },
): string {
  const tunnel = (name: string, port: number): string => `
[[server-tunnels]]
name = "${name}"
port = ${port}
destination_path = "${name}.dat"
`;
  return `allow_local = true
insecure_tunnels = true
floodfill = false
caps = "XR"
net_id = ${NETWORK_ID}
log = "emissary::sam=debug"

[bandwidth]
bandwidth = 100000000
share_ratio = 0.9

[ntcp2]
port = ${at.ntcp2}
ipv4_host = "127.0.0.1"
ipv4 = true
ipv6 = false
publish = true

[sam]
tcp_port = ${at.sam}
udp_port = ${at.sam - 1}
host = "127.0.0.1"

[i2cp]
port = ${at.i2cp}
host = "127.0.0.1"

[socks-proxy]
port = ${at.socks}
host = "127.0.0.1"

[address-book]

[exploratory]
inbound_len = 1
inbound_count = 2
outbound_len = 1
outbound_count = 2

[transit]
max_tunnels = 1000
${tunnel("site", at.site)}${tunnel("down", at.closed)}`;
}
