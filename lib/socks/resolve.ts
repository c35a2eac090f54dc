import { Reply4, Reply5 } from "./wire.ts";

/** Tor's command that asks for the address of a name (socks-extensions.txt §2), in SOCKS 4a and 5. */
export const RESOLVE = 0xf0;

/** Tor's command that asks for the name of an address, in SOCKS5. */
export const RESOLVE_PTR = 0xf1;

/** Both of them. */
export const RESOLVE_COMMANDS: ReadonlySet<number> = new Set([RESOLVE, RESOLVE_PTR]);

/**
 * The answer of SOCKS5 to {@linkcode RESOLVE}: a reply whose bound address, 4 or 16 bytes, is what was asked for.
 *
 * ```
 * +-----+-----+-------+-----------+------------+---------+
 * | 0x05| 0x00|  0x00 | 0x01 or 4 |  ADDRESS   | 0x0000  |
 * +-----+-----+-------+-----------+------------+---------+
 * |  1  |  1  |   1   |     1     |  4 or 16   |    2    |
 * ```
 */
export function encodeResolved5(address: Uint8Array): Uint8Array {
  return Uint8Array.of(5, Reply5.succeeded, 0, address.length === 4 ? 1 : 4, ...address, 0, 0);
}

/** The answer of SOCKS 4 and 4a to {@linkcode RESOLVE}: a reply whose address, 4 bytes, is what was asked for. */
export function encodeResolved4(address: Uint8Array): Uint8Array {
  return Uint8Array.of(0, Reply4.granted, 0, 0, ...address);
}

/** The answer to {@linkcode RESOLVE_PTR}: a reply whose bound address is a name of ASCII, 1 to 255 characters. */
export function encodeName5(name: string): Uint8Array {
  return Uint8Array.of(5, Reply5.succeeded, 0, 3, name.length, ...new TextEncoder().encode(name), 0, 0);
}
