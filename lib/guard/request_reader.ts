import {
  bodyOf,
  ChunkedBody,
  countLineEnds,
  type HeaderField,
  parseField,
  parseRequestLine,
  type RequestLine,
} from "./request.ts";
import { FrameReader, mayBeginFrame } from "./websocket.ts";

/** Longest head that is read as a whole, characters; a longer one is read field by field, and a field in pieces. */
export const MAX_HEAD = 16_384;

/** A field of a head as it came. */
export interface RawField extends HeaderField {
  /** With its line end, and the lines that continue it. Of a field longer than {@linkcode MAX_HEAD}, the beginning. */
  readonly raw: string;
  /** Whether all of it is here. */
  readonly isWhole: boolean;
}

/** What is known of a request while its head is read. */
export interface RequestFacts extends RequestLine {
  /** Hosts that it names. */
  readonly hosts: readonly string[];
}

/** Takes what a {@linkcode RequestReader} reads, in order. */
export interface RequestHandler {
  /** Takes a request line and fields as they came, all that the next {@linkcode line} and {@linkcode fields} get, in one. */
  raw(text: string): void;
  /** Takes a request line, or the beginning of a very long one, with its end. */
  line(raw: string, facts: RequestFacts): void;
  /** Takes fields of a head: all of them together, or of a long head one by one. */
  fields(fields: readonly RawField[], facts: RequestFacts): void;
  /** Takes what belongs to the line or field before, which was too long to come in one piece. */
  more(raw: string): void;
  /** Takes the empty line behind a head. */
  headEnd(raw: string): void;
  /** Takes everything that is not of a head, as it came. */
  plain(raw: string): void;
  /** Takes what is in a body or in a message of WebSocket, without what frames it. */
  payload(text: string): void;
  /** Takes the end of a body or message. */
  payloadEnd(): void;
  /** Takes note of a message of WebSocket that is compressed. */
  compressed(): void;
  /** Takes note of a head that is not written to the letter, so that two readers could understand it in two ways. */
  loose(): void;
}

/** What comes next in a stream. */
type State =
  /** Any protocol: nothing was read yet, or CONNECT in front. */
  | "start"
  /** A request. */
  | "request"
  /** A request, or frames of WebSocket. */
  | "upgrade"
  /** A field of a head. */
  | "field"
  /** The rest of a very long request line, or of a very long field, and what may continue that. */
  | "longLine"
  | "longField"
  | "longFieldEnd"
  /** A body that the peer may refuse to take, so that a request may come in its place. */
  | "expected"
  | "body"
  | "chunks"
  | "frames"
  /** It is not HTTP, or nothing more of it can be known. */
  | "alien"
  | "lost";

/**
 * Reads what a client of HTTP/1 sends, whatever the fragments and in bounded memory: heads, bodies, and messages of
 * WebSocket behind an Upgrade. The client's own bytes say whether an Upgrade was taken, so no answer of the peer matters.
 */
export class RequestReader {
  readonly #handler: RequestHandler;
  #state: State = "start";
  /** What has come and was not read yet. */
  #held = "";
  /** Up to where no line end is in {@linkcode #held}. */
  #searched = 0;
  /** Up to where {@linkcode #held} may be a request line. */
  #fitting = new RequestLinePrefix();
  /** Characters of the head so far. */
  #headLength = 0;
  #line: RequestLine | undefined;
  /** Request line and fields that wait for the end of their head. */
  #rawLine = "";
  #fields: RawField[] = [];
  /** Characters of these. */
  #waiting = 0;
  /** The head from its request line on, where it came in few pieces: what waits stands at its beginning. */
  #origin = "";
  /** The field under way, which the next line may continue. */
  #field = "";
  #lengths: string[] = [];
  #encodings: string[] = [];
  #hosts: string[] = [];
  #upgrades = "";
  #expects = false;
  #body = 0;
  #chunks: ChunkedBody | undefined;
  #frames: FrameReader | undefined;

  constructor(handler: RequestHandler) {
    this.#handler = handler;
  }

  /** `alien` where the stream is not HTTP, `lost` where nothing more of it can be known. */
  get state(): "reading" | "alien" | "lost" {
    return this.#state === "alien" || this.#state === "lost" ? this.#state : "reading";
  }

  /** How many characters were not handed on yet. */
  get pending(): number {
    return this.#waiting + this.#field.length + this.#held.length;
  }

