import { type Detector, type Head, INSPECTED, INSPECTED_RECEIVED, type LineProtocol } from "./detector.ts";
import type { IdentifierFinder } from "./identifiers.ts";
import { fromLatin1 } from "./latin1.ts";
import type { LeakKind } from "./leak.ts";

/** Characters of a line after which a stream is taken for no protocol of lines any more. */
const LONGEST_LINE = 8_192;

/** Characters by which the beginning of a stream must have grown before it is looked at again, unless a line has ended. */
const STEP = 512;

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
  /** What to send in place of the bytes. */
  push(bytes: Uint8Array): Uint8Array;
  /** What it has held back, where nothing more comes. */
  end(): Uint8Array;
  /** Whether it changes nothing from now on. */
  readonly isDone: boolean;
}

/** What a stream is guarded with. */
export interface StreamGuardOptions {
  /** Where the stream goes: a host of I2P, lower case. */
  host: string;
  /** Protocols that are known by their beginning. */
  detectors: readonly Detector[];
  /** Protocols of lines. */
  lineProtocols: readonly LineProtocol[];
  /** Looks for what is to be found in any plaintext. */
  finder: IdentifierFinder | undefined;
  /** Rewriters, applied before anything is looked at. */
  scrubbers: readonly Scrubber[];
  /** Whether the bytes that complete a leak are kept back and the stream ends. */
  blocks: boolean;
  /** Told of each kind of leak, once a stream. */
  found: (kind: LeakKind) => void;
}

/**
 * Looks at what an application sends into one stream, as long as it may be plaintext that says something: at the first
 * bytes of any stream, and at the lines of a protocol of lines for as long as it stays one.
 */
export class StreamGuard {
  /** For the bytes of the application. */
  readonly sent: Filter;
  /** For the bytes of the peer, which always pass. */
  readonly received: Filter;
  readonly #options: StreamGuardOptions;
  readonly #found: LeakKind[] = [];
  #sent = "";
  #received = "";
  /** Length of {@linkcode #sent} when it was last looked at. */
  #looked = 0;
  /** What detectors have not ruled out. */
  #detectors: readonly Detector[];
  #candidates: readonly LineProtocol[];
  #lines: LineProtocol | undefined;
  /** The line under way. */
  #line = "";
  /** The end of what {@linkcode StreamGuardOptions.finder} has seen. */
  #tail = "";
  #isDone = false;

  /** Begins at the beginning of a stream. */
  constructor(options: StreamGuardOptions) {
    this.#options = options;
    this.#detectors = options.detectors;
    this.#candidates = options.lineProtocols;
    this.sent = new SentFilter(this);
    this.received = new ReceivedFilter(this);
  }

  /** {@linkcode Filter.pass} of the bytes of the application. */
  passSent(bytes: Uint8Array): Uint8Array | undefined {
    return this.#allow(this.#options.scrubbers.reduce((rest, scrubber) => scrubber.push(rest), bytes));
  }

  /** {@linkcode Filter.end} of the bytes of the application. */
  endSent(): Uint8Array | undefined {
    return this.#allow(this.#flush());
  }

  /** Takes note of what the peer says. */
  noteReceived(bytes: Uint8Array): void {
    this.#received += fromLatin1(bytes.subarray(0, INSPECTED_RECEIVED - this.#received.length));
  }

  /** Whether the application may send what it likes, unseen. */
  get isSentDone(): boolean {
    return this.#isDone && this.#options.scrubbers.every((scrubber) => scrubber.isDone);
  }

  /** Whether enough of the peer is known. */
  get isReceivedDone(): boolean {
    return this.#isDone || this.#received.length >= INSPECTED_RECEIVED;
  }

  #allow(bytes: Uint8Array): Uint8Array | undefined {
    return this.#isDone || this.#look(bytes) ? bytes : undefined;
  }

  /** What the scrubbers have held back: of each one, through those behind it. */
  #flush(): Uint8Array {
    let held = NOTHING;
    for (const scrubber of this.#options.scrubbers) {
      const [passed, rest] = [scrubber.push(held), scrubber.end()];
      held = Uint8Array.of(...passed, ...rest);
    }
    return held;
  }

  /** Looks at what is about to leave, and says whether it may. */
  #look(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true;
    const before = this.#found.length;
    const room = this.#lines === undefined ? INSPECTED - this.#sent.length : bytes.length;
    const text = fromLatin1(bytes.subarray(0, room));
    this.#lookAnywhere(text);
    if (this.#lines !== undefined) {
      this.#lookAtLines(text);
    } else {
      this.#lookAtHead(text);
      // A stream that has just shown itself to be of lines is looked at as a whole.
      const rest = fromLatin1(bytes.subarray(this.#lines === undefined ? bytes.length : room));
      this.#lookAnywhere(rest);
      if (rest !== "") this.#lookAtLines(rest);
    }
    return !this.#options.blocks || this.#found.length === before;
  }

  #lookAnywhere(text: string): void {
    const { finder } = this.#options;
    if (finder === undefined) return;
    const all = this.#tail + text;
    this.#report(finder.find(all, this.#tail.length));
    this.#tail = all.slice(-finder.overlap);
  }

  #lookAtHead(text: string): void {
    this.#sent += text;
    const isFull = this.#sent.length >= INSPECTED;
    // Of TLS no line ends, and the fragment that completes its greeting may be of any size.
    const isTls = this.#sent.startsWith("\x16\x03");
    if (
      !isFull && !isTls && !text.includes("\n") && this.#sent.length > STEP && this.#sent.length < this.#looked + STEP
    ) return;
    this.#looked = this.#sent.length;
    const head: Head = { sent: this.#sent, received: this.#received, host: this.#options.host };
    let isOver = isFull;
    for (const detect of this.#detectors) {
      const verdict = detect(head);
      if (verdict === undefined) continue;
      // A stream is of one protocol.
      this.#detectors = [detect];
      this.#candidates = [];
      this.#report(verdict.leaks);
      isOver ||= verdict.isDone;
      break;
    }
    this.#candidates = this.#candidates.filter((protocol) => {
      const isIt = protocol.recognise(head);
      if (isIt === true) this.#lines ??= protocol;
      return isIt !== false;
    });
    if (this.#lines !== undefined) this.#lookAtLines(this.#sent);
    else if (isOver) this.#finish();
  }

  #lookAtLines(text: string): void {
    const lines = (this.#line + text).split("\n");
    this.#line = lines.pop() ?? "";
    for (const line of lines) this.#report(this.#lines?.inspect(line.replace(/\r$/, "")) ?? []);
    // Encrypted or binary from here on.
    if (this.#line.length > LONGEST_LINE || this.#line.startsWith("\x16\x03") || this.#line.includes("\0")) {
      this.#finish();
    }
  }

  #report(kinds: readonly LeakKind[]): void {
    for (const kind of kinds) {
      if (this.#found.includes(kind)) continue;
      this.#found.push(kind);
      this.#options.found(kind);
    }
  }

  #finish(): void {
    this.#isDone = true;
    this.#sent =
      this.#received =
      this.#line =
      this.#tail =
        "";
  }
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
