import { encodeI2pBase64 } from "../../lib/i2p/base64.ts";
import { b32Address, publicPart } from "../../lib/i2p/destination.ts";
import { findProgram } from "../support/e2e.ts";
import { concat } from "../support/bytes.ts";
import { greet, NETWORK, reachSite } from "./i2pd.ts";
import { Daemon, freePorts, type Router } from "./router.ts";
import { SamSocket } from "./sam.ts";

/** The login of the second bridge. */
export const LOGIN = { user: "suite", password: "correct horse" };

/** Hops of each tunnel. */
const HOPS = 0;

const NAME = "site.i2p";

/** Where jars are in an installation, and in a tree of sources that was built. */
const JAR_FOLDERS = ["lib", "build", "."];

/** The jars of a folder of Java I2P, with those that the suite cannot do without. */
export function javaJars(folder: string): string[] {
  for (const place of JAR_FOLDERS) {
    const jars = list(`${folder}/${place}`).filter((name) => name.endsWith(".jar"));
    const needed = ["i2p.jar", "router.jar", "sam.jar", "mstreaming.jar", "streaming.jar", "i2ptunnel.jar"];
    if (needed.every((name) => jars.includes(name))) return jars.map((name) => `${folder}/${place}/${name}`);
  }
  return [];
}

/** The version of the router in a folder. */
export async function javaVersion(folder: string): Promise<string | undefined> {
  const { stdout } = await new Deno.Command("java", {
    args: ["-cp", javaJars(folder).join(":"), "net.i2p.CoreVersion"],
    stderr: "null",
  }).output();
  return /(\d+\.\d+\.\d+)/.exec(new TextDecoder().decode(stdout))?.[1];
}

/**
 * Starts Java I2P as the only router of its network, with tunnels of no hop, and waits until its own proxy reaches the
 * site.
 */
