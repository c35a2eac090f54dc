import { assertEquals } from "@std/assert";
import { MAX_SITES, SiteCount } from "../../lib/identity/site_count.ts";
import { pureTest } from "../support/pure.ts";

pureTest("SiteCount counts each host once, up to its limit", () => {
  const sites = new SiteCount();
  for (const host of ["a.i2p", "b.i2p", "a.i2p"]) sites.add(host);
  assertEquals(sites.size, 2);
  for (let i = 0; i < MAX_SITES + 5; i++) sites.add(`${i}.i2p`);
  assertEquals(sites.size, MAX_SITES);
  sites.clear();
  assertEquals(sites.size, 0);
});
