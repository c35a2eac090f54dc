import { INSPECTED, INSPECTED_RECEIVED, type Inspection, type Protocol, type Reader, type Trait } from "./detector.ts";
import type { IdentifierFinder, Scanner } from "./identifiers.ts";
import { fromLatin1 } from "../io/latin1.ts";
import type { LeakKind } from "./leak.ts";
import { PlainReader } from "./reader.ts";

const NOTHING: Uint8Array = new Uint8Array();

/** What a guard does with the bytes of a stream on their way. */
export interface Filter {
  /**
   * Looks at bytes.
   *
   * @returns what to send in their place, perhaps nothing for now; undefined if the stream is to end without them.
   */
  pass(bytes: Uint8Array): Uint8Array | undefined;
  /** What it has held back and is to be sent now, where nothing more comes; undefined as with {@linkcode pass}. */
  end(): Uint8Array | undefined;
  /** Whether it lets everything pass from now on. */
  readonly isDone: boolean;
}

/** Rewrites the bytes of an application; see `scrub_http.ts` and `scrub_irc.ts`. */
export interface Scrubber {
  /** What to send in place of the bytes; undefined if the stream is to end. */
  push(bytes: Uint8Array): Uint8Array | undefined;
  /** What it has held back, where nothing more comes; undefined as with {@linkcode push}. */
  end(): Uint8Array | undefined;
  /** Whether it changes nothing from now on. */
  readonly isDone: boolean;
}

/** What a stream is guarded with. */
export interface StreamGuardOptions {
  /** Where the stream goes: a host of I2P, lower case. */
  host: string;
  /** Protocols to look for. The first one that recognises the stream reads it. */
  protocols: readonly Protocol[];
  /** Looks for what is to be found in any plaintext. @default nothing is looked at */
  finder?: IdentifierFinder | undefined;
  /** Makes rewriters, applied before anything is looked at. */
  scrubbers: readonly ((onLeak: (kind: LeakKind) => void) => Scrubber)[];
  /** Whether the bytes that complete a leak are kept back and the stream ends. */
  blocks: boolean;
  /** Takes each kind of leak, once a stream. */
  onLeak: (kind: LeakKind) => void;
  /** Takes each trait. @returns the leak that it is, as with a cookie of another site */
  onTrait?: (trait: Trait, value: string) => LeakKind | undefined;
}

/**
 * Looks at what an application sends into one stream, as long as it may be plaintext that says something.
 *
 * ```
 * application ─► scrubbers ─► recognition ─► reader of one protocol ─► peer
 *                 rewrite      of the head     └─► scanners for identifiers
 * ```
 *
 * What is found depends on the bytes alone, not on the chunks that they come in: a protocol is looked for at fixed places of
 * the stream, and readers and scanners wait for what decides. Where leaks are to be stopped, bytes that are undecided are
 * held back until the next ones, or the end of the stream, decide about them.
 */
export class StreamGuard {
  /** For the bytes of the application. */
  readonly sent: Filter;
  /** For the bytes of the peer, which always pass. */
  readonly received: Filter;
  readonly #options: StreamGuardOptions;
  readonly #scrubbers: readonly Scrubber[];
  /** What was found so far; most streams have nothing. */
  #found: Set<LeakKind> | undefined;
  /** What was sent before the protocol was known. */
  #head = "";
  /** Characters of it at which protocols were asked last. */
  #asked = 0;
  /** Looks for identifiers in the lines of the head, up to the last end of a line. */
  #lines: Scanner | undefined;
  #searched = 0;
  #received = "";
  #candidates: readonly Protocol[];
  #reader: Reader | undefined;
  /** What is held back, in the chunks in which it came. */
  #held: Uint8Array[] = [];
  #heldLength = 0;
  #isBlocked = false;
  #isScrubbed: boolean;

  /** Begins at the beginning of a stream. */
  constructor(options: StreamGuardOptions) {
    this.#options = options;
    this.#candidates = options.protocols;
    this.#scrubbers = options.scrubbers.map((make) => make((kind) => this.#report(kind, false)));
    this.#isScrubbed = this.#scrubbers.length === 0;
    this.sent = new SentFilter(this);
    this.received = new ReceivedFilter(this);
  }

