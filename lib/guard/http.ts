import { namesClient } from "./bittorrent.ts";
import { type Head, INSPECTED, type Inspection, type Protocol, type Reader } from "./detector.ts";
import { headerLeak, isForeignHost, sitesOf } from "./header_leak.ts";
import { hostOf, hostOfUrl } from "./host.ts";
import type { Scanner } from "./identifiers.ts";
import type { LeakKind } from "./leak.ts";
import { decodeBase64, PlainReader } from "./reader.ts";
import { countLineEnds, mayBeRequestLine, parseRequestLine } from "./request.ts";
import { type RawField, type RequestFacts, type RequestHandler, RequestReader } from "./request_reader.ts";

/** Shortest value of a cookie that can stand for one person among many: `lang=en` and `theme=dark` cannot. */
const MIN_COOKIE_VALUE = 8;

/** How a request line of HTTP begins, and no line of another protocol. */
const COMMON_METHOD = /^(?:CONNECT|DELETE|GET|HEAD|OPTIONS|PATCH|POST|PROPFIND|PUT|REPORT|TRACE) (?:\/|https?:\/\/)/;

/** Characters of a request line by which one that goes on is known. */
const LONG_LINE = 1_024;

/** What HTTP/2 begins with (RFC 9113 §3.4). */
const HTTP2 = "PRI * HTTP/2.0\r\n";

/**
 * HTTP/1 requests, one behind the other, with the text messages of WebSocket behind an Upgrade.
 *
 * Of bodies and messages the first 16 KB are searched for identifiers. Not seen: what is in compressed bodies and messages,
 * trailers of chunked bodies, and traits that take more than one header to notice, such as the order of headers or the
 * languages that are accepted. A User-Agent that names a program but no system is not a leak: curl's, git's, wget's.
 */
export const HTTP: Protocol = {
  recognise,
  beginsWithText: true,
  isUnmistakable: (sent) => COMMON_METHOD.test(sent),
  open: (context) => new HttpReader(context),
};

/** HTTP/2 without TLS: that it is spoken is all that is reported. */
export const HTTP_2: Protocol = {
  recognise: ({ sent }) => sent.startsWith(HTTP2) || (HTTP2.startsWith(sent) ? undefined : false),
  open: (context) => {
    context.onLeak("http-undecoded");
    return new PlainReader(context);
  },
};

/** The cookies, `name=value`, of a header that are long enough to identify one visitor. */
export function cookiesOf(value: string): string[] {
  const pairs = value.split(";").map((pair) => pair.trim());
  return pairs.filter((pair) => pair.indexOf("=") > 0 && pair.length - pair.indexOf("=") - 1 >= MIN_COOKIE_VALUE);
}

function recognise({ sent }: Head): boolean | undefined {
  const text = sent.slice(countLineEnds(sent));
  const end = text.indexOf("\n");
  if (end >= 0) return parseRequestLine(text.slice(0, end).replace(/\r$/, "")) !== undefined;
  if (text.length >= LONG_LINE && COMMON_METHOD.test(text)) return true;
  return mayBeRequestLine(text) ? undefined : false;
}

/** Reads requests for leaks and identifiers. */
class HttpReader implements Reader, RequestHandler {
  readonly #context: Inspection;
  readonly #requests: RequestReader;
  readonly #heads: Scanner;
  readonly #payload: Scanner;
  /** Lines of a head that were not searched yet. */
  #head = "";
  /** Reads what follows HTTP. */
  #plain: PlainReader | undefined;
  /** Characters of the body, or message, under way. */
  #payloadLength = 0;
  #undecided = 0;

  constructor(context: Inspection) {
    this.#context = context;
    this.#requests = new RequestReader(this);
    this.#heads = context.scan();
    this.#payload = context.scan();
  }

