import type { Inspection, Protocol, Reader } from "./detector.ts";
import { hostOf, isHarmlessHost } from "./host.ts";
import type { Scanner } from "./identifiers.ts";
import { decodeBase64 } from "./reader.ts";

/** What may come before a stream's opening tag: white space, and a declaration of a length that is not absurd. */
const PROLOGUE = /^\s{0,64}(?:<\?xml[^<>]{0,256}>\s{0,64})?/;

/** Longest text up to the end of a tag that is kept; of a longer one, the end. */
const MAX_TAG = 4_096;

const ADDRESS = /\s(?:to|from)\s{0,8}=\s{0,8}(?:"([^"]{0,1023})"|'([^']{0,1023})')/g;

/**
 * The stream of an XMPP client (RFC 6120), for domains in its openings, and its answers to questions for version and time.
 *
 * Not seen: what comes behind STARTTLS, which with most servers is everything but the first opening; addresses in what is
 * said within a stream, which go to the server that the application has chosen; and the name of the client in entity
 * capabilities.
 */
export const XMPP: Protocol = {
  recognise: ({ sent }) => {
    const tag = sent.slice(PROLOGUE.exec(sent)?.[0].length ?? 0, MAX_TAG);
    if (/^<(?:stream:)?stream\s/.test(tag)) return true;
    const mayBegin = "<stream:stream".startsWith(tag) || "<stream".startsWith(tag) ||
      /^\s{0,64}<(?:\?(?:x(?:m(?:l[^<>]{0,256})?)?)?)?$/.test(sent) || tag === "";
    return mayBegin && sent.length < 512 ? undefined : false;
  },
  open: (context) => new XmppReader(context),
};

/** Reads up to the end of one tag after the other. */
class XmppReader implements Reader {
  readonly #context: Inspection;
  readonly #scanner: Scanner;
  /** What has come behind the last tag. */
  #held = "";
  /** The question that is being answered. */
  #answer: "version" | "time" | undefined;
  #isResult = false;
  #mayTurnToTls = false;
  #isOver = false;

  constructor(context: Inspection) {
    this.#context = context;
    this.#scanner = context.scan();
  }

  push(text: string): number {
    let start = 0;
    while (!this.#isOver) {
      const end = text.indexOf(">", start) + 1;
      this.#held += text.slice(start, end || undefined);
      // deno-lint-ignore no-control-regex
      if (this.#mayTurnToTls && /^\s{0,64}\x16\x03/.test(this.#held)) this.#isOver = true;
      else if (end === 0) break;
      else this.#takeTag();
      start = end;
      if (end === 0) break;
    }
    while (this.#held.length > MAX_TAG) {
      this.#scanner.push(this.#held.slice(0, MAX_TAG));
      this.#held = this.#held.slice(MAX_TAG);
    }
    // White space keeps a connection alive.
    return this.#isOver || /^\s*$/.test(this.#held) ? 0 : this.#held.length;
  }

  end(): void {
    this.#scanner.push(this.#held);
    this.#scanner.end();
  }

  get skip(): number {
    return this.#isOver ? Infinity : 0;
  }

  pass(): void {}

  #takeTag(): void {
    this.#scanner.push(this.#held);
    const at = this.#held.lastIndexOf("<");
    const [text, tag] = [this.#held.slice(0, Math.max(0, at)), this.#held.slice(Math.max(0, at))];
    this.#held = "";
    this.#mayTurnToTls = /^<\/?starttls\b/.test(tag);
    if (/^<(?:stream:)?stream\s/.test(tag) && domainsOf(tag).some((domain) => !isHarmlessHost(domain))) {
      this.#context.onLeak("xmpp-domain");
    }
    if (/^<\/?iq\b/.test(tag)) {
      this.#isResult = /\stype\s*=\s*["']result["']/.test(tag);
      this.#answer = undefined;
    }
    if (this.#isResult) this.#takeAnswer(text, tag);
    if (/^<\/(?:auth|response)\s*>/.test(tag)) this.#context.search(decodeBase64(text.trim()));
  }

  #takeAnswer(text: string, tag: string): void {
    if (/\sxmlns\s*=\s*["']jabber:iq:version["']/.test(tag)) this.#answer = "version";
    if (/\sxmlns\s*=\s*["'](?:urn:xmpp:time|jabber:iq:time)["']/.test(tag)) this.#answer = "time";
    if (this.#answer === "version" && /^<\/(?:name|version|os)\s*>/.test(tag) && text.trim() !== "") {
      this.#context.onLeak("xmpp-version");
    }
    const isZone = this.#answer === "time" && /^<\/tzo?\s*>/.test(tag);
    if (isZone && !/^(?:Z|UTC|GMT|[+-]00:00|)$/.test(text.trim())) this.#context.onLeak("xmpp-time");
  }
}

/** The domains of the addresses, `user@domain/resource`, in an opening tag. */
function domainsOf(opening: string): string[] {
  return [...opening.matchAll(ADDRESS)].map(([, double, single]) =>
    hostOf((double ?? single ?? "").replace(/\/.*/s, ""))
  );
}
