import { assertEquals } from "@std/assert";
import { findAddresses, normaliseAddress } from "../../lib/guard/ip_addresses.ts";
import { pureTest } from "../support/pure.ts";

function publicIn(text: string): string[] {
  return findAddresses(text).filter(({ isPublic }) => isPublic).map(({ address }) => address);
}

function allIn(text: string): string[] {
  return findAddresses(text).map(({ address }) => address);
}

pureTest("findAddresses() finds public IPv4 addresses", () => {
  const texts = [
    "8.8.8.8",
    "at 8.8.8.8.",
    "8.8.8.8:80",
    "http://8.8.8.8/",
    "a@8.8.8.8 ",
    "ip=8.8.8.8&x",
    "[8.8.8.8]",
    "(8.8.8.8)",
  ];
  for (
    const text of [
      ...texts,
      "/ip4/8.8.8.8/tcp/1",
      "for=8.8.8.8;",
      "8.8.8.8\r\n",
      "over 8.8.8.8",
      "x 9.9.9.9, 8.8.8.8",
      "8.8.8.8. A",
    ]
  ) {
    assertEquals(publicIn(text).at(-1), "8.8.8.8", text);
  }
  assertEquals(publicIn("8.8.8.8,9.9.9.9 1.2.3.4"), ["8.8.8.8", "9.9.9.9", "1.2.3.4"]);
  assertEquals(findAddresses("x 8.8.8.8 "), [{ address: "8.8.8.8", end: 9, isPublic: true }]);
});

pureTest("findAddresses() takes no version and no name for a public address", () => {
  const texts = [
    "Chrome/120.1.2.3 Safari",
    '"Not A";v="8.1.2.3"',
    "v1.2.3.4",
    "version 1.2.3.4",
    '"version": "1.2.3.4"',
    "Ver. 1.2.3.4",
    "release=1.2.3.4",
    "1.2.3.4.5",
    "x.1.2.3.4",
    "tool-1.2.3.4",
    "1.2.3.4-beta",
    "1.2.3.4_1",
    "1.2.3.4rc1",
    "1.2.3.4\xc3\xa9",
    "\xc3\xa91.2.3.4",
    "1.2.3.4.tar.gz",
    "1.2.3",
    "11.2.3.4567",
    "1234.1.1.1",
    "256.1.1.1",
    "1.2.3.256",
    "01.2.3.4",
    "120.1.2.0",
    "8,8,8,8",
    "8.8,8.8",
  ];
  for (const text of texts) assertEquals(publicIn(text), [], text);
  for (const text of ["192.168.1.5.6", "192.168.1.567", "192.168.1.1005", "7.192.168.1.5"]) {
    assertEquals(allIn(text), [], text);
  }
});

pureTest("findAddresses() takes no special address for a public one", () => {
  const special =
    "0.1.2.3 10.1.2.3 100.64.0.1 100.127.0.1 127.0.0.1 169.254.1.1 172.16.0.1 172.31.255.1 192.0.0.1 192.0.2.1 192.168.1.5 " +
    "198.18.0.1 198.19.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255";
  assertEquals(publicIn(special), []);
  assertEquals(allIn(special), special.split(" "));
  const common =
    "1.0.0.1 9.255.255.1 11.0.0.1 100.63.0.1 100.128.0.1 126.0.0.1 128.0.0.1 169.253.0.1 172.15.0.1 172.32.0.1 192.0.1.1 " +
    "192.167.0.1 192.169.0.1 198.17.0.1 198.20.0.1 198.51.101.1 203.0.112.1 223.255.255.1";
  assertEquals(publicIn(common), common.split(" "));
});

