import { type Head, INSPECTED, type Inspection, type Protocol, type Reader } from "./detector.ts";
import type { Scanner } from "./identifiers.ts";
import type { LeakKind } from "./leak.ts";

/** Longest line that is looked at as a whole; of a longer one, the beginning. */
export const MAX_LINE = 8_192;

/** Reads the beginning of a stream of no known protocol, for identifiers alone. */
export class PlainReader implements Reader {
  readonly #scanner: Scanner;
  #rest = INSPECTED;

  constructor(context: Inspection) {
    this.#scanner = context.scan();
  }

  push(text: string): number {
    const part = text.slice(0, this.#rest);
    const undecided = this.#scanner.push(part);
    this.#rest -= part.length;
    if (this.#rest > 0) return undecided;
    this.#scanner.end();
    return 0;
  }

  end(): void {
    this.#scanner.end();
  }

  get skip(): number {
    return this.#rest > 0 ? 0 : Infinity;
  }

  pass(): void {}
}

/** Takes the lines of a stream. */
export interface LineInspector {
  /** Takes a line without its end. */
  line(text: string): void;
  /** Takes the part behind the first {@linkcode MAX_LINE} characters of a line, piece by piece. */
  more?(text: string): void;
  /** Whether the line before asked for TLS, so that its first bytes may come in place of a line. */
  readonly mayTurnToTls?: boolean;
  /** Whether nothing of what follows is lines. */
  readonly isOver?: boolean;
}

/** Reads a stream line by line. A line ends with its line feed, or with the stream. */
export class LineReader implements Reader {
  readonly #inspector: LineInspector;
  #line = "";
  /** Whether the beginning of the line was handed on. */
  #isLong = false;
  #isOver = false;

  constructor(inspector: LineInspector) {
    this.#inspector = inspector;
  }

  push(text: string): number {
    let start = 0;
    while (!this.#isOver) {
      const end = text.indexOf("\n", start);
      this.#take(text.slice(start, end < 0 ? undefined : end), end >= 0);
      if (end < 0) break;
      start = end + 1;
    }
    return this.#isOver ? 0 : this.#line.length;
  }

  end(): void {
    if (!this.#isOver && (this.#line !== "" || this.#isLong)) this.#take("", true);
    this.#isOver = true;
  }

  get skip(): number {
    return this.#isOver ? Infinity : 0;
  }

  pass(): void {}

  #take(text: string, isEnd: boolean): void {
    this.#line += text;
    if (this.#inspector.mayTurnToTls === true && !this.#isLong && this.#line.startsWith("\x16\x03")) {
      this.#isOver = true;
      return;
    }
    while (this.#line.length > MAX_LINE) {
      this.#hand(this.#line.slice(0, MAX_LINE));
      this.#line = this.#line.slice(MAX_LINE);
      this.#isLong = true;
    }
    if (!isEnd) return;
    this.#hand(this.#line.endsWith("\r") ? this.#line.slice(0, -1) : this.#line);
    this.#line = "";
    this.#isLong = false;
    this.#isOver ||= this.#inspector.isOver === true;
  }

  #hand(text: string): void {
    if (this.#isLong) this.#inspector.more?.(text);
    else this.#inspector.line(text);
  }
}

/**
 * A protocol of lines that are looked at for leaks and for identifiers.
 *
 * @param makeInspect begins a stream: what it returns takes its lines, one after the other.
 */
export function lineProtocol(
  recognise: (head: Head) => boolean | undefined,
  makeInspect: () => (line: string) => readonly LeakKind[],
  asksForTls?: RegExp,
): Protocol {
  return {
    recognise,
    beginsWithText: true,
    open: (context) => {
      const inspect = makeInspect();
      const scanner = context.scan();
      let mayTurnToTls = false;
      return new LineReader({
        line(text): void {
          mayTurnToTls = asksForTls?.test(text) === true;
          for (const kind of inspect(text)) context.onLeak(kind);
          scanner.push(`${text}\n`);
        },
        more: (text) => void scanner.push(text),
        get mayTurnToTls(): boolean {
          return mayTurnToTls;
        },
      });
    },
  };
}

/** What a {@linkcode PacketReader} makes of the beginning of what has come. */
export interface Packet {
  /** How many characters were understood; 0 if the first packet is not whole yet. */
  readonly taken: number;
  /** What is in them. */
  readonly leaks: readonly LeakKind[];
  /** How many of the characters behind them need not be looked at; Infinity if nothing more is to be seen. @default {0} */
  readonly skip?: number;
  /** A text in it that names the program. @default {none} */
  readonly software?: string;
  /** Whether nothing readable follows, so that identifiers are not looked for either. @default {false} */
  readonly isOver?: boolean;
}

/** Most characters that a packet may have until it is whole. */
const MAX_PACKET = 65_536;

/** Reads a stream packet by packet, and its beginning for identifiers. */
export class PacketReader implements Reader {
  readonly #context: Inspection;
  readonly #take: (text: string) => Packet;
  readonly #plain: PlainReader;
  #held = "";
  #skip = 0;
  #isOver = false;

  /** @param take takes the first packet off what has come. */
  constructor(context: Inspection, take: (text: string) => Packet) {
    this.#context = context;
    this.#take = take;
    this.#plain = new PlainReader(context);
  }

  push(text: string): number {
    const undecided = this.#plain.push(text);
    const skipped = Math.min(this.#skip, text.length);
    this.#skip -= skipped;
    this.#held += text.slice(skipped);
    while (this.#held !== "" && this.#skip === 0) {
      const { taken, leaks, skip = 0, software, isOver = false } = this.#take(this.#held);
      for (const kind of leaks) this.#context.onLeak(kind);
      if (software !== undefined) this.#context.onTrait("software", software);
      if (isOver) this.#finish();
      if (taken === 0 && skip === 0) break;
      const ignored = Math.min(skip, this.#held.length - taken);
      this.#held = this.#held.slice(taken + ignored);
      this.#skip = skip - ignored;
    }
    if (this.#held.length > MAX_PACKET) this.#finish();
    return this.#isOver ? 0 : Math.max(undecided, this.#held.length);
  }

  end(): void {
    if (!this.#isOver) this.#plain.end();
  }

  get skip(): number {
    if (this.#isOver) return Infinity;
    return this.#held === "" ? Math.min(this.#skip, this.#plain.skip) : 0;
  }

  pass(count: number): void {
    this.#skip -= count;
  }

  #finish(): void {
    this.#plain.end();
    this.#held = "";
    this.#isOver = true;
  }
}

/**
 * A protocol of packets.
 *
 * @param makeTake begins a stream: what it returns takes the first packet off what has come, again and again.
 */
export function packetProtocol(
  recognise: (head: Head) => boolean | undefined,
  makeTake: () => (text: string) => Packet,
): Protocol {
  return { recognise, open: (context) => new PacketReader(context, makeTake()) };
}

/** The last packet that is looked at. Identifiers still are, in what follows. */
export function lastPacket(leaks: readonly LeakKind[] = []): Packet {
  return { taken: 0, leaks, skip: Infinity };
}

/** The last packet before what cannot be read. */
export function lastReadable(leaks: readonly LeakKind[] = []): Packet {
  return { taken: 0, leaks, isOver: true };
}

/** A packet that is not whole yet. */
export const PARTIAL: Packet = { taken: 0, leaks: [] };

/** Whether a stream begins with some bytes; undefined while it may yet. */
export function beginsWith(sent: string, beginning: string): boolean | undefined {
  return sent.startsWith(beginning) || (beginning.startsWith(sent) ? undefined : false);
}

/** The number in some bytes, the first one being the highest. */
export function numberAt(text: string, at: number, bytes: number): number {
  let number = 0;
  for (let index = at; index < at + bytes; index++) number = number * 256 + (text.charCodeAt(index) || 0);
  return number;
}

/** What is in base64, of either alphabet, as far as it is; empty if it is none. */
export function decodeBase64(text: string): string {
  const letters = text.replace(/=+$/, "").replaceAll("-", "+").replaceAll("_", "/");
  if (!/^[A-Za-z0-9+/]*$/.test(letters)) return "";
  return atob(letters.slice(0, letters.length - (letters.length % 4 === 1 ? 1 : 0)));
}
