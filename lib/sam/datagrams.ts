import { decodeI2pBase64 } from "../i2p/base64.ts";
import { concat } from "../io/bytes.ts";
import { hashAddress, publicPart } from "../i2p/destination.ts";

/**
 * Largest payload of a datagram, in bytes: a repliable datagram of I2P carries its sender's destination and signature, and
 * this is what is left at least (SAM 3.3). i2pd takes a little more, header line included, and cuts the rest off.
 */
export const MAX_DATAGRAM = 31_744;

/**
 * The kinds of datagrams that can be answered, as SESSION CREATE names them: of SAM 3.0, and with protection against replay
 * or with no more than a hash of their sender, which is not proved (both since API 0.9.66, 2025). Each has an I2P protocol
 * number of its own, so a listener for one gets none of the others.
 */
export const DATAGRAM_STYLES = ["DATAGRAM", "DATAGRAM2", "DATAGRAM3"] as const;

/** One of {@linkcode DATAGRAM_STYLES}. */
export type DatagramStyle = typeof DATAGRAM_STYLES[number];

/** What a session's datagrams are, and where the bridge sends those that come in, by UDP. */
export interface DatagramTarget {
  /** A loopback address. */
  hostname: string;
  /** UDP port. */
  port: number;
  /** Their kind. */
  style: DatagramStyle;
}

/** What SESSION CREATE or SESSION ADD says of it (SAM 3.0). */
export function targetOptions({ hostname, port }: DatagramTarget): Record<string, string> {
  return { HOST: hostname, PORT: String(port) };
}

/** Longest first line that is looked for: a destination with the largest certificate in use, and both ports. */
const MAX_HEADER = 2048;

const LF = 0x0a;

/** A datagram as the bridge forwards it. */
export interface ReceivedDatagram {
  /** The sender's destination in I2P base64, or of DATAGRAM3 the hash of it. Not checked. */
  from: string;
  /** Port of the sender; undefined if the router does not send it, as with i2pd and every version below 3.2. */
  fromPort: number | undefined;
  /** What it carries; a view of the bytes that were parsed. */
  payload: Uint8Array;
}

/**
 * Writes a datagram for the bridge's UDP port (SAM 3.0): `3.0 ID DESTINATION`, a line end, and the payload.
 *
 * Without ports or other options, which i2pd takes for a part of the destination.
 *
 * @param destination in I2P base64: i2pd knows no names here.
 */
export function formatSamDatagram(
  sessionId: string,
  destination: string,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return concat([new TextEncoder().encode(`3.0 ${sessionId} ${destination}\n`), payload]);
}

/**
 * Reads a datagram that the bridge forwards (SAM 3.0; the ports are of 3.2): `DESTINATION[ FROM_PORT=N][ TO_PORT=N]`, a line
 * end, and the payload. Pure, and never throws.
 *
 * @returns undefined if there is no such line.
 */
export function parseSamDatagram(bytes: Uint8Array): ReceivedDatagram | undefined {
  const end = bytes.subarray(0, MAX_HEADER).indexOf(LF);
  if (end < 0) return undefined;
  const [from = "", ...pairs] = new TextDecoder().decode(bytes.subarray(0, end)).trim().split(/ +/);
  if (from === "" || from.includes("\t")) return undefined;
  const port = pairs.map((pair) => /^FROM_PORT=(\d{1,5})$/.exec(pair)?.[1]).find((digits) => digits !== undefined);
  const fromPort = port === undefined || Number(port) > 65_535 ? undefined : Number(port);
  return { from, fromPort, payload: bytes.subarray(end + 1) };
}

/** The destination in a sender's base64; undefined if it is none, or has more than a destination behind it. */
export function readSender(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const bytes = decodeI2pBase64(text);
    const destination = publicPart(bytes);
    return destination.length === bytes.length ? destination : undefined;
  } catch {
    return undefined;
  }
}

/** The address of a sender that a DATAGRAM3 names by its hash, 44 characters of base64; undefined if it is none. */
export function readSenderHash(text: string): string | undefined {
  try {
    const hash = decodeI2pBase64(text);
    return hash.length === HASH_BYTES ? hashAddress(hash) : undefined;
  } catch {
    return undefined;
  }
}

/** Bytes of a SHA-256. */
const HASH_BYTES = 32;
