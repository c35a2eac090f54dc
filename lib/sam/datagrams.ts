import { decodeI2pBase64 } from "../i2p/base64.ts";
import { publicPart } from "../i2p/destination.ts";

/**
 * Largest payload of a datagram, in bytes: a repliable datagram of I2P carries its sender's destination and signature, and
 * this is what is left at least (SAM 3.3). i2pd takes a little more, header line included, and cuts the rest off.
 */
export const MAX_DATAGRAM = 31_744;

/** Longest first line that is looked for: a destination with the largest certificate in use, and both ports. */
const MAX_HEADER = 2048;

const LF = 0x0a;

/** A datagram as the bridge forwards it. */
export interface ReceivedDatagram {
  /** The sender's destination in I2P base64. Not checked. */
  from: string;
  /** Port of the sender; undefined where the router does not tell, as i2pd and every version below 3.2. */
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
  const header = new TextEncoder().encode(`3.0 ${sessionId} ${destination}\n`);
  const bytes = new Uint8Array(header.length + payload.length);
  bytes.set(header);
  bytes.set(payload, header.length);
  return bytes;
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
