import { assert, assertEquals } from "@std/assert";
import { formatSamDatagram, parseSamDatagram, readSender, readSenderHash } from "../../lib/sam/datagrams.ts";
import { encodeDatagram, parseDatagram, writtenAddress } from "../../lib/socks/datagram.ts";
import { latin1 } from "../../lib/socks/wire.ts";
import { encodeRequest5 } from "../clients/socks_wire.ts";
import type { Target } from "./engine.ts";
import { hex } from "./literal.ts";
import { mutateBytes } from "./mutate.ts";
import { concat } from "../support/bytes.ts";

/** Bytes that come as a datagram, and the parts of one that is well made. */
interface Datagram {
  bytes: Uint8Array;
  host: Uint8Array;
  port: number;
  payload: Uint8Array;
}

/** Datagrams of clients and of the bridge: nothing throws, what is read is in the bytes, and what was written is read. */
export const datagrams: Target<Datagram> = {
  name: "datagrams",
  weight: 8,
  corpus: ["", "00 00 00 03 ff", "00 00 00 03 00 00 00", "00 00 00 01 00 00 00 00 00", "00 00 00 04", "0a", "20 0a"]
    .map(
      (digits) => ({ bytes: hex(digits), host: hex(""), port: 0, payload: hex("0a") }),
    ),
  generate: (random) => {
    const host = random.bytes(random.below(random.below(5) === 0 ? 256 : 20));
    const port = random.pick([0, 53, 65_535, random.below(65_536)]);
    const payload = random.bytes(random.below(40));
    const made = random.below(2) === 0
      ? encodeDatagram({ host: latin1(host), port, payload })
      : formatSamDatagram("id", "A".repeat(random.pick([43, 44, random.below(600)])), payload).subarray(
        random.pick([0, 7]),
      );
    return { bytes: mutateBytes(made, random, { maxLength: 700 }), host, port, payload };
  },
  check: ({ bytes, host, port, payload }) => {
    const read = parseDatagram(bytes);
    if (read !== undefined) {
      const as = bytes[3] === 3 ? "name" : bytes[3] === 1 ? "ipv4" : "ipv6";
      const address = encodeRequest5({ host: read.host, port: read.port, as }).subarray(3);
      assertEquals(concat(bytes.slice(0, 3), address, read.payload), concat(bytes));
      assertEquals(read.fragment, bytes[2]);
      const again = encodeDatagram({ ...read, host: writtenAddress(bytes, read) });
      assertEquals(concat(again.subarray(3)), concat(bytes.subarray(3)));
    }
    const forwarded = parseSamDatagram(bytes);
    if (forwarded !== undefined) {
      const { from, fromPort = 0, payload: rest } = forwarded;
      assert(from !== "" && !/[ \n]/.test(from) && fromPort >= 0 && fromPort <= 65_535);
      assertEquals(concat(rest), concat(bytes.slice(bytes.indexOf(0x0a) + 1)));
      const sender = readSender(from);
      assert(sender === undefined || sender.length >= 387);
      const hash = readSenderHash(from);
      assert(hash === undefined || /^[a-z2-7]{52}\.b32\.i2p$/.test(hash) && sender === undefined);
    }
    const made = { host: latin1(host), port, payload };
    assertEquals(parseDatagram(encodeDatagram(made)), { fragment: 0, ...made });
  },
};
