import { assert, assertEquals } from "@std/assert";
import { ownIdentifiers } from "../../lib/server/machine.ts";
import { spawnProxy } from "../support/proxy_process.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { socksConnect } from "../support/socks_client.ts";
import { parseTalk } from "../support/talk.ts";

/** Variables that may name the user, or the home folder. */
const VARIABLES = ["USER", "LOGNAME", "USERNAME", "HOME", "USERPROFILE"];

/** Sets variables, and puts back what was there. */
function withVariables(values: Readonly<Record<string, string>>): Disposable {
  const before = new Map(VARIABLES.map((name) => [name, Deno.env.get(name)]));
  const set = (name: string, value: string | undefined): void =>
    value === undefined ? Deno.env.delete(name) : Deno.env.set(name, value);
  for (const name of VARIABLES) set(name, values[name]);
  return { [Symbol.dispose]: () => before.forEach((value, name) => set(name, value)) };
}

Deno.test({
  name: "ownIdentifiers() finds addresses, host name, user and home",
  permissions: { env: true, sys: ["hostname", "networkInterfaces"] },
  fn: () => {
    using _variables = withVariables({ LOGNAME: "alicia", USERPROFILE: "C:\\Users\\alicia" });
    const { identifiers, missing } = ownIdentifiers();
    assertEquals(missing, []);
    assertEquals(identifiers.addresses, Deno.networkInterfaces().map(({ address }) => address));
    assertEquals(identifiers.hostName, Deno.hostname());
    assertEquals([identifiers.userName, identifiers.home], ["alicia", "C:\\Users\\alicia"]);
  },
});

Deno.test({
  name: "ownIdentifiers() takes the first variable that is set, and passes over empty ones",
  permissions: { env: true, sys: false },
  fn: () => {
    using _variables = withVariables({ USER: "", LOGNAME: "first", USERNAME: "second", HOME: "/home/first" });
    const { identifiers, missing } = ownIdentifiers();
    assertEquals([identifiers.userName, identifiers.home], ["first", "/home/first"]);
    assertEquals(missing, ["sys networkInterfaces", "sys hostname"]);
  },
});

Deno.test({
  name: "ownIdentifiers() without permissions finds nothing, asks for nothing, and names what is missing",
  permissions: "none",
  fn: () => {
    assertEquals(ownIdentifiers(), {
      identifiers: { addresses: [] },
      missing: ["sys networkInterfaces", "sys hostname", ...VARIABLES.map((name) => `env ${name}`)],
    });
  },
});

Deno.test("with fewer permissions the program warns once and serves; with --leaks off it has nothing to warn of", async () => {
  await using bridge = await startSamBridge();
  const grants = ["--allow-env=I2P_SOCKS_*,USER,LOGNAME,USERNAME", "--allow-net=127.0.0.1", "--allow-sys=hostname"];
  const missing = "missing permission sys networkInterfaces, env HOME, env USERPROFILE";
  for (const [mode, warnings] of [["warn", 1], ["block", 1], ["off", 0]] as const) {
    const args = ["main.ts", "--listen", "127.0.0.1:0", "--sam", `127.0.0.1:${bridge.port}`, "--leaks", mode];
    await using child = spawnProxy({
      program: Deno.execPath(),
      args: ["run", "--no-prompt", "--quiet", ...grants, ...args],
    });
    await child.waitFor("stdout", /^ready .*\n/, 30_000);
    const port = Number(/ listen=127\.0\.0\.1:(\d+) /.exec(child.stdout())?.[1]);
    const { reply, conn } = await socksConnect(port, "unknown.i2p", 80);
    conn.close();
    assertEquals(reply.code, 4);
    assertEquals(await child.stop("SIGTERM"), 143);
    const warned = parseTalk(child.stderr()).log.filter((line) => line.includes(" warn "));
    assertEquals(warned.length, warnings, child.stderr());
    assert(warned.every((line) => line.endsWith(missing)), warned.join("\n"));
  }
});
