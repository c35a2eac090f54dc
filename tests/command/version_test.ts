import { assert, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { versionText } from "../../lib/command/version.ts";
import { ROUTERS, SAM_VERSION } from "../../lib/sam/socket.ts";
import { pureTest } from "../support/pure.ts";

pureTest("versionText() has the project's version, that of SAM, and the latest that a known bridge has", () => {
  assertStringIncludes(versionText(), `i2p-socks ${config.version} (`);
  assertStringIncludes(versionText(), `, SAM ${SAM_VERSION} with bridges up to 3.3)`);
  assert(Object.keys(ROUTERS).every((version) => version <= "3.3"));
});
