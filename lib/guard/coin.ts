import { formatIp } from "../i2p/ip_address.ts";
import type { Protocol } from "./detector.ts";
import { toLatin1 } from "../io/latin1.ts";
import { lastPacket, packetProtocol, PARTIAL } from "./reader.ts";

/** Where a message names itself, behind the four bytes of its network. */
const NAME = "version\0\0\0\0\0";

/** Length of the head of a message: network, name, length, checksum. */
const HEAD = 24;

/** Where the sender's address begins: behind version, services, time, and the receiver with its own services and port. */
const ADDRESS = HEAD + 4 + 8 + 8 + 26 + 8;

/**
 * The version message with which nodes of Bitcoin and its kin begin, for the address that the sender takes for its own.
 *
 * ```
 * network:4 "version":12 length:4 checksum:4   version:4 services:8 time:8   services:8 ip:16 port:2   services:8 ip:16 …
 * ```
 *
 * Not seen: addresses in messages that follow, and all of version 2 of that protocol, which is encrypted.
 */
export const COIN: Protocol = packetProtocol(({ sent }) => {
  if (sent.length >= 4 + NAME.length) return sent.startsWith(NAME, 4);
  return NAME.startsWith(sent.slice(4)) ? undefined : false;
}, () => (text) => {
  if (text.length < ADDRESS + 16) return PARTIAL;
  const address = formatIp(toLatin1(text.slice(ADDRESS, ADDRESS + 16)));
  return lastPacket(isNobodys(address) ? [] : ["coin-address"]);
});

/** Whether an address is none, loopback, or stands for a name of Tor or I2P (OnionCat, GarliCat). */
function isNobodys(address: string): boolean {
  return /^0:0:0:0:0:(?:0:0:[01]|ffff:(?:0:0|7f[\da-f]{2}:[\da-f]{1,4}))$|^fd87:d87e:eb43:|^fd60:db4d:ddb5:/.test(
    address,
  );
}
