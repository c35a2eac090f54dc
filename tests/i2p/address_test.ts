import { assertEquals, assertStringIncludes } from "@std/assert";
import { type AddressKind, isIpLiteral, parseAddress, whyNotI2p } from "../../lib/i2p/address.ts";
import { blindedLabel } from "../support/blinded_label.ts";
import { pureTest } from "../support/pure.ts";
import { Random } from "../support/random.ts";

const B32 = "caepgktmelgd47vxo3xhcfqr4wdvyd77hfcg4ng2snopukspybta";
const B33 = blindedLabel(Uint8Array.from({ length: 32 }, (_, i) => i + 1));

/** A name with as many characters as asked for, `.i2p` included. */
function nameOf(length: number): string {
  return `${"a".repeat(length - 4)}.i2p`;
}

pureTest("parseAddress() recognises addresses and names, and normalises them for the router", () => {
  const hosts: readonly (readonly [string, AddressKind, string])[] = [
    [`${B32}.b32.i2p`, "b32", `${B32}.b32.i2p`],
    [`${B32.slice(0, -1)}q.b32.i2p`, "b32", `${B32.slice(0, -1)}q.b32.i2p`],
    [`${B32.toUpperCase()}.B32.I2P`, "b32", `${B32}.b32.i2p`],
    [`${B32}.b32.i2p.`, "b32", `${B32}.b32.i2p`],
    [`${B32}.b32.i2p.alt`, "b32", `${B32}.b32.i2p`],
    [`${B32}.b32.I2P.ALT.`, "b32", `${B32}.b32.i2p`],
    [`${B33}.b32.i2p`, "b33", `${B33}.b32.i2p`],
    [`${B33.toUpperCase()}.b32.i2p.`, "b33", `${B33}.b32.i2p`],
    [`${B33}.b32.i2p.alt`, "b33", `${B33}.b32.i2p`],
    ["stats.i2p", "name", "stats.i2p"],
    ["Stats.I2P", "name", "stats.i2p"],
    ["stats.i2p.", "name", "stats.i2p"],
    ["stats.i2p.alt", "name", "stats.i2p"],
    ["STATS.i2p.ALT.", "name", "stats.i2p"],
    ["www.stats.i2p", "name", "www.stats.i2p"],
    ["a.i2p", "name", "a.i2p"],
    ["0.i2p", "name", "0.i2p"],
    ["my-site.i2p", "name", "my-site.i2p"],
    ["xn--mnchen-3ya.i2p", "name", "xn--mnchen-3ya.i2p"],
    ["127.0.0.1.i2p", "name", "127.0.0.1.i2p"],
    ["localhost.i2p", "name", "localhost.i2p"],
    ["i2p.i2p", "name", "i2p.i2p"],
    [nameOf(67), "name", nameOf(67)],
    [`${nameOf(67)}.alt.`, "name", nameOf(67)],
  ];
  for (const [given, kind, host] of hosts) assertEquals(parseAddress(given), { kind, host });
});

pureTest("parseAddress() leaves names of the clearnet as they are", () => {
  const hosts = [
    "localhost",
    "LocalHost.",
    "example.com",
    "EXAMPLE.com.",
    "i2p",
    "I2P.",
    "i2p.alt",
    "stats.i2p.example.com",
    "stats.i2p.alt.example.com",
    "stats.alt",
    "stats-i2p",
    "stats.i2",
    "stats.i2pp",
    "stats.onion",
    "stats.i2p ",
    "stats.i2p\0.example.com",
    "xn--mnchen-3ya.de",
    "münchen.de",
    "..",
  ];
  for (const host of hosts) assertEquals(parseAddress(host), { kind: "clearnet", host });
});

pureTest("parseAddress() recognises IP addresses and leaves them as they are", () => {
  const hosts = [
    "127.0.0.1",
    "0.0.0.0",
    "255.255.255.255",
    "10.0.0.1",
    "192.168.1.1",
    "::1",
    "::",
    "[::1]",
    "2001:DB8::1",
    "2001:db8:0:0:0:0:0:1",
    "fd60:db4d:ddb6::1",
    "::ffff:127.0.0.1",
    "fe80::1%eth0",
    "[fe80::1%25eth0]",
  ];
  for (const host of hosts) assertEquals(parseAddress(host), { kind: "ip", host });
});