  push(text: string): number {
    if (this.#plain !== undefined) return this.#plain.push(text);
    this.#requests.push(text);
    this.#searchHead();
    const { state } = this.#requests;
    if (state === "reading") return Math.max(this.#requests.pending, this.#undecided);
    if (state === "lost") this.#context.onLeak("http-unreadable");
    this.#payload.end();
    this.#plain = new PlainReader(this.#context);
    return this.#plain.push(this.#requests.release());
  }

  end(): void {
    if (this.#plain === undefined) {
      this.#requests.finish();
      this.#head += this.#requests.release();
      this.#searchHead();
    }
    this.#heads.end();
    this.#payload.end();
    this.#plain?.end();
  }

  get skip(): number {
    if (this.#plain !== undefined) return this.#plain.skip;
    return this.#payloadLength >= INSPECTED ? this.#requests.skip : 0;
  }

  pass(count: number): void {
    if (this.#plain === undefined) this.#requests.pass(count);
  }

  raw(text: string): void {
    this.#head += text;
  }

  line(_: string, { method, target }: RequestFacts): void {
    const named = method === "CONNECT" ? hostOf(target) : hostOfUrl(target) ?? "";
    if (named !== "" && isForeignHost(named, sitesOf({ target, hosts: [] }, this.#context.host))) {
      this.#context.onLeak("http-host");
    }
    for (const kind of announceLeaks(target)) this.#context.onLeak(kind);
  }

  fields(fields: readonly RawField[], facts: RequestFacts): void {
    const sites = sitesOf(facts, this.#context.host);
    for (const field of fields) {
      const { name, value } = field;
      const leak = headerLeak(field, sites);
      if (leak !== undefined) this.#context.onLeak(leak);
      if (name === "cookie") { for (const cookie of cookiesOf(value)) this.#context.onTrait("cookie", cookie); }
      if (name === "if-none-match" && value.length >= MIN_COOKIE_VALUE) this.#context.onTrait("etag", value);
      if (name === "user-agent") this.#context.onTrait("user-agent", value);
      if (name === "authorization" || name === "proxy-authorization") this.#login(value);
    }
  }

  more(raw: string): void {
    this.#head += raw;
  }

  headEnd(): void {
    this.#searchHead();
    this.#heads.end();
  }

  plain(): void {}

  payload(text: string): void {
    const part = text.slice(0, Math.max(0, INSPECTED - this.#payloadLength));
    this.#payloadLength += text.length;
    this.#undecided = this.#payload.push(part);
    if (this.#payloadLength < INSPECTED) return;
    this.#payload.end();
    this.#undecided = 0;
  }

  payloadEnd(): void {
    this.#payload.end();
    this.#payloadLength = 0;
    this.#undecided = 0;
  }

  compressed(): void {
    this.#context.onLeak("websocket-unreadable");
  }

  loose(): void {
    if (this.#context.blocks) this.#context.onLeak("http-unreadable");
  }

  #searchHead(): void {
    this.#heads.push(this.#head);
    this.#head = "";
  }

  /** A login is in base64, except for its scheme. */
  #login(value: string): void {
    const [, token = ""] = /^(?:Basic|NTLM|Negotiate) +([A-Za-z0-9+/_-]+=*)$/i.exec(value) ?? [];
    this.#context.search(decodeBase64(token));
  }
}

/** What a request for a BitTorrent tracker says of the client. */
function announceLeaks(target: string): LeakKind[] {
  const query = target.slice(0, 4_096);
  if (!query.includes("peer_id=") && !query.includes("info_hash=")) return [];
  if (!query.includes("info_hash=")) return namesClient(parameter(query, "peer_id")) ? ["bittorrent-client"] : [];
  const addresses = ["ip", "ipv4", "ipv6", "localip"].map((name) => hostOf(parameter(query, name)));
  return [
    ...(namesClient(parameter(query, "peer_id")) ? ["bittorrent-client"] as const : []),
    ...(addresses.some((address) => isForeignHost(address, new Set())) ? ["bittorrent-address"] as const : []),
  ];
}

function parameter(query: string, name: string): string {
  const [, escaped = ""] = new RegExp(`[?&]${name}=([^&]{0,1000})`).exec(query) ?? [];
  return escaped.replace(/%([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
