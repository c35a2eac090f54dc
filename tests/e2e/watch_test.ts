/**
 * `status --watch` in a real terminal, which tmux is: the window says what a person sees, and the history what was pushed
 * out of it.
 */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { PROJECT, proxyCommand, runCommand } from "../support/command.ts";
import { e2eTest } from "../support/e2e.ts";
import { makeScratch } from "../support/scratch.ts";
import { startProxyProcess } from "../support/proxy_process.ts";
import { until } from "../support/wait.ts";
import { askFor } from "../clients/requests.ts";
import { socksConnect } from "../clients/socks_client.ts";
import { startSamBridge } from "../sam_bridge/bridge.ts";
import { statusPort } from "../status/status_client.ts";

e2eTest("status --watch fits the window, whatever its size: counters first, no word broken, nothing in the history", [
  "tmux",
], async (t) => {
  await using bridge = await startSamBridge();
  await using scratch = await makeScratch();
  await using proxy = await startProxyProcess(["--sam", `127.0.0.1:${bridge.port}`, "--status", "127.0.0.1:0"]);
  const port = await statusPort(proxy);
  // Something in each section: two identities, and more reasons than an 80x24 window has lines for.
  for (const user of ["one", "two"]) {
    const { conn } = await socksConnect(proxy.port, "none.i2p", 80, { login: { user, password: "x" } });
    conn.close();
  }
  await askFor(proxy.port, ["example.com", "10.0.0.1", "a_b.i2p", `${"b".repeat(52)}.b32.i2p`, "short.b32.i2p"]);
  const { program, args } = proxyCommand(["status", String(port), "--watch"]);
  const command = [program, ...args].map((word) => `'${word}'`).join(" ");
  for (const [columns, rows] of [[80, 24], [40, 10], [120, 50], [25, 6]] as const) {
    await t.step(`${columns} x ${rows}`, async () => {
      // A server of its own: one that ends with its last session may still be there for the next.
      const socket = `${scratch.dir}/tmux-${columns}`;
      const tmux = async (...words: string[]): Promise<string> => {
        const { code, stdout, stderr } = await runCommand("tmux", ["-S", socket, "-f", "/dev/null", ...words]);
        assertEquals(code, 0, stderr);
        return stdout;
      };
      const size = ["-x", String(columns), "-y", String(rows)];
      await tmux("new-session", "-d", "-s", "watch", ...size, "-c", PROJECT, `exec ${command}`);
      try {
        const screen = (): Promise<string> => tmux("capture-pane", "-p", "-t", "watch");
        const head = async (): Promise<string> => (await screen()).split("\n")[0] ?? "";
        await until("a frame", async () => (await head()).startsWith("i2p-socks"));
        const first = await head();
        await until("the next one", async () => (await head()).startsWith("i2p-socks") && await head() !== first);
        const lines = (await screen()).trimEnd().split("\n");
        assertMatch(lines[0] ?? "", /^i2p-socks \d+\.\d+\.\d+, up /);
        assertStringIncludes(lines.slice(0, 4).join("\n"), "✓ i2p-socks: ready");
        assert(lines.length < rows, lines.join("\n"));
        const whole = lines.join(" ").replaceAll(/\s+/g, " ");
        if (columns >= 80) {
          assertMatch(whole, /0 streams open, 0 opened so far; 0 B sent/);
          for (const reason of ["clearnet:", "ip:"]) assertStringIncludes(whole, reason);
          assertMatch(whole, /own identity ready .* [a-z2-7]{52}\.b32\.i2p/);
        } else assertStringIncludes(whole, "more lines");
        // Advice goes first where there is little room.
        if (rows !== 24) assertEquals(/remote DNS/.test(whole), rows === 50, whole);
        const history = await tmux("display-message", "-p", "-t", "watch", "#{history_size}");
        assertEquals(history.trim(), "0", "lines that were pushed out of the window");
      } finally {
        await tmux("kill-session", "-t", "watch");
      }
    });
  }
});
