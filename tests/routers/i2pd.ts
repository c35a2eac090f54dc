import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address, publicPart } from "../../lib/i2p/destination.ts";
import { fetchBy } from "./client.ts";
import { Daemon, eventually, freePorts, port, type Router, SAM_TIMEOUT, SITE_TIMEOUT, type Ways } from "./router.ts";
import { SamSocket } from "./sam.ts";
import { GREETING } from "./web.ts";

/** How many routers there are, and how long tunnels are. */
export interface I2pdNet {
  /** Hops of each tunnel. */
  hops: number;
}

/** Versions before this minor one read their own lease sets back in the older type, so that one router makes a network. */
const FIRST_WITHOUT_OLD_LEASE_SETS = 48;

/** The router under test, and the floodfill that has the services: a newer one alone often finds no new lease set. */
const ROUTERS = 2;

/** The same with four between them, where tunnels have hops. */
const HOP_ROUTERS = 6;

/** Of the namespace: not among the ranges that i2pd takes no connection from, and nobody's on the internet (RFC 2544). */
export const NETWORK = "198.18.57";

const NAME = "site.i2p";

/** The version that a binary says it is; undefined where it says none. */
export async function i2pdVersion(program: string): Promise<string | undefined> {
  const { stdout } = await new Deno.Command(program, { args: ["--version"], stderr: "null" }).output();
  return /version (\d+\.\d+\.\d+)/.exec(new TextDecoder().decode(stdout))?.[1];
}

