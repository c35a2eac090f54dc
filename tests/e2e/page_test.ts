/**
 * The status page in a real browser. Chromium runs in a network of its own, where nothing but loopback exists, and the
 * tests that drive it run there too: page_in_chromium.ts has them.
 *
 * With `I2P_SOCKS_PICTURES=FOLDER` they leave screenshots there; `status.png` is the README's `.github/status.png`.
 */
import { assertEquals, assertMatch } from "@std/assert";
import { runCommand } from "../support/command.ts";
import { e2eTest, findProgram } from "../support/e2e.ts";

const LOOPBACK = 'ip link set lo up && exec "$@"';

e2eTest(
  "the status page works in Chromium, by keyboard and screen reader, under its strict policy",
  needs(),
  async () => {
    const deno = [Deno.execPath(), "test", "-P=test", "--no-prompt", "--quiet", "tests/e2e/page_in_chromium.ts"];
    const path = `${Deno.env.get("PATH")}:/usr/sbin:/sbin`;
    const { code, stdout, stderr } = await runCommand("unshare", ["-rn", "sh", "-c", LOOPBACK, "sh", ...deno], {
      env: { DENO_NO_UPDATE_CHECK: "1", PATH: path },
      timeout: 400_000,
    });
    assertEquals(code, 0, stdout + stderr);
    assertMatch(stdout, /ok \| 1 passed \(1\d steps\)/);
  },
);

/** Programs for a browser in a network of its own; one that nobody has, where the system does not allow it. */
function needs(): string[] {
  const unshare = findProgram("unshare");
  const isAllowed = unshare === undefined || new Deno.Command(unshare, { args: ["-rn", "true"] }).outputSync().success;
  return ["chromium", "unshare", "ip", ...(isAllowed ? [] : ["a network namespace"])];
}
