import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { e2eTest } from "../support/e2e.ts";
import { runCommand } from "../support/command.ts";
import { startPrivateNet } from "./private_net.ts";
import { startProxyProcess } from "../support/proxy_process.ts";

e2eTest(
  "a real site sees one destination for each login, and the same one after a restart",
  ["i2pd", "curl"],
  async (t) => {
    await using net = await startPrivateNet();
    const options = ["--sam", `127.0.0.1:${net.samPort}`, ...net.sessionOptions];
    const lasting = [...options, "--identity", "me", "--keys-dir", `${net.dir}/keys`];
    /** The destination that the site's HTTP tunnel names to the site. */
    const seen = async (...proxy: string[]): Promise<string> => {
      const { stdout, stderr } = await runCommand("curl", [
        ...["--disable", "--silent", "--show-error", "--max-time", "100"],
        ...[...proxy, `http://${net.siteHttpB32}/headers`],
      ]);
      return /x-i2p-destb32: (\S+)/i.exec(stdout)?.[1] ?? stderr;
    };
    let b32 = "";

    await t.step("logins of SOCKS5 and user ids of SOCKS4 are identities", async () => {
      await using proxy = await startProxyProcess(lasting);
      const socks = `127.0.0.1:${proxy.port}`;
      b32 = proxy.ready["b32"] ?? "";
      const [base, alice, again, bob, carol] = await Promise.all([
        seen("--socks5-hostname", socks),
        seen("--socks5-hostname", `alice:1@${socks}`),
        seen("--socks5-hostname", `alice:1@${socks}`),
        seen("--socks5-hostname", `bob:1@${socks}`),
        seen("--socks4a", `carol@${socks}`),
      ]);
      assertEquals(base, b32);
      for (const other of [alice, bob, carol]) assertMatch(other, /^[a-z2-7]{52}\.b32\.i2p$/);
      assertEquals(new Set([base, alice, bob, carol]).size, 4);
      assertEquals(again, alice);
      assertEquals(await seen("--socks4a", `carol@${socks}`), carol);
      assertEquals(await proxy.stop("SIGTERM"), 143);
    });

    await t.step("--identity is the same destination after a restart, and without it there is another", async () => {
      // i2pd 2.45.1 does not always outlive the end of sessions.
      await net.restartRouter();
      const [again, transient] = await Promise.all([startProxyProcess(lasting), startProxyProcess(options)]);
      await using _again = again;
      await using _transient = transient;
      assertEquals(again.ready["b32"], b32);
      assertNotEquals(transient.ready["b32"], b32);
      assertEquals(await seen("--socks5-hostname", `127.0.0.1:${again.port}`), b32);
      assertEquals(await seen("--socks5-hostname", `127.0.0.1:${transient.port}`), transient.ready["b32"] ?? "");
    });
  },
);
