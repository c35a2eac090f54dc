import { encodeI2pBase32 } from "./base32.ts";
import { ipBytes } from "./ip_address.ts";

/** GarliCat's IPv6 network, fd60:db4d:ddb5::/48, as its first bytes. */
const PREFIX = [0xfd, 0x60, 0xdb, 0x4d, 0xdd, 0xb5] as const;

/** What the names of GarliCat end with. */
const SUFFIX = ".oc.b32.i2p";

/**
 * The name behind an IPv6 address of GarliCat: its last 80 bits in base32, as OnionCat does it for onion services.
 *
 * 80 bits are a part of a destination's hash, so no router can find the destination from them: the name stands in an
 * address book, or leads nowhere.
 *
 * @param address an IPv6 address, with or without brackets.
 * @returns `<16 characters>.oc.b32.i2p`, or undefined for any other address.
 */
export function garlicatName(address: string): string | undefined {
  const bytes = ipBytes(address);
  if (bytes === undefined || PREFIX.some((byte, i) => bytes[i] !== byte)) return undefined;
  return `${encodeI2pBase32(bytes.subarray(PREFIX.length))}${SUFFIX}`;
}

/**
 * The name of GarliCat that a host is: `<16 characters>.oc.b32.i2p`, also for `<16 characters>.b32.i2p`, which is what
 * OnionCat asks for when it has nothing but an IPv6 address (seen of 4.11.0).
 *
 * @param host in lower case.
 * @returns undefined for any other host.
 */
export function garlicatHost(host: string): string | undefined {
  const [, label] = /^([a-z2-7]{16})(?:\.oc)?\.b32\.i2p$/.exec(host) ?? [];
  return label === undefined ? undefined : `${label}${SUFFIX}`;
}