/** Starts i2pd with a private network of its own, and waits until its own proxy reaches the site. */
export async function startI2pd(
  program: string,
  version: string,
  dir: string,
  site: { port: number },
  { hops }: I2pdNet,
): Promise<Router> {
  const minor = Number(version.split(".")[1]);
  const isAlone = hops === 0 && minor < FIRST_WITHOUT_OLD_LEASE_SETS;
  const leaseSet = isAlone ? ["i2cp.leaseSetType=1", "i2cp.leaseSetEncType=0"] : [];
  const count = hops > 0 ? HOP_ROUTERS : isAlone ? 1 : ROUTERS;
  const quantity = hops === 0 ? 1 : 2;
  const [sam, socks, closed, ...others] = await freePorts(3 + count);
  const ports = {
    sam: sam ?? 0,
    socks: socks ?? 0,
    closed: closed ?? 0,
    hasUdpSetting: minor >= 47,
  };
  const netid = 100 + Math.floor(Math.random() * 100);
  const tunnels = { hops, quantity, leaseSet };

  const dirs = Array.from({ length: count }, (_, i) => `${dir}/r${i}`);
  // Those beside the one under test: where 2.45.1 has hops, all of them may end at once.
  const daemons = dirs.map((home, i) =>
    new Daemon(program, [`--conf=${home}/i2pd.conf`, `--datadir=${home}`], `${home}/output`, { revives: i > 0 })
  );
  for (const [i, home] of dirs.entries()) {
    await Deno.mkdir(home);
    // Several do not take connections from loopback.
    const address = isAlone ? `127.0.57.${1 + Math.floor(Math.random() * 250)}` : `${NETWORK}.${i + 1}`;
    const place = { address, port: port(others, i), netid, isFirst: i === 0, isLast: i === count - 1, count };
    await Deno.writeTextFile(`${home}/i2pd.conf`, routerConfig(home, place, ports, tunnels));
    const services = i < count - 1 ? "" : service("site", site.port, tunnels) + service("down", ports.closed, tunnels);
    await Deno.writeTextFile(`${home}/tunnels.conf`, services);
    await Deno.writeTextFile(`${home}/subscriptions.txt`, "# none\n");
  }
  const last = dirs.at(-1) ?? dir;
  await using stack = new AsyncDisposableStack();
  for (const daemon of daemons) stack.use(daemon);

  // The first start makes the keys: the address book has to have the name from its own first start on.
  for (const daemon of daemons) daemon.start();
  const keys = await eventually("keys", SAM_TIMEOUT, () =>
    Promise.all([
      ...["site", "down"].map(async (name) => publicPart(await Deno.readFile(`${last}/${name}.dat`))),
      ...dirs.map((home) => complete(`${home}/router.info`)),
    ]));
  for (const daemon of daemons) await daemon.kill("SIGTERM");
  const [destination, down] = keys;
  if (destination === undefined || down === undefined) throw new Error("No keys");
  // Each of them: with an empty book and nowhere to load one from, 2.45.1 ends by itself after three minutes.
  for (const home of dirs) {
    await Deno.writeTextFile(`${home}/hosts.txt`, `${NAME}=${encodeI2pBase64(destination)}\n`);
    await Deno.remove(`${home}/addressbook`, { recursive: true }).catch(() => {});
  }
  if (count > 1) await acquaint(dirs);

  const start = async (daemon: Daemon): Promise<void> => {
    daemon.start();
    await greet(ports.sam);
  };
  const first = daemons[0] ?? fail();
  for (const daemon of daemons.slice(1)) daemon.start();
  await start(first);
  const ways: Ways = {
    ...{ sam: ports.sam, samUdp: ports.sam - 1, socks: ports.socks },
    ...{ site: await b32Address(destination), down: await b32Address(down), name: NAME },
  };
  await reachSite(ways);
  const everything = stack.move();
  const options = [
    ...["inbound", "outbound"].flatMap((way) => [`${way}.length=${hops}`, `${way}.quantity=${quantity}`]),
    ...leaseSet,
  ];
  return {
    label: `i2pd ${version}`,
    hops,
    ways,
    options,
    flags: [
      ...["--length", `${hops}`, "--quantity", `${quantity}`, "--sam-udp", `${ways.samUdp}`],
      ...leaseSet.flatMap((option) => ["-o", option]),
    ],
    hasPrimary: false,
    sharesDestinations: true,
    complaints: async () => {
      const log = await Deno.readTextFile(`${dirs[0]}/i2pd.log`).catch(() => "");
      // It calls every end of a connection an error.
      return log.split("\n").filter((line) =>
        /error - .*SAM/.test(line) && !/End of file|Operation canceled/.test(line)
      );
    },
    crashed: () => first.crashed(),
    kill: () => first.kill(),
    start: () => start(first),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

/** Waits until the bridge answers HELLO. */
export async function greet(sam: number): Promise<void> {
  await eventually("HELLO", SAM_TIMEOUT, async () => {
    using socket = await SamSocket.connect(sam);
    const answer = await socket.ask("HELLO VERSION MIN=3.0 MAX=3.3", 5000);
    if (!answer.includes("RESULT=OK")) throw new Error(answer);
  });
}

/** Waits until the router's own proxy reaches the site. */
export async function reachSite(ways: Ways, timeout: number = SITE_TIMEOUT): Promise<void> {
  await eventually("answer of the site through the router's own proxy", timeout, async () => {
    const { text } = await fetchBy(ways.socks ?? 0, ways.site, "/", { timeout: 10_000 });
    if (text !== GREETING) throw new Error(`the site says "${text}"`);
  });
}

/** A file that is not being written any more, as far as its length shows. */
async function complete(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await Deno.readFile(path);
  if (bytes.length < 440) throw new Error(`${path} has ${bytes.length} bytes`);
  return bytes;
}

/** What a router tells of itself, by the hash of its identity in I2P base64. */
export type RouterInfos = ReadonlyMap<string, Uint8Array>;

/** Lets routers that are not running know each other, as a reseed would. */
export async function acquaint(homes: readonly string[]): Promise<RouterInfos> {
  const infos = new Map<string, Uint8Array>();
  for (const home of homes) {
    const info = await Deno.readFile(`${home}/router.info`);
    infos.set(encodeI2pBase64(new Uint8Array(await crypto.subtle.digest("SHA-256", publicPart(info)))), info);
  }
  for (const home of homes) await introduce(infos, home);
  return infos;
}

/** Lets a router that is not running know others. */
export async function introduce(infos: RouterInfos, home: string): Promise<void> {
  for (const [hash, info] of infos) {
    const folder = `${home}/netDb/r${hash[0]}`;
    await Deno.mkdir(folder, { recursive: true });
    await Deno.writeFile(`${folder}/routerInfo-${hash}.dat`, info);
  }
}

interface Tunnels {
  hops: number;
  quantity: number;
  leaseSet: readonly string[];
}

interface Place {
  address: string;
  port: number;
  netid: number;
  isFirst: boolean;
  isLast: boolean;
  count: number;
}

function lengths(inbound: number, outbound: number, quantity: number): string {
  return `inbound.length = ${inbound}
outbound.length = ${outbound}
inbound.quantity = ${quantity}
outbound.quantity = ${quantity}
`;
}

/** All that would leave the machine is off: reseeds, subscriptions, UPnP, the time, and every address but its own. */
function routerConfig(
  dir: string,
  { address, port, netid, isFirst, isLast, count }: Place,
  ports: { sam: number; socks: number; hasUdpSetting: boolean },
  { hops, quantity }: Tunnels,
): string {
  const exploratory = Math.min(hops, 1);
  // Where there are hops, those at the ends look slow, so that the others make them.
  const bandwidth = count > ROUTERS && (isFirst || isLast) ? "L" : "X";
  return `tunconf = ${dir}/tunnels.conf
log = file
logfile = ${dir}/i2pd.log
loglevel = warn
netid = ${netid}
floodfill = ${isLast}
bandwidth = ${bandwidth}
host = ${address}
address4 = ${address}
port = ${port}
ipv4 = true
ipv6 = false
nat = false
reservedrange = false

[ntcp2]
published = true
[ssu2]
enabled = false
[upnp]
enabled = false
[nettime]
enabled = false
[reseed]
urls =
yggurls =
threshold = 0
[addressbook]
defaulturl =
subscriptions =
[persist]
profiles = false
[http]
enabled = false
[httpproxy]
enabled = false
[exploratory]
${lengths(exploratory, exploratory, hops === 0 ? 1 : 2)}
[socksproxy]
enabled = ${isFirst}
address = 127.0.0.1
port = ${ports.socks}
keys = socks.dat
${lengths(hops, hops, quantity)}
[sam]
enabled = ${isFirst}
address = 127.0.0.1
port = ${ports.sam}
${ports.hasUdpSetting ? `portudp = ${ports.sam - 1}\n` : ""}`;
}

function service(name: string, port: number, { hops, quantity, leaseSet }: Tunnels): string {
  // With hops outbound 2.45.1 often never publishes the lease set of a service.
  return `[${name}]
type = server
host = 127.0.0.1
port = ${port}
keys = ${name}.dat
${leaseSet.map((option) => `${option.replace("=", " = ")}\n`).join("")}${lengths(hops, 0, quantity)}`;
}

function fail(): never {
  throw new Error("No router");
}
