import { assertEquals } from "@std/assert";
import { isBridgeGone, isGone } from "../../lib/identity/bridge_gone.ts";
import { SamError } from "../../lib/sam/error.ts";
import { pureTest } from "../support/pure.ts";
import { fillBacklog } from "../sam/backlog.ts";

const NEVER = new AbortController().signal;

Deno.test("a bridge has gone where nothing listens, and not where it is slow to accept", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const endpoint = { hostname: "127.0.0.1", port: listener.addr.port };
  assertEquals(await isBridgeGone(endpoint, NEVER), false);
  const conns = await fillBacklog(endpoint.port);
  assertEquals(await isBridgeGone(endpoint, NEVER), false, "it does not accept");
  listener.close();
  conns.forEach((conn) => conn.close());
  assertEquals(await isBridgeGone(endpoint, NEVER), true);
});

pureTest("isGone() takes a lack of descriptors for no sign of the router", () => {
  const cause = (code: string): Error => Object.assign(new Error(code), { code });
  assertEquals(isGone(new SamError("connect", "unreachable", { cause: cause("ECONNREFUSED") })), true);
  assertEquals(isGone(new SamError("connect", "unreachable", { cause: cause("EMFILE") })), false);
  assertEquals(isGone(new SamError("hello", "closed")), false);
});
