import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { saidBy } from "../support/client_table.ts";
import { clientNamed, describeSetup } from "../../lib/cli/setup.ts";
import { type ClientStage, startClientStage, succeeds, unless } from "../support/client_stage.ts";
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

e2eTest(
  "Chromium",
  ["chromium", "socat", "ip", ...unless(succeeds("unshare", "-rn", "true"), "a network namespace")],
  async (t) => {
    const asked: string[] = [];
    await using site = serve(asked);
    await using stage = await startClientStage({ "site.i2p": site.port, "pictures.i2p": site.port });
    const door = `${stage.scratch.dir}/door`;
    await using _relay = spawnProxy({
      program: "socat",
      args: [`UNIX-LISTEN:${door},fork`, `TCP:127.0.0.1:${stage.port}`],
    });

    await t.step("loads a page with what it includes, except what is on the clearnet", async () => {
      const { stdout, stderr } = await browse(stage, door, "http://site.i2p/");
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
      const { stderr } = await browse(stage, door, "http://example.com/");
      assertMatch(stderr, await saidBy("Chromium"));
    });
  },
);

/** Loads a page, with the settings that `setup` has: its document after scripts have run, or on stderr why there is none. */
function browse(stage: ClientStage, door: string, url: string): Promise<CommandResult> {
  const { settings } = describeSetup(clientNamed("chromium"), { hostname: "127.0.0.1", port: 9100 });
  const command = `${settings} --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \\
    --disable-component-update --disable-sync --dump-dom '${url}'`;
  return runCommand("unshare", ["-rn", "sh", "-c", NO_NETWORK, "sh", door, "sh", "-c", command], {
    timeout: 45_000,
    env: { HOME: stage.scratch.dir, PATH: `${Deno.env.get("PATH")}:/usr/sbin:/sbin` },
  });
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
