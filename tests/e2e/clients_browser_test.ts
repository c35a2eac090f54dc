import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { saidBy } from "../clients/client_table.ts";
import { clientNamed, describeSetup } from "../../lib/cli/setup.ts";
import { type ClientStage, startClientStage, succeeds, unless } from "../clients/client_stage.ts";
import { type CommandResult, runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { spawnProxy } from "../support/proxy_process.ts";

/** A page that says what became of each thing that it includes. */
const PAGE = `<!doctype html>
<link rel="stylesheet" href="/style.css">
<p id="style"></p><p id="script"></p><p id="picture"></p><p id="tracker"></p>
<img src="http://pictures.i2p/dot.svg" onload="picture.textContent = 'picture came'">
<script src="/script.js"></script>
<script src="http://example.com/tracker.js" onerror="tracker.textContent = 'tracker failed'"></script>
<script>style.textContent = "colour " + getComputedStyle(document.body).color</script>
`;

/** A network without a way out; only the proxy's port leads to a socket outside. */
const NO_NETWORK = `ip link set lo up || exit 99
socat TCP-LISTEN:9100,bind=127.0.0.1,fork,reuseaddr UNIX-CONNECT:"$1" &
relay=$!
shift
timeout --kill-after=1 40 "$@"
code=$?
kill $relay
exit $code`;

const NEEDS = ["socat", "ip", ...unless(succeeds("unshare", "-rn", "true"), "a network namespace")];

e2eTest(
  "Chromium",
  ["chromium", ...NEEDS],
  async (t) => {
    const asked: string[] = [];
    await using site = serve(asked);
    await using stage = await startClientStage({ "site.i2p": site.port, "pictures.i2p": site.port });
    await using door = openDoor(stage);

    await t.step("loads a page with what it includes, except what is on the clearnet", async () => {
      const { stdout, stderr } = await browse(stage, door.path, "http://site.i2p/");
      for (const text of ["picture came", "script came", "tracker failed", "colour rgb(1, 2, 3)"]) {
        assertStringIncludes(stdout, text, stderr);
      }
      assertEquals(asked.filter((path) => path !== "/favicon.ico").sort(), [
        "/",
        "/dot.svg",
        "/script.js",
        "/style.css",
      ]);
      await stage.proxy.waitFor("stderr", /reason=clearnet/);
      await stage.proxy.waitFor("stderr", /leak=clearnet/);
      assert(!stage.proxy.stderr().includes("leak=dns"), "it looks names up itself");
    });

    await t.step("is refused a clearnet name, and shows so", async () => {
      // In a window, this word stands on the page that comes in place of the other.
      const { stderr } = await browse(stage, door.path, "http://example.com/");
      assertMatch(stderr, saidBy("Chromium"));
    });
  },
);

/** What the next page tells of, at its site. */
const REPORTS = ["/no-machine", "/no-tracker", "/no-webrtc", "/picture"];

/** It is loaded when all of them have come: the last picture is held back until then. */
const REPORTING_PAGE = `<!doctype html>
<img src="http://pictures.i2p/dot.svg" onload="fetch('/picture')">
<script src="http://example.com/tracker.js" onerror="fetch('/no-tracker')"></script>
<script>fetch("http://127.0.0.1:9100/", { mode: "no-cors" }).catch(() => fetch("/no-machine"))</script>
<script>if (!("RTCPeerConnection" in window)) fetch("/no-webrtc")</script>
<img src="/held.svg">
`;

e2eTest("Firefox, set up as setup says", ["firefox-esr", ...NEEDS], async () => {
  await using site = serveReporting();
  await using stage = await startClientStage({ "site.i2p": site.port, "pictures.i2p": site.port }, [
    "--log-destinations",
  ]);
  await using door = openDoor(stage);
  const { settings } = describeSetup(clientNamed("firefox"), { hostname: "127.0.0.1", port: 9100 });
  const profile = `${stage.scratch.dir}/profile`;
  await Deno.mkdir(profile);
  await Deno.writeTextFile(`${profile}/user.js`, settings);

  const browser = ["firefox-esr", "--headless", "--no-remote", "--profile", profile];
  const picture = ["--screenshot", `${stage.scratch.dir}/page.png`];
  const { stderr } = await runInside(stage, door.path, [...browser, ...picture, "http://site.i2p/"]);

  assertEquals([...site.reports].sort(), REPORTS, stderr);
  assertEquals(site.referers, [], "it tells a site which other one it comes from");
  const log = stage.proxy.stderr();
  assertMatch(log, /reason=clearnet .*destination=example\.com:80/);
  const addresses = [...log.matchAll(/reason=ip .*destination=(\S+)/g)].map(([, address]) => address);
  assertEquals([...new Set(addresses)], ["127.0.0.1:9100"], "it looks names up itself, or goes to this machine");
});

/** Serves {@linkcode REPORTING_PAGE}; in `referers` is where its pictures of another site were asked from. */
function serveReporting(): AsyncDisposable & { port: number; reports: Set<string>; referers: string[] } {
  const reports = new Set<string>();
  const referers: string[] = [];
  const { promise: all, resolve } = Promise.withResolvers<void>();
  const svg = (): Response =>
    new Response('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>', {
      headers: { "content-type": "image/svg+xml" },
    });
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    handler: async ({ url, headers }) => {
      const { pathname } = new URL(url);
      if (pathname === "/") return new Response(REPORTING_PAGE, { headers: { "content-type": "text/html" } });
      if (pathname === "/held.svg") await all;
      const referer = headers.get("referer");
      if (pathname === "/dot.svg" && referer !== null) referers.push(referer);
      if (REPORTS.includes(pathname)) reports.add(pathname);
      if (reports.size === REPORTS.length) resolve();
      return svg();
    },
  });
  return {
    port: server.addr.port,
    reports,
    referers,
    [Symbol.asyncDispose]: () => {
      resolve();
      return server.shutdown();
    },
  };
}

