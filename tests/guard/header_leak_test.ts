import { assertEquals } from "@std/assert";
import { sitesOf } from "../../lib/guard/header_leak.ts";
import { pureTest } from "../support/pure.ts";

pureTest("what one request names is no site of the next one, which names nothing else", () => {
  const sites = (target: string, hosts: readonly string[]): string[] => [...sitesOf({ target, hosts }, "a.i2p")];
  assertEquals(sites("//b.i2p/", ["a.i2p"]), ["a.i2p", "b.i2p"]);
  assertEquals(sites("/", ["c.i2p"]), ["a.i2p", "c.i2p"]);
  assertEquals(sites("/", ["a.i2p"]), ["a.i2p"]);
  assertEquals(sites("/", []), ["a.i2p"]);
  assertEquals([...sitesOf({ target: "/", hosts: [] }, "d.i2p")], ["d.i2p"]);
});
