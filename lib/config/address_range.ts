import { garlicatName } from "../i2p/garlicat.ts";
import { formatIp, ipBytes } from "../i2p/ip_address.ts";

/** IP addresses with a common beginning. */
export interface AddressRange {
  /** As it is written: `ADDRESS/LENGTH`. */
  readonly text: string;
  /** The first address: 4 bytes, or 16. */
  readonly first: readonly number[];
  /** How many bits all its addresses have in common. */
  readonly length: number;
}

/** Fewest addresses of a range, as bits: names are given addresses at random, and not the same one soon again. */
export const MIN_RANGE_BITS = 16;

/** Ranges that never lead out of this machine, or out of the user's own network, and what they are for. */
const HARMLESS: readonly AddressRange[] = [
  { text: "127.0.0.0/8", first: [127, 0, 0, 0], length: 8 },
  { text: "10.0.0.0/8", first: [10, 0, 0, 0], length: 8 },
  { text: "172.16.0.0/12", first: [172, 16, 0, 0], length: 12 },
  { text: "192.168.0.0/16", first: [192, 168, 0, 0], length: 16 },
  { text: "198.18.0.0/15", first: [198, 18, 0, 0], length: 15 },
  { text: "fc00::/7", first: [0xfc, ...Array<number>(15).fill(0)], length: 7 },
  { text: "fe80::/10", first: [0xfe, 0x80, ...Array<number>(14).fill(0)], length: 10 },
];

/** What programs mean by this machine itself. */
const SELF = Uint8Array.of(127, 0, 0, 1);

/**
 * Parses a range for addresses that stand for names: `ADDRESS/LENGTH`, IPv4 or IPv6. Only ranges are taken that are
 * nobody's on the internet, so that an application which goes past the proxy reaches no stranger.
 *
 * @throws {SyntaxError} with a clause that says what is wrong.
 */
export function parseAddressRange(text: string): AddressRange {
  const [, address = "", digits = ""] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const bytes = ipBytes(address);
  const length = Number(digits);
  if (bytes === undefined || length > 8 * bytes.length) {
    throw new SyntaxError("a range is ADDRESS/LENGTH, such as 127.192.0.0/10");
  }
  const first = bytes.map((byte, i) => byte & maskOf(length, i));
  const range = { text: `${formatIp(first)}/${length}`, first: [...first], length };
  if (first.some((byte, i) => byte !== bytes[i])) throw new SyntaxError(`the range of this length is ${range.text}`);
  if (!HARMLESS.some((outer) => outer.length <= length && isInRange(first, outer))) {
    throw new SyntaxError(`it must be a part of ${HARMLESS.map((outer) => outer.text).join(", ")}`);
  }
  if (isInRange(SELF, range)) {
    throw new SyntaxError("127.0.0.1 is this machine itself: take a range such as 127.192.0.0/10");
  }
  if (8 * first.length - length < MIN_RANGE_BITS) {
    throw new SyntaxError(`it is too small: ${2 ** MIN_RANGE_BITS} addresses are needed`);
  }
  if (garlicatName(formatIp(first)) !== undefined) {
    throw new SyntaxError("the addresses of this range are GarliCat's");
  }
  return range;
}

/** Whether an address is of a range. */
export function isInRange(address: Uint8Array, { first, length }: Pick<AddressRange, "first" | "length">): boolean {
  return address.length === first.length && first.every((byte, i) => byte === ((address[i] ?? 0) & maskOf(length, i)));
}

/** An address of a range whose other bits are those of some bytes, of which there are as many. */
export function addressIn({ first, length }: AddressRange, bits: Uint8Array): Uint8Array {
  return Uint8Array.from(first, (byte, i) => byte | (bits[i] ?? 0) & ~maskOf(length, i) & 0xff);
}

/** The bits of byte `i` that belong to the first `length` bits of an address. */
function maskOf(length: number, i: number): number {
  return 0xff & ~(0xff >> Math.min(Math.max(length - 8 * i, 0), 8));
}
