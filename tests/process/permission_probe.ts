/**
 * A program that tries what the proxy must not be able to do, first with what it was started with, then after
 * {@linkcode keepOnly}, and prints the outcomes as JSON. Run under the permission set of the project, and nowhere else:
 * where something is permitted, it is done.
 *
 * Arguments: the SAM port, another open port on 127.0.0.1 that also answers HTTP, an open port on ::1 or 0, a file to write
 * to; `udp` in front of them is for a program with --udp.
 */
import { giveBack, keepOnly } from "../../lib/command/permissions.ts";

/** Outcomes by name of the attempt: `done`, or the error's name and message. */
export type Outcomes = Record<string, string>;

/** What the probe prints. */
export interface ProbeReport {
  /** With the permissions of the start. */
  before: Outcomes;
  /** What {@linkcode keepOnly} returned. */
  left: string[];
  /** After {@linkcode keepOnly}. */
  after: Outcomes;
}

/** A directory that does not exist, so that nothing is written in case it is permitted. */
const NOWHERE = "/nowhere/of/the/permission/probe";

/** What is removed at the end, as the note of a running instance. */
const NOTE = `${Deno.args.at(-1)}.note`;

/** What is tried, by name. Modules are named by variables: the runtime loads others before it starts. */
function attempts(
  phase: string,
  [sam = 0, other = 0, ipv6 = 0]: number[],
  service: number,
): Record<string, () => unknown> {
  const connect = (hostname: string, port: number) => async (): Promise<void> => {
    (await Deno.connect({ hostname, port })).close();
  };
  const listen = (hostname: string) => (): void => Deno.listen({ hostname, port: 0 }).close();
  const datagram = (hostname: string, port: number) => async (): Promise<void> => {
    const conn = Deno.listenDatagram({ transport: "udp", hostname: "127.0.0.1", port: 0 });
    try {
      await conn.send(new Uint8Array(1), { transport: "udp", hostname, port });
    } finally {
      conn.close();
    }
  };
  const load = (module: string) => (): Promise<unknown> => import(module);
  const resolve = (port: number) => (): Promise<unknown> =>
    Deno.resolveDns("example.com", "A", { nameServer: { ipAddr: "127.0.0.1", port } });
  return {
    "connect SAM": connect("127.0.0.1", sam),
    "connect service": connect("127.0.0.1", service),
    "write note": () => Deno.writeTextFile(NOTE, ""),
    "connect service by another address": connect("::1", service),
    "connect 127.0.0.1": connect("127.0.0.1", other),
    "connect ::1": connect("::1", ipv6),
    "connect localhost": connect("localhost", other),
    "connect localhost SAM": connect("localhost", sam),
    "connect 127.0.0.1:53": connect("127.0.0.1", 53),
    "connect [::1]:53": connect("::1", 53),
    "connect 127.0.0.2": connect("127.0.0.2", other),
    "connect 0.0.0.0": connect("0.0.0.0", other),
    "connect 93.184.216.34": connect("93.184.216.34", 80),
    "connect example.com": connect("example.com", 80),
    "connect unix": () => Deno.connect({ transport: "unix", path: NOWHERE }),
    "fetch 127.0.0.1": async () => await (await fetch(`http://127.0.0.1:${other}/fetched`)).text(),
    "fetch example.com": () => fetch("http://example.com/"),
    "listen 127.0.0.1": listen("127.0.0.1"),
    "listen 0.0.0.0": listen("0.0.0.0"),
    "datagram 127.0.0.1": datagram("127.0.0.1", 9),
    "datagram 127.0.0.1:53": datagram("127.0.0.1", 53),
    "datagram 93.184.216.34": datagram("93.184.216.34", 9),
    "datagram socket 0.0.0.0": () => Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 }).close(),
    "resolve": () => Deno.resolveDns("example.com", "A"),
    "resolve 127.0.0.1:53": resolve(53),
    "resolve 127.0.0.1": resolve(other),
    "read": () => Deno.readTextFile("README.md"),
    "write": () => Deno.writeTextFile(Deno.args.at(-1) ?? NOWHERE, ""),
    "env I2P_SOCKS_PROBE": () => Deno.env.get("I2P_SOCKS_PROBE"),
    "env HOME": () => Deno.env.get("HOME"),
    "env USER": () => Deno.env.get("USER"),
    "env PATH": () => Deno.env.get("PATH"),
    "env": () => Deno.env.toObject(),
    "run": () => new Deno.Command("true").output(),
    "ffi": () => Deno.dlopen(NOWHERE, {}),
    "sys hostname": () => Deno.hostname(),
    "sys networkInterfaces": () => Deno.networkInterfaces(),
    "sys osRelease": () => Deno.osRelease(),
    "sys uid": () => Deno.uid(),
    "import file": load(new URL("../support/pure.ts", import.meta.url).href),
    "import http": load(`http://127.0.0.1:${other}/module.js`),
    "import https": load("https://deno.land/x/i2p_socks_probe/mod.js"),
    "import jsr": load("jsr:@std/ulid@1.0.0"),
    "import npm": load(`npm:i2p-socks-permission-probe-${phase}@1.0.0`),
    "request net": () => request({ name: "net", host: "127.0.0.1" }),
    "request read": () => request({ name: "read", path: "/" }),
  };
}

async function request(descriptor: Deno.PermissionDescriptor): Promise<void> {
  const { state } = await Deno.permissions.request(descriptor);
  if (state !== "granted") throw new Deno.errors.NotCapable(`Requires a permission that is ${state}`);
}

async function tryAll(tries: Record<string, () => unknown>): Promise<Outcomes> {
  const outcomes: Outcomes = {};
  for (const [name, attempt] of Object.entries(tries)) {
    try {
      await attempt();
      outcomes[name] = "done";
    } catch (error) {
      outcomes[name] = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    }
  }
  return outcomes;
}

if (import.meta.main) {
  const udp = Deno.args[0] === "udp";
  const ports = Deno.args.slice(udp ? 1 : 0, -1).map(Number);
  const service = Deno.listen({ hostname: "127.0.0.1", port: 0 }).addr;
  // These are permitted before: a resolver on another port is closed off only now, and a file is loaded only once.
  const {
    "resolve 127.0.0.1": _resolve,
    "import file": _import,
    "connect service by another address": _other,
    ...first
  } = attempts("before", ports, service.port);
  const before = await tryAll(first);
  const sam = { hostname: "127.0.0.1" as const, port: ports[0] ?? 0 };
  const rest = { hostname: "127.0.0.1" as const, port: ports[1] ?? 0 };
  const left = keepOnly({
    sam,
    services: [{ hostname: "127.0.0.1", port: service.port }, rest],
    udp,
    removing: [NOTE],
  });
  await Deno.remove(NOTE);
  // The ports of routers are kept for a while only.
  giveBack([rest, sam], [sam]);
  const report: ProbeReport = { before, left, after: await tryAll(attempts("after", ports, service.port)) };
  await Deno.remove(NOTE);
  console.log(JSON.stringify(report));
}
