import { assertEquals, assertStringIncludes } from "@std/assert";
import { diagnoseStranger, lookForSocks } from "../../lib/command/router_ports.ts";
import { proxyCommand, runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { freePort } from "../support/free_port.ts";
import { startHarness } from "../support/harness.ts";
import { startImpostor } from "../support/impostor.ts";
import { makeScratch } from "../support/scratch.ts";

/** A router that speaks to nobody, with SAM switched off. */
const I2PD = `ipv4 = false
ipv6 = false
nat = false
log = none
[sam]
enabled = false
[http]
port = 7070
[httpproxy]
enabled = false
[socksproxy]
enabled = false
[upnp]
enabled = false
[nettime]
enabled = false
[reseed]
threshold = 0
urls =
yggurls =
`;

/**
 * Runs the program in a network of its own, where each port is what the case says, once something listens at PORT. What was
 * started goes with the shell.
 */
const SCRIPT = `ip link set lo up
trap 'kill $(jobs -p)' EXIT
if [ -n "$SERVE" ]; then
  eval "exec $SERVE" > "$DIR/log" 2>&1 &
  for _ in $(seq 100); do ss -Hltn "sport = :$PORT" | grep -q . && break; sleep 0.1; done
fi
"$@"
`;

/** A line of shell that answers at a port with `$DIR/answer`, and closes a while later: what closes at once resets. */
function answer(port: number): string {
  return `socat TCP-LISTEN:${port},bind=127.0.0.1,fork,reuseaddr SYSTEM:'cat "$DIR/answer"; sleep 0.3'`;
}

/** What listens where, and what is said of it. */
const CASES: readonly { what: string; port: number; serve: string; text?: string; says: string; fix: string }[] = [
  { what: "no router", port: 0, serve: "", says: "no router is running", fix: "i2pd: start the router" },
  {
    what: "a real i2pd without SAM",
    port: 7070,
    serve: 'i2pd --datadir="$DIR" --conf="$DIR/i2pd.conf"',
    says: "but i2pd is running (its console is at 127.0.0.1:7070): SAM is off",
    fix: "set enabled = true under [sam] in i2pd.conf",
  },
  {
    what: "the console of Java I2P",
    port: 7657,
    serve: answer(7657),
    text: "HTTP/1.1 302 Found\r\n\r\n",
    says: "but Java I2P is running (its console is at 127.0.0.1:7657): SAM is off, or not started yet",
    fix: 'start the "SAM application bridge"',
  },
  {
    what: "a proxy of a router",
    port: 4444,
    serve: answer(4444),
    text: "HTTP/1.1 503 No\r\n\r\n",
    says: "but a router seems to run (its proxy is at 127.0.0.1:4444)",
    fix: "i2pd: set enabled = true",
  },
  {
    what: "a web server at SAM's port",
    port: 7656,
    serve: answer(7656),
    text: "HTTP/1.1 200 OK\r\n\r\n",
    says: "127.0.0.1:7656 is not a SAM bridge: it is a web server",
    fix: "give --sam the port of the [sam] section",
  },
  {
    what: "an SSH server at SAM's port",
    port: 7656,
    serve: answer(7656),
    text: "SSH-2.0-x\r\n",
    says: "127.0.0.1:7656 is not a SAM bridge: it is an SSH server",
    fix: "give --sam the port of the [sam] section",
  },
];

e2eTest(
  "check tells why SAM does not answer, by the other ports of routers",
  ["unshare", "ip", "ss", "socat", "i2pd"],
  async (t) => {
    for (const { what, port, serve, text, says, fix } of CASES) {
      await t.step(what, async () => {
        // Whatever asks for a session says the same, each in a network of its own; serve has the port of a router's SOCKS.
        const verbs = [["check", "--no-session"], ["serve"], ["connect", "a.i2p", "80"]];
        for (const verb of verbs) {
          await using scratch = await makeScratch();
          await scratch.file("i2pd.conf", I2PD);
          await scratch.file("answer", text ?? "");
          const env = { DIR: scratch.dir, PORT: `${port}`, SERVE: serve, DENO_NO_UPDATE_CHECK: "1" };
          const { program, args } = proxyCommand(verb);
          const { code, stdout, stderr } = await runCommand(
            "unshare",
            ["--net", "bash", "-c", SCRIPT, "bash", program, ...args],
            {
              env,
            },
          );
          assertEquals(code, 69, stdout + stderr);
          assertStringIncludes(stdout + stderr, says, verb[0]);
          assertStringIncludes(stdout + stderr, fix, verb[0]);
        }
      });
    }
  },
);

e2eTest(
  "while it waits for a router, log, /ready and status say why SAM does not answer",
  ["unshare", "ip", "ss", "socat", "curl"],
  async () => {
    await using scratch = await makeScratch();
    await scratch.file("answer", "HTTP/1.1 302 Found\r\n\r\n");
    const words = ["serve", "--listen", "127.0.0.1:0", "--status", "127.0.0.1:4448", "--wait", "1h"];
    const { program, args } = proxyCommand(words);
    const line = [program, ...args].map((word) => `'${word}'`).join(" ");
    // The status is asked for until the look at the ports is over.
    const script = SCRIPT + `${line} 2> "$DIR/serve" & served=$!
until grep -q 'not there yet' "$DIR/serve"; do sleep 0.1; done
until curl -s http://127.0.0.1:4448/ready | grep 'SAM is off'; do sleep 0.1; done
curl -s http://127.0.0.1:4448/ready
kill -TERM $served; wait $served; echo ===; cat "$DIR/serve"`;
    const env = { DIR: scratch.dir, PORT: "7657", SERVE: answer(7657), DENO_NO_UPDATE_CHECK: "1" };
    const { stdout } = await runCommand("unshare", ["--net", "bash", "-c", script, "bash", "true"], { env });
    const [says, fix] = [
      "but Java I2P is running (its console is at 127.0.0.1:7657)",
      'start the "SAM application bridge"',
    ];
    for (const text of stdout.split("===")) {
      assertStringIncludes(text, says);
      assertStringIncludes(text.replaceAll('\\"', '"'), fix);
    }
  },
);

Deno.test("lookForSocks() tells i2p-socks, nobody, and SOCKS of another program apart", async () => {
  const { signal } = new AbortController();
  const look = (port: number): Promise<string> => lookForSocks({ hostname: "127.0.0.1", port }, signal);
  await using router = startImpostor(async (conn) => {
    const buffer = new Uint8Array(100);
    await conn.read(buffer);
    if (buffer[0] === 5) await conn.write(Uint8Array.of(5, 0));
  });
  assertStringIncludes(await look(router.port), "a SOCKS proxy of another program, such as the router's");
  await using other = startImpostor(() => Promise.resolve());
  assertEquals(await look(other.port), "something that is not i2p-socks");
  assertEquals(await look(freePort()), "nobody");
  await using harness = await startHarness();
  assertEquals(await look(harness.port), "ours");
});

Deno.test("what may be an HTTP proxy is asked for no host: i2pd's would send that to its outproxy", async () => {
  const { signal } = new AbortController();
  const said: string[] = [];
  await using proxy = startImpostor(async (conn) => {
    const buffer = new Uint8Array(1_000);
    const request = new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
    said.push(request);
    await conn.write(new TextEncoder().encode("HTTP/1.1 500 Internal Server Error\r\n\r\nCan't detect host"));
  });
  const endpoint = { hostname: "127.0.0.1", port: proxy.port };
  assertEquals(await lookForSocks(endpoint, signal), "a web server");
  const diagnosis = await diagnoseStranger(endpoint, signal);
  assertStringIncludes(String(diagnosis?.says), "it is a web server");
  assertEquals(said.filter((request) => /^host:/im.test(request)), []);
  // A console answers nothing else.
  await using web = startImpostor(async (conn) => {
    const buffer = new Uint8Array(1_000);
    const request = new TextDecoder().decode(buffer.subarray(0, await conn.read(buffer) ?? 0));
    if (/^host:/im.test(request)) await conn.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n<i2pd>"));
  });
  assertEquals(await lookForSocks({ hostname: "127.0.0.1", port: web.port }, signal), "a web page of i2pd");
});
