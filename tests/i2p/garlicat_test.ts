import { assertEquals } from "@std/assert";
import { parseAddress } from "../../lib/i2p/address.ts";
import { garlicatHost, garlicatName } from "../../lib/i2p/garlicat.ts";
import { pureTest } from "../support/pure.ts";

/** Addresses of GarliCat and the names behind them: the last 80 bits, in base32. */
const NAMES: readonly [string, string][] = [
  ["fd60:db4d:ddb5::", "aaaaaaaaaaaaaaaa"],
  ["fd60:db4d:ddb5::1", "aaaaaaaaaaaaaaab"],
  ["fd60:db4d:ddb5:ffff:ffff:ffff:ffff:ffff", "7777777777777777"],
  ["FD60:DB4D:DDB5:0:0:0:0:001f", "aaaaaaaaaaaaaaa7"],
  ["fd60:db4d:ddb5:8000::", "qaaaaaaaaaaaaaaa"],
  ["fd60:db4d:ddb5:1:2:3:4:5", "aaaqaaqaamaaiaaf"],
  ["fd60:db4d:ddb5::127.0.0.1", "aaaaaaaaab7qaaab"],
];

pureTest("garlicatName() writes the last 80 bits of a GarliCat address in base32", () => {
  for (const [address, label] of NAMES) {
    assertEquals(garlicatName(address), `${label}.oc.b32.i2p`);
    assertEquals(garlicatHost(`${label}.oc.b32.i2p`), `${label}.oc.b32.i2p`);
    for (const given of [address, `[${address}]`]) {
      assertEquals(parseAddress(given), { kind: "garlicat", host: `${label}.oc.b32.i2p` });
    }
  }
});

pureTest("garlicatName() knows no other address", () => {
  const others = [
    ...[
      "::1",
      "2001:db8::1",
      "fd60:db4d:ddb6::1",
      "fd60:db4d:ddb5",
      "fd60:db4d:ddb5:1:2:3:4:5:6",
      "fd60:db4d:ddb5:1:2:3:4",
    ],
    ...[
      "fd60:db4d:ddb5::1::2",
      "fd60:db4d:ddb5:::1",
      "fd60:db4d:ddb5::127.0.0.01",
      "fd60:db4d:ddb5::12345",
      "127.0.0.1",
      "",
    ],
    ...["fd60:db4d:ddb5:1:2:3:4::5", "fd87:d87e:eb43::1", "x"],
  ];
  for (const address of others) assertEquals(garlicatName(address), undefined, address);
  assertEquals(parseAddress("fd60:db4d:ddb6::1").kind, "ip");
});

pureTest("parseAddress() takes names of GarliCat, and only whole ones", () => {
  assertEquals(parseAddress("ABCDEFGHIJKLMNOP.oc.b32.i2p."), { kind: "garlicat", host: "abcdefghijklmnop.oc.b32.i2p" });
  // As OnionCat asks.
  assertEquals(parseAddress("ABCDEFGHIJKLMNOP.b32.i2p"), { kind: "garlicat", host: "abcdefghijklmnop.oc.b32.i2p" });
  for (const host of ["abcdefghijklmno.b32.i2p", "abcdefghijklmnopq.b32.i2p", "x.abcdefghijklmnop.b32.i2p"]) {
    assertEquals(parseAddress(host).kind, "malformed", host);
  }
  for (const host of ["abc.oc.b32.i2p", "abcdefghijklmno1.oc.b32.i2p", "oc.b32.i2p", "x.abcdefghijklmnop.oc.b32.i2p"]) {
    assertEquals(parseAddress(host).kind, "malformed", host);
  }
});