export async function startJava(folder: string, version: string, dir: string, site: { port: number }): Promise<Router> {
  const java = findProgram("java") ?? "java";
  const [sam = 0, login = 0, socks = 0, i2cp = 0, closed = 0, ntcp2 = 0] = await freePorts(6);
  const at = { sam, login, socks, i2cp, closed };
  const home = `${dir}/r0`;
  await Deno.mkdir(home);
  await Deno.writeTextFile(`${home}/router.config`, routerConfig(ntcp2, i2cp));
  // Both would write their logins into one file, and so both ask for them.
  for (const index of [0, 1]) await Deno.writeTextFile(`${home}/sam${index}.config`, "");
  await Deno.writeTextFile(`${home}/clients.config`, clientConfig(at));
  await Deno.writeTextFile(`${home}/i2ptunnel.config`, tunnelConfig(at, site.port));
  await Deno.writeTextFile(`${home}/logger.config`, "logger.defaultLevel=WARN\nlogger.displayOnScreen=false\n");
  const args = [
    ...["-Xmx512m", `-Di2p.dir.base=${home}`, `-Di2p.dir.config=${home}`, "-Djava.net.preferIPv4Stack=true"],
    ...["-Djava.awt.headless=true", "-cp", javaJars(folder).join(":"), "net.i2p.router.Router"],
  ];
  await using stack = new AsyncDisposableStack();
  const daemon = stack.use(new Daemon(java, args, `${home}/output`, { cwd: home }));
  const start = async (): Promise<void> => {
    // A killed router leaves it, and the next one would wait for that one's end.
    await Deno.remove(`${home}/router.ping`).catch(() => {});
    daemon.start();
    await greet(at.sam);
  };
  const keys = await Promise.all(["site", "down", "socks"].map(async (name) => {
    const blob = await makeKeys();
    await Deno.writeFile(`${home}/${name}.dat`, blob, { mode: 0o600 });
    return publicPart(blob);
  }));
  const [destination, down] = keys;
  if (destination === undefined || down === undefined) throw new Error("No keys");
  await Deno.writeTextFile(`${home}/hosts.txt`, `${NAME}=${encodeI2pBase64(destination)}\n`);
  await start();
  await demandLogin(at.login);
  const ways = {
    ...{ sam: at.sam, samUdp: at.sam - 1, samLogin: at.login, socks: at.socks },
    ...{ site: await b32Address(destination), down: await b32Address(down), name: NAME },
  };
  await reachSite(ways);
  const everything = stack.move();
  return {
    label: `Java I2P ${version}`,
    hops: HOPS,
    ways,
    options: ["inbound", "outbound"].flatMap((way) => [`${way}.length=${HOPS}`, `${way}.quantity=1`]),
    flags: ["--length", `${HOPS}`, "--quantity", "1", "--sam-udp", `${ways.samUdp}`],
    hasPrimary: true,
    sharesDestinations: false,
    complaints: async () => {
      const logs = list(`${home}/logs`).filter((name) => name.endsWith(".txt"));
      const texts = await Promise.all(logs.map((name) => Deno.readTextFile(`${home}/logs/${name}`)));
      return texts.join("").split("\n").filter((line) => /(ERROR|CRIT) .*sam\.SAM/i.test(line));
    },
    crashed: () => daemon.crashed(),
    kill: () => daemon.kill(),
    start,
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

/** Keys of a service, as its file has them, so that its address is known before the router starts. */
async function makeKeys(): Promise<Uint8Array<ArrayBuffer>> {
  const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign", "verify"]);
  if (!("privateKey" in pair)) throw new Error("No pair of keys");
  const signing = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  const seed = new Uint8Array(await crypto.subtle.exportKey("pkcs8", pair.privateKey)).slice(-32);
  const encryption = crypto.getRandomValues(new Uint8Array(256));
  const padding = crypto.getRandomValues(new Uint8Array(96));
  // A key certificate: EdDSA_SHA512_Ed25519, and an encryption key that nobody uses.
  const certificate = Uint8Array.of(5, 0, 4, 0, 7, 0, 0);
  const unused = crypto.getRandomValues(new Uint8Array(256));
  return concat(encryption, padding, signing, certificate, unused, seed);
}

/** Tells the second bridge its login, and to ask for one from then on, after restarts too. */
async function demandLogin(sam: number): Promise<void> {
  await greet(sam);
  using socket = await SamSocket.connect(sam);
  await socket.ask("HELLO VERSION MIN=3.2 MAX=3.3");
  await socket.ask(`AUTH ADD USER=${LOGIN.user} PASSWORD="${LOGIN.password}"`);
  await socket.ask("AUTH ENABLE");
}

/**
 * All that would leave the machine is off. UPnP stays on in the settings, as some versions do not start without it; they
 * look for devices only where they have no address that looks public, which theirs does.
 */
function routerConfig(ntcp2: number, i2cp: number): string {
  const bandwidth = ["inbound", "outbound"].flatMap((way) => [
    `i2np.bandwidth.${way}KBytesPerSecond=100000`,
    `i2np.bandwidth.${way}BurstKBytesPerSecond=100000`,
  ]).join("\n");
  return `router.networkID=${100 + Math.floor(Math.random() * 100)}
router.floodfillParticipant=true
router.reseedDisable=true
router.updateDisabled=true
router.blocklist.enable=false
router.disableTunnelTesting=true
router.inboundPool.length=0
router.outboundPool.length=0
router.inboundPool.allowZeroHop=true
router.outboundPool.allowZeroHop=true
time.disabled=true
time.sntpServerList=127.0.0.1
i2np.allowLocal=true
i2np.udp.enable=false
i2np.udp.addressSources=hidden
i2np.ntcp.enable=true
i2np.ntcp.autoip=false
i2np.ntcp.hostname=${NETWORK}.1
i2np.ntcp.bindInterface=${NETWORK}.1
i2np.ntcp.autoport=false
i2np.ntcp.port=${ntcp2}
i2cp.maxSessions=100
i2cp.hostname=127.0.0.1
i2cp.port=${i2cp}
${bandwidth}
i2p.naming.impl=net.i2p.client.naming.HostsTxtNamingService
geoip.dat=none
`;
}

function clientConfig(at: { sam: number; login: number; i2cp: number }): string {
  const bridge = (index: number, sam: number, udp: number): string =>
    `clientApp.${index}.main=net.i2p.sam.SAMBridge
clientApp.${index}.name=SAM ${index}
clientApp.${index}.args=-c sam${index}.config sam${index}.keys 127.0.0.1 ${sam} i2cp.tcp.host=127.0.0.1 i2cp.tcp.port=${at.i2cp} sam.udp.host=127.0.0.1 sam.udp.port=${udp}
clientApp.${index}.startOnLoad=true
clientApp.${index}.delay=0
`;
  return `${bridge(0, at.sam, at.sam - 1)}${bridge(1, at.login, at.login - 1)}
clientApp.2.main=net.i2p.i2ptunnel.TunnelControllerGroup
clientApp.2.name=Tunnels
clientApp.2.args=i2ptunnel.config
clientApp.2.delay=0
clientApp.2.startOnLoad=true
`;
}

function tunnelConfig(at: { socks: number; i2cp: number; closed: number }, site: number): string {
  const tunnel = (index: number, name: string, lines: readonly string[]): string =>
    [
      `name=${name}`,
      ...lines,
      "i2cpHost=127.0.0.1",
      `i2cpPort=${at.i2cp}`,
      "startOnLoad=true",
      ...["inbound", "outbound"].flatMap((way) => [`option.${way}.length=${HOPS}`, `option.${way}.quantity=1`]),
    ].map((line) => `tunnel.${index}.${line}\n`).join("");
  const server = (name: string, port: number): string[] => [
    ...["type=server", "targetHost=127.0.0.1", `targetPort=${port}`, `privKeyFile=${name}.dat`],
    ...["option.i2cp.destination.sigType=7", "option.i2cp.leaseSetEncType=4"],
    // As many callers as there are, however fast they come.
    ...["option.i2p.streaming.limitsManuallySet=true", "option.i2p.streaming.maxConnsPerMinute=0"],
    ...["option.i2p.streaming.maxTotalConnsPerMinute=0", "option.i2p.streaming.maxConcurrentStreams=0"],
  ];
  return tunnel(0, "socks", [
    ...["type=sockstunnel", "sharedClient=false", "interface=127.0.0.1", `listenPort=${at.socks}`],
    ...["option.i2cp.leaseSetEncType=4", "option.i2cp.destination.sigType=7"],
    ...["option.persistentClientKey=true", "privKeyFile=socks.dat"],
  ]) + tunnel(1, "site", server("site", site)) + tunnel(2, "down", server("down", at.closed));
}

function list(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name);
  } catch {
    return [];
  }
}