  /** What was not handed on; nothing is kept. */
  release(): string {
    const rest = this.#rawLine + this.#fields.map(({ raw }) => raw).join("") + this.#field + this.#held;
    this.#held =
      this.#field =
      this.#rawLine =
      this.#origin =
        "";
    this.#fields = [];
    this.#waiting = 0;
    return rest;
  }

  /** Takes the end of the stream: hands on the whole lines of a head that has not ended. */
  finish(): void {
    if (this.#state !== "field") return;
    if (this.#field !== "") this.#finishField(true);
    this.#emit();
  }

  /** How many of the next characters are payload. */
  get skip(): number {
    if (this.#held !== "") return 0;
    if (this.#state === "body") return this.#body;
    if (this.#state === "chunks") return this.#chunks?.rest ?? 0;
    return this.#state === "frames" ? this.#frames?.skip ?? 0 : 0;
  }

  /** Takes note of payload that it does not get, at most {@linkcode skip}. */
  pass(count: number): void {
    if (this.#state === "chunks") this.#chunks?.pass(count);
    else if (this.#state === "frames") this.#frames?.pass(count);
    else this.#passBody(count);
  }

  /** Takes the next characters, unless it is `alien` or `lost`; {@linkcode release} has what it could not read. */
  push(text: string): void {
    // To make one piece of many small ones again and again would take more than linear time.
    if (4 * text.length < this.#origin.length) this.#origin = "";
    if (this.#origin === "") {
      this.#held += text;
    } else {
      const at = this.#origin.length - this.#held.length;
      this.#origin += text;
      this.#held = this.#origin.slice(at);
    }
    while (this.state === "reading" && this.#step());
  }

  /** Goes on by one part of the stream; false where it needs more. */
  #step(): boolean {
    switch (this.#state) {
      case "start":
      case "request":
        return this.#readRequestLine();
      case "upgrade":
        return this.#readUpgraded();
      case "field":
        return this.#readField();
      case "longLine":
      case "longField":
        return this.#readLong();
      case "longFieldEnd":
        return this.#readLongEnd();
      case "expected":
        return this.#readExpected();
      case "body":
      case "chunks":
      case "frames":
        return this.#readPayload();
      default:
        return false;
    }
  }

  #readRequestLine(): boolean {
    const ends = countLineEnds(this.#held);
    if (ends > 0) this.#handler.plain(this.#take(ends));
    if (this.#held === "") return false;
    const end = this.#lineEnd();
    const line = end === 0 ? this.#held : this.#held.slice(0, end);
    if (!this.#fitting.fits(line.slice(0, MAX_HEAD))) {
      this.#state = this.#state === "start" && !this.#fitting.isHttp ? "alien" : "lost";
      return false;
    }
    if (line.length > MAX_HEAD) {
      // All of the version is left for the end of the line.
      const raw = this.#take(MAX_HEAD - 16);
      const [method = "", target = ""] = raw.split(" ");
      this.#begin({ method, target, minorVersion: 1 }, MAX_HEAD + 1);
      this.#handler.raw(raw);
      this.#handler.line(raw, this.#facts());
      this.#state = "longLine";
      return true;
    }
    if (end === 0) return false;
    const parsed = parseRequestLine(withoutEnd(line));
    if (parsed === undefined) {
      this.#state = "lost";
      return false;
    }
    this.#begin(parsed, end);
    this.#origin = this.#held;
    this.#rawLine = this.#take(end);
    this.#waiting = end;
    this.#state = "field";
    return true;
  }

  #begin(line: RequestLine, headLength: number): void {
    this.#line = line;
    this.#headLength = headLength;
    this.#fitting = new RequestLinePrefix();
    this.#fields = [];
    [this.#lengths, this.#encodings, this.#hosts] = [[], [], []];
    this.#upgrades = "";
    this.#expects = false;
  }

  #readField(): boolean {
    const end = this.#lineEnd();
    const size = end === 0 ? this.#held.length : end;
    // A field ends where the next line does not continue it.
    const first = this.#held.charCodeAt(0);
    const continues = first === 32 || first === 9;
    if (this.#held !== "" && !continues && this.#field !== "") this.#finishField(true);
    if (this.#headLength <= MAX_HEAD && this.#headLength + size > MAX_HEAD) {
      this.#headLength += size;
      this.#emit();
    }
    if (this.#field.length + size > MAX_HEAD) {
      const count = MAX_HEAD - this.#field.length;
      // A line end stays in one piece.
      this.#field += this.#take(this.#held.charAt(count - 1) === "\r" ? count - 1 : count);
      this.#finishField(false);
      this.#state = "longField";
      return true;
    }
    if (end === 0) return false;
    if (this.#headLength <= MAX_HEAD) this.#headLength += size;
    const line = this.#take(end);
    if (withoutEnd(line) !== "") {
      if (continues && this.#field === "") this.#handler.loose();
      this.#field += line;
      return true;
    }
    this.#emit();
    this.#endHead(line);
    return true;
  }

  /** Hands on what of a head has come. */
  #emit(): void {
    if (this.#waiting > 0) this.#handler.raw(this.#rawHead());
    if (this.#rawLine !== "") this.#handler.line(this.#rawLine, this.#facts());
    if (this.#fields.length > 0) this.#handler.fields(this.#fields, this.#facts());
    this.#rawLine = this.#origin = "";
    this.#fields = [];
    this.#waiting = 0;
  }

  /** Request line and fields that wait, without a copy where they came in one piece. */
  #rawHead(): string {
    if (this.#waiting <= this.#origin.length) return this.#origin.slice(0, this.#waiting);
    return this.#rawLine + this.#fields.map(({ raw }) => raw).join("");
  }

  #finishField(isWhole: boolean): void {
    const raw = this.#field;
    this.#field = "";
    const parsed = parseField(withoutEnd(raw));
    if (parsed?.isStrict !== true || hasControl(raw)) this.#handler.loose();
    const { name, value } = parsed ?? { name: "", value: "" };
    if (name === "content-length") this.#lengths.push(isWhole ? value : "");
    if (name === "transfer-encoding") this.#encodings.push(isWhole ? value : "");
    if (name === "host") this.#hosts.push(value);
    if (name === "upgrade") this.#upgrades += `${value.toLowerCase()},`;
    if (name === "expect") this.#expects ||= value !== "";
    this.#fields.push({ name, value, raw, isWhole });
    this.#waiting += raw.length;
    if (this.#headLength > MAX_HEAD) this.#emit();
  }

  #readLong(): boolean {
    const end = this.#lineEnd();
    const isLine = this.#state === "longLine";
    // The version stands at the end of a request line, and has to be known.
    const kept = isLine ? " HTTP/1.1\r".length : this.#held.endsWith("\r") ? 1 : 0;
    const size = end === 0 ? this.#held.length - kept : end;
    if (size <= 0) return false;
    if (isLine && end > 0) {
      const [, minor] = /^[!-~\x80-\xff]* HTTP\/1\.(\d)\r?\n$/.exec(this.#held.slice(0, end)) ?? [];
      if (minor === undefined || this.#line === undefined) {
        this.#state = "lost";
        return false;
      }
      this.#line = { ...this.#line, minorVersion: Number(minor) };
    }
    if (isLine && end === 0 && /[^!-~\x80-\xff]/.test(this.#held.slice(0, size))) {
      this.#state = "lost";
      return false;
    }
    const raw = this.#take(size);
    if (!isLine && hasControl(raw)) this.#handler.loose();
    this.#handler.more(raw);
    if (end > 0) this.#state = isLine ? "field" : "longFieldEnd";
    return end > 0;
  }

  #readLongEnd(): boolean {
    if (this.#held === "") return false;
    this.#state = /^[ \t]/.test(this.#held) ? "longField" : "field";
    return true;
  }

  #endHead(raw: string): void {
    const line = this.#line;
    if (line === undefined) return;
    this.#handler.headEnd(raw);
    const body = bodyOf({ minorVersion: line.minorVersion, lengths: this.#lengths, encodings: this.#encodings });
    if (body === undefined) this.#state = "lost";
    else if (body === "chunked") {
      this.#state = "chunks";
    } else if (body > 0) {
      this.#body = body;
      this.#state = this.#expects ? "expected" : "body";
    } else if (line.method === "CONNECT") this.#state = "start";
    else if (this.#upgrades === "") this.#state = "request";
    else this.#state = /(?:^|[ ,])websocket\b/.test(this.#upgrades) ? "upgrade" : "start";
  }

  #readUpgraded(): boolean {
    if (this.#held.length < 2) return false;
    const isFrame = mayBeginFrame(this.#held.charCodeAt(0), this.#held.charCodeAt(1));
    this.#state = isFrame ? "frames" : "request";
    return true;
  }

  /** A client whose body was refused may go on with a request; nobody else would know where it begins. */
  #readExpected(): boolean {
    const beginning = this.#held.slice(0, Math.min(this.#body, MAX_HEAD));
    const end = this.#lineEnd();
    const line = end === 0 ? beginning : beginning.slice(0, end);
    const isFitting = this.#fitting.fits(line);
    if (isFitting && end > 0 && end <= this.#body) {
      this.#state = "lost";
      return false;
    }
    if (isFitting && beginning.length < Math.min(this.#body, MAX_HEAD)) return false;
    this.#fitting = new RequestLinePrefix();
    this.#state = "body";
    return true;
  }

  #readPayload(): boolean {
    if (this.#held === "") return false;
    if (this.#state === "chunks") this.#readChunks(this.#chunks ??= new ChunkedBody());
    else if (this.#state === "frames") this.#readFrames(this.#frames ??= this.#newFrames());
    else {
      const text = this.#take(Math.min(this.#body, this.#held.length));
      this.#handler.plain(text);
      this.#handler.payload(text);
      this.#passBody(text.length);
    }
    return this.#held !== "";
  }

  #readChunks(chunks: ChunkedBody): void {
    const data: string[] = [];
    const count = chunks.push(this.#held, (piece) => data.push(piece));
    if (count > 0) this.#handler.plain(this.#take(count));
    for (const piece of data) this.#handler.payload(piece);
    if (chunks.state === "open") return;
    this.#chunks = undefined;
    this.#state = chunks.state === "over" ? "request" : "lost";
    this.#handler.payloadEnd();
  }

  #readFrames(frames: FrameReader): void {
    const count = frames.push(this.#held);
    if (count > 0) this.#handler.plain(this.#take(count));
    if (frames.isBroken) this.#state = "lost";
  }

  #passBody(count: number): void {
    this.#body -= count;
    if (this.#body > 0) return;
    this.#state = "request";
    this.#handler.payloadEnd();
  }

  #newFrames(): FrameReader {
    return new FrameReader({
      text: (text) => this.#handler.payload(text),
      messageEnd: () => this.#handler.payloadEnd(),
      compressed: () => this.#handler.compressed(),
    });
  }

  #facts(): RequestFacts {
    const { method = "", target = "", minorVersion = 1 } = this.#line ?? {};
    return { method, target, minorVersion, hosts: this.#hosts };
  }

  /** Where the first line of what is held ends; 0 if it has not ended. */
  #lineEnd(): number {
    const end = this.#held.indexOf("\n", this.#searched) + 1;
    if (end === 0) this.#searched = this.#held.length;
    return end;
  }

  #take(count: number): string {
    const taken = this.#held.slice(0, count);
    this.#held = this.#held.slice(count);
    this.#searched = 0;
    return taken;
  }
}

/** Whether a text has a NUL, or a return that is not part of a line end. */
function hasControl(text: string): boolean {
  if (text.includes("\0")) return true;
  for (let at = text.indexOf("\r"); at >= 0; at = text.indexOf("\r", at + 1)) {
    if (text.charAt(at + 1) !== "\n" && at + 1 < text.length) return true;
  }
  return false;
}

function withoutEnd(line: string): string {
  if (!line.endsWith("\n")) return line;
  return line.slice(0, line.endsWith("\r\n") ? -2 : -1);
}

/** Follows the beginning of a line for as long as it may be one of a request, looking at each character once. */
class RequestLinePrefix {
  #length = 0;
  /** 0 method, 1 target, 2 version. */
  #part = 0;
  #partLength = 0;
  #fits = true;

  /** Whether its version was begun: what follows was meant as HTTP. */
  get isHttp(): boolean {
    return this.#part > 2 || (this.#part === 2 && this.#partLength > "HTTP/".length);
  }

  /** Whether a line, which goes on from the one of the call before, may be one of a request. */
  fits(line: string): boolean {
    for (; this.#fits && this.#length < line.length; this.#length++) {
      this.#fits = this.#takes(line.charCodeAt(this.#length));
    }
    return this.#fits;
  }

  #takes(code: number): boolean {
    if (code === 32) {
      const isPartOver = this.#partLength > 0;
      this.#part++;
      this.#partLength = 0;
      return isPartOver && this.#part < 3;
    }
    const at = this.#partLength++;
    if (this.#part === 0) return at < 24 && ((code >= 65 && code <= 90) || code === 45 || code === 95);
    if (this.#part === 1) return code > 32 && code !== 127;
    if (at < 7) return "HTTP/1.".charCodeAt(at) === code;
    if (at === 7) return code >= 48 && code <= 57;
    return (at === 8 && (code === 13 || code === 10)) || (at === 9 && code === 10);
  }
}