  /** {@linkcode Filter.pass} of the bytes of the application. */
  passSent(bytes: Uint8Array): Uint8Array | undefined {
    if (this.#isBlocked) return undefined;
    if (bytes.length === 0) return bytes;
    let rest: Uint8Array | undefined = bytes;
    for (const scrubber of this.#scrubbers) rest = rest && scrubber.push(rest);
    if (rest === undefined) return this.#block();
    return this.#inspect(rest, false);
  }

  /** {@linkcode Filter.end} of the bytes of the application. */
  endSent(): Uint8Array | undefined {
    if (this.#isBlocked) return undefined;
    let held: Uint8Array | undefined = NOTHING;
    // What each one has held back goes through those behind it.
    for (const scrubber of this.#scrubbers) {
      const passed: Uint8Array | undefined = held && scrubber.push(held);
      const rest: Uint8Array | undefined = passed && scrubber.end();
      held = passed && rest && concat([passed, rest]);
    }
    return held === undefined ? this.#block() : this.#inspect(held, true);
  }

  /** Takes note of what the peer says. */
  noteReceived(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.isReceivedDone) return;
    this.#received += fromLatin1(bytes.subarray(0, INSPECTED_RECEIVED - this.#received.length));
  }

  /** Whether the application may send what it likes, unseen. */
  get isSentDone(): boolean {
    if (this.#isBlocked || this.#heldLength > 0) return false;
    this.#isScrubbed ||= this.#scrubbers.every((scrubber) => scrubber.isDone);
    return this.#isScrubbed && (this.#options.finder === undefined || this.#reader?.skip === Infinity);
  }

  /** Whether enough of the peer is known. */
  get isReceivedDone(): boolean {
    return this.#reader !== undefined || this.#options.finder === undefined ||
      this.#received.length >= INSPECTED_RECEIVED;
  }

  #block(): undefined {
    this.#isBlocked = true;
    this.#held = [];
    this.#heldLength = 0;
    this.#head = this.#received = "";
  }

  /** Looks at what is about to leave, and returns what may. */
  #inspect(bytes: Uint8Array, isEnd: boolean): Uint8Array | undefined {
    const { finder, blocks } = this.#options;
    if (finder === undefined) return bytes;
    const before = this.#found?.size ?? 0;
    const undecided = this.#read(bytes);
    if (isEnd) this.#end();
    if (!blocks) return bytes;
    if ((this.#found?.size ?? 0) > before) return this.#block();
    return this.#release(bytes, isEnd ? 0 : undecided);
  }

  /** Holds back some bytes at the end of all that were not sent yet. */
  #release(bytes: Uint8Array, undecided: number): Uint8Array {
    if (undecided === 0 && this.#heldLength === 0) return bytes;
    const count = this.#heldLength + bytes.length - undecided;
    if (count <= 0) {
      this.#held.push(bytes.slice());
      this.#heldLength += bytes.length;
      return NOTHING;
    }
    const all = concat([...this.#held, bytes]);
    const rest = all.slice(count);
    this.#held = rest.length === 0 ? [] : [rest];
    this.#heldLength = rest.length;
    return all.subarray(0, count);
  }

  /** @returns how many characters at the end are undecided. */
  #read(bytes: Uint8Array): number {
    let undecided = 0;
    let start = 0;
    while (start < bytes.length) {
      const skip = Math.min(this.#reader?.skip ?? 0, bytes.length - start);
      if (skip > 0) this.#reader?.pass(skip);
      start += skip;
      undecided = 0;
      if (start === bytes.length) break;
      const text = fromLatin1(start === 0 ? bytes : bytes.subarray(start));
      undecided = this.#reader === undefined ? this.#recognise(text) : this.#reader.push(text);
      start = bytes.length;
    }
    return undecided;
  }

  /** Looks for a protocol at the end of each line, and at lengths that are powers of two, from eight on. */
  #recognise(text: string): number {
    this.#head += text;
    for (let at = this.#nextPlace(); at > 0 && this.#reader === undefined; at = this.#nextPlace()) this.#ask(at);
    if (this.#reader !== undefined) {
      const head = this.#head;
      this.#head = this.#received = "";
      return this.#reader.push(head);
    }
    // A line that has ended may be answered, so it cannot wait for the next one.
    const lineStart = this.#head.lastIndexOf("\n") + 1;
    if (lineStart > this.#searched) {
      this.#lines ??= this.#context().scan();
      this.#lines.push(this.#head.slice(this.#searched, lineStart));
    }
    this.#searched = Math.max(this.#searched, lineStart);
    if (!this.#options.blocks) return 0;
    const head = { sent: this.#head, received: this.#received, host: this.#options.host };
    const mayLeak = this.#candidates.some((one) => one.beginsWithText === true && one.recognise(head) !== false);
    return mayLeak ? this.#head.length - lineStart : 0;
  }

  /** The next length of the head at which to ask; 0 if it has not come. */
  #nextPlace(): number {
    const lineEnd = this.#head.indexOf("\n", this.#asked) + 1 || Infinity;
    // Where the first protocol is the only one in question, it is asked where it knows: at the end of the line.
    if (
      this.#asked === 0 && lineEnd <= this.#head.length && this.#candidates[0]?.isUnmistakable?.(this.#head.slice(0, 8))
    ) {
      return Math.min(lineEnd, INSPECTED);
    }
    let power = 8;
    while (power <= this.#asked) power *= 2;
    const place = Math.min(lineEnd, power, INSPECTED);
    return place <= this.#head.length && place > this.#asked ? place : 0;
  }

  #ask(at: number): void {
    this.#asked = at;
    const head = { sent: this.#head.slice(0, at), received: this.#received, host: this.#options.host };
    const candidates: Protocol[] = [];
    for (const protocol of this.#candidates) {
      const isIt = protocol.recognise(head);
      if (isIt === true) {
        this.#reader = protocol.open(this.#context());
        return;
      }
      if (isIt === undefined) candidates.push(protocol);
      if (isIt === undefined && protocol.isUnmistakable?.(head.sent) === true) break;
    }
    this.#candidates = candidates;
    if (candidates.length === 0 || at === INSPECTED) this.#reader = new PlainReader(this.#context());
  }

  #end(): void {
    if (this.#reader === undefined) {
      if (this.#head.length > this.#asked) this.#ask(this.#head.length);
      this.#reader ??= new PlainReader(this.#context());
      this.#reader.push(this.#head);
    }
    this.#reader.end();
  }

  #context(): Inspection {
    const { host, blocks, finder, onTrait } = this.#options;
    return {
      host,
      blocks,
      onLeak: (kind) => this.#report(kind, true),
      onTrait: (trait, value) => {
        const kind = onTrait?.(trait, value);
        if (kind !== undefined) this.#report(kind, true);
      },
      scan: ({ ignore } = {}) =>
        finder?.open((kind) => {
          if (kind !== ignore) this.#report(kind, true);
        }) ?? BLIND,
      search: (text) => {
        if (text !== "") { for (const kind of finder?.find(text) ?? []) this.#report(kind, true); }
      },
    };
  }

  /** @param isSent whether it was found in what is sent, and not only left out of it. */
  #report(kind: LeakKind, isSent: boolean): void {
    // A stream that is being ended says nothing more.
    if (this.#found?.has(kind)) return;
    if (isSent) (this.#found ??= new Set()).add(kind);
    this.#options.onLeak(kind);
  }
}

/** Finds nothing. */
const BLIND: Scanner = { push: () => 0, end: () => {} };

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** For the bytes of the application. */
class SentFilter implements Filter {
  readonly #guard: StreamGuard;

  constructor(guard: StreamGuard) {
    this.#guard = guard;
  }

  pass(bytes: Uint8Array): Uint8Array | undefined {
    return this.#guard.passSent(bytes);
  }

  end(): Uint8Array | undefined {
    return this.#guard.endSent();
  }

  get isDone(): boolean {
    return this.#guard.isSentDone;
  }
}

/** For the bytes of the peer. */
class ReceivedFilter implements Filter {
  readonly #guard: StreamGuard;

  constructor(guard: StreamGuard) {
    this.#guard = guard;
  }

  pass(bytes: Uint8Array): Uint8Array {
    this.#guard.noteReceived(bytes);
    return bytes;
  }

  end(): Uint8Array {
    return NOTHING;
  }

  get isDone(): boolean {
    return this.#guard.isReceivedDone;
  }
}
