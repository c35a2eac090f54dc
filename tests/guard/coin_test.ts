import { assertEquals } from "@std/assert";
import { COIN } from "../../lib/guard/coin.ts";
import { pureTest } from "../support/pure.ts";
import { readStream } from "./read_stream.ts";

/** A version message from an address of 16 bytes. */
function version(address: string): string {
  return `\xf9\xbe\xb4\xd9version\0\0\0\0\0\x64\0\0\0CHCK${"V".repeat(20)}${"R".repeat(26)}${
    "S".repeat(8)
  }${address}\x20\x8d`;
}

const V4 = "\0".repeat(10) + "\xff\xff";

pureTest("COIN finds the address of the sender in a version message", () => {
  for (const address of [`${V4}\x54\x11\x32\x21`, `${V4}\x0a\x01\x02\x03`, `\x2a\x01\x04\xf8${"\0".repeat(11)}\x05`]) {
    assertEquals(readStream(COIN, version(address))?.leaks, ["coin-address"]);
  }
});

pureTest("COIN takes no address, loopback, and names of Tor and I2P for nobody's", () => {
  const addresses = [
    "\0".repeat(16),
    `${V4}\0\0\0\0`,
    `${V4}\x7f\0\0\x01`,
    `${"\0".repeat(15)}\x01`,
    `\xfd\x87\xd8\x7e\xeb\x43${"a".repeat(10)}`,
    `\xfd\x60\xdb\x4d\xdd\xb5${"a".repeat(10)}`,
  ];
  for (const address of addresses) assertEquals(readStream(COIN, version(address))?.leaks, [], JSON.stringify(address));
  assertEquals(readStream(COIN, version(V4).slice(0, 80))?.leaks, []);
  for (const sent of ["abcdverack\0\0\0\0\0\0", "abcdversions\0\0\0\0"]) {
    assertEquals(readStream(COIN, sent), undefined);
  }
});
