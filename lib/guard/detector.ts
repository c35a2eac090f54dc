import type { LeakKind } from "./leak.ts";

/** The beginning of a stream: bytes as text, one to one (Latin-1). */
export interface Head {
  /** What the application has sent, at most {@linkcode INSPECTED} bytes. */
  readonly sent: string;
  /** What the peer has sent, at most {@linkcode INSPECTED_RECEIVED} bytes. */
  readonly received: string;
  /** Where the stream goes: a host of I2P, lower case. */
  readonly host: string;
}

/** Bytes of each stream from the application that are looked at. */
export const INSPECTED = 16_384;

/** Bytes of each stream from the peer that are looked at, to recognise protocols where the server speaks first. */
export const INSPECTED_RECEIVED = 1_024;

/** What a detector makes of a head. */
export interface Verdict {
  /** What it gives away. */
  readonly leaks: readonly LeakKind[];
  /**
   * Whether nothing more can be found in this stream: it is encrypted from here on, or of a protocol whose beginning is
   * all that there is to see.
   */
  readonly isDone: boolean;
}

/**
 * Looks for a protocol at the beginning of a stream. Pure; asked again, with more, each time bytes have come.
 *
 * @returns undefined where the stream is not of this protocol, or not yet seen to be.
 */
export type Detector = (head: Head) => Verdict | undefined;

/** A protocol of lines, which is looked at for as long as it stays one. */
export interface LineProtocol {
  /** Whether a stream is of it; undefined while it may yet be. */
  readonly recognise: (head: Head) => boolean | undefined;
  /** What a line of the application, without its line end, gives away. Pure. */
  readonly inspect: (line: string) => readonly LeakKind[];
}
