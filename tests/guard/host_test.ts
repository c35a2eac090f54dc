import { assertEquals } from "@std/assert";
import { hostOf, hostOfUrl, isHarmlessHost } from "../../lib/guard/host.ts";
import { pureTest } from "../support/pure.ts";

pureTest("hostOf() takes the host out of an authority", () => {
  const hosts: readonly [string, string][] = [
    ["site.i2p", "site.i2p"],
    ["SITE.i2p:80", "site.i2p"],
    ["site.i2p.", "site.i2p"],
    ["site.i2p.alt:80", "site.i2p"],
    ["user:pass@site.i2p:80", "site.i2p"],
    ["a@b@site.i2p", "site.i2p"],
    ["[2001:DB8::1]:8080", "2001:db8::1"],
    ["[::1", "::1"],
    ["2001:db8::1", "2001:db8::1"],
    ["10.0.0.1:8080", "10.0.0.1"],
    ["[fd60:db4d:ddb5::1]:80", "aaaaaaaaaaaaaaab.oc.b32.i2p"],
    ["aaaaaaaaaaaaaaab.b32.i2p", "aaaaaaaaaaaaaaab.oc.b32.i2p"],
    ["", ""],
  ];
  for (const [authority, host] of hosts) assertEquals(hostOf(authority), host, authority);
});

pureTest("hostOfUrl() knows which URLs have a host", () => {
  assertEquals(hostOfUrl("http://Site.i2p:80/a?b=//other.i2p"), "site.i2p");
  assertEquals(hostOfUrl("https://example.org?x"), "example.org");
  assertEquals(hostOfUrl("//example.org/a"), "example.org");
  assertEquals(hostOfUrl("moz-extension://5d1a/x"), "5d1a");
  assertEquals(hostOfUrl("file:///home/me/links.html"), "");
  for (const url of ["", "/a//b", "a", "about:blank", "null", "data:text/html,//x"]) {
    assertEquals(hostOfUrl(url), undefined, url);
  }
});

pureTest("isHarmlessHost() holds for I2P and for this machine", () => {
  for (const host of ["", "a.i2p", "b.b32.i2p", "localhost", "x.localhost", "127.0.0.1", "127.9.8.7", "::1"]) {
    assertEquals(isHarmlessHost(host), true, host);
  }
  for (const host of ["i2p", "ai2p", "example.org", "i2p.example.org", "192.168.1.2", "128.0.0.1", "mynotebook"]) {
    assertEquals(isHarmlessHost(host), false, host);
  }
});