pureTest("parseAddress() says what is wrong with an address of I2P", () => {
  const hosts: readonly (readonly [string, string])[] = [
    ["", "it is empty"],
    [".", "it is empty"],
    [".i2p", "between dots"],
    [".b32.i2p", "this one has 0"],
    ["a.b32.i2p", "has 52 characters before .b32.i2p, this one has 1"],
    [`${B32.slice(1)}.b32.i2p`, "has 52 characters before .b32.i2p, this one has 51"],
    [`${B32}a.b32.i2p`, "has 56 characters, this one has 53"],
    [`${B33.slice(0, 54)}.b32.i2p`, "base32"],
    [`${B33.slice(0, 54)}a.b32.i2p`, "has 56 characters, this one has 55"],
    [`${B33}a.b32.i2p`, "base32 has only a to z and 2 to 7, in certain lengths"],
    [`${B33}aa.b32.i2p`, "has 56 characters, this one has 58"],
    [`${B32.slice(0, -1)}b.b32.i2p`, "its last character is wrong"],
    [`${B32.slice(0, -1)}7.b32.i2p`, "its last character is wrong"],
    [`1${B32.slice(1)}.b32.i2p`, "only a to z and 2 to 7"],
    [`é${B32.slice(1)}.b32.i2p`, "only a to z and 2 to 7"],
    [`${B33.slice(0, 40)}${B33.charAt(40) === "a" ? "b" : "a"}${B33.slice(41)}.b32.i2p`, "its checksum is wrong"],
    [`www.${B32}.b32.i2p`, "no subdomains"],
    [`www.${B33}.b32.i2p`, "no subdomains"],
    [`.${B32}.b32.i2p`, "no subdomains"],
    [nameOf(68), "at most 67 characters, this one has 68"],
    [`${nameOf(68)}.alt`, "at most 67 characters, this one has 68"],
    ["a..i2p", "between dots"],
    ["a..b.i2p", "between dots"],
    [".a.i2p", "between dots"],
    ["-a.i2p", "between dots"],
    ["a-.i2p", "between dots"],
    ["a.-b.i2p", "between dots"],
    ["a-.b.i2p", "between dots"],
    ["a_b.i2p", "only letters, digits, dots and hyphens"],
    ["a b.i2p", "only letters, digits, dots and hyphens"],
    ["a/b.i2p", "only letters, digits, dots and hyphens"],
    ["a:b.i2p", "only letters, digits, dots and hyphens"],
    ["a\0b.i2p", "only letters, digits, dots and hyphens"],
    ["a\nb.i2p", "only letters, digits, dots and hyphens"],
    ['a"b.i2p', "only letters, digits, dots and hyphens"],
    ["münchen.i2p", "other scripts as punycode"],
    ["\xff\xfe.i2p", "other scripts as punycode"],
  ];
  for (const [given, problem] of hosts) {
    const address = parseAddress(given);
    assertEquals([address.kind, address.host], ["malformed", given]);
    assertStringIncludes(address.problem ?? "", problem, JSON.stringify(given));
  }
});

pureTest("parseAddress() refuses characters that only lower-casing makes ASCII", () => {
  // KELVIN SIGN becomes k.
  assertEquals(parseAddress("\u212aelvin.i2p").kind, "malformed");
});

pureTest("parseAddress() hands the router nothing but letters, digits, dots and hyphens", () => {
  const random = new Random(67);
  for (let i = 0; i < 5000; i++) {
    const text = Array.from(
      { length: random.below(12) },
      () => random.pick(["a", "Z", "7", ".", "-", " ", "\n", "=", "é"]),
    )
      .join("");
    const { kind, host } = parseAddress(`${text}${random.pick([".i2p", ".b32.i2p", ".i2p.alt", ".I2P."])}`);
    if (kind === "name" || kind === "b32" || kind === "b33") assertEquals(/^[a-z0-9.-]{1,67}$/.test(host), true, host);
    else assertEquals(kind, "malformed", host);
  }
});

pureTest("isIpLiteral() accepts IPv4 in four decimal parts and IPv6", () => {
  for (
    const text of ["1.2.3.4", "255.255.255.255", "199.99.9.0", "::", "::1", "[::1]", "1:2:3:4:5:6:7:8", "::1.2.3.4"]
  ) {
    assertEquals(isIpLiteral(text), true, text);
  }
});

pureTest("isIpLiteral() refuses what only resembles an address", () => {
  const texts = [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "256.1.1.1",
    "1.1.1.256",
    "1.1.1.",
    ".1.1.1",
    "1.1.1.a",
    "a1.1.1.1",
    "1.1.1.1a",
    "1.2.3.4:80",
    "[1.2.3.4]",
    ":",
    ":::",
    "[:]",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "g::1",
    "12345::1",
    "::1::",
    "a:b",
    "host:80",
    "[]",
  ];
  for (const text of texts) assertEquals(isIpLiteral(text), false, text);
});

pureTest("isIpLiteral() is not fooled by what a URL makes of brackets, slashes and line breaks", () => {
  for (
    const text of ["::1]/x.i2p", "::1]:80/", "::1]@x.i2p/", ":\n:1", ":\t:1", "[::1]?[::1]", "::1]#["]
  ) {
    assertEquals(isIpLiteral(text), false, JSON.stringify(text));
  }
});

pureTest("whyNotI2p() guesses the address that was meant where a suffix is all that is missing", () => {
  const hosts: readonly (readonly [string, string | undefined])[] = [
    ["stats", "names of I2P end in .i2p: did you mean stats.i2p?"],
    ["localhost", "names of I2P end in .i2p"],
    ["example.com", "names of I2P end in .i2p"],
    [B32, `names of I2P end in .i2p: did you mean ${B32}.b32.i2p?`],
    ["foo bar", "names of I2P end in .i2p"],
    ["m\u00fcller", "names of I2P end in .i2p"],
    ["x".repeat(64), "names of I2P end in .i2p"],
    ["10.0.0.1", "it is an IP address, and I2P has none"],
    ["", "it is empty"],
    ["stats.i2p", undefined],
    [`${B32}.b32.i2p`, undefined],
    ["abcdefghijklmnop.oc.b32.i2p", undefined],
  ];
  for (const [host, expected] of hosts) assertEquals(whyNotI2p(parseAddress(host)), expected, host);
});
