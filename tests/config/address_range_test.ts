import { assertEquals, assertThrows } from "@std/assert";
import { addressIn, isInRange, parseAddressRange } from "../../lib/config/address_range.ts";
import { formatIp, ipBytes } from "../../lib/i2p/ip_address.ts";
import { pureTest } from "../support/pure.ts";

pureTest("parseAddressRange() takes ranges that are nobody's on the internet, in any spelling", () => {
  const ranges: readonly (readonly [string, string?])[] = [
    ["127.192.0.0/10"],
    ["127.1.0.0/16"],
    ["10.192.0.0/10"],
    ["10.0.0.0/8"],
    ["172.16.0.0/12"],
    ["192.168.0.0/16"],
    ["198.18.0.0/15"],
    ["198.19.0.0/16"],
    ["fc00::/7", "fc00:0:0:0:0:0:0:0/7"],
    ["[FD12:3456::]/32", "fd12:3456:0:0:0:0:0:0/32"],
    ["fe80::/10", "fe80:0:0:0:0:0:0:0/10"],
    ["fd00::1:0/112", "fd00:0:0:0:0:0:1:0/112"],
  ];
  for (const [text, canonical = text] of ranges) assertEquals(parseAddressRange(text).text, canonical, text);
});

pureTest("parseAddressRange() refuses everything else, and says why", () => {
  const isPart = /^it must be a part of 127\.0\.0\.0\/8, .*fe80::\/10$/;
  const refused: readonly (readonly [string, RegExp])[] = [
    ...["", "127.192.0.0", "/10", "127.192.0.0/", "127.192.0.0/33", "fc00::/129", "127.192.0/10", "256.0.0.0/8", "x/8"]
      .map((text) => [text, /^a range is ADDRESS\/LENGTH/] as const),
    ...[
      "8.8.0.0/16",
      "0.0.0.0/0",
      "128.0.0.0/16",
      "126.0.0.0/8",
      "11.0.0.0/8",
      "10.0.0.0/7",
      "fc00::/6",
      "172.32.0.0/12",
      "172.0.0.0/8",
    ]
      .map((text) => [text, isPart] as const),
    ...[
      "198.20.0.0/16",
      "198.16.0.0/13",
      "192.169.0.0/16",
      "2001:db8::/32",
      "::/0",
      "fe00::/10",
      "fec0::/10",
      "f800::/5",
    ]
      .map((text) => [text, isPart] as const),
    ...["127.0.0.0/8", "127.0.0.0/9", "127.0.0.0/16"].map((text) => [text, /this machine itself/] as const),
    ["127.192.0.1/10", /^the range of this length is 127\.192\.0\.0\/10$/],
    ["127.200.0.0/10", /^the range of this length is 127\.192\.0\.0\/10$/],
    ["192.168.1.0/24", /^it is too small: 65536/],
    ["10.0.0.0/17", /^it is too small/],
    ["fd00::/113", /^it is too small/],
    ["fd60:db4d:ddb5::/48", /GarliCat/],
    ["fd60:db4d:ddb5:1::/64", /GarliCat/],
  ];
  for (const [text, words] of refused) {
    const { message } = assertThrows(() => parseAddressRange(text), SyntaxError, undefined, text);
    assertEquals(words.test(message), true, `${text}: ${message}`);
  }
});

pureTest("isInRange() and addressIn() agree with the first bits of a range, at every length", () => {
  const rangeOf = (text: string, length: number): { text: string; first: number[]; length: number } => ({
    text,
    first: [...ipBytes(text) ?? []],
    length,
  });
  assertEquals(isInRange(bytesOf("127.191.255.255"), parseAddressRange("127.192.0.0/10")), false);
  assertEquals(isInRange(bytesOf("127.192.0.0"), parseAddressRange("127.192.0.0/10")), true);
  assertEquals(isInRange(bytesOf("127.255.255.255"), parseAddressRange("127.192.0.0/10")), true);
  assertEquals(isInRange(bytesOf("128.0.0.0"), parseAddressRange("127.192.0.0/10")), false);
  assertEquals(isInRange(bytesOf("fc00::1"), parseAddressRange("127.192.0.0/10")), false);
  assertEquals(formatIp(addressIn(parseAddressRange("198.18.0.0/15"), bytesOf("255.255.1.2"))), "198.19.1.2");
  for (let length = 0; length <= 32; length++) {
    const bits = Array.from({ length: 32 }, (_, i) => i < length ? "0" : "1").join("");
    const highest = addressIn(rangeOf("0.0.0.0", length), bytesOf("255.255.255.255"));
    assertEquals([...highest].map((byte) => byte.toString(2).padStart(8, "0")).join(""), bits);
    assertEquals(isInRange(highest, rangeOf("0.0.0.0", length)), true);
  }
});

pureTest("ipBytes() reads IPv4, IPv6 in every spelling, and IPv4 within IPv6", () => {
  const texts: Readonly<Record<string, string | undefined>> = {
    "127.192.1.2": "127.192.1.2",
    "::ffff:127.192.1.2": "127.192.1.2",
    "0:0:0:0:0:ffff:7fc0:102": "127.192.1.2",
    "[::1]": "0:0:0:0:0:0:0:1",
    "FE80::A": "fe80:0:0:0:0:0:0:a",
    "::": "0:0:0:0:0:0:0:0",
    "1:2:3:4:5:6:1.2.3.4": "1:2:3:4:5:6:102:304",
    "256.1.1.1": undefined,
    "1.2.3": undefined,
    "::ffff:1.2.3.256": undefined,
    "1.2.3.04": undefined,
    "010.1.2.3": undefined,
    "0.0.0.0": "0.0.0.0",
    "00.0.0.0": undefined,
    "::ffff:1.2.3.04": undefined,
    "::ffff:127.192.1.2.3": undefined,
    "1.2.3.4:5": undefined,
    "[::ffff:127.192.1.2]": "127.192.1.2",
    "::127.192.1.2": "0:0:0:0:0:0:7fc0:102",
    [`0${":0".repeat(30)}`]: undefined,
    "1::2::3": undefined,
    "1:2:3:4:5:6:7": undefined,
    "1:2:3:4:5:6:7::8": undefined,
    "fe80::1%eth0": undefined,
    "a.i2p": undefined,
    "": undefined,
  };
  for (const [text, expected] of Object.entries(texts)) {
    const bytes = ipBytes(text);
    assertEquals(bytes && formatIp(bytes), expected, text);
  }
});

function bytesOf(text: string): Uint8Array {
  return ipBytes(text) ?? new Uint8Array();
}
