import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  assertRefused,
  type ClientRun,
  type ClientStage,
  isolated,
  startClientStage,
} from "../clients/client_stage.ts";
import { saidBy } from "../clients/client_table.ts";
import { resolveName } from "../clients/socks_resolve.ts";
import type { Reason } from "../../lib/reasons/reasons.ts";
import { runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { startSite } from "../support/site.ts";
import { until } from "../support/wait.ts";

/** Addresses that stand for names, for clients that have to know one. */
const RANGE = "198.18.0.0/15";

const GET = "GET / HTTP/1.0\r\nHost: site.i2p\r\nConnection: close\r\n\r\n";

/** A program of Java that carries what a site says to stdout. Its sockets offer a login always. */
const JAVA = `
import java.net.*;

public class Get {
  public static void main(String[] args) throws Exception {
    Proxy proxy = new Proxy(Proxy.Type.SOCKS, new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])));
    try (Socket socket = new Socket(proxy)) {
      socket.connect(InetSocketAddress.createUnresolved(args[1], 80));
      socket.getOutputStream().write(${JSON.stringify(GET)}.getBytes("US-ASCII"));
      socket.getInputStream().transferTo(System.out);
    }
    System.out.flush();
  }
}
`;

/** A client that offers a login and has none: its programs, and how it gets a page. */
interface Offerer {
  /** Its name. */
  name: string;
  /** Programs that it needs. */
  needs: readonly string[];
  /** Whether its first connection fails, as it is asked for what it does not have. */
  failsOnce: boolean;
  /** How it ends for a name outside I2P. */
  refused: { exitCode: number; reason?: Reason };
  /** Gets the page of a host. */
  get(stage: ClientStage, host: string): Promise<ClientRun>;
}

const OFFERERS: readonly Offerer[] = [
  {
    name: "Java",
    needs: ["java", "javac"],
    failsOnce: false,
    refused: { exitCode: 1 },
    get: async ({ run, scratch, port }, host) => {
      await scratch.file("Get.java", JAVA);
      await runCommand("javac", ["-d", scratch.dir, `${scratch.dir}/Get.java`]);
      return await run("java", ["-cp", scratch.dir, "Get", `${port}`, host]);
    },
  },
  {
    name: "dante's socksify",
    needs: ["socksify", "curl"],
    failsOnce: true,
    refused: { exitCode: 7 },
    get: async ({ run, scratch, port }, host) => {
      const config = `resolveprotocol: fake
route {
  from: 0.0.0.0/0 to: 0.0.0.0/0 via: 127.0.0.1 port = ${port}
  proxyprotocol: socks_v5
  command: connect
  method: none username
}
`;
      const env = { SOCKS_CONF: await scratch.file("dante.conf", config) };
      return await run("socksify", ["curl", "-sS", "--max-time", "30", `http://${host}/`], { env });
    },
  },
  {
    name: "tsocks 1.8",
    needs: ["tsocks", "nc.openbsd"],
    failsOnce: true,
    refused: { exitCode: 0, reason: "ip" },
    get: async ({ run, scratch, port }, host) => {
      const lines = ["server = 127.0.0.1", `server_port = ${port}`, "server_type = 5", "local = 127.0.0.0/255.0.0.0"];
      const env = { TSOCKS_CONF_FILE: await scratch.file("tsocks.conf", `${lines.join("\n")}\n`) };
      const address = host.endsWith(".i2p") ? (await resolveName(port, host)).join(".") : "198.51.100.1";
      return await run("tsocks", ["nc.openbsd", address, "80"], { stdin: GET, env, timeout: 20_000 });
    },
  },
  {
    name: "PuTTY and plink",
    needs: ["plink"],
    failsOnce: true,
    refused: { exitCode: 1 },
    get: async ({ run, scratch, port }, host) => {
      const settings = {
        ...{ HostName: host, PortNumber: 80, Protocol: "raw", ProxyDNS: 2 },
        ...{ ProxyMethod: 2, ProxyHost: "127.0.0.1", ProxyPort: port },
      };
      const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
      await Deno.mkdir(`${scratch.dir}/.putty/sessions`, { recursive: true });
      await scratch.file(".putty/sessions/i2p", lines.join(""));
      return await run("plink", ["-batch", "-load", "i2p"], { stdin: GET, timeout: 20_000 });
    },
  },
  {
    name: "connect-proxy",
    needs: ["connect-proxy"],
    failsOnce: false,
    refused: { exitCode: 1 },
    get: async ({ run, socks }, host) =>
      await run("connect-proxy", ["-S", socks, "-R", "remote", host, "80"], { stdin: GET, timeout: 20_000 }),
  },
];

for (const { name, needs, failsOnce, refused, get } of OFFERERS) {
  e2eTest(`${name} offers a login that it does not have, and is served with the own identity`, [
    ...needs,
    "strace",
  ], async () => {
    const user = (await runCommand("id", ["-un"])).stdout.trim();
    await using site = await startSite();
    await using stage = await startClientStage({ "site.i2p": site.port }, ["--map-names", RANGE], { USER: user });
    const first = (await get(stage, "site.i2p")).stdout;
    if (failsOnce) {
      assert(!first.includes(site.token));
      await until("the log says so", () => stage.proxy.stderr().includes("offers a login that it may not have"));
      assert(!/reason=(handshake-timeout|malformed-request)/.test(stage.proxy.stderr()), stage.proxy.stderr());
      assertStringIncludes((await get(stage, "site.i2p")).stdout, site.token, stage.proxy.stderr());
    } else assertStringIncludes(first, site.token, stage.proxy.stderr());
    assertEquals(isolated(stage), 0, stage.proxy.stderr());
    await assertRefused(stage, await get(stage, "example.com"), { words: saidBy(name), ...refused });
  });
}
