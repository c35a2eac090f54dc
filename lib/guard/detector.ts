import type { Scanner } from "./identifiers.ts";
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

/** Bytes that are looked at: of a stream of no known protocol, and of each body of HTTP. */
export const INSPECTED = 16_384;

/** Bytes of each stream from the peer that are looked at, to recognise protocols where the server speaks first. */
export const INSPECTED_RECEIVED = 1_024;

/**
 * What may be the same at two sites, without being a leak at one: a cookie, `name=value`, or a tag of a cached page, that
 * can stand for one person; and what names the program: its User-Agent, or another text (`software`).
 */
export type Trait = "cookie" | "etag" | "user-agent" | "software";

/** What the reader of a stream reports to, and searches with. */
export interface Inspection {
  /** Where the stream goes: a host of I2P, lower case. */
  readonly host: string;
  /** Whether the stream ends at the first leak, so that what cannot be looked at must not pass either. */
  readonly blocks: boolean;
  /** Takes each kind of leak that is found, perhaps more than once. */
  readonly onLeak: (kind: LeakKind) => void;
  /** Takes each trait that is found, perhaps more than once. */
  readonly onTrait: (trait: Trait, value: string) => void;
  /** Begins to look for identifiers in a text that comes in chunks, but for those of a kind that does not count in it. */
  readonly scan: (options?: { ignore?: LeakKind }) => Scanner;
  /** Looks for identifiers in a whole text. */
  readonly search: (text: string) => void;
}

/** Reads what the application sends in one protocol. What it reports does not depend on the chunks that it gets. */
export interface Reader {
  /**
   * Takes the next characters.
   *
   * @returns how many at the end are, or are not, part of a leak, depending on what follows.
   */
  push(text: string): number;
  /** Takes the end of the stream. */
  end(): void;
  /** How many of the next characters it does not look at; Infinity once there is nothing more to see. */
  readonly skip: number;
  /** Takes note of characters that were not looked at, at most {@linkcode skip}. */
  pass(count: number): void;
}

/** A protocol that the guard knows. */
export interface Protocol {
  /** Whether a stream is of it; undefined while it may yet be. Pure. */
  readonly recognise: (head: Head) => boolean | undefined;
  /**
   * Whether a leak may stand in front of where it is recognised: in its first line.
   *
   * @default {false}
   */
  readonly beginsWithText?: boolean;
  /** Whether a stream that may be of it cannot be of a protocol behind it in the list: saves asking these. Pure. */
  readonly isUnmistakable?: (sent: string) => boolean;
  /** Begins to read a stream of it, from the first character on. */
  readonly open: (context: Inspection) => Reader;
}
