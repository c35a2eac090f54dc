import { assertEquals, assertThrows } from "@std/assert";
import {
  encodeAssociated,
  encodeDatagram,
  parseDatagram,
  type SocksDatagram,
  writtenAddress,
} from "../../lib/socks/datagram.ts";
import { hex } from "../fuzz/literal.ts";
import { concat } from "../support/bytes.ts";
import { pureTest } from "../support/pure.ts";

/** Datagrams of clients, and what they are; undefined is dropped. */
const TABLE: readonly [string, SocksDatagram | undefined][] = [
  ["00 00 00 01 7f 00 00 01 00 35 61", { fragment: 0, host: "127.0.0.1", port: 53, payload: hex("61") }],
  ["00 00 00 03 05 61 2e 69 32 70 ff ff 61 62", { fragment: 0, host: "a.i2p", port: 65_535, payload: hex("61 62") }],
  [
    "00 00 00 04 fd 60 db 4d dd b5 00 00 00 00 00 00 00 00 00 01 00 50",
    { fragment: 0, host: "fd60:db4d:ddb5:0:0:0:0:1", port: 80, payload: hex("") },
  ],
  ["00 00 00 03 00 00 01", { fragment: 0, host: "", port: 1, payload: hex("") }],
  ["00 00 81 03 01 61 00 01 61", { fragment: 129, host: "a", port: 1, payload: hex("61") }],
  ["ff ff 00 03 01 ff 00 01", { fragment: 0, host: "\xff", port: 1, payload: hex("") }],
  ["00 00 00 02 01 61 00 01", undefined],
  ["00 00 00 00 00 00 00 00 00 00 00", undefined],
  ["00 00 00 01 7f 00 00 01 00", undefined],
  ["00 00 00 03 05 61 2e 69 32 70 00", undefined],
  ["00 00 00 04 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00", undefined],
  ["00 00 00", undefined],
  ["", undefined],
];

pureTest("A datagram is what RFC 1928 has in section 7", () => {
  for (const [digits, expected] of TABLE) assertEquals(parseDatagram(hex(digits)), expected, digits);
});

pureTest("No beginning of a datagram's header is a datagram", () => {
  for (const digits of ["00 00 00 01 7f 00 00 01 00 35", "00 00 00 03 05 61 2e 69 32 70 00 50"]) {
    const whole = hex(digits);
    for (let length = 0; length < whole.length; length++) {
      assertEquals(parseDatagram(whole.subarray(0, length)), undefined, `${length} of ${digits}`);
    }
    assertEquals(parseDatagram(whole)?.payload.length, 0);
  }
});

pureTest("An encoded datagram has a name in front, and is parsed to the same again", () => {
  assertEquals(
    encodeDatagram({ host: "a.i2p", port: 0x1234, payload: hex("01 02") }),
    hex("00 00 00 03 05 61 2e 69 32 70 12 34 01 02"),
  );
  for (const host of ["", "a", "a".repeat(255)]) {
    for (const port of [0, 255, 256, 65_535]) {
      const datagram = { host, port, payload: new Uint8Array(300).fill(7) };
      assertEquals(parseDatagram(encodeDatagram(datagram)), { fragment: 0, ...datagram });
    }
  }
  assertThrows(() => encodeDatagram({ host: "a".repeat(256), port: 0, payload: hex("") }), RangeError);
});

pureTest("An answer to an address has the address in front, in the bytes in which it was written", () => {
  for (const [digits, expected] of TABLE) {
    if (expected === undefined) continue;
    const bytes = hex(digits);
    const answer = encodeDatagram({ ...expected, host: writtenAddress(bytes, expected) });
    assertEquals(answer, concat(hex("00 00 00"), bytes.subarray(3)), digits);
  }
});

pureTest("The reply to an association names the relay on loopback, in the family of the client", () => {
  assertEquals(encodeAssociated("127.0.0.1", 0x1f90), hex("05 00 00 01 7f 00 00 01 1f 90"));
  assertEquals(encodeAssociated("::1", 258), concat(hex("05 00 00 04"), new Uint8Array(15), hex("01 01 02")));
});