pureTest("findAddresses() finds IPv6 addresses in each spelling", () => {
  const spellings = [
    "2a01:4f8::5:0:1",
    "2A01:04F8:0000:0000:0000:0005:0000:0001",
    "2a01:4f8:0:0:0:5::1",
    "2a01:4f8::5:0.0.0.1",
  ];
  for (const address of spellings) {
    for (
      const text of [
        address,
        `[${address}]:80`,
        `a ${address}.`,
        `ip=${address}&`,
        `[IPv6:${address}]`,
        `${address}: x`,
        `//[${address}]/`,
      ]
    ) {
      assertEquals(publicIn(text)[0], "2a01:4f8:0:0:0:5:0:1", text);
    }
  }
  assertEquals(allIn("fe80::1"), ["fe80:0:0:0:0:0:0:1"]);
  assertEquals(publicIn("3a01:4f8::5:1"), ["3a01:4f8:0:0:0:0:5:1"]);
  assertEquals(findAddresses("x 2a01:4f8::5. "), [{ address: "2a01:4f8:0:0:0:0:0:5", end: 13, isPublic: true }]);
});

pureTest("findAddresses() takes an IPv6 address that stands for one of IPv4 for that one", () => {
  for (
    const spelling of ["::ffff:192.168.1.5", "::FFFF:c0a8:105", "0:0:0:0:0:ffff:c0a8:0105", "[::ffff:c0a8:105]:80"]
  ) {
    assertEquals([...new Set(allIn(spelling))], ["192.168.1.5"], spelling);
    assertEquals(publicIn(spelling), [], spelling);
  }
  assertEquals([...new Set(publicIn("::ffff:808:808"))], ["8.8.8.8"]);
  assertEquals(publicIn("::ffff:7f00:1 ::ffff:808:800"), []);
});

pureTest("findAddresses() takes what only looks like IPv6 for no public address", () => {
  const texts = [
    "12:34:56",
    "std::abc::def",
    "dead::beef",
    "2001::1",
    "2001:db8::1:1",
    "3fff:f::1:1",
    "fe80::1:2:3",
    "fd60:db4d:ddb5::1",
    "4a01:4f8::1",
    "2a01:4f8::1g",
    "x:2a01:4f8::1:2",
    "x2a01:4f8::1",
    "2a01:4f8::1_",
    "2a01:4f8::1::2",
    "2a01:4f8:1:2:3:4:5",
    "2a01:4f8:1:2:3:4:5:6:7",
    "2a01:4f8:1:2:3:4:5::6:7",
    "2a01:4f8:12345::1",
    "2a01:4f8::1.2.3",
    "20:00:00:25:b5:00:00:0f",
    "2a:01:04:f8:11:22:33:44:55:66:77:88:99:aa:bb:cc",
    ":::::",
    "::",
    "2a01:4f8::5".padEnd(50, ":"),
  ];
  for (const text of texts) assertEquals(publicIn(text), [], text);
});

pureTest("normaliseAddress() has one spelling for an address", () => {
  assertEquals(normaliseAddress("192.168.1.5"), "192.168.1.5");
  assertEquals(normaliseAddress("FE80::0a%eth0"), "fe80:0:0:0:0:0:0:a");
  assertEquals(normaliseAddress("::1"), "0:0:0:0:0:0:0:1");
  assertEquals(normaliseAddress("::"), "0:0:0:0:0:0:0:0");
  assertEquals(normaliseAddress("1:2:3:4:5:6:7::"), "1:2:3:4:5:6:7:0");
  assertEquals(normaliseAddress("::ffff:192.168.1.5"), "192.168.1.5");
  assertEquals(normaliseAddress("::FFFF:C0A8:105"), "192.168.1.5");
  for (
    const text of [
      "",
      "x",
      "1.2.3",
      "1.2.3.256",
      ":",
      "1:2",
      ":::",
      "1:2:3:4:5:6:7:8:9",
      "1:2:3:4::5:6:7:8",
      "1:2:3:4::5:6:7:8::9",
      "1::2::3",
      "::1.2",
    ]
  ) {
    assertEquals(normaliseAddress(text), undefined, text);
  }
});
