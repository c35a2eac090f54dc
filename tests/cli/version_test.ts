import { assert, assertEquals, assertMatch } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { ROUTERS, SAM_VERSION } from "../../lib/sam/socket.ts";
import { runProxy } from "../support/command.ts";

Deno.test("--version names the program, its version, those of its runtime and of SAM", async () => {
  const { code, stdout, stderr } = await runProxy(["--version"]);
  assertEquals([code, stderr], [0, ""]);
  // An executable may have another runtime than the tests.
  assertMatch(
    stdout,
    /^i2p-socks \S+ \(Deno \d+\.\d+\.\d+, V8 [\d.]+\S*, SAM 3\.1 with bridges up to 3\.3\)\n$/,
  );
  assertEquals(stdout.split(" ")[1], config.version);
  assert(stdout.includes(`SAM ${SAM_VERSION} with`));
  assert(Object.keys(ROUTERS).every((version) => version <= "3.3"));
});