/** Loads a page, with the settings that `setup` has: its document after scripts have run, or on stderr why there is none. */
function browse(stage: ClientStage, door: string, url: string): Promise<CommandResult> {
  const { settings } = describeSetup(clientNamed("chromium"), { hostname: "127.0.0.1", port: 9100 });
  const command = `${settings} --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \\
    --disable-component-update --disable-sync --dump-dom '${url}'`;
  return runInside(stage, door, ["sh", "-c", command]);
}

/** Runs a browser without a network. */
function runInside(stage: ClientStage, door: string, browser: readonly string[]): Promise<CommandResult> {
  return runCommand("unshare", ["-rn", "sh", "-c", NO_NETWORK, "sh", door, ...browser], {
    timeout: 45_000,
    env: { HOME: stage.scratch.dir, PATH: `${Deno.env.get("PATH")}:/usr/sbin:/sbin` },
  });
}

/** A socket that is the proxy's port for who has no network. */
function openDoor({ scratch, port }: ClientStage): AsyncDisposable & { path: string } {
  const path = `${scratch.dir}/door`;
  const relay = spawnProxy({ program: "socat", args: [`UNIX-LISTEN:${path},fork`, `TCP:127.0.0.1:${port}`] });
  return { path, [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose]() };
}

function serve(asked: string[]): AsyncDisposable & { port: number } {
  const files: Record<string, [string, string]> = {
    "/": ["text/html", PAGE],
    "/style.css": ["text/css", "body { color: rgb(1, 2, 3) }"],
    "/script.js": ["text/javascript", "script.textContent = 'script came'"],
    "/dot.svg": ["image/svg+xml", '<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'],
  };
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    handler: (request) => {
      const { pathname } = new URL(request.url);
      asked.push(pathname);
      const [type, text] = files[pathname] ?? [];
      if (type === undefined) return new Response("None\n", { status: 404 });
      return new Response(text ?? "", { headers: { "content-type": type } });
    },
  });
  return { port: server.addr.port, [Symbol.asyncDispose]: () => server.shutdown() };
}
